"""Workbooks (.xlsx, .xlsm, .xlsb, .xls, .ods); reading them needs the extra ``excel``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from smspartner.errors import DecodeError
from smspartner.models.extras import load

_EXCEL: Final = "smspartner[excel]"
#: From here on a number of a spreadsheet is not exact.
_EXACT: Final = 10**15


def sheet_rows(path: str) -> Iterator[list[str]]:
    """Yield the rows of all sheets of a workbook, hidden ones too, each cell as text.

    A whole number is all of its digits, however the sheet shows it: ``33639980042``.

    Raises:
        ConfigurationError: the extra ``excel`` is not installed.
        DecodeError: it is no workbook, or one that asks for a password.
    """
    calamine = load("python_calamine", _EXCEL)
    with _workbook_errors(path, calamine), calamine.load_workbook(path) as workbook:
        for index, sheet in enumerate(workbook.sheets_metadata):
            if sheet.typ == calamine.SheetTypeEnum.ChartSheet:
                continue
            for row in workbook.get_sheet_by_index(index).iter_rows():
                yield [_text(cell) for cell in row]


def _text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _EXACT:
        return str(int(cell))
    return str(cell)


@contextmanager
def _workbook_errors(path: str, calamine: Any) -> Iterator[None]:
    try:
        yield
    except calamine.PasswordError:
        problem = "it asks for a password; save it without one"
    except calamine.CalamineError as error:
        problem = str(error)
    except OSError:
        raise
    except BaseException as error:
        if type(error).__module__ != "pyo3_runtime":  # a panic of the Rust library
            raise
        problem = "it is damaged"
    else:
        return
    raise DecodeError(f"{path!r} is no workbook that can be read: {problem}")
