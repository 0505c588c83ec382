"""``smspartner stops``: the stop list of the account."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from smspartner import ConfigurationError, Sandbox, StopList, write
from smspartner.cli import run
from smspartner.cli.options import Output

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


# --- exports --------------------------------------------------------------------------------------

LEAVE_OUT = ("--opt-outs-account", "-o", "n.csv")


def phones() -> list[str]:
    return [line.split(",")[1] for line in Path("n.csv").read_text().splitlines()[1:]]


def test_who_is_on_the_stop_list_of_the_account_is_left_out(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    phone = next(iter(sandbox.expected("n-10"))).phone
    stop_id = sandbox.stops.add(phone)
    try:
        assert run(["download", "n-10", *LEAVE_OUT]) == 0
        assert phone not in phones()
        assert len(phones()) == 9
        assert "the stop list of the account has 1 of 10" in capsys.readouterr().err
        assert run(["save", "n-10", "-o", "body.json"]) == 0
        assert run(["decode", "body.json", *LEAVE_OUT]) == 0
        assert len(phones()) == 9
        assert run(["download", "n-10", "n-10.as-b", "--opt-outs-account", "-o", "both.csv"]) == 0
        assert phone not in Path("both.csv").read_text()
    finally:
        sandbox.stops.remove(stop_id)


def test_an_empty_stop_list_leaves_out_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["download", "n-10", *LEAVE_OUT]) == 0
    assert len(phones()) == 10
    assert "the stop list of the account has 0 of 10 (0.0%)" in capsys.readouterr().err


def test_a_stop_list_and_other_lists_add_up(sandbox: Sandbox) -> None:
    first, second, *_ = [number.phone for number in sandbox.expected("n-10")]
    Path("list.txt").write_text(f"{first}\n")
    stop_id = sandbox.stops.add(second)
    try:
        assert run(["download", "n-10", *LEAVE_OUT, "--opt-outs", "list.txt"]) == 0
    finally:
        sandbox.stops.remove(stop_id)
    assert len(phones()) == 8


@pytest.mark.skipif(sys.platform == "win32", reason="no /dev/fd there")
@pytest.mark.parametrize("more", [["--wait"], ["--wait", "--once"], ["--once"], []], ids=" ".join)
def test_a_list_that_is_a_pipe_is_read_once_beside_the_stop_list(
    sandbox: Sandbox, more: list[str]
) -> None:
    first, second, *_ = [number.phone for number in sandbox.expected("n-10")]
    stop_id = sandbox.stops.add(second)
    reading, writing = os.pipe()
    os.write(writing, f"{first}\n".encode())
    os.close(writing)
    try:
        assert run(["download", "n-10", *LEAVE_OUT, "--opt-outs", f"/dev/fd/{reading}", *more]) == 0
    finally:
        os.close(reading)
        sandbox.stops.remove(stop_id)
    assert len(phones()) == 8


def test_a_finished_rental_is_looked_through_for_who_has_joined_the_stop_list(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["download", "n-10", *LEAVE_OUT, "--once"]
    assert run(command) == 0
    stops = []
    for phone, code in (("+33639989999", 0), (phones()[0], 4)):
        stops.append(sandbox.stops.add(phone))
        before = len(sandbox.requests)
        capsys.readouterr()
        assert run(command) == code
        said = capsys.readouterr().err
        assert "nothing was asked;" not in said
        assert len(sandbox.requests) == before + 1  # the list
    assert "without --opt-outs-account as it is now: 1 number in it must not be written" in said
    assert phone not in said
    for stop_id in stops:
        sandbox.stops.remove(stop_id)

    monkeypatch.setenv("SMSPARTNER_API_KEY", "wrong-key")
    assert run(command) == 4  # who has joined cannot be known
    assert "it was not asked for again" not in capsys.readouterr().err


def test_a_rental_that_has_failed_for_good_asks_for_no_stop_list(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["download", "unknown", *LEAVE_OUT, "--once"]
    assert run(command) == 5
    before = len(sandbox.requests)
    capsys.readouterr()
    assert run(command) == 5
    assert "nothing was asked now" in capsys.readouterr().err
    assert len(sandbox.requests) == before


def test_without_the_stop_list_nothing_is_downloaded(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMSPARTNER_API_KEY", "wrong-key")
    before = sandbox.downloads("n-10.as-unspent")
    assert run(["download", "n-10.as-unspent", *LEAVE_OUT]) == 4
    assert sandbox.downloads("n-10.as-unspent") == before
    assert not Path("n.csv").exists()


def test_a_stop_list_that_was_not_fetched_never_counts_as_none() -> None:
    options: dict[str, Any] = dict.fromkeys(Output.__struct_fields__)
    out = Output(**{**options, "output": "n.csv", "opt_outs_account": True})
    with pytest.raises(ConfigurationError, match="was not fetched"):
        _ = out._stops


def test_write_takes_a_stop_list_also_an_empty_one(sandbox: Sandbox) -> None:
    numbers = list(sandbox.expected("n-10"))
    assert write(numbers, "n.csv", opt_outs=StopList(success=True, nb_data=0)).rows == 10
