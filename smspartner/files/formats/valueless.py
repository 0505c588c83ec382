"""Cells of a workbook that show something but have no value: python-calamine reads them as empty.

They are errors, formulas that were never calculated, and text of .ods without a type. In the
binary formats, .xls and .xlsb, they cannot be told from empty ones.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO, Final

from smspartner.decoders.limits import KIB, MIB

_CHUNK: Final = 1 * MIB
#: Bytes that a cell with its formula may be cut in.
_OVERLAP: Final = 64 * KIB
#: Programs that calculate nothing say so in the workbook, and write 0 for each value.
_UNCALCULATED: Final = re.compile(rb"\sfullCalcOnLoad\s*=\s*[\"'](?:1|true)")
_ERROR: Final = re.compile(rb"<(?:\w+:)?c(\s[^<>]*?(?<=\s)t\s*=\s*[\"']e[\"'][^<>]*)")
#: The attributes of a cell with a formula, and its value, if it has one.
_FORMULA: Final = re.compile(
    rb"<(?:\w+:)?c((?:\s[^<>]*)?)>\s*<(?:\w+:)?f(?=[\s/>])(?:[^<>]*/>|[^<>]*>[^<]*<[^<>]*>)\s*"
    rb"(?:<(?:\w+:)?v(?=[\s/>])[^<>]*>([^<]*))?"
)
#: Found fast; most sheets have none.
_ANY_ERROR: Final = re.compile(rb"t\s*=\s*[\"']e[\"']")
_ANY_FORMULA: Final = re.compile(rb"f(?<=[<:].)[\s/>]")
_IS_TEXT: Final = re.compile(rb"\st\s*=\s*[\"']str[\"']")
_PLACE: Final = re.compile(rb"\sr\s*=\s*[\"'](\w{1,10})[\"']")
#: In .ods: an error, or what has a formula or text and no type of a value.
_UNTYPED: Final = re.compile(
    rb"<table:(?:covered-)?table-cell(?=[\s>])(?:[^<>]*\scalcext:value-type\s*=\s*[\"']error"
    rb"|(?![^<>]*\soffice:value-type)(?:[^<>]*\stable:formula|[^<>]*(?<!/)>\s*<text:))"
)


def valueless_cells(path: str) -> Iterator[str]:
    """Yield where such cells are: "A2 of sheet1.xml", or "of content.xml".

    Raises:
        zipfile.BadZipFile: it is damaged.
    """
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        books = [archive.read(name) for name in names if name.endswith("workbook.xml")]
        zeros = any(map(_UNCALCULATED.search, books))
        for name in names:
            with archive.open(name) as part:
                for place in _places(part, zeros=zeros):
                    yield f"{place}of {Path(name).name}"


def _places(part: IO[bytes], *, zeros: bool) -> Iterator[str]:
    rest = b""
    for chunk in chain(iter(lambda: part.read(_CHUNK), b""), [b""]):
        text = rest + chunk
        end = max(0, len(text) - _OVERLAP) if chunk else len(text)
        yield from _in_text(text, end, zeros=zeros)
        rest = text[end:]


def _in_text(text: bytes, end: int, *, zeros: bool) -> Iterator[str]:
    """Yield the places of those that begin before an end."""
    errors = _ERROR.finditer(text) if _ANY_ERROR.search(text) else ()
    yield from (_place(found[1]) for found in errors if found.start() < end)
    for found in _FORMULA.finditer(text) if _ANY_FORMULA.search(text) else ():
        value = (found[2] or b"").strip()
        empty = not value and (found[2] is None or not _IS_TEXT.search(found[1]))
        if found.start() < end and (empty or (zeros and value == b"0")):
            yield _place(found[1])
    untyped = _UNTYPED.finditer(text) if b"table:" in text else ()
    yield from ("" for found in untyped if found.start() < end)


def _place(attributes: bytes) -> str:
    found = _PLACE.search(attributes)
    return f"{found[1].decode('ascii', 'replace')} " if found else ""
