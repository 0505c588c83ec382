"""``smspartner stops``: the stop list of the account."""

from __future__ import annotations

import json

import pytest

from smspartner.cli import run

pytestmark = pytest.mark.usefixtures("service")


@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_phone_is_added_listed_and_removed(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["stops", "add", "06 39 98 00 42"]) == 0
    stop_id = capsys.readouterr().out.strip()
    assert run(["stops", "list", "--format", form]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{stop_id}  +33639980042  20")
    assert run(["stops", "list", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["id"], found["phone"]) == (int(stop_id), "+33639980042")
    assert run(["stops", "remove", stop_id]) == 0
    assert "is no longer on the stop list" in capsys.readouterr().err
    assert run(["stops", "list"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["add", "nobody"], 5, "(nobody)"),
        (["add", " "], 4, "PHONE is empty"),
        (["remove", "7"], 5, "(code 4"),
        (["remove", "x"], 2, "'x' is not a valid integer"),
    ],
)
def test_what_cannot_be_done_is_told(
    args: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["stops", *args]) == code
    assert words in capsys.readouterr().err
