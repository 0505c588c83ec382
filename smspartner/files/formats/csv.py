"""CSV: for every tool there is, for spreadsheets when asked, and as these save it again."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain, islice
from typing import Any, Final, NamedTuple

import msgspec

from smspartner.decoders.detect import excerpt
from smspartner.errors import DecodeError, LimitError, TruncatedError
from smspartner.files.atomic import open_output
from smspartner.files.columns import (
    ROWS,
    Columns,
    Place,
    counted_from,
    find_columns,
    has_phones,
    known_columns,
    typed,
)
from smspartner.files.input_file import LONGEST, START, InputFile
from smspartner.files.rows import SEPARATORS, Rows, WriteOptions
from smspartner.files.targets import check_writable
from smspartner.files.unknown import unknown_format
from smspartner.models.columns import Values

#: What makes a cell need quotes; and where the separator was chosen, whatever it is.
_MARKS: Final = (",", '"', "\r", "\n")
_ALL_MARKS: Final = (*_MARKS, ";", "\t", "|")
#: Integers that spreadsheets leave as they are.
_EXACT: Final = range(1 - 10**15, 10**15)

#: No header begins like this: it is JSON on one line, or XML.
_NO_HEADER: Final = ("{", "[", "<")
#: A line before the header by which Excel is told what stands between cells.
_SEP: Final = r"(?i)\ufeff?\"?sep=([,;\t|])\"?[\r\n]*"
#: Booleans as French Excel saves them.
_BOOLEANS: Final = {"VRAI": "true", "FAUX": "false"}


class CSVSink:
    r"""``id,phone,stop_sms``, UTF-8, lines that end in ``\n``, ``true`` and ``false``.

    Phones are what the service sent, to the byte: a program that reads the file gets them back.
    A spreadsheet would drop the ``+``, and take a text that starts with ``=`` or ``@`` for a
    formula. For spreadsheets there is a second form, ``excel_safe``: a BOM, by which Excel knows
    UTF-8; ``;``, the separator of French Excel, unless another is chosen; ``\r\n``; and each text,
    and each id of more than 15 digits, as ``="+336…"``, a formula whose value is that text. An
    apostrophe or a tab before it would stay in the cell. Quotes inside are doubled, so no text
    breaks out of the formula.
    LibreOffice shows the phone where "Evaluate formulas" is ticked when it asks how to open the
    file.
    """

    def check(self, target: str, options: WriteOptions) -> None:  # noqa: ARG002 - protocol
        """Raise ``OutputError`` where the file could not be written."""
        check_writable(target)

    def write(self, rows: Rows, target: str, options: WriteOptions) -> int:
        """Write the file, or none at all, and return its bytes."""
        form = _form(options)
        with open_output(target) as file:
            file.write((form.begin + form.comma.join(rows.columns) + form.end).encode())
            for values in rows.values():
                file.write(form.lines(rows.columns, values).encode())
            return file.tell()


def _form(options: WriteOptions) -> _Form:
    form = _EXCEL if options.excel_safe else _PLAIN
    if options.csv_separator is None:
        return form
    texts = form.texts if options.excel_safe else partial(_quoted, marks=_ALL_MARKS)
    return form._replace(comma=options.csv_separator, texts=texts)


class _Form(NamedTuple):
    """How lines are written: plain, or for spreadsheets."""

    begin: str
    comma: str
    end: str
    integers: Callable[[list[int]], list[str]]
    texts: Callable[[list[str]], list[str]]

    def lines(self, columns: Sequence[str], values: Values) -> str:
        """Return the lines of some rows; csv.writer takes 1.5 times the time."""
        cells = [self._cells(name, column) for name, column in zip(columns, values, strict=True)]
        if len(cells) == 1:  # a line with nothing in it would be no row
            return self.end.join([cell or '""' for cell in cells[0]]) + self.end
        return self.end.join(map(self.comma.join, zip(*cells, strict=True))) + self.end

    def _cells(self, name: str, values: list[Any]) -> list[str]:
        if name == "id":
            return self.integers(values)
        if name == "stop_sms":
            return ["true" if value else "false" for value in values]
        return self.texts([value or "" for value in values] if None in values else values)


def _integers(values: list[int]) -> list[str]:
    """Return integers as text: by msgspec in 55 ns each, by ``str`` in 231."""
    return msgspec.json.encode(values).decode()[1:-1].split(",")


def _quoted(cells: list[str], marks: Sequence[str] = _MARKS) -> list[str]:
    """Quote the cells that need it (RFC 4180); looked at together, as hardly any does.

    By hand, because csv.writer leaves a carriage return unquoted before Python 3.13.
    """
    together = "".join(cells)
    if not any(mark in together for mark in marks):
        return cells
    return [
        '"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in marks) else cell
        for cell in cells
    ]


def _exact_integers(values: list[int]) -> list[str]:
    """Return integers as spreadsheets keep them: their numbers have 15 digits."""
    if max(values) in _EXACT and min(values) in _EXACT:
        return _integers(values)
    return [str(value) if value in _EXACT else f'"=""{value}"""' for value in values]


def _formulas(values: list[str]) -> list[str]:
    if '"' in "".join(values):
        values = [value.replace('"', '""""') for value in values]
    return [f'"=""{value}"""' if value else "" for value in values]


_PLAIN: Final = _Form("", ",", "\n", _integers, _quoted)
_EXCEL: Final = _Form("\ufeff", ";", "\r\n", _exact_integers, _formulas)


class CSVFormat:
    """Lines of cells under a header that names ``phone`` or ``e164``.

    What ``CSVSink`` writes, and much else: any of ``, ; tab |`` stands between cells, and columns
    that are not known are passed over.
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

    def read(self, file: InputFile) -> Iterator[Columns]:
        """Yield batches of lines; blank lines are passed over."""
        lines = _lines(file)
        first = next(lines, "")
        sep = re.fullmatch(_SEP, first)
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
                    {
                        name: _cells(name, cells[at], place, excel=excel)
                        for name, at in columns.items()
                    },
                    place,
                )


def _cells(name: str, cells: Sequence[str], place: Place, *, excel: bool) -> Sequence[str | None]:
    if name == "stop_sms":
        return [_BOOLEANS.get(cell, cell) for cell in cells]
    if excel:
        cells = [
            cell[2:-1].replace('""', '"') if cell[:2] == '="' and cell[-1] == '"' else cell
            for cell in cells
        ]
    if name == "id":
        _require_exact(cells, place)
        return cells
    return cells if name == "phone" else [cell or None for cell in cells]


def _require_exact(cells: Sequence[str], place: Place) -> None:
    """Refuse ids that a spreadsheet has rounded, such as ``1.23457E+15``."""
    if "E" in "".join(cells).upper():
        index = next(index for index, cell in enumerate(cells) if "E" in cell.upper())
        found = excerpt(cells[index].encode())
        raise DecodeError(
            f"{place(index)}: a spreadsheet has rounded the id to {found}; "
            "export again with excel_safe=True, or open the file without converting numbers"
        )


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
    if re.fullmatch(_SEP, line):
        line = rest.partition(b"\n")[0].decode("utf-8", "replace")
    return line


def _comma(line: str) -> str:
    """Return what stands between cells: what makes the most known columns of the header."""
    return max(
        SEPARATORS, key=lambda comma: (len(known_columns(_names(line, comma))), comma in line)
    )


def _names(line: str, comma: str) -> list[str]:
    return [cell.strip(' "\r\n') for cell in line.removeprefix("\ufeff").split(comma)]
