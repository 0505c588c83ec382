"""Workbooks: written, read as exports, and as opt-out lists, all sheets, all digits."""

from __future__ import annotations

import datetime as dt
import gc
import re
import stat
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from number_files import (
    ODD_PHONES,
    as_rows,
    batches,
    disk_that_fills_up,
    left_in,
    numbers,
    read,
    umask,
)

from smspartner import write
from smspartner.decoders.limits import MIB
from smspartner.errors import ConfigurationError, DecodeError, LimitError, OutputError
from smspartner.files.formats import sheets, xlsx
from smspartner.files.opt_outs import read_opt_outs
from smspartner.files.unfinished import left_behind
from smspartner.models.number import RentedNumber

pytest.importorskip("python_calamine", reason="the extra excel is not installed")
pytest.importorskip("xlsxwriter", reason="the extra excel is not installed")

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
        list(sheets.sheet_rows("list.xlsx"))


def test_a_panic_of_the_library_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    import python_calamine  # noqa: PLC0415

    panic = type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})
    for failure, expected in ((panic("x"), DecodeError), (KeyboardInterrupt(), KeyboardInterrupt)):

        def fail(_: str, failure: BaseException = failure) -> None:
            raise failure

        monkeypatch.setattr(python_calamine, "load_workbook", fail)
        with pytest.raises(expected):
            list(sheets.sheet_rows("list.xlsx"))


def shown_as_time(path: Path, phone: int) -> str:
    pytest.importorskip("python_calamine", reason="the extra excel is not installed")
    with pytest.importorskip("xlsxwriter").Workbook(path) as book:
        look = book.add_format({"num_format": "[h]:mm:ss"})
        book.add_worksheet("people").write_row(0, 0, ["phone", phone], look)
    return str(path)


def test_a_phone_that_is_shown_as_a_time_keeps_its_digits(tmp_path: Path) -> None:
    ((_, cell),) = sheets.sheet_rows(shown_as_time(tmp_path / "list.xlsx", 639980040))
    assert cell.startswith("639980040 days")


@pytest.mark.parametrize("phone", [33639980040, -33639980040])
def test_a_time_that_is_too_large_is_an_error_that_names_the_sheet(
    tmp_path: Path, phone: int
) -> None:
    path = shown_as_time(tmp_path / "list.xlsx", phone)
    with pytest.raises(
        DecodeError, match=r"sheet 'people': .* a number is too large for the format"
    ):
        list(sheets.sheet_rows(path))


def test_a_workbook_that_is_not_there_is_an_error_of_the_system() -> None:
    with pytest.raises(OSError, match=r"absent\.xlsx|No such file"):
        list(sheets.sheet_rows("absent.xlsx"))


def test_a_damaged_workbook_is_refused_as_a_list(tmp_path: Path) -> None:
    path = tmp_path / "list.xlsx"
    write_xlsx(path)
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(ConfigurationError, match=r"cannot read the opt-out list: .*list\.xlsx"):
        read_opt_outs(path)


# Workbooks as exports.


