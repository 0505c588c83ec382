"""The fixtures that tests of several rooms share.

``sandbox`` is the stand-in service, one for each test module; a module that wants it otherwise says
so at its top: ``SANDBOX = {"numbers": 3}``. ``client`` is a client of it. ``service`` lets the
command line know it, in an empty folder. ``set_window`` makes the reader cut small bodies.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from cases import SetWindow
from hypothesis import settings
from twin import Connect, Twin

from smspartner import Client, Sandbox
from smspartner.decoders import reader

pytest_plugins = ["postgres_server"]

#: The key of whoever runs the tests is none of their business.
os.environ["XDG_CONFIG_HOME"] = os.devnull

# ``nohup pytest &`` would hand on to every process of the tests that SIGHUP and SIGINT are ignored.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if sys.platform != "win32":
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# A shared machine has slow moments: no single example has a deadline, whole files do. What gates
# a change draws the same examples each time; on a developer's machine they are new ones.
settings.register_profile(
    "smspartner", deadline=None, print_blob=True, derandomize="CI" in os.environ
)
settings.load_profile("smspartner")


def pytest_xdist_auto_num_workers() -> int:
    """Answer ``-n auto``: one more than there are processors, as many tests wait for a socket."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(params=[Client, Twin], ids=["Client", "AsyncClient"])
def connect(request: pytest.FixtureRequest) -> Connect:
    """Return what makes a client."""
    return cast("Connect", request.param)


@pytest.fixture
def set_window(monkeypatch: pytest.MonkeyPatch) -> SetWindow:
    """Return a function that sets how many bytes are decoded at once.

    A tiny window takes bodies of a few hundred bytes through everything that otherwise only
    bodies above 64 KiB meet: head, slices, guessed and true cuts, growth, end.
    """

    def set_to(size: int) -> None:
        monkeypatch.setattr(reader, "WINDOW", size)

    return set_to


@pytest.fixture(scope="module")
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """Run the stand-in service, as ``SANDBOX`` of the test module says."""
    with Sandbox(**getattr(request.module, "SANDBOX", {})) as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    """Return a client of the sandbox that makes each request once."""
    with Client(sandbox.api_key, base_url=sandbox.url, retries=0) as made:
        yield made


@pytest.fixture
def in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def service(sandbox: Sandbox, in_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the command line know the sandbox, in an empty folder."""
    monkeypatch.setenv("SMSPARTNER_API_KEY", sandbox.api_key)
    monkeypatch.setenv("SMSPARTNER_BASE_URL", sandbox.url)
    return in_folder
