"""What several bodies end with: a table on a terminal, lines elsewhere; ``-q`` says failures."""

from __future__ import annotations

from pathlib import Path

import pytest
from number_files import write_body

from smspartner.cli import run, total

pytestmark = pytest.mark.usefixtures("in_folder")

JOURNAL = "smspartner-journal.jsonl"


@pytest.fixture
def bodies(in_folder: Path) -> Path:
    """Return a folder with a body that is right and two that are wrong."""
    folder = in_folder / "bodies"
    folder.mkdir()
    write_body(folder / "a.xml", 1200)
    (folder / "b[red].json").write_text('{"success":false,"code":32,"message":"introuvable"}')
    (folder / "c.xml").write_text("<result><entry>true</entry>")
    return folder


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    said = capsys.readouterr()
    assert said.out == ""
    return said.err.splitlines()


def test_lines_say_which_failed_and_why_and_where_the_journal_is(
    bodies: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["decode", bodies.name, "-o", "out/"]) == 9
    refused, cut, where, *table = lines(capsys)
    assert "b[red].json': introuvable (code 32)" in refused
    assert "c.xml': the XML body stops before its end" in cut
    assert where == f"smspartner: all of them are in out/{JOURNAL}"
    assert table[:4] == [
        "out/:",
        "      1  bodies read",
        "      2  failed",
        "  1,200  numbers written",
    ]
    (bodies / "b[red].json").unlink()
    (bodies / "c.xml").unlink()
    assert run(["decode", bodies.name, "-o", "new/"]) == 0
    assert lines(capsys)[-1] == f"  the journal is new/{JOURNAL}"


def test_quiet_says_failures_only(bodies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["decode", bodies.name, "-o", "out/", "-q"]) == 9
    assert [line.partition(":")[0] for line in lines(capsys)] == ["smspartner"] * 3


@pytest.mark.parametrize("most", [20, 1])
def test_a_terminal_gets_a_table(
    bodies: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    most: int,
) -> None:
    monkeypatch.setattr(total, "is_watched", lambda: True)
    monkeypatch.setattr(total, "_SAID", most)
    monkeypatch.setenv("COLUMNS", "120")
    assert run(["decode", bodies.name, "-o", "out/"]) == 9
    screen = lines(capsys)
    assert screen[0].split("┃")[0].strip() == "failed"
    assert any("b[red].json" in line and "introuvable (code 32)" in line for line in screen)
    assert any("c.xml" in line for line in screen) == (most > 1)
    assert any("and 1 more" in line for line in screen) == (most == 1)
    at = screen.index("out/")
    counts = [line.split() for line in screen[at + 1 : at + 4]]
    assert counts == [["1", "bodies", "read"], ["2", "failed"], ["1,200", "numbers", "written"]]
    assert screen[at + 5] == f"the journal is out/{JOURNAL}"


def test_a_terminal_gets_no_list_of_failures_where_there_is_none(
    bodies: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(total, "is_watched", lambda: True)
    assert run(["decode", str(bodies / "a.xml"), "-o", "out/"]) == 0
    assert lines(capsys)[0] == "out/"


def test_several_bodies_go_to_one_workbook_or_to_one_each(bodies: Path) -> None:
    calamine = pytest.importorskip("python_calamine", reason="the extra excel is not installed")
    assert run(["decode", bodies.name, "-o", "all.xlsx", "-q"]) == 9
    header, *rows = calamine.load_workbook("all.xlsx").get_sheet_by_index(0).iter_rows()
    assert header == ["id", "phone", "stop_sms", "file"]
    assert {row[3] for row in rows} == {"bodies/a.xml"}
    assert run(["decode", bodies.name, "-o", "each/", "--to", "xlsx", "-q"]) == 9
    assert run(["verify", "bodies/a.xml", "each/a.xml.xlsx", "-q"]) == 0
