"""What every command takes: -v before or after its name, --errors, and no key."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from smspartner import Sandbox
from smspartner.cli import run
from smspartner.cli.failures import wants_json

pytestmark = pytest.mark.usefixtures("service")


@pytest.mark.parametrize(
    "args", [["-v", "status", "n-5"], ["status", "-v", "n-5"], ["status", "n-5", "-v"]]
)
def test_verbose_may_stand_before_or_after_the_command(
    args: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Or -v would find someone logging already, and leave it at that.
    monkeypatch.setattr(logging.root, "handlers", [])
    assert run(args) == 0
    assert "GET " in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--api-key", "--api-key=s3cret", "--apikey"])
def test_a_key_on_the_command_line_is_refused_and_the_reason_said(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    value = [] if "=" in option else ["s3cret"]
    for args in ([option, *value, "download", "t"], ["download", "t", option, *value]):
        assert run(args) == 2
        said = capsys.readouterr().err
        assert "list of processes; run smspartner key set" in said
        assert "s3cret" not in said
        assert len(said.splitlines()) == 1
    assert run(["download", "--api-key"]) == 2


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (["download", "unknown"], {"error": "RentalNotFoundError", "code": 32, "exit": 5}),
        (["status"], {"error": "MissingParameter", "code": None, "exit": 2, "token": None}),
        (["downlod"], {"error": "UsageError", "exit": 2}),
        (["download", "t", "--columns", "phone"], {"error": "ConfigurationError", "exit": 4}),
        (["download", "t", "--columns", ""], {"error": "ConfigurationError", "exit": 4}),
        (
            ["download", "t", "--base-url", "http://127.0.0.1:1/v1", "--retries", "0"],
            {"error": "TransportError", "retryable": True, "exit": 6, "kept": None},
        ),
        (
            ["download", "n-100.declared-7", "-o", "n.csv"],
            {"error": "CountMismatchError", "exit": 7, "kept": "n.csv.body.json"},
        ),
    ],
)
def test_errors_can_be_one_line_of_json(
    args: list[str], expected: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    for words in (["--errors", "json", *args], [*args, "--errors=json"]):
        Path("n.csv.body.json").unlink(missing_ok=True)
        assert run(words) == expected["exit"]
        shown = capsys.readouterr().err
        line = json.loads(shown)
        assert shown.isascii()
        assert expected.items() <= line.items()
        assert line.keys() == {"error", "code", "message", "token", "retryable", "exit", "kept"}
        assert line["message"]


def test_ctrl_c_is_a_line_of_json_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_args: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("smspartner.client.client.Client.status", interrupted)
    assert run(["--errors", "json", "status", "t"]) == 130
    assert json.loads(capsys.readouterr().err)["message"] == "interrupted"


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("--errors json x", True),
        ("x --errors=json", True),
        ("x --errors text", False),
        ("json", False),
    ],
)
def test_json_is_wanted_where_it_is_asked_for(words: str, *, wanted: bool) -> None:
    assert wants_json(words.split()) is wanted


def test_a_command_that_is_nearly_right_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["dowload", "t"]) == 2
    assert capsys.readouterr().err == (
        "smspartner: no command 'dowload'; did you mean download? (smspartner --help)\n"
    )


def test_words_are_those_of_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["download", "t", "--columns", "id,phone"]) == 4
    said = capsys.readouterr().err
    assert "--exclude-stop" in said
    assert "exclude_stop" not in said


def test_warnings_of_the_library_are_said_unless_quiet(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("key").write_text(sandbox.api_key)
    Path("key").chmod(0o644)
    assert run(["status", "n-5", "--key-file", "key"]) == 0
    assert (
        capsys.readouterr().err == "smspartner: others can read the key file 'key': chmod 600 it\n"
    )
    assert run(["status", "n-5", "--key-file", "key", "-q"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("args", [[], ["key"]])
def test_without_a_command_the_help_is_shown(
    args: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(args) == 2
    assert "Commands:" in capsys.readouterr().err


def test_a_closed_pipe_is_no_failure_to_explain(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def closed(*_args: object, **_options: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("smspartner.client.client.Client.status", closed)
    assert run(["status", "t"]) == 141
    assert capsys.readouterr().err == ""


def test_a_rental_that_was_downloaded_before_says_what_to_do(
    sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    advice = (
        "smspartner: look for the file of the earlier download, or ask SMS Partner to allow the "
        "download once more\n"
    )
    sandbox.once = True
    (tmp_path / "many").mkdir()
    assert run(["download", sandbox.token, "-o", "n.csv", "-q"]) == 0
    for more, code in {("-o", "m.csv"): 5, ("n-1", "-o", "many"): 9}.items():
        capsys.readouterr()
        assert run(["download", sandbox.token, *more, "-q"]) == code
        assert f"(code 34, HTTP 200)\n{advice}" in capsys.readouterr().err


def test_a_wrong_key_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "key").write_text("wrong")
    (tmp_path / "key").chmod(0o600)
    assert run(["credits", "--key-file", "key"]) == 4
    assert capsys.readouterr().err.endswith(
        "smspartner: the key was taken from the file 'key' (--key-file); correct it there\n"
    )


def test_an_unknown_rental_says_where_tokens_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "unknown", "-q"]) == 5
    assert capsys.readouterr().err == (
        "smspartner: rental unknown: Location introuvable (code 32, HTTP 200)\n"
        "smspartner: check the token: it is in the confirmation of the rental\n"
    )
