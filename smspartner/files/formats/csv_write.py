"""CSV: for every tool there is, and, when asked, for spreadsheets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from smspartner.files.atomic import open_output
from smspartner.files.rows import ExportOptions, Row, Rows
from smspartner.files.targets import check_writable
from smspartner.models.arrow import COLUMNS
from smspartner.models.number import RentedNumber

_Cell = Callable[[Any], str]

_BOOLEANS: Final = {True: "true", False: "false"}
_CELLS: Final[dict[str, _Cell]] = {
    "id": str,
    "phone": str,
    "stop_sms": _BOOLEANS.__getitem__,
    "e164": lambda value: value or "",
}


class CSVSink:
    r"""``id,phone,stop_sms``, UTF-8, lines that end in ``\n``, ``true`` and ``false``.

    Phones are what the service sent, to the byte: a program that reads the file gets them back.
    A spreadsheet would drop the ``+``, and take a text that starts with ``=`` or ``@`` for a
    formula. For spreadsheets there is a second form, ``excel_safe``: a BOM, by which Excel knows
    UTF-8; ``;``, the separator of French Excel; ``\r\n``; and each phone as ``="+336…"``, a
    formula whose value is that text. An apostrophe or a tab before it would stay in the cell.
    Quotes inside are doubled, so no text breaks out of the formula. LibreOffice shows the phone
    where "Evaluate formulas" is ticked when it asks how to open the file.
    """

    name = "csv"
    endings = (".csv",)
    schemes = ()
    extra = None

    def check(self, target: str, options: ExportOptions) -> None:  # noqa: ARG002 - protocol
        """Raise ``OutputError`` where the file could not be written."""
        check_writable(target)

    def write(self, rows: Rows, target: str, options: ExportOptions) -> int:
        """Write the file, or none at all, and return its bytes."""
        with open_output(target) as file:
            for text in _excel_lines(rows) if options.excel_safe else _plain_lines(rows):
                file.write(text.encode())
            return file.tell()


def _plain_lines(rows: Rows) -> Iterator[str]:
    if rows.columns != COLUMNS:
        yield from _lines(rows, ",", "\n", _CELLS)
        return
    yield ",".join(COLUMNS) + "\n"
    writers = [_CELLS[name] for name in COLUMNS]
    for records in rows.records():
        yield _express(records) or _batch(rows.values(records), writers, ",", "\n")


def _express(records: Sequence[RentedNumber]) -> str | None:
    """Return the lines of records where no cell needs quotes, None where one may.

    A quarter of the time that the general way takes: 0.2 µs a row against 0.8.
    """
    text = "".join([f"{n.id},{n.phone},{_BOOLEANS[n.stop_sms]}\n" for n in records])
    plain = (
        text.count(",") == len(records) * (len(COLUMNS) - 1)
        and text.count("\n") == len(records)
        and '"' not in text
        and "\r" not in text
    )
    return text if plain else None


def _excel_lines(rows: Rows) -> Iterator[str]:
    yield "\ufeff"
    yield from _lines(rows, ";", "\r\n", {**_CELLS, "phone": _text_formula, "e164": _text_formula})


def _text_formula(value: str | None) -> str:
    return '="' + value.replace('"', '""') + '"' if value else ""


def _lines(rows: Rows, comma: str, end: str, cells: dict[str, _Cell]) -> Iterator[str]:
    """Yield the header, then the lines of each batch in one text."""
    yield comma.join(rows.columns) + end
    writers = [cells[name] for name in rows.columns]
    for batch in rows:
        yield _batch(batch, writers, comma, end)


def _batch(batch: list[Row], writers: list[_Cell], comma: str, end: str) -> str:
    # Joined like this, 0.2 µs a row; csv.writer takes 0.44, and before Python 3.13 it leaves a
    # carriage return unquoted.
    columns = [
        _quoted(list(map(write, column)), comma, empty='""' if len(writers) == 1 else "")
        for write, column in zip(writers, zip(*batch, strict=True), strict=True)
    ]
    return end.join(map(comma.join, zip(*columns, strict=True))) + end


def _quoted(cells: list[str], comma: str, empty: str) -> list[str]:
    """Quote the cells that need it (RFC 4180); looked at together, as hardly any does."""
    together = "".join(cells)
    marks = (comma, '"', "\r", "\n")
    if not any(mark in together for mark in marks):
        return [cell or empty for cell in cells] if empty else cells
    return [
        '"' + cell.replace('"', '""') + '"'
        if any(mark in cell for mark in marks)
        else cell or empty
        for cell in cells
    ]
