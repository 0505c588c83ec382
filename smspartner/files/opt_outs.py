"""Opt-out lists: phones that must not be written to, whatever the rental says.

A list is any text file that has phones in it: one a line, or a column of a CSV with any
delimiter, with or without a header; UTF-8, UTF-16 with a BOM, or Latin-1. Every cell of every
line is looked at, so nobody has to say which column it is. A list can also be an export in
Parquet, Arrow or SQLite. Phones are compared as E.164; one that has no E.164 form is compared as
text, without its spaces and dots.

What would suppress nobody without a word is an error: a list without any phone, a file that is
no text, and phones that a spreadsheet has turned into ``3,36E+10``, which cannot be turned back.
What looks like a phone and cannot be read as one is counted, and the command line says so.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final

from smspartner.errors import ConfigurationError, SMSPartnerError
from smspartner.files.spotting import SpoiledError, phone_in, spot, text_keys
from smspartner.files.targets import Target

#: How a workbook of Excel or LibreOffice begins.
_ZIP: Final = b"PK\x03\x04"
#: How files begin that ``inputs`` reads, or says what to do about. Text begins like none of them.
_NO_TEXT: Final = (
    b"PAR1",
    b"ARROW1",
    b"SQLite format 3\0",
    b"\xd0\xcf\x11\xe0",
    b"\x1f\x8b",
    b"\x28\xb5\x2f\xfd",
    b"%PDF",
)
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True)
class SuppressionList:
    """Phones to leave out; ``phone in suppression`` asks for one of them, however it is written.

    Attributes:
        lines: lines read.
        phones: different phones found.
        unclear: pieces of text that look like a phone, nine digits or more, and cannot be read
            as one: who they stand for is left out only where the rental has the same text.
        first_unclear: the line of the first of them, counted from 1; None where there is none.
    """

    lines: int
    phones: int
    unclear: int
    first_unclear: int | None
    _e164: frozenset[str]
    _texts: frozenset[str]

    def __contains__(self, phone: object) -> bool:
        if not isinstance(phone, str):
            return False
        if e164 := phone_in(phone):
            # A list can have it without its ``+``: of other countries, that has no E.164 form.
            return e164 in self._e164 or e164[1:] in self._texts
        return not self._texts.isdisjoint(text_keys(phone))

    def __repr__(self) -> str:
        return f"SuppressionList({self.phones} phones from {self.lines} lines)"


def read_suppression(path: Target) -> SuppressionList:
    """Read an opt-out list.

    Args:
        path: the file; a text file can be a pipe.

    Raises:
        ConfigurationError: it cannot be read, is no list, holds no phone, or phones spoiled by a
            spreadsheet.
    """
    name = os.fspath(path)
    try:
        with Path(name).open("rb") as file:
            return _collected(name, _lines(name, file))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not the name of a file"
        raise ConfigurationError(f"cannot read the opt-out list {name!r}: {reason}") from error


def _collected(name: str, lines: Iterable[str]) -> SuppressionList:
    e164: set[str] = set()
    abroad: set[str] = set()
    texts: set[str] = set()
    count, unclear, first = 0, 0, None
    for count, line in enumerate(lines, 1):
        try:
            found = spot(line)
        except SpoiledError:
            raise ConfigurationError(_spoiled(name, count)) from None
        e164 |= found.e164
        abroad |= found.abroad
        texts |= found.texts
        unclear += found.unclear
        first = first or (count if found.unclear else None)
    phones = len(e164) + len(abroad)
    if not phones:
        raise ConfigurationError(f"no phone in the {count} lines of {name!r}: it suppresses nobody")
    return SuppressionList(
        count, phones, unclear, first, frozenset(e164), frozenset(texts | abroad)
    )


def _lines(name: str, file: BinaryIO) -> Iterator[str]:
    """Yield the lines of a text file, or what stands for them in an export."""
    start = file.readline()  # not a seek back: it can be a pipe
    if start.startswith(_ZIP):
        raise ConfigurationError(f"{name!r} is a workbook: save it as CSV")
    if start.startswith(_NO_TEXT):
        yield from _exported(name)
        return
    whole = chain([start] if start else [], file)
    decoded = _utf16(whole) if start.startswith(_UTF16) else map(_decoded, whole)
    for index, line in enumerate(decoded, 1):
        if "\0" in line:
            raise ConfigurationError(
                f"line {index} of {name!r} is not text: save the list as CSV in UTF-8"
            )
        yield line


def _decoded(line: bytes) -> str:
    """Decode line by line: one list can be a mix, put together from several."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _utf16(chunks: Iterable[bytes]) -> Iterator[str]:
    """Yield lines; in bytes, a line break can be half of another character."""
    rest = ""
    for text in codecs.iterdecode(chunks, "utf-16"):
        *whole, rest = (rest + text).split("\n")
        yield from whole
    if rest:
        yield rest


def _exported(name: str) -> Iterator[str]:
    """Yield the phones of an export that is no text."""
    from smspartner.files.read import open_numbers  # noqa: PLC0415 - parsers that lists hardly need

    if not Path(name).is_file():
        raise ConfigurationError(f"{name!r} is not text, so it needs to be a file and not a pipe")
    try:
        with open_numbers(name) as source:
            column = "phone" if "phone" in source.columns else "e164"
            for batch in source.batches():
                yield from filter(None, batch[column])
    except SMSPartnerError as error:
        problem = str(error)
    else:
        return
    raise ConfigurationError(f"cannot read the opt-out list: {problem}")


def _spoiled(name: str, line: int) -> str:
    return (
        f"line {line} of {name!r} has a phone that a spreadsheet has turned into something like "
        "3.36E+10: export the list again with the phones as text"
    )
