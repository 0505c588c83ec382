"""Opt-out lists on the command line: they add up, and it is seen what they do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smspartner.cli import opt_outs as cli_opt_outs
from smspartner.cli import run


@pytest.fixture
def body(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A body of 100 numbers, 06 39 98 00 00 to 99."""
    monkeypatch.chdir(tmp_path)
    records = [
        {"id": index, "phone": f"+336399800{index:02}", "stopSms": index % 10 == 0}
        for index in range(100)
    ]
    path = tmp_path / "body.json"
    path.write_text(json.dumps({"success": True, "phoneNumbers": 100, "datas": records}))
    return "body.json"


def listed(name: str, *phones: str) -> str:
    Path(name).write_text("".join(f"{phone}\n" for phone in phones))
    return name


def rows() -> list[str]:
    return Path("n.csv").read_text().splitlines()[1:]


def test_lists_add_up_by_either_name(body: str) -> None:
    january = listed("january.csv", "0639980001", "0639980002")
    february = listed("february.csv", "06 39 98 00 03")
    march = listed("march.csv", "639980004")
    args = ["--opt-outs", january, "--suppress", february, "--opt-outs", march, "--opt-outs", march]
    assert run(["decode", body, "-o", "n.csv", *args]) == 0
    assert len(rows()) == 96
    assert not [row for row in rows() if row.split(",")[0] in {"1", "2", "3", "4"}]


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_what_is_unclear_stops_the_export(
    body: str, capsys: pytest.CaptureFixture[str], quiet: list[str]
) -> None:
    path = listed("list.csv", "0639980001", "063998OO42")
    args = ["decode", body, "-o", "n.csv", "--opt-outs", path, *quiet]
    assert run(args) == 4
    assert capsys.readouterr().err == (
        "smspartner: line 2 of 'list.csv': letters that look like digits of a phone; "
        "correct it, or go on without it (--ignore-unclear)\n"
    )
    assert not Path("n.csv").exists()
    assert run([*args, "--ignore-unclear"]) == 0
    assert len(rows()) == 99


def test_an_empty_list_stops_the_export_whatever_is_ignored(
    body: str, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ["decode", body, "-o", "n.csv", "--opt-outs", listed("list.csv"), "--ignore-unclear"]
    assert run(args) == 4
    said = capsys.readouterr().err
    assert "the opt-out list 'list.csv' is empty: it names no phone; give the right one, or" in said
    listed("list.csv", "nobody")
    assert run(args[:-1]) == 4
    assert "there is no phone in the 1 line of 'list.csv'" in capsys.readouterr().err


@pytest.mark.parametrize("size", [0, 10**9])
def test_a_long_list_is_read_with_a_bar_on_a_terminal(
    body: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], size: int
) -> None:
    monkeypatch.setattr(cli_opt_outs, "is_watched", lambda: True)
    monkeypatch.setattr(cli_opt_outs, "_LONG", size)
    monkeypatch.setenv("FORCE_COLOR", "1")
    path = listed("list.csv", "0639980001")
    assert run(["decode", body, "-o", "n.csv", "--opt-outs", path]) == 0
    assert ("reading list.csv" in capsys.readouterr().err) == (size == 0)


def test_lists_are_looked_at_without_writing(body: str, capsys: pytest.CaptureFixture[str]) -> None:
    few = listed("few.csv", "0639980001", "063998OO42")
    many = listed("many.csv", *(f"06399800{index:02}" for index in range(9)))
    none = listed("none.csv", "0639989999")
    args = ["inspect", body, "--opt-outs", few, "--opt-outs", many, "--opt-outs", none]
    assert run(args) == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines()[:4] == [
        "few.csv: opt-out list of 2 lines",
        "many.csv: opt-out list of 9 lines",
        "none.csv: opt-out list of 1 line",
        "'body.json': JSON body",
    ]
    assert shown.err.splitlines() == [
        "line 2 of 'few.csv': letters that look like digits of a phone",
        "few.csv has 1 of 100 (1.0%)",
        "many.csv has 9 of 100 (9.0%); more than 5 %: is it the right list?",
        "none.csv has 0 of 100 (0.0%); none: is it the right list?",
    ]
    assert run([*args, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["on_lists"] == {"few.csv": 1, "many.csv": 9, "none.csv": 0}


def test_a_list_is_looked_at_without_numbers(body: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = listed("list.csv", "nobody", "063998OO42")
    assert run(["inspect", "--opt-outs", path, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "opt_outs": [
            {
                "list": "list.csv",
                "lines": 2,
                "has_phones": False,
                "unclear": 1,
                "unclear_lines": [2],
            }
        ]
    }
    assert run(["inspect"]) == 2
    assert run(["inspect", body, body, "--json"]) == 0
    assert "Missing argument" in capsys.readouterr().err


def test_the_summary_says_who_is_on_which_list(
    body: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(body).write_text(Path(body).read_text().replace("+33639980099", "unknown"))
    paths = [listed("a.csv", "0639980001"), listed("b.csv", "0639980001", "0639980002")]
    args = [word for path in paths for word in ("--opt-outs", path)]
    assert run(["decode", body, "-o", "n.csv", *args]) == 0
    assert capsys.readouterr().err.splitlines() == [
        (
            "97 numbers written to n.csv, 3 left out by the opt-out lists; "
            "10 of them have opted out (--exclude-stop leaves them out)"
        ),
        "a.csv has 1 of 100 (1.0%)",
        "b.csv has 2 of 100 (2.0%)",
        "1 of 100 without digits to compare: left out",
    ]
    assert run(["decode", body, "-o", "n.csv", *args, "--quiet"]) == 0
    assert not capsys.readouterr().err


def test_nothing_is_said_of_lists_beside_an_empty_rental(
    body: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(body).write_text('{"success":true,"phoneNumbers":0,"datas":[]}')
    path = listed("a.csv", "0639980001")
    assert run(["decode", body, "-o", "n.csv", "--opt-outs", path]) == 0
    assert capsys.readouterr().err == "0 numbers written to n.csv\n"


def test_several_bodies_are_told_of_together(body: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("second.json").write_text(Path(body).read_text())
    path = listed("a.csv", "0639980001")
    assert run(["decode", body, "second.json", "-o", "all.csv", "--opt-outs", path]) == 0
    assert "a.csv has 2 of 200 (1.0%)" in capsys.readouterr().err
