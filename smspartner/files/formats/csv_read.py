"""CSV: as we write it, in both forms, and as spreadsheets save it again."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any, Final

from smspartner.errors import DecodeError, LimitError, TruncatedError
from smspartner.files.columns import (
    ROWS,
    Batch,
    Place,
    counted_from,
    find_columns,
    has_phones,
    known_columns,
    typed,
)
from smspartner.files.input_file import LONGEST, START, InputFile
from smspartner.files.unknown import unknown_format

_COMMAS: Final = ",;\t|"
#: The columns that the excel-safe form writes as formulas.
_FORMULAS: Final = {"phone", "e164"}
#: No header begins like this: it is JSON on one line, or XML.
_NO_HEADER: Final = ("{", "[", "<")
#: A line before the header by which Excel is told what stands between cells.
_SEP: Final = re.compile(r"\ufeff?\"?sep=([,;\t|])\"?[\r\n]*", re.IGNORECASE)
#: Booleans as French Excel saves them.
_BOOLEANS: Final = {"VRAI": "true", "FAUX": "false"}


class CSVFormat:
    """Lines of cells under a header that names ``phone`` or ``e164``.

    Any of ``, ; tab |`` stands between cells, and columns that are not known are passed over.
    Where there is a BOM or ``;`` it can be the excel-safe form, in which a phone is the formula
    ``="+336…"``: its value is taken. The plain form never has either, so there a phone is
    what stands in the cell, to the character. Spreadsheets also leave ``VRAI`` and ``FAUX`` for
    booleans, and ``sep=;`` as a first line.
    """

    name = "CSV"
    endings = (".csv", ".tsv", ".txt")
    ordered = True

    def recognises(self, start: bytes) -> bool:
        """Look for a column of phones in the header."""
        line = _header_line(start)
        names = _names(line, _comma(line))
        if len(start) >= START and b"\n" not in start:
            del names[-1]  # cut off anywhere: what is left of it can look like ``phone``
        return not line.lstrip().startswith(_NO_HEADER) and has_phones(names)

    def read(self, file: InputFile) -> Iterator[Batch]:
        """Yield batches of lines; blank lines are passed over."""
        lines = _lines(file)
        first = next(lines, "")
        sep = _SEP.fullmatch(first)
        comma = sep[1] if sep else _comma(first)
        rows = csv.reader(chain([first], lines), delimiter=comma, strict=True)
        excel = comma == ";" or file.start.startswith(codecs.BOM_UTF8)
        with _csv_errors(file, rows):
            if sep:
                next(rows)  # read by the reader all the same, which counts the lines
            header = next(rows, [])
            if not header:
                raise unknown_format(file)
            columns = find_columns(header, f"{file}, line {rows.line_num}")
            for batch, place in _batches(file, rows, len(header)):
                cells = list(zip(*batch, strict=True))
                yield typed(
                    {name: _cells(name, cells[at], excel=excel) for name, at in columns.items()},
                    place,
                )


def _cells(name: str, cells: Sequence[str], *, excel: bool) -> Sequence[str | None]:
    if name == "stop_sms":
        return [_BOOLEANS.get(cell, cell) for cell in cells]
    values = cells
    if excel and name in _FORMULAS:
        values = [
            cell[2:-1].replace('""', '"') if cell[:2] == '="' and cell[-1] == '"' else cell
            for cell in cells
        ]
    return [value or None for value in values] if name == "e164" else values


def _batches(file: InputFile, rows: Any, width: int) -> Iterator[tuple[list[list[str]], Place]]:
    """Yield rows, all as wide as the header, and what says where one of them is."""
    found, line = 0, rows.line_num
    while batch := list(islice(filter(None, rows), ROWS)):
        place = _place(file, found, line if rows.line_num - line == len(batch) else None)
        if set(map(len, batch)) != {width}:
            index = next(index for index, row in enumerate(batch) if len(row) != width)
            raise DecodeError(
                f"{place(index)}: it has {len(batch[index])} instead of {width} cells; "
                "the file is cut short, or the line is broken"
            )
        yield batch, place
        found, line = found + len(batch), rows.line_num


def _place(file: InputFile, found: int, line: int | None) -> Place:
    """Say where a row is: its line, or only its number where a cell holds a line break."""
    if line is None:
        return counted_from(found, file)
    return lambda index: f"{file}, line {line + index + 1}"


@contextmanager
def _csv_errors(file: InputFile, rows: Any) -> Iterator[None]:
    try:
        yield
    except csv.Error as error:
        problem = str(error)
    else:
        return
    if problem == "unexpected end of data":
        raise TruncatedError(f"{file}, line {rows.line_num}: the file stops inside a quoted cell")
    raise DecodeError(f"{file}, line {rows.line_num}: this is not CSV ({problem})")


def _lines(file: InputFile) -> Iterator[str]:
    """Yield the lines with their ends; a line break inside quotes is put together by the reader."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    rest, count = "", 0
    for chunk in chain(file.chunks(), [b""]):
        try:
            text = decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            line = count + chunk[: error.start].count(b"\n") + 1
            raise DecodeError(
                f"{file}, line {line}: this is not UTF-8; save the file as CSV in UTF-8"
            ) from None
        *whole, rest = (rest + text).split("\n")
        count += len(whole)
        if len(rest) > LONGEST:
            raise LimitError(f"{file}, line {count + 1}: longer than {LONGEST} characters")
        yield from _ended(whole)
    if rest:
        yield rest


def _ended(lines: Iterable[str]) -> Iterator[str]:
    return (line + "\n" for line in lines)


def _header_line(start: bytes) -> str:
    """Return the first line, or the second where the first one only says what the comma is."""
    first, _, rest = start.removeprefix(codecs.BOM_UTF8).partition(b"\n")
    line = first.decode("utf-8", "replace")
    if _SEP.fullmatch(line):
        line = rest.partition(b"\n")[0].decode("utf-8", "replace")
    return line


def _comma(line: str) -> str:
    """Return what stands between cells: what makes the most known columns of the header."""
    return max(_COMMAS, key=lambda comma: (len(known_columns(_names(line, comma))), comma in line))


def _names(line: str, comma: str) -> list[str]:
    return [cell.strip(' "\r\n') for cell in line.removeprefix("\ufeff").split(comma)]
