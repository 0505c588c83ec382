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
    assert "the opt-out list 'list.csv' is empty" in capsys.readouterr().err


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
