"""How the text of an opt-out list is cut into blocks."""

from __future__ import annotations

from pathlib import Path

import pytest

from smspartner import ConfigurationError, read_opt_outs
from smspartner.files.opt_outs import OptOutList
from smspartner.files.opt_outs.blocks import _LONGEST, _OVERLAP, in_lines
from smspartner.files.opt_outs.keys import keys_of


def test_a_block_is_whole_lines_and_the_last_one_comes_again() -> None:
    assert list(in_lines(["a\nb", "c\nd"])) == [(0, "\na\n"), (1, "\nbc\n"), (2, "\nd\n")]


def test_a_long_line_that_is_whole_is_not_taken_for_a_piece() -> None:
    texts = [text for _, text in in_lines(["a\n" + "b" * 2000 + "\n", "c\n"])]

    assert all(text.startswith("\n") for text in texts)


@pytest.mark.parametrize("place", [0, 1, 4, 9, 10, 500, 1023])
@pytest.mark.parametrize("before", ["", "a,b\n", '"'], ids=["one line", "a line before", "quoted"])
def test_a_phone_in_two_pieces_of_a_long_line_is_found(before: str, place: int) -> None:
    phone = "0639980042"
    filled = before + "x" * (_LONGEST - len(before)) + " " + phone + "," * _OVERLAP
    cut = _LONGEST + 1 + place
    found = OptOutList("list")

    found.read(in_lines([filled[:cut], filled[cut:] + "\n"]))

    assert found.holds(keys_of(f"+33{phone[1:]}"))


def test_a_piece_of_a_long_line_does_not_begin_inside_a_number() -> None:
    number = "9" * 11 + "639980042"  # too long for a phone to be its end
    piece = "x" * _LONGEST + number + "," * (_OVERLAP - 9)
    found = OptOutList("list")

    found.read(in_lines([piece, "\n"]))

    assert not found.holds(keys_of("+33639980042"))


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
