"""Cells of workbooks that show something but have no value are not taken for empty ones."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from smspartner import ConfigurationError, read_opt_outs
from smspartner.files.formats import valueless
from smspartner.files.formats.valueless import valueless_cells

SHEET = "xl/worksheets/sheet1.xml"


def archive(path: Path, **parts: str) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return path


def cells_in(folder: Path, content: str, book: str = "<calcPr/>", name: str = SHEET) -> list[str]:
    parts = {name: content, "xl/workbook.xml": book}
    return list(valueless_cells(str(archive(folder / "list.xlsx", **parts))))


RECALCULATED = '<calcPr calcId="1" fullCalcOnLoad="1"/>'


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="A2" t="e"><v>#NAME?</v></c>',
        "<c t='e' s = '4' r='A2'><v>#N/A</v></c>",
        '<x:c r="A2" t="e"><x:f>+33 6 39</x:f><x:v>#NAME?</x:v></x:c>',
        '<c r="A2"><f>CONCATENATE("0","639980040")</f></c>',
        '<c r="A2"><f>B2</f><v></v></c>',
        '<c r="A2"><f>B2</f><v/></c>',
        '<c r="A2" t="n">\n <f t="shared" si="0"/>\n <v />\n</c>',
        '<x:c r="A2"><x:f>B2</x:f></x:c>',
    ],
)
@pytest.mark.parametrize("chunk", [1 << 20, 7])
def test_a_cell_without_its_value_is_found_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cell: str, chunk: int
) -> None:
    monkeypatch.setattr(valueless, "_CHUNK", chunk)
    monkeypatch.setattr(valueless, "_OVERLAP", 200)
    rows = f'<row r="1"><c r="A1"><v>1</v></c></row><row>{cell}</row>' + "<row></row>" * 50
    assert cells_in(tmp_path, rows) == ["A2 of sheet1.xml"]


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="A2" t="str"><f>IF(B2="","",B2)</f><v></v></c>',
        '<c r="A2" t="str"><f>B2</f><v>0639980040</v></c>',
        '<c r="A2"><f>SUM(B:B)</f><v>0</v></c>',
        '<c r="A2" s="1"/><c r="B2" s="1"></c>',
        '<c r="A2" t="s"><v>3</v></c><e t="e"/><cell r="A2" t="e"/>',
    ],
)
def test_what_has_a_value_or_is_empty_is_not(tmp_path: Path, cell: str) -> None:
    assert cells_in(tmp_path, f"<row>{cell}</row>") == []


def test_a_zero_of_a_program_that_calculates_nothing_is_no_value(tmp_path: Path) -> None:
    cell = '<c r="A2"><f>HYPERLINK("tel:+33639980040")</f><v>0</v></c><c r="A3"><v>0</v></c>'
    assert cells_in(tmp_path, cell, RECALCULATED) == ["A2 of sheet1.xml"]


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("<table:table-cell><text:p>0639980040</text:p></table:table-cell>", 1),
        ('<table:table-cell table:style-name="a">\n<text:p>06</text:p></table:table-cell>', 1),
        ("<table:covered-table-cell><text:p>06</text:p></table:covered-table-cell>", 1),
        ('<table:table-cell table:formula="of:=[.B2]"/>', 1),
        ('<table:table-cell office:value-type="string" calcext:value-type="error"><text:p>', 1),
        ('<table:table-cell office:value-type="string"><text:p>06</text:p></table:table-cell>', 0),
        ('<table:table-cell table:formula="a" office:value-type="float" office:value="1"/>', 0),
        ("<table:table-cell><office:annotation><text:p>note</text:p></office:annotation>", 0),
        ('<table:table-cell table:number-columns-repeated="3"/><text:p>', 0),
    ],
)
def test_an_untyped_cell_of_ods_has_none(tmp_path: Path, cell: str, found: int) -> None:
    assert cells_in(tmp_path, cell, name="content.xml") == ["of content.xml"] * found


def test_such_a_cell_makes_a_list_unclear(tmp_path: Path) -> None:
    pytest.importorskip("python_calamine", reason="the extra excel is not installed")
    xlsxwriter = pytest.importorskip("xlsxwriter", reason="writes the workbook")
    with xlsxwriter.Workbook(tmp_path / "list.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_column(0, 0, ["0639980001"] * 13)
        for row in range(1, 13):
            sheet.write_formula(row, 0, "=+33 6 39 98 00 42", None, "#NAME?")
        sheet.write(13, 0, "063998OO42")
    with pytest.raises(ConfigurationError) as caught:
        read_opt_outs(tmp_path / "list.xlsx")
    said = str(caught.value)
    assert "line 14 of" in said
    assert "cell A2 of sheet1.xml, A3 of sheet1.xml" in said
    assert "A11 of sheet1.xml and 2 more of" in said
    found = read_opt_outs(tmp_path / "list.xlsx", ignore_unclear=True)
    assert "+33639980001" in found
    assert (found.lists[0].unclear, found.lists[0].unclear_cells) == (1, 12)
