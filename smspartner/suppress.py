"""Opt-out lists: phones that must not be written to, whatever the rental says.

A list is any text file that has phones in it: one a line, or a column of a CSV with any
delimiter, with or without a header; UTF-8, UTF-16 with a BOM, or Latin-1. Every cell of every
line is looked at, so nobody has to say which column it is. Phones are compared as E.164; one
that has no E.164 form is compared as text, without its spaces and dots.

What would suppress nobody without a word is an error: a list without any phone, and phones that
a spreadsheet has turned into ``3,36E+10``, which cannot be turned back.
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from smspartner.errors import ConfigurationError
from smspartner.files import Target
from smspartner.phones import compact, normalise

#: What stands between cells: the delimiters in use, and the quotes and ``=`` around them.
_BETWEEN: Final = re.compile(r"[;,|\t\r\n\"'=]+")
#: A stretch of digits, and of what people put between them, inside other text.
_STRETCH: Final = re.compile(r"[+(]?[0-9][0-9\s.\-/()]*[0-9]")
_FOUR_DIGITS: Final = re.compile(r"(?:\D*\d){4}", re.ASCII)
#: A spreadsheet drops the ``+`` or the 0 of a phone that it takes for a number.
_BARE_MOBILE: Final = re.compile(r"[67]\d{8}", re.ASCII)
_SPOILED: Final = re.compile(r"\d[.,]?\d*E\+1[01]\b", re.ASCII | re.IGNORECASE)
#: How a workbook of Excel or LibreOffice begins.
_ZIP: Final = b"PK\x03\x04"
#: What looks like a phone of some country, with or without an E.164 form.
_ABROAD: Final = re.compile(r"(?:\+|00)\d{6,15}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SuppressionList:
    """Phones to leave out; ``phone in suppression`` asks for one of them, however it is written.

    Attributes:
        lines: lines read.
        phones: different phones found.
    """

    lines: int
    phones: int
    _e164: frozenset[str]
    _texts: frozenset[str]

    def __contains__(self, phone: object) -> bool:
        if not isinstance(phone, str):
            return False
        e164 = normalise(phone).e164
        return e164 in self._e164 if e164 else compact(phone) in self._texts

    def __repr__(self) -> str:
        return f"SuppressionList({self.phones} phones from {self.lines} lines)"


def read_suppression(path: Target) -> SuppressionList:
    """Read an opt-out list.

    Args:
        path: the file.

    Raises:
        ConfigurationError: it cannot be read, holds no phone, or phones spoiled by a spreadsheet.
    """
    name = os.fspath(path)
    e164: set[str] = set()
    texts: set[str] = set()
    lines = 0
    try:
        with Path(name).open("rb") as file:
            for line in _lines(file):
                lines += 1
                if _SPOILED.search(line):
                    raise ConfigurationError(_spoiled(name, lines))
                for cell in filter(None, _BETWEEN.split(line)):
                    _take_in(cell, e164, texts)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"cannot read the opt-out list {name!r}: {error}") from error
    phones = len(e164) + sum(_ABROAD.fullmatch(text) is not None for text in texts)
    if not phones:
        raise ConfigurationError(f"no phone in the {lines} lines of {name!r}: it suppresses nobody")
    return SuppressionList(lines, phones, frozenset(e164), frozenset(texts))


def _lines(file: BinaryIO) -> Iterator[str]:
    """Decode line by line: one list can be a mix, put together from several."""
    start = file.read(4)
    file.seek(0)
    if start == _ZIP:
        raise ConfigurationError(f"{file.name!r} is a workbook: save it as CSV")
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        yield from codecs.getreader("utf-16")(file)
        return
    for line in file:
        try:
            yield line.decode()
        except UnicodeDecodeError:
            yield line.decode("latin-1")


def _take_in(cell: str, e164: set[str], texts: set[str]) -> None:
    """Add the phones of a cell: the cell itself, or else what stands in it between other text."""
    for candidates in ([cell], _STRETCH.findall(cell), re.split(r"[\s/]+", cell)):
        if found := [phone for phone in map(_phone, candidates) if phone]:
            e164.update(found)
            return
    if _FOUR_DIGITS.match(cell):
        texts.add(compact(cell))


def _phone(cell: str) -> str | None:
    text = cell.strip().removesuffix(".0")
    return normalise("0" + text if _BARE_MOBILE.fullmatch(text) else text).e164


def _spoiled(name: str, line: int) -> str:
    return (
        f"line {line} of {name!r} has a phone that a spreadsheet has turned into something like "
        "3.36E+10: export the list again with the phones as text"
    )
