"""No name and no word of the service is obeyed by a terminal, and none makes a command fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("service")

NAMES = {"not UTF-8": b"\xff\xfe.csv", "ESC": b"a\x1b[31m.csv", "CSI": "b\u009b.csv".encode()}
NOBODY = ["--base-url", "http://127.0.0.1:1/v1", "--retries", "0"]
COMMANDS = {
    "inspect": ["inspect", "NAME"],
    "inspect, JSON": ["inspect", "--json", "NAME"],
    "verify": ["verify", "NAME", "NAME"],
    "decode": ["decode", "NAME"],
    "decode, JSON error": ["decode", "NAME", "--errors", "json"],
    "unknown ending": ["decode", "NAME", "-o", "NAME.x"],
    "token": ["status", "NAME", *NOBODY],
    "download": ["-v", "download", "NAME", *NOBODY],
    "no such file": ["download", "t", "--key-file", "NAME.key"],
    "no such folder": ["download", "t", "-o", "NAME/n.csv"],
    "no such command": ["NAME"],
    "address": ["status", "t", "--base-url", "NAME"],
    "proxy": ["status", "t", "--proxy", "NAME"],
    "demo": ["demo", "--numbers", "3", "-o", "NAME.demo"],
    "key": ["key", "set", "--key-file", "NAME.key"],
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", NAMES)
def test_no_name_is_obeyed_by_a_terminal(name: str, command: str) -> None:
    Path(os.fsdecode(NAMES[name])).write_bytes(b"id,phone,stop_sms\n1,0639980042,false\n")
    words = [each.encode().replace(b"NAME", NAMES[name]) for each in COMMANDS[command]]
    done = subprocess.run(
        [sys.executable.encode(), b"-m", b"smspartner", *words],
        input=b"key\n",
        capture_output=True,
        check=False,
    )
    shown = done.stdout + done.stderr
    assert b"Traceback" not in shown
    assert not set(shown) & (set(range(32)) - {10})
    assert "\u009b" not in shown.decode()


def test_json_keeps_a_name_that_is_not_utf_8() -> None:
    Path(os.fsdecode(b"\xff.csv")).write_bytes(b"id,phone,stop_sms\n1,0639980042,false\n")
    done = subprocess.run(
        [sys.executable.encode(), b"-m", b"smspartner", b"inspect", b"--json", b"\xff.csv"],
        capture_output=True,
        check=True,
    )
    assert os.fsencode(json.loads(done.stdout)["file"]) == b"\xff.csv"