def parts_of(path: Path) -> dict[str, str]:
    """Return the text of what a workbook is made of."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_a_workbook_is_made_for_reading(tmp_path: Path) -> None:
    write([numbers(3)], tmp_path / "n.xlsx", e164=True)
    parts = parts_of(tmp_path / "n.xlsx")
    sheet = parts["xl/worksheets/sheet1.xml"]
    assert '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>' in sheet
    assert '<autoFilter ref="A1:D4"/>' in sheet
    assert '<ignoredError sqref="A1:XFD1048576" numberStoredAsText="1"/>' in sheet
    assert sheet.count("customWidth") == 4
    assert re.findall(r"<c r=\"([AB]2)\" s=\"\d+\"( t=\"\w+\")?>", sheet) == [
        ("A2", ""),
        ("B2", ' t="inlineStr"'),
    ]
    assert "<t>+33639980000</t>" in sheet
    assert 'name="numbers"' in parts["xl/workbook.xml"]


def test_only_people_who_have_opted_out_are_marked(tmp_path: Path) -> None:
    write([numbers(9)], tmp_path / "n.xlsx")
    parts = parts_of(tmp_path / "n.xlsx")
    styles = re.findall(r'<xf numFmtId="\d+" fontId="\d+" fillId="(\d+)"', parts["xl/styles.xml"])
    cells = re.findall(r'<c r="[A-C](\d+)" s="(\d+)"', parts["xl/worksheets/sheet1.xml"])
    # The first styles belong to no cell.
    marked = {int(row) for row, style in cells if styles[int(style) + 1] != "0"}
    assert marked == {2, 9}  # each seventh
    assert "FFC7CE" in parts["xl/styles.xml"]


def test_a_header_stands_where_its_values_do(tmp_path: Path) -> None:
    write([numbers(3)], tmp_path / "n.xlsx")
    parts = parts_of(tmp_path / "n.xlsx")
    styles = parts["xl/styles.xml"].partition("<cellXfs")[2].split("<xf ")[1:]
    cells = re.findall(r'<c r="[A-C]([12])" s="(\d+)"', parts["xl/worksheets/sheet1.xml"])
    stands = [("center" in styles[int(style)], row) for row, style in cells]
    assert stands == [(at == "stop_sms", row) for row in "12" for at in ("id", "phone", "stop_sms")]


def test_the_same_numbers_make_the_same_workbook(tmp_path: Path) -> None:
    for name in ("a.xlsx", "b.xlsx"):
        write([numbers(50)], tmp_path / name)
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    assert "2000-01-01" in parts_of(tmp_path / "a.xlsx")["docProps/core.xml"]


def test_an_id_of_any_size_keeps_its_digits(tmp_path: Path) -> None:
    ids = [0, -7, 10**15 - 1, 10**15, 2**53 + 1, 2**63, -(10**15)]
    write([RentedNumber(each, "0639980001", stop_sms=False) for each in ids], tmp_path / "n.xlsx")
    assert [row[0] for row in read(tmp_path / "n.xlsx")] == ids
    sheet = parts_of(tmp_path / "n.xlsx")["xl/worksheets/sheet1.xml"]
    assert "<v>999999999999999</v>" in sheet
    assert "<t>9007199254740993</t>" in sheet


@settings(max_examples=20)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\ufffe\uffff"), min_size=1))
def test_any_text_comes_back(tmp_path_factory: pytest.TempPathFactory, phone: str) -> None:
    assume(phone.strip() and not phone.startswith("<r>"))
    path = tmp_path_factory.mktemp("any") / "n.xlsx"
    write([RentedNumber(1, phone, stop_sms=True)], path)
    assert read(path) == [(1, phone, True)]


def test_odd_phones_come_back(tmp_path: Path) -> None:
    odd = [*filter(str.strip, ODD_PHONES), "_x0041_", "\x01\x1f", "</t></is></c>", "&amp;"]
    odd += ["#N/A", "TRUE", "<r"]
    write([RentedNumber(1, phone, stop_sms=True) for phone in odd], tmp_path / "n.xlsx")
    assert [row[1] for row in read(tmp_path / "n.xlsx")] == odd


@pytest.mark.parametrize(
    "phone",
    ["<r><t>1</t></r>", "1\n\ufffe", "\uffff", "0" * 32_768],
    ids=lambda text: ascii(text[:4]),
)
def test_what_no_cell_can_hold_is_refused(tmp_path: Path, phone: str) -> None:
    odd = RentedNumber(1, phone, stop_sms=False)
    with pytest.raises(OutputError, match=r"record 5 \(counted from 0\) has a phone that no cell"):
        write([*numbers(5), odd], tmp_path / "n.xlsx")
    assert left_in(tmp_path) == []


def test_all_columns_are_written(tmp_path: Path) -> None:
    columns = ["token", "id", "phone", "stop_sms", "e164"]
    few = [RentedNumber(1, "0639980042", stop_sms=False), RentedNumber(2, "none", stop_sms=True)]
    write(few, tmp_path / "n.xlsx", columns=columns, token="rental-1")
    calamine = pytest.importorskip("python_calamine")
    sheet = calamine.load_workbook(tmp_path / "n.xlsx").get_sheet_by_name("numbers")
    assert sheet.to_python() == [
        columns,
        ["rental-1", 1.0, "0639980042", False, "+33639980042"],
        ["rental-1", 2.0, "none", True, ""],
    ]
    assert read(tmp_path / "n.xlsx") == [
        (1, "0639980042", False, "+33639980042"),
        (2, "none", True, None),
    ]


@pytest.mark.parametrize(("count", "names"), [(20, ["numbers"]), (21, ["numbers", "numbers 2"])])
def test_further_sheets_take_what_one_cannot_and_are_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    count: int,
    names: list[str],
) -> None:
    monkeypatch.setattr(xlsx, "SHEET_ROWS", 20)
    write(batches(count, size=7), tmp_path / "n.xlsx")
    calamine = pytest.importorskip("python_calamine")
    assert calamine.load_workbook(tmp_path / "n.xlsx").sheet_names == names
    assert read(tmp_path / "n.xlsx") == as_rows(numbers(count))
    said = f"{tmp_path / 'n.xlsx'}: the 21 numbers are on 2 sheets, as one holds 20"
    assert caplog.messages == ([said] if count > 20 else [])


def test_a_rental_without_numbers_is_a_workbook_without_rows(tmp_path: Path) -> None:
    write([], tmp_path / "n.xlsx")
    assert read(tmp_path / "n.xlsx") == []


def test_its_rows_wait_in_a_private_folder_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "elsewhere"))
    seen: list[object] = []

    def watched() -> Iterator[list[RentedNumber]]:
        yield numbers(3000)
        (folder,) = (path for path in tmp_path.iterdir() if path.is_dir())
        seen.append((folder.name[:12], stat.S_IMODE(folder.stat().st_mode)))
        seen.append({stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()})
        assert left_behind(tmp_path) == []  # it is in use
        yield numbers(3)

    with umask(0):
        write(watched(), tmp_path / "n.xlsx")
    assert seen == [(".smspartner-", 0o700), {0o600}]
    assert left_in(tmp_path) == ["n.xlsx"]


def test_without_the_extra_one_line_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(ConfigurationError) as caught:
        write(numbers(1), tmp_path / "n.xlsx")
    assert str(caught.value) == ("xlsxwriter is not installed: pip install 'smspartner[excel]'")


@pytest.mark.parametrize("target", ["-", "/dev/null"])
def test_what_is_no_file_is_refused(target: str) -> None:
    with pytest.raises(ConfigurationError, match="xlsx needs a file"):
        write(numbers(1), target, to="xlsx")


def test_a_full_disk_while_it_is_put_together_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unraisable: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", unraisable.append)
    with pytest.raises(OutputError, match="cannot write"), disk_that_fills_up(1_000_000):
        write(batches(8_000), tmp_path / "n.xlsx")
    with pytest.raises(OutputError, match="cannot write"), disk_that_fills_up(300):
        write(numbers(1), tmp_path / "n.xlsx")
    gc.collect()
    assert left_in(tmp_path) == []
    assert unraisable == []


# Workbooks that people made.


def test_a_damaged_part_is_an_error_of_ours(tmp_path: Path) -> None:
    path = made(tmp_path / "n.xlsx", [["phone"], ["1"]])
    with zipfile.ZipFile(path) as archive:
        at = archive.getinfo("xl/worksheets/sheet1.xml").header_offset + 80
    content = bytearray(path.read_bytes())
    content[at : at + 4] = b"\xff" * 4
    path.write_bytes(content)
    with pytest.raises(DecodeError, match="it is damaged, or another kind of archive"):
        read(path)


def test_a_picture_in_a_workbook_is_nothing_to_worry_about(tmp_path: Path) -> None:
    path = made(tmp_path / "n.xlsx", [["phone"], ["1"]])
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("Thumbnails/thumbnail.png", b"\x89PNG\0")
    assert read(path) == [("1",)]


def made(path: Path, *content: Sequence[Sequence[Any]]) -> Path:
    workbook = pytest.importorskip("xlsxwriter").Workbook(path)
    for rows in content:
        sheet = workbook.add_worksheet()
        for line, row in enumerate(rows):
            sheet.write_row(line, 0, row)
    workbook.close()
    return path


def test_sheets_with_phones_are_read_and_others_passed_over(tmp_path: Path) -> None:
    path = made(
        tmp_path / "n.xlsx",
        [["Notes"], ["about these"]],
        [[], [None, "Phone ", "stopSms", "id"], [None, "0639980001", True, 1], [], [None] * 3],
        [["id", "city", "phone", "stop_sms"], [2, "Lyon", 639980002, "false"], [3, "", "1 ", 0]],
        [],
    )
    assert read(path) == [(1, "0639980001", True), (2, "639980002", False), (3, "1 ", False)]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["name"], ["Zoé"]], "no sheet has a column that is called phone or e164"),
        ([["phone", "id"], ["1", 1e15]], "'Sheet1', row 2: id is neither text nor a whole number"),
        ([["phone"], ["1"], [0.5]], "row 3: phone is neither text nor"),
        ([["phone"], [True]], "row 2: phone is neither text nor"),
        ([["phone", "stop_sms"], ["1", "perhaps"]], "row 2: stop_sms is not true or false"),
        ([["phone", "stop_sms"], ["1", ""], ["2", True]], "row 2: stop_sms is not true or false"),
        ([["phone", "phone"], ["1", "2"]], "row 1: two columns are called phone"),
    ],
)
def test_what_is_wrong_is_named_by_sheet_and_row(
    tmp_path: Path, rows: list[list[Any]], message: str
) -> None:
    with pytest.raises(DecodeError, match=message):
        read(made(tmp_path / "n.xlsx", rows))


def test_sheets_with_different_columns_are_refused(tmp_path: Path) -> None:
    path = made(tmp_path / "n.xlsx", [["phone", "stop_sms"], ["1", True]], [["phone"], ["2"]])
    with pytest.raises(DecodeError, match="'Sheet2': it has other columns than the sheet before"):
        read(path)


def far(path: Path) -> None:
    made(path, [["phone"], ["1"]])
    rewrite(path, lambda part: part.replace(b'r="A2"', b'r="XFD1048576"'))


def hidden(path: Path) -> None:
    made(path, [["phone"], ["1"]])
    rewrite(path, lambda part: part.replace(b'r="A2"', b"r='&#65;2'"))


def wide(path: Path) -> None:
    made(path, [["phone"], ["1"]])
    rewrite(path, lambda part: part.replace(b"UTF-8", b"UTF-16").decode().encode("utf-16"))


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", b" " * 3_000_000)


def rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = {name: change(archive.read(name)) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)


@pytest.mark.parametrize("make", [far, hidden, wide, bomb], ids=lambda make: make.__name__)
@pytest.mark.parametrize("reader", [read, read_opt_outs], ids=["numbers", "list"])
def test_a_small_workbook_cannot_fill_the_memory(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Path], None],
    reader: Callable[[Path], object],
) -> None:
    """The library that reads it would end the process."""
    monkeypatch.setattr(sheets, "_LARGE", 2 * MIB)
    make(tmp_path / "n.xlsx")
    with pytest.raises((LimitError, ConfigurationError), match=r"unpacks to 2 MiB|too far away"):
        reader(tmp_path / "n.xlsx")


def test_a_workbook_is_a_list_whatever_its_stop_sms_says(tmp_path: Path) -> None:
    write(numbers(8), tmp_path / "n.xlsx")
    opt_outs = read_opt_outs(tmp_path / "n.xlsx")
    assert all(number.phone in opt_outs for number in numbers(8))
    assert "+33639980009" not in opt_outs
