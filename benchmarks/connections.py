"""Small rentals over TLS, one after the other: what a connection that is used again saves.

python -m benchmarks.connections
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import requests

from benchmarks.measure import Say, Spread
from benchmarks.memory import ROOT
from smspartner import Client

CERTIFICATE: Final = str(ROOT / "tests" / "support" / "certs" / "localhost.pem")

DOWNLOADED: Final = "`Client.download`, one client"
SESSION: Final = "`requests.Session` and `.json()`"
EACH_ANEW: Final = "`requests.get` and `.json()`"
ASKED: Final = "`Client.status`, one client"

_KEY: Final = "benchmark-key"
_TOKEN: Final = "n-10"  # noqa: S105 - a token of the sandbox
_TURN: Final = 50

_SERVER: Final = f"""
import ssl, sys
from smspartner import Sandbox
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain({CERTIFICATE!r})
with Sandbox(api_key={_KEY!r}, tls=tls) as sandbox:
    print(sandbox.url, flush=True)
    sys.stdin.read()
"""

#: Milliseconds of one rental in each turn.
Rentals = Mapping[str, Sequence[float]]


def measure(rounds: int, say: Say) -> Rentals:
    """Fetch a rental of ten numbers again and again, in turns; the first round does not count.

    The service is a sandbox in a process of its own: its time is in every figure.
    """
    taken: dict[str, list[float]] = {name: [] for name in (DOWNLOADED, SESSION, EACH_ANEW, ASKED)}
    with _service() as url, _ways(url) as ways:
        for number in range(rounds + 1):
            say(f"round {number} of {rounds}: connections")
            for name, way in ways.items():
                times = _TURN // 10 if name == EACH_ANEW else _TURN
                start = time.perf_counter()
                for _ in range(times):
                    way()
                if number:
                    taken[name].append((time.perf_counter() - start) / times * 1000)
    return taken


def times_session(rentals: Rentals, name: str) -> Spread:
    """Return how many times as long as a session of requests something takes, turn by turn."""
    return Spread.of(
        own / session for own, session in zip(rentals[name], rentals[SESSION], strict=True)
    )


@contextmanager
def _service() -> Iterator[str]:
    command = [sys.executable, "-c", _SERVER]
    pipe = subprocess.PIPE
    with subprocess.Popen(  # noqa: S603 - written above
        command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT
    ) as service:
        assert service.stdout is not None
        yield service.stdout.readline().strip()
        service.communicate()


@contextmanager
def _ways(url: str) -> Iterator[Mapping[str, Callable[[], object]]]:
    address = f"{url}/location/file/download?apiKey={_KEY}&token={_TOKEN}"
    with (
        requests.Session() as session,
        Client(_KEY, base_url=url, verify=CERTIFICATE) as client,
    ):
        session.trust_env = False
        session.verify = CERTIFICATE
        yield {
            DOWNLOADED: lambda: client.download(_TOKEN),
            SESSION: lambda: session.get(address).json(),
            EACH_ANEW: lambda: requests.get(address, verify=CERTIFICATE, timeout=10).json(),
            ASKED: lambda: client.status(_TOKEN),
        }
