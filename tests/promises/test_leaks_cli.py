"""No command shows the key or a phone on the screen, or the key in a file, whatever goes wrong."""

from __future__ import annotations

import contextlib
import http.client
import io
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from fault_table import FATES
from leak_bodies import BODIES, SENT, WHOLE_JSON, WHOLE_XML
from leaks import KEY, PHONE, secrets_in

from smspartner import Sandbox
from smspartner.cli import run
from smspartner.sandbox import render
from smspartner.transport import retry

SANDBOX: Final = {
    "numbers": 3000,
    "api_key": KEY,
    "drip": 0.0002,
    "bomb": 4 << 20,
    "retry_after": "0",
}


DOWNLOAD: Final = ("download", "n-50", "-o", "n.csv")
#: Command lines and the exit codes they end with; the folder has what they name.
COMMANDS: Final[dict[str, tuple[list[str], int]]] = {
    "download": (["download", "n-50", "-o", "n.csv", "--provenance", "--raw", "b.json"], 0),
    "key file": (["download", "n-50", "-o", "n.csv", "--key-file", "key"], 0),
    "key file, Latin-1": ([*DOWNLOAD, "--key-file", "latin-1"], 4),
    "address with a key": ([*DOWNLOAD, "--base-url", f"https://a.example?k={SENT}"], 4),
    "password in a target": (["download", "n-5", "-o", f"postgresql://me:{SENT}@127.0.0.1:9/x"], 1),
    "unknown": (["download", "unknown", "-o", "n.csv"], 5),
    "columns": (["download", "n-50", "--columns", "phone"], 4),
    "opt-outs": (["download", "n-50", "--opt-outs", "numbers.csv", "-o", "n.csv"], 0),
    "folder": (["download", "n-50", "-o", "nowhere/n.csv"], 1),
    "status": (["status", "n-50", "--json"], 0),
    "waiting": (["status", "n-50.pace-60", "--wait", "--deadline", "0.1"], 8),
    "failed": (["download", "fails", "--wait", "-o", "n.csv"], 5),
    "decode a CSV": (["decode", "numbers.csv", "-o", "n.csv"], 7),
    "decode a wrong body": (["decode", "wrong.json", "-o", "n.csv"], 7),
    "decode a short body": (["decode", "short.xml", "-o", "n.csv"], 7),
    "inspect": (["inspect", "body.json"], 0),
    "inspect as JSON": (["inspect", "body.xml", "--json"], 0),
    "inspect a wrong body": (["inspect", "wrong.json"], 7),
    "verify what is equal": (["verify", "body.json", "body.xml"], 0),
    "verify what differs": (["verify", "body.json", "other.json"], 1),
    "verify a wrong body": (["verify", "body.json", "wrong.json"], 7),
} | {
    f"fault {name}": (
        [
            *("download", f"n-{2 if 'dribble' in name else 3000}.fault-{name}", "-o", "n.csv"),
            *("--timeout", str(fate.silence), "--deadline", str(fate.deadline)),
        ],
        fate.exit,
    )
    for name, fate in FATES.items()
}


@pytest.fixture
def prepared(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder, with files for the command lines."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SMSPARTNER_API_KEY", KEY)
    monkeypatch.setenv("SMSPARTNER_BASE_URL", sandbox.url)
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    monkeypatch.setattr(retry, "LONGEST_BACKOFF", 0.0)
    # Or -v would find somebody logging already, and leave it at that.
    monkeypatch.setattr(logging.root, "handlers", [])
    Path("key").write_text(f"{KEY}\n")
    Path("latin-1").write_bytes(KEY.encode("latin-1"))
    Path("numbers.csv").write_text(f"phone\n{PHONE}\nnone\n")
    Path("wrong.json").write_text(str(BODIES["stop"][1]))
    Path("short.xml").write_bytes(WHOLE_XML[:-9])
    Path("body.json").write_bytes(WHOLE_JSON)
    Path("body.xml").write_bytes(WHOLE_XML)
    Path("other.json").write_bytes(b"".join(render(3000, "json", seed=1)))
    return tmp_path


@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_shows_a_secret_even_when_it_says_all_it_does(prepared: Path, name: str) -> None:
    before = set(prepared.iterdir())
    args, code = COMMANDS[name]
    with said() as words:
        assert run(["-v", *args]) == code
    assert not secrets_in(words.getvalue())
    for path in set(prepared.iterdir()) - before:
        assert not secrets_in(path.read_bytes().decode("latin-1"), phones=False)
        assert not secrets_in(path.read_bytes().decode("utf-8", "replace"), phones=False)


@contextlib.contextmanager
def said() -> Iterator[io.StringIO]:
    """Catch what is printed, and logged, on standard output and standard error."""
    words = io.StringIO()
    with contextlib.redirect_stdout(words), contextlib.redirect_stderr(words):
        yield words


def test_a_key_that_is_refused_is_not_shown(
    prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in (f"{KEY}{KEY}", f"{KEY}\udce9"):
        monkeypatch.setenv("SMSPARTNER_API_KEY", os.fsdecode(os.fsencode(key)))
        with said() as words:
            assert run(["-v", "download", "n-50", "-o", "n.csv"]) == 4
        assert not secrets_in(words.getvalue())
    assert not (prepared / "n.csv").exists()
