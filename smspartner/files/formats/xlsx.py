"""Workbooks: written as .xlsx, read as .xlsx, .xlsm, .xlsb, .xls and .ods.

Both need the extra ``excel``.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final

from smspartner.errors import (
    ConfigurationError,
    DecodeError,
    OutputError,
)
from smspartner.files.atomic import atomic_writer
from smspartner.files.columns import (
    ROWS,
    Columns,
    Place,
    find_columns,
    has_phones,
    typed,
)
from smspartner.files.formats.sheets import EXACT, is_exact, sheets_of, text_of
from smspartner.files.input_file import InputFile
from smspartner.files.rows import Rows, WriteOptions
from smspartner.files.targets import STANDARD, STDOUT, check_writable, is_special, output_errors
from smspartner.files.unfinished import private_folder
from smspartner.models.columns import Values
from smspartner.models.extras import load

_EXCEL: Final = "smspartner[excel]"
#: Rows of a sheet that hold numbers: the first one of 1,048,576 is the header.
SHEET_ROWS: Final = 1_048_575
#: How a workbook begins: a zip archive, or the container of old ones.
MARKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")

#: Fixed, so that the same numbers make the same file.
_MADE: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - a workbook knows no zones
_WIDTHS: Final = {"id": 21, "phone": 18, "stop_sms": 12, "e164": 18, "token": 26, "file": 34}
_LOOKS: Final = {
    "id": {"align": "left"},
    # Excel shows booleans in any format; LibreOffice shows 0 and 1 without this one.
    "stop_sms": {"num_format": '"TRUE";"TRUE";"FALSE"', "align": "center"},
}
_TEXT: Final = {"num_format": "@"}
#: Text that XlsxWriter writes as it stands, for rich text, and characters that XML cannot hold.
_ODD: Final = re.compile("<r>|.*[\ufffe\uffff]", re.DOTALL)
_STOPPED: Final = {"bg_color": "#FFC7CE", "font_color": "#9C0006"}

_log: Final = logging.getLogger("smspartner.files")


class XLSXSink:
    """A workbook for Excel: phones as text, a frozen header, a filter, opted-out people in red.

    Ids of up to 15 digits are numbers, longer ones text: a number of a spreadsheet has no more
    digits. Beyond 1,048,575 numbers a further sheet begins, and a warning is logged. Memory is
    flat; the rows wait in a private folder beside the file, about 350 MB for each million.
    """

    def check(self, target: str, options: WriteOptions) -> None:  # noqa: ARG002 - protocol
        """Raise ``ConfigurationError`` without XlsxWriter, ``OutputError`` where no file can be."""
        load("xlsxwriter", _EXCEL)
        if target == STDOUT:
            raise ConfigurationError(f"xlsx needs a file; {STANDARD} cannot take it")
        if is_special(target):
            raise ConfigurationError(f"xlsx needs a file, which {target!r} is not")
        check_writable(target)

    def write(self, rows: Rows, target: str, options: WriteOptions) -> int:  # noqa: ARG002
        """Write the file, or none at all, and return its bytes."""
        with ExitStack() as stack:
            with output_errors(target):
                folder = stack.enter_context(private_folder(target))
            file = stack.enter_context(atomic_writer(target))
            with _workbook(folder, file, target) as book:
                sheets = _Sheets(book, rows.columns, target)
                for values in rows.values():
                    sheets.add(values, rows.count - len(values[0]))
                sheets.end()
            if len(book.worksheets()) > 1:
                _log.warning(
                    "%s: the %s numbers are on %d sheets, as one holds %s",
                    target,
                    f"{rows.count:,}",
                    len(book.worksheets()),
                    f"{SHEET_ROWS:,}",
                )
            return file.tell()


class _Gate(io.RawIOBase):
    """Passes bytes on until it is shut: a ``ZipFile`` that failed still writes when it is freed."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.is_shut = False

    def tell(self) -> int:
        return self._file.tell()

    def write(self, data: Any, /) -> int:
        return len(data) if self.is_shut else self._file.write(data)


@contextmanager
def _workbook(folder: Path, file: BinaryIO, target: str) -> Iterator[Any]:
    """Yield a workbook of XlsxWriter that is in the file when the block ends well."""
    xlsxwriter = load("xlsxwriter", _EXCEL)
    gate = _Gate(file)
    options = {"constant_memory": True, "tmpdir": str(folder), "use_zip64": True}
    book = xlsxwriter.Workbook(gate, options)
    book.set_properties({"created": _MADE})
    try:
        yield book
        with output_errors(target):
            try:
                book.close()
            except xlsxwriter.exceptions.FileCreateError as error:
                raise error.args[0] from None  # the OSError behind it
    except BaseException:
        gate.is_shut = True
        for sheet in book.worksheets():
            with suppress(OSError):
                sheet.row_data_fh.close()
        raise


