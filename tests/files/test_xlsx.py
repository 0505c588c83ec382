"""Workbooks: read as opt-out lists, all sheets, all digits."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from smspartner.errors import ConfigurationError, DecodeError
from smspartner.files.formats import xlsx
from smspartner.files.opt_outs import read_opt_outs

pytest.importorskip("python_calamine", reason="the extra excel is not installed")

#: Two sheets: what is in them, and what in their cells is a phone.
SHEETS: list[list[list[Any]]] = [
    [["name", "phone", "since"], ["Zoé", 33639980001, dt.date(2024, 4, 18)]],
    [
        ["06 39 98 00 02"],
        [639980003.0, 0.5, True],
        ['"06 39\n98 00 04'],
        [None, "+33 (0)6 39 98 00 05"],
    ],
]
PHONES = [f"+3363998000{number}" for number in range(1, 6)]


def write_xlsx(path: Path) -> None:
    workbook = pytest.importorskip("xlsxwriter").Workbook(path)
    sheets = [workbook.add_worksheet() for _ in SHEETS]
    for sheet, rows in zip(sheets, SHEETS, strict=True):
        for line, row in enumerate(rows):
            sheet.write_row(line, 0, row)
    sheets[-1].hide()
    chart = workbook.add_chart({"type": "bar"})
    chart.add_series({"values": "=Sheet1!$B$2:$B$2"})
    workbook.add_chartsheet().set_chart(chart)
    workbook.close()


def write_xls(path: Path) -> None:
    workbook = pytest.importorskip("xlwt").Workbook()
    for index, rows in enumerate(SHEETS):
        sheet = workbook.add_sheet(str(index))
        for line, row in enumerate(rows):
            for column, value in enumerate(row):
                sheet.write(line, column, value)
    workbook.save(str(path))


def write_ods(path: Path) -> None:
    pytest.importorskip("odf")
    pandas = pytest.importorskip("pandas")
    with pandas.ExcelWriter(path, engine="odf") as writer:
        for index, rows in enumerate(SHEETS):
            padded = [[*row, None, None][:3] for row in rows]
            frame = pandas.DataFrame(padded)
            frame.to_excel(writer, sheet_name=str(index), header=False, index=False)


@pytest.mark.parametrize("ending", ["xlsx", "xlsm", "xls", "ods"])
def test_all_sheets_of_a_workbook_are_a_list(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"list.{ending}"
    {"xls": write_xls, "ods": write_ods}.get(ending, write_xlsx)(path)
    opt_outs = read_opt_outs(path)
    assert all(phone in opt_outs for phone in PHONES)
    assert "+33639980006" not in opt_outs


def test_a_password_is_asked_for_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    import python_calamine  # noqa: PLC0415

    def locked(_: str) -> None:
        raise python_calamine.PasswordError

    monkeypatch.setattr(python_calamine, "load_workbook", locked)
    with pytest.raises(DecodeError, match="it asks for a password; save it without one"):
        list(xlsx.sheet_rows("list.xlsx"))


def test_a_panic_of_the_library_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    import python_calamine  # noqa: PLC0415

    panic = type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})
    for failure, expected in ((panic("x"), DecodeError), (KeyboardInterrupt(), KeyboardInterrupt)):

        def fail(_: str, failure: BaseException = failure) -> None:
            raise failure

        monkeypatch.setattr(python_calamine, "load_workbook", fail)
        with pytest.raises(expected):
            list(xlsx.sheet_rows("list.xlsx"))


def test_a_workbook_that_is_not_there_is_an_error_of_the_system() -> None:
    with pytest.raises(OSError, match=r"absent\.xlsx|No such file"):
        list(xlsx.sheet_rows("absent.xlsx"))


def test_a_damaged_workbook_is_refused_as_a_list(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    write_xlsx(path)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ConfigurationError, match=r"cannot read the opt-out list: .*list\.xlsx"):
        read_opt_outs(path)
