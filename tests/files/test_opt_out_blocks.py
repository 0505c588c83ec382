"""How the text of an opt-out list is cut into blocks."""

from __future__ import annotations

from pathlib import Path

import pytest

from smspartner import ConfigurationError, read_opt_outs
from smspartner.files.opt_outs import OptOutList
from smspartner.files.opt_outs.blocks import in_lines
from smspartner.files.opt_outs.keys import keys_of


def test_a_block_is_whole_lines_and_the_last_one_comes_again() -> None:
    assert list(in_lines(["a\nb", "c\nd"])) == [(0, "\na\n"), (1, "\nbc\n"), (2, "\nd\n")]


def test_a_long_line_that_is_whole_is_not_taken_for_a_piece() -> None:
    texts = [text for _, text in in_lines(["a\n" + "b" * 2000 + "\n", "c\n"])]

    assert all(text.startswith("\n") for text in texts)


def test_a_field_in_quotes_goes_on_in_the_next_block() -> None:
    found = OptOutList("list")

    found.read(in_lines(['a;"06 39 98\n', '00 42";b\n']))

    assert found.holds(keys_of("+33639980042"))


def test_a_number_that_is_spoilt_is_seen_in_every_cell_of_a_workbook(tmp_path: Path) -> None:
    xlsxwriter = pytest.importorskip("xlsxwriter", reason="writes the workbook")
    with xlsxwriter.Workbook(tmp_path / "list.xlsx") as book:
        book.add_worksheet().write_row(0, 0, ["3.36E+10", "spoilt"])

    with pytest.raises(ConfigurationError, match="turned into something like"):
        read_opt_outs(tmp_path / "list.xlsx")


def test_the_reason_of_the_system_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        read_opt_outs(tmp_path / "missing.csv")
