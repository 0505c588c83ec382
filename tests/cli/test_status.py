"""``smspartner status`` and ``download --wait``: exit codes, lines, and nothing else on stdout."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import posix_only
import pytest
from answering import answering
from terminal import on_terminal

from smspartner import Sandbox
from smspartner.cli import run
from smspartner.sandbox import render

SANDBOX: Final = {"numbers": 5}

pytestmark = pytest.mark.usefixtures("service")

COMMAND: Final = [sys.executable, "-m", "smspartner"]
#: The last question is asked at the deadline: shorter than the first pause of two seconds.
WAIT: Final = ("--wait", "--deadline", "1")
LOG_LINE: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ waiting for the rental: "
    r"(requested \(the service says: 0\)|generating \(the service says: 1\))"
)


Shown = pytest.CaptureFixture[str]


# --- one question ---------------------------------------------------------------------------------

ONE_LINE: Final = {
    "n-1000": (0, "ready (the service says: 2), 1,000 numbers\n"),
    "pace-60": (8, "requested (the service says: 0)\n"),
    "fails": (5, "failed (the service says: 3)\n"),
}


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize("token", ONE_LINE)
def test_status_is_one_line_and_its_exit_code_says_what_next(
    token: str, form: str, capsys: Shown
) -> None:
    code, line = ONE_LINE[token]
    assert run(["status", token, "--format", form]) == code
    assert capsys.readouterr() == (line, "")


def test_a_downloaded_rental_is_there(capsys: Shown) -> None:
    assert run(["download", "n-2.as-fetched", "-o", "n.csv", "-q"]) == 0
    assert run(["status", "n-2.as-fetched"]) == 0
    assert capsys.readouterr() == ("downloaded (the service says: 5), 2 numbers\n", "")


@pytest.mark.parametrize("words", ["File ready", "ready"])
def test_words_of_the_service_are_shown_once(words: str, capsys: Shown) -> None:
    with answering(b'"status":"%s"' % words.encode()) as url:
        code = run(["status", "t", "--base-url", url])
    known = words == "File ready"
    state = "ready" if known else "unknown"
    assert code == (0 if known else 8)
    assert capsys.readouterr().out == f"{state} (the service says: {words})\n"


@pytest.mark.parametrize("form", ["json", "xml"])
def test_json_is_all_of_it_on_one_line(form: str, capsys: Shown) -> None:
    assert run(["status", "n-10", "--json", "--format", form]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out.count("\n") == 1
    assert json.loads(shown.out) == {
        "state": "ready",
        "token": "n-10",
        "status": "2",
        "targeting": {
            "sex": "femme",
            "min_age": 31,
            "max_age": 49,
            "zipcode": "60200",
            "interest": "12",
            "category": 103,
            "places": [{"type": "cp", "location": "60200", "volume_desired": 10, "volume": 266}],
            "cost": {"quantity": 10, "total": "0.900", "cost_unity": "0.090"},
        },
        "file": {"phone_numbers": 10},
    }


def test_json_while_pending_has_the_exit_code_too(capsys: Shown) -> None:
    assert run(["status", "pace-60.as-json", "--json"]) == 8
    found: Any = json.loads(capsys.readouterr().out)
    assert (found["state"], found["file"]) == ("requested", None)


CASES: Final = {
    "unknown token": (["status", "unknown"], 5, "Location introuvable (code 32, HTTP 200)"),
    "empty token": (["status", " "], 2, "it is empty"),
    "no token": (["status"], 2, "TOKEN"),
    "nobody to wait for": (
        ["status", "t", "--wait", "--base-url", "http://127.0.0.1:1/v1"],
        6,
        "127.0.0.1:1",
    ),
    "no number": (["status", "t", "--wait", "--deadline", "soon"], 2, "soon"),
    "not a number": (["status", "t", "--wait", "--deadline", "nan"], 4, "deadline"),
    "unknown format": (["status", "t", "--format", "yaml"], 2, "'json', 'xml'"),
    "download of an unknown token": (["download", "t", "--wait", "-o", "n.csv"], 5, "introuvable"),
}


@pytest.mark.parametrize("case", CASES)
def test_bad_input_is_one_clear_line_and_nothing_on_standard_output(
    case: str, capsys: Shown, tmp_path: Path
) -> None:
    args, code, words = CASES[case]
    assert run(args) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert words in shown.err
    assert "Traceback" not in shown.err
    assert list(tmp_path.iterdir()) == []


# --- waiting without a terminal -------------------------------------------------------------------


def test_wait_writes_plain_log_lines_and_then_the_status(capsys: Shown) -> None:
    assert run(["status", "pace-0.3", *WAIT]) == 0
    shown = capsys.readouterr()
    assert shown.out == "ready (the service says: 2), 5 numbers\n"
    lines = shown.err.splitlines()
    assert lines
    assert all(LOG_LINE.fullmatch(line) for line in lines)


def test_quiet_says_nothing_of_a_file_that_is_not_made_yet(capsys: Shown) -> None:
    waiting = ["download", "pace-60.as-quiet", "--wait", "--deadline", "0.1", "-o", "n.csv"]
    assert run([*waiting, "-q"]) == 8
    assert capsys.readouterr() == ("", "")
    assert run(waiting) == 8
    assert "not ready after" in capsys.readouterr().err


def test_wait_in_quiet_says_nothing_but_the_result(capsys: Shown) -> None:
    assert run(["status", "pace-0.3.as-q", *WAIT, "-q", "--json", "--format", "xml"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["state"] == "ready"
    assert shown.err == ""


@pytest.mark.parametrize("args", [["status"], ["download", "-o", "n.csv"]], ids=lambda it: it[0])
def test_a_wait_that_is_over_too_early_is_pending(
    args: list[str], capsys: Shown, tmp_path: Path
) -> None:
    assert run([*args, "pace-60.as-slow", "--wait", "--deadline", "0.3"]) == 8
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "not ready after 0.3 s" in shown.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("args", [["status"], ["download", "-o", "n.csv"]], ids=lambda it: it[0])
def test_a_wait_for_a_rental_that_failed_is_refused(
    args: list[str], capsys: Shown, tmp_path: Path
) -> None:
    assert run([*args, "fails", "--wait"]) == 5
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "smspartner: rental fails: the service could not make this rental: 3\n"
    assert list(tmp_path.iterdir()) == []


def test_download_can_wait_and_writes_nothing_but_numbers(
    sandbox: Sandbox, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run(["download", "pace-0.3.as-data", *WAIT]) == 0
    shown = capfdbinary.readouterr()
    lines = (f"{n.id},{n.phone},{str(n.stop_sms).lower()}\n" for n in sandbox.expected())
    assert shown.out == b"id,phone,stop_sms\n" + "".join(lines).encode()
    log = shown.err.decode().splitlines()
    assert log[-1] == "5 numbers written to standard output"
    assert LOG_LINE.fullmatch(log[0])


def test_ctrl_c_ends_a_wait_at_once_and_cleanly(tmp_path: Path) -> None:
    for args in (["status"], ["download", "-o", "n.csv"]):
        with subprocess.Popen(
            [*COMMAND, *args, "pace-60", "--wait"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            assert process.stderr is not None
            assert b"waiting for the rental" in process.stderr.readline()
            sent = time.monotonic()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=10)
        assert time.monotonic() - sent < 5
        assert (process.returncode, out) == (130, b"")
        assert err.decode().split() == ["smspartner:", "interrupted"]
    assert list(tmp_path.iterdir()) == []


# --- waiting on a terminal ------------------------------------------------------------------------


HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"


@pytest.mark.parametrize("args", [["status"], ["download"]], ids=lambda it: it[0])
def test_on_a_terminal_there_is_one_live_line_and_data_stays_clean(args: list[str]) -> None:
    code, out, screen = on_terminal(*COMMAND, *args, f"pace-0.3.as-tty-{args[0]}", *WAIT)
    assert code == 0
    assert out.startswith(b"ready (" if args == ["status"] else b"id,phone,stop_sms\n")
    assert b"\x1b" not in out
    assert "waiting for the rental: requested (the service says: 0) …" in screen
    assert not re.search(r"\d{4}-\d\d-\d\dT", screen), "a log line on a terminal"
    live = screen[: screen.rindex("waiting for the rental")]
    assert "\n" not in live, "the line is rewritten, not repeated"
    assert screen.rindex(SHOW_CURSOR) > screen.rindex(HIDE_CURSOR)
    assert "\x1b[2K" in screen[screen.rindex("waiting for the rental") :], "the line stays behind"


def test_the_live_line_says_how_far_the_rental_is(
    monkeypatch: pytest.MonkeyPatch, capsys: Shown
) -> None:
    screen, theirs = posix_only.openpty()
    with open(theirs, "w") as stderr, open(screen, "rb", buffering=0) as shown:  # noqa: PTH123
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stderr", stderr)
            assert run(["status", "pace-0.3.as-live", *WAIT]) == 0
        text = shown.read(65536).decode()
    assert "waiting for the rental: requested (the service says: 0) …" in text
    assert capsys.readouterr().out == "ready (the service says: 2), 5 numbers\n"


def test_decoding_has_a_bar_on_a_terminal_too() -> None:
    body = b"".join(render(3000, "json"))
    Path("body.json").write_bytes(body)
    code, out, screen = on_terminal(*COMMAND, "decode", "body.json", "-o", "numbers.csv")
    assert (code, out) == (0, b"")
    assert "3000/3000" in screen
    assert "3,000 numbers written to numbers.csv" in screen


def test_quiet_shows_nothing_on_a_terminal_either() -> None:
    code, out, screen = on_terminal(*COMMAND, "status", "pace-0.3.as-tty-quiet", *WAIT, "-q")
    assert (code, screen) == (0, "")
    assert out == b"ready (the service says: 2), 5 numbers\n"


def test_ctrl_c_leaves_the_terminal_as_it_was() -> None:
    code, out, screen = on_terminal(
        *COMMAND, "status", "pace-60", "--wait", stop_after=b"requested"
    )
    assert (code, out) == (130, b"")
    assert screen.rindex(SHOW_CURSOR) > screen.rindex(HIDE_CURSOR)
    assert screen.split()[-2:] == ["smspartner:", "interrupted"]
    assert "Traceback" not in screen


def test_words_of_the_service_are_no_markup_of_the_live_line() -> None:
    with answering(b'"status":"[/red] [bold]soon[/bold]"', b'"status":2') as url:
        code, out, screen = on_terminal(*COMMAND, "status", "t", *WAIT, "--base-url", url)
    assert (code, out) == (0, b"ready (the service says: 2)\n")
    assert "[/red] [bold]soon[/bold]" in screen
    assert "Traceback" not in screen


@pytest.mark.parametrize("wait", [[], WAIT], ids=["once", "wait"])
def test_words_of_the_service_cannot_control_a_terminal(wait: Sequence[str]) -> None:
    said = rb'"status":"\u001b]0;owned\u0007 \u009b2J soon"'
    with answering(said, *([b'"status":2'] if wait else [])) as url:
        code, out, screen = on_terminal(*COMMAND, "status", "t", *wait, "--base-url", url)
    assert code == (0 if wait else 8)
    assert "owned" in screen + out.decode()
    assert not re.search("\x1b\\]|[\x07\x80-\x9f]", screen + out.decode())
