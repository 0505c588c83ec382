"""The sheets of a workbook: .xlsx, .xlsm, .xlsb, .xls and .ods, by python-calamine.

That library ends the whole process where memory runs out, so what would take too much is refused
before. Of .xlsb and .ods only the sizes are looked at.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from smspartner.decoders.limits import MIB
from smspartner.errors import LimitError, UnknownFormatError
from smspartner.files.formats.valueless import valueless_cells
from smspartner.models.extras import load

#: From here on a number of a spreadsheet is not exact.
EXACT: Final = 10**15
#: Bytes that a workbook unpacks to beyond which it may have at most so many times its own: ours
#: have 6 to 12 times.
_LARGE: Final = 64 * MIB
_RATIO: Final = 100
#: Cells of a sheet, empty ones too: the library that reads it takes 32 bytes for each.
_CELLS: Final = 32 * 1024 * 1024
#: Where a cell is (or a row), and the same written in a way that is not looked through.
_PLACE: Final = re.compile(rb"\sr\s*=\s*[\"']([A-Z]{0,3})([0-9]{1,7})[\"']")
_HIDDEN: Final = re.compile(rb"\0|\sr\s*=\s*(?:\"[^\"<>]*&|'[^'<>]*&)")
#: Byte order marks and white space.
_LEADING: Final = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"
_CHUNK: Final = 1 * MIB
#: Bytes that an attribute may be cut in.
_OVERLAP: Final = 64

_DAMAGED: Final = "it is damaged, or another kind of archive; unpack it then"


#: Is told where a cell is that is not empty and yet read as empty.
Doubt = Callable[[str], object]


class Sheet(NamedTuple):
    """A sheet: its name, and its rows from the first one on, all of the same width."""

    name: str
    rows: Iterator[list[Any]]


def sheet_rows(path: str, doubt: Doubt | None = None) -> Iterator[list[str]]:
    """Yield the rows of all sheets of a workbook, hidden ones too, each cell as text.

    A whole number is all of its digits, however the sheet shows it: ``33639980042``.

    Args:
        path: its file.
        doubt: of an opt-out list, see ``Doubt``.

    Raises:
        ConfigurationError: the extra ``excel`` is not installed.
        DecodeError: it is no workbook, or one that asks for a password, or is too large.
    """
    for sheet in sheets_of(path, doubt):
        for row in sheet.rows:
            yield list(map(text_of, row))


def sheets_of(path: str, doubt: Doubt | None = None) -> Iterator[Sheet]:
    """Yield the sheets of a workbook, hidden ones too; ``doubt`` as for ``sheet_rows``."""
    calamine = load("python_calamine", "smspartner[excel]")
    with _workbook_errors(repr(path), calamine):
        _require_bounded(path)
        if doubt is not None:
            for place in valueless_cells(path):
                doubt(place)
        with calamine.load_workbook(path) as workbook:
            for index, sheet in enumerate(workbook.sheets_metadata):
                if sheet.typ != calamine.SheetTypeEnum.ChartSheet:
                    rows = workbook.get_sheet_by_index(index).iter_rows()
                    yield Sheet(
                        sheet.name, _read(rows, f"{path!r}, sheet {sheet.name!r}", calamine)
                    )


def _read(rows: Iterator[list[Any]], where: str, calamine: Any) -> Iterator[list[Any]]:
    with _workbook_errors(where, calamine):
        yield from rows


def text_of(cell: Any) -> str:
    """Return what is in a cell as text: a whole number is all of its digits."""
    return str(int(cell)) if isinstance(cell, float) and is_exact(cell) else str(cell)


def is_exact(cell: Any) -> bool:
    """Say whether a number is whole, and has all of its digits."""
    return isinstance(cell, int | float) and int(cell) == cell and abs(cell) < EXACT


def _require_bounded(path: str) -> None:
    """Refuse what the library would run out of memory of, which ends the whole process.

    Raises:
        LimitError: it unpacks to far too much, or a cell is far away from the first.
        zipfile.BadZipFile: it is damaged.
    """
    if not zipfile.is_zipfile(path):  # an old workbook: its sheets have 16,777,216 cells at most
        return
    with zipfile.ZipFile(path) as archive:
        total = sum(part.file_size for part in archive.infolist())
        if total > _LARGE and total > _RATIO * Path(path).stat().st_size:
            raise LimitError(f"{path!r} unpacks to {total // MIB:,} MiB; no list of phones does")
        for part in archive.infolist():
            with archive.open(part) as content:
                _require_near(path, content)


def _require_near(path: str, part: IO[bytes]) -> None:
    """Refuse a sheet whose last cell is so far away that the empty ones fill the memory."""
    rest, letters, height = b"", {b""}, 1
    while chunk := part.read(_CHUNK):
        if not rest and not chunk.lstrip(_LEADING).startswith(b"<"):
            return  # a picture, or what a sheet of .xlsb is
        found = _PLACE.findall(rest + chunk)
        letters.update(column for column, _ in found)
        height = max(height, max((int(row) for _, row in found), default=1))
        width = max(map(_column, letters))
        if width * height > _CELLS or _HIDDEN.search(rest + chunk):
            raise LimitError(
                f"{path!r} has a sheet with a cell too far away from the others; delete it, or "
                "save the sheet with the phones as CSV"
            )
        rest = chunk[-_OVERLAP:]


def _column(letters: bytes) -> int:
    """Return the number of a column: 1 for A, 16,384 for XFD."""
    number = 0
    for letter in letters:
        number = 26 * number + letter - ord("@")
    return number


@contextmanager
def _workbook_errors(where: str, calamine: Any) -> Iterator[None]:
    try:
        yield
    except calamine.PasswordError:
        problem = "it asks for a password; save it without one"
    except calamine.CalamineError as error:
        problem = f"{error}; if it is another kind of archive, unpack it"
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        problem = _DAMAGED
    except OverflowError:
        problem = "a number is too large for the format of its cell, a time; make it text"
    except OSError:
        raise
    except BaseException as error:
        if type(error).__module__ != "pyo3_runtime":  # a panic of the Rust library
            raise
        problem = _DAMAGED
    else:
        return
    raise UnknownFormatError(f"{where}: it is no workbook that can be read: {problem}")
