"""``smspartner sandbox``: what it prints, and the requests it shows."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.error import HTTPError
from urllib.parse import urlencode

import pytest

COMMAND: Final = [sys.executable, "-m", "smspartner"]


class Running:
    """A sandbox that runs as a command of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        printed = [process.stdout.readline().rstrip("\n") for _ in range(3)]
        self.process = process
        self.url = printed[0].removeprefix("export SMSPARTNER_BASE_URL=")
        self.key = printed[1].removeprefix("export SMSPARTNER_API_KEY=")
        self.token = printed[2].split()[4]

    def ask(self, path: str, **query: str) -> None:
        where = f"{self.url}/{path}?{urlencode({'apiKey': self.key, **query})}"
        with urllib.request.urlopen(where, timeout=10) as response:  # noqa: S310 - it is http
            response.read()

    def stop(self) -> str:
        """Stop it as Ctrl-C does, and return what it said on standard error."""
        self.process.send_signal(signal.SIGINT)
        _, said = self.process.communicate(timeout=20)
        assert self.process.returncode == 130
        return said


@contextmanager
def running(*options: str, verbose: bool = False) -> Iterator[Running]:
    command = [*COMMAND, *(["-v"] if verbose else []), "sandbox", "--numbers", "3", *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Running(process)
        finally:
            process.kill()


@pytest.mark.parametrize("verbose", [False, True])
def test_each_request_is_one_line_without_the_key(*, verbose: bool) -> None:
    with running(verbose=verbose) as sandbox:
        sandbox.ask("location/status", token=sandbox.token, _format="xml")
        sandbox.ask("location/file/download", token="n-1.fault-empty")
        with pytest.raises(HTTPError):
            sandbox.ask("no\x1b[2Jwhere\n".replace("\n", "%0A").replace("\x1b", "%1B"))
        sandbox.ask("location/status", token="a\x1b[1m\nb\x9b")
        said = sandbox.stop()
    assert sandbox.key not in said
    # Sorted: each connection has a thread, which writes its line after the answer.
    assert sorted(line for line in said.splitlines() if "/v1/" in line) == [
        "GET /v1/location/file/download?apiKey=***&token=n-1.fault-empty: 200 (empty)",
        "GET /v1/location/status?apiKey=***&token=a%1B%5B1m%0Ab%C2%9B: 200",
        f"GET /v1/location/status?apiKey=***&token={sandbox.token}&_format=xml: 200",
        "GET /v1/no%1B%5B2Jwhere%0A?apiKey=***: 404",
    ]


def test_the_requests_can_be_left_out() -> None:
    with running("-q", "--fault", "503", "--fault-on-all") as sandbox:
        with pytest.raises(HTTPError, match="503"):
            sandbox.ask("location/status", token=sandbox.token)
        assert "/v1/" not in sandbox.stop()


def test_it_warns_where_other_machines_can_reach_it() -> None:
    with running("--host", "0.0.0.0") as sandbox:  # noqa: S104 - it is what containers need
        assert sandbox.url.startswith("http://127.0.0.1:")
        sandbox.ask("me")
        assert "other machines can reach the sandbox at 0.0.0.0, without TLS\n" in sandbox.stop()