class _Sheets:
    """The sheets of a workbook, one after the other, as many as are needed."""

    def __init__(self, book: Any, columns: Sequence[str], target: str) -> None:
        self._book = book
        self._columns = columns
        self._target = target
        self._row = 0
        # One format for each column, plain and of people who have opted out.
        looks = [_LOOKS.get(name, _TEXT) for name in columns]
        self._plain = [book.add_format(look) for look in looks]
        self._stopped = [book.add_format({**look, **_STOPPED}) for look in looks]
        self._headers = [
            book.add_format({"bold": True, "bottom": 1, "align": look.get("align", "left")})
            for look in looks
        ]
        with output_errors(target):
            self._begin()

    def add(self, values: Values, first: int) -> None:
        """Write rows; ``first`` is the number of the first one, for errors."""
        "".join(text for column in values for text in column if isinstance(text, str)).encode()
        stops = values[self._columns.index("stop_sms")] if "stop_sms" in self._columns else ()
        with output_errors(self._target):
            for index, row in enumerate(zip(*values, strict=True)):
                if self._row == SHEET_ROWS:
                    self.end()
                    self._begin()
                self._row += 1
                stopped = bool(stops) and stops[index]
                self._write(row, self._stopped if stopped else self._plain, first + index)

    def _write(self, row: tuple[Any, ...], formats: Sequence[Any], number: int) -> None:
        sheet, line = self._sheet, self._row
        for at, value in enumerate(row):
            if value is None:
                sheet.write_blank(line, at, None, formats[at])
            elif isinstance(value, bool):
                sheet.write_boolean(line, at, value, formats[at])
            elif isinstance(value, int) and -EXACT < value < EXACT:
                sheet.write_number(line, at, value, formats[at])
            else:
                text = str(value)
                if _ODD.match(text) or sheet.write_string(line, at, text, formats[at]):
                    raise OutputError(
                        f"cannot write {self._target!r}: record {number} (counted from 0) has a "
                        f"{self._columns[at]} that no cell of a workbook can hold; write CSV"
                    )

    def end(self) -> None:
        """End the sheet: its filter reaches to the last row."""
        self._sheet.autofilter(0, 0, self._row, len(self._columns) - 1)

    def _begin(self) -> None:
        number = len(self._book.worksheets()) + 1
        self._sheet = sheet = self._book.add_worksheet(
            f"numbers {number}" if number > 1 else "numbers"
        )
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)  # on each page that is printed, as wide as the columns are
        sheet.fit_to_pages(1, 0)
        sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        for at, name in enumerate(self._columns):
            sheet.set_column(at, at, _WIDTHS[name], self._plain[at])
            sheet.write_string(0, at, name, self._headers[at])
        self._row = 0


class WorkbookFormat:
    """A workbook: every sheet whose first row names ``phone`` or ``e164``.

    What ``XLSXSink`` writes, saved again or not, and tables that people made. Sheets without
    phones are passed over, hidden rows are not. A phone that is a number is its digits.
    """

    name = "workbook"
    endings = ()
    ordered = True

    def recognises(self, start: bytes) -> bool:
        """Look for the marks of zip archives, and of old workbooks."""
        return start.startswith(MARKS)

    def read(self, file: InputFile) -> Iterator[Columns]:
        """Yield batches of 4,096 rows, sheet after sheet; blank rows are passed over."""
        known: list[str] | None = None
        for sheet in sheets_of(file.path()):
            rows = ((number, row) for number, row in enumerate(sheet.rows, 1) if any(map(_is, row)))
            at, header = next(rows, (1, []))
            where = f"{file}, sheet {sheet.name!r}"
            if not has_phones(names := list(map(text_of, header))):
                continue
            columns = find_columns(names, f"{where}, row {at}")
            if known is not None and known != list(columns):
                raise DecodeError(f"{where}: it has other columns than the sheet before it")
            known = list(columns)
            while batch := list(islice(rows, ROWS)):
                place = _place(where, [number for number, _ in batch])
                cells = zip(*(row for _, row in batch), strict=True)
                by_column = dict(enumerate(cells))
                yield typed(
                    {name: _cells(name, by_column[at], place) for name, at in columns.items()},
                    place,
                )
        if known is None:
            raise DecodeError(
                f"{file}: no sheet has a column that is called phone or e164 in its first row"
            )


def _is(cell: object) -> bool:
    return cell != ""


def _place(where: str, numbers: Sequence[int]) -> Place:
    return lambda index: f"{where}, row {numbers[index]}"


def _cells(name: str, cells: Sequence[Any], place: Place) -> list[Any]:
    """Return the cells of a column as text; what a spreadsheet has rounded is refused."""
    if name == "stop_sms":
        return [cell if isinstance(cell, bool) else text_of(cell) for cell in cells]
    for index, cell in enumerate(cells):
        if not (isinstance(cell, str) or (is_exact(cell) and not isinstance(cell, bool))):
            raise DecodeError(
                f"{place(index)}: {name} is neither text nor a whole number of at most 15 digits; "
                "make the file again"
            )
    texts = map(text_of, cells)
    return [text or None for text in texts] if name == "e164" else list(texts)
