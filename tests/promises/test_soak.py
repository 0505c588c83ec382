"""Many downloads, threads and clients: nothing is wrong, and nothing is held in the end."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import posix_only
import pytest

from smspartner import Client

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(sys.platform != "linux", reason="/proc says what a process holds"),
]

DOWNLOADS = 10_000
THREADS = 200
CLIENTS = 500
MIB = 1024 * 1024


class Held(NamedTuple):
    """What this process holds."""

    descriptors: int
    threads: int
    memory: float


def held() -> Held:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    open_now = len(list(Path("/proc/self/fd").iterdir()))
    return Held(
        open_now, threading.active_count(), pages * posix_only.sysconf("SC_PAGE_SIZE") / MIB
    )


@pytest.fixture(scope="module")
def settings() -> Iterator[dict[str, Any]]:
    """Return the address and the key of a service in a process of its own."""
    command = [sys.executable, "-m", "smspartner", "sandbox"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout
        lines = [service.stdout.readline() for _ in range(3)]
        pairs = dict(each.removeprefix("export ").strip().split("=") for each in lines[:2])
        yield {"api_key": pairs["SMSPARTNER_API_KEY"], "base_url": pairs["SMSPARTNER_BASE_URL"]}
        service.terminate()


def size_of(number: int) -> int:
    return number % 50


def test_ten_thousand_downloads_by_two_hundred_threads(settings: dict[str, Any]) -> None:
    def download(number: int) -> bool:
        form = ("json", "xml")[number % 2]
        return len(client.download(f"n-{size_of(number)}", format=form)) == size_of(number)

    before = held()
    all_there, begun = threading.Barrier(THREADS), time.monotonic()
    with Client(**settings) as client, ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda _: all_there.wait(), range(THREADS)))
        assert all(pool.map(download, range(DOWNLOADS // 2)))
        half = held()
        assert all(pool.map(download, range(DOWNLOADS // 2)))
        after = held()
    seconds, end = time.monotonic() - begun, held()
    sys.stdout.write(f"\n{before=}\n{half=}\n{after=}\n{end=}\n{seconds=:.0f}\n")
    assert after.memory - half.memory < 20
    assert (end.descriptors, end.threads) == (before.descriptors, before.threads)


def test_five_hundred_clients_at_once(settings: dict[str, Any]) -> None:
    before = held()
    clients = [Client(**settings) for _ in range(CLIENTS)]
    with ThreadPoolExecutor(20) as pool:
        for _ in range(2):
            assert set(pool.map(lambda each: len(each.download("n-3")), clients)) == {3}
    during = held()
    for each in clients:
        each.close()
    end = held()
    sys.stdout.write(f"\n{before=}\n{during=}\n{end=}\n")
    assert (end.descriptors, end.threads) == (before.descriptors, before.threads)
