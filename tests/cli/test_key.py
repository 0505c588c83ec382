"""``smspartner key set``: asks without showing, writes a file only its owner can read."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import posix_only
import pytest

from smspartner.cli import run


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SMSPARTNER_API_KEY", raising=False)
    monkeypatch.delenv("SMSPARTNER_KEY_FILE", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def piped(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def test_a_key_from_a_pipe_goes_to_the_default_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    piped(monkeypatch, " the-key \n")
    assert run(["key", "set"]) == 0
    path = tmp_path / "config" / "smspartner" / "key"
    assert path.read_text() == "the-key\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert capsys.readouterr().err == f"the API key is in {path}; only you can read it\n"


def test_the_file_can_be_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SMSPARTNER_KEY_FILE", "named")
    monkeypatch.setenv("SMSPARTNER_API_KEY", "another")
    piped(monkeypatch, "one\n")
    assert run(["key", "set"]) == 0
    piped(monkeypatch, "two\n")
    assert run(["key", "set", "--key-file", "given"]) == 0
    assert (Path("named").read_text(), Path("given").read_text()) == ("one\n", "two\n")
    assert "SMSPARTNER_API_KEY is set too, and is used first" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", "no key came on standard input"),
        (" \n", "no key came on standard input"),
        (None, "no key came on standard input"),
        ("k" * 2000, "the API key "),
    ],
)
def test_what_is_no_key_is_not_kept(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    given: str | None,
    words: str,
    tmp_path: Path,
) -> None:
    piped(monkeypatch, given or "")
    if given is None:
        monkeypatch.setattr(sys, "stdin", None)  # as by ``<&-``
    assert run(["key", "set"]) == 4
    assert capsys.readouterr().err.startswith(f"smspartner: {words}")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", os.devnull)
    piped(monkeypatch, "key\n")
    assert run(["key", "set"]) == 1
    assert "cannot make the folder '/dev/null/smspartner'" in capsys.readouterr().err


def test_a_key_that_is_typed_is_not_shown() -> None:
    screen, theirs = posix_only.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "smspartner", "key", "set", "--key-file", "typed"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while not shown.endswith(b"API key: "):  # before the space, what is typed is thrown away
        shown += os.read(screen, 1024)
    os.write(screen, b"typed-key\n")
    assert process.wait(20) == 0
    try:
        while more := os.read(screen, 1024):
            shown += more
    except OSError:  # how Linux says that the other side is closed
        pass
    os.close(screen)
    assert b"API key:" in shown
    assert b"typed-key" not in shown
    assert Path("typed").read_text() == "typed-key\n"
