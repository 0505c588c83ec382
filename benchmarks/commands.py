"""The whole command: from a service on loopback, in a process of its own, to a CSV file."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.measure import Key, Sample, Samples, Say
from benchmarks.memory import ROOT, peak
from smspartner import Client

if sys.platform != "win32":
    import resource

DOWNLOAD: Final = "smspartner download"
RIVALS: Final = {
    "json": "requests + .json() + csv.writer",
    "xml": "requests + lxml tree + csv.writer",
}
STREAM: Final = "Client.stream"


class Service(NamedTuple):
    """A sandbox in a process of its own."""

    url: str
    key: str

    @property
    def env(self) -> dict[str, str]:
        """What ``smspartner download`` needs in its environment."""
        return {"SMSPARTNER_BASE_URL": self.url, "SMSPARTNER_API_KEY": self.key}

    def address(self, form: str, token: str) -> str:
        """Return what a rival has to get."""
        query = f"apiKey={self.key}&token={token}&_format={form}"
        return f"{self.url}/location/file/download?{query}"


class Commands(NamedTuple):
    """What was measured of whole commands.

    Attributes:
        samples: of every command and of ``Client.stream``.
        processor: seconds of processor time of every command, from its start to its end.
        peaks: bytes above interpreter and imports.
    """

    samples: Samples
    processor: Mapping[Key, Sequence[float]]
    peaks: Mapping[Key, int]


def token_of(numbers: int) -> str:
    """Return the token of a rental of so many numbers in any sandbox."""
    return f"n-{numbers}"


@contextmanager
def service() -> Iterator[Service]:
    """Run a sandbox in a process of its own; tokens say how many numbers they want."""
    command = [sys.executable, "-m", "smspartner", "sandbox"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:  # noqa: S603 - our own program
        assert process.stdout is not None
        url, key = (process.stdout.readline().strip().partition("=")[2] for _ in range(2))
        try:
            yield Service(url, key)
        finally:
            process.terminate()


def compare(sizes: Sequence[int], rounds: int, say: Say) -> Commands:
    """Measure every command on every size, and its memory on the largest."""
    samples = defaultdict[Key, list[Sample]](list)
    with service() as server, tempfile.TemporaryDirectory() as folder:
        run = _Run(server, Path(folder))
        _warm_up(server)
        for numbers in sizes:
            keys = [
                Key(numbers, form, name)
                for form, rival in RIVALS.items()
                for name in (DOWNLOAD, rival, STREAM)
            ]
            for number in range(rounds):
                for key in keys:
                    say(f"round {number + 1} of {rounds}: {key.name}, {numbers:,}, {key.kind}")
                    samples[key].append(run.timed(key))
        return Commands(samples, run.processor, run.peaks(max(sizes), say))


def _warm_up(server: Service) -> None:
    """Let the sandbox make its templates: it keeps them, so nobody else pays for them."""
    with Client(server.key, base_url=server.url) as client:
        for form in RIVALS:
            assert len(client.download(token_of(10_000), format=form)) == 10_000


class _Run:
    """Runs commands against a service."""

    def __init__(self, server: Service, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self.processor = defaultdict[Key, list[float]](list)

    def timed(self, key: Key) -> Sample:
        return self._stream(key) if key.name == STREAM else self._process(key)

    def peaks(self, largest: int, say: Say) -> dict[Key, int]:
        keys = [
            key
            for form, rival in RIVALS.items()
            for key in (
                Key(largest, form, DOWNLOAD),
                Key(10 * largest, form, DOWNLOAD),
                Key(largest, form, rival),
            )
        ]
        return {key: self._peak(key, say) for key in keys}

    def _output(self, key: Key) -> str:
        return str(self._folder / f"{key.name.split()[0]}.{key.kind}.csv")

    def _stream(self, key: Key) -> Sample:
        with Client(self._server.key, base_url=self._server.url) as client:
            start = time.perf_counter_ns()
            with client.stream(token_of(key.numbers), format=key.kind) as stream:
                first = time.perf_counter_ns()  # the first numbers have been read
                count = sum(map(len, stream.batches()))
            end = time.perf_counter_ns()
        assert count == key.numbers
        return Sample(first - start, end - start)

    def _process(self, key: Key) -> Sample:
        command = [sys.executable, "-m", *self._arguments(key)]
        before, start = _processor_time(), time.perf_counter_ns()
        subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, **self._server.env})  # noqa: S603
        end = time.perf_counter_ns()
        self.processor[key].append(_processor_time() - before)
        with Path(self._output(key)).open(newline="") as file:
            rows = sum(1 for _ in csv.reader(file)) - 1
        assert rows == key.numbers, f"{key.name} wrote {rows} of {key.numbers} rows"
        return Sample(end - start, end - start)

    def _arguments(self, key: Key) -> list[str]:
        output, token = self._output(key), token_of(key.numbers)
        if key.name != DOWNLOAD:
            return ["benchmarks.rivals", key.kind, self._server.address(key.kind, token), output]
        return ["smspartner", "download", token, "-o", output, "--format", key.kind, "--quiet"]

    def _peak(self, key: Key, say: Say) -> int:
        say(f"memory of {key.name}, {key.numbers:,} numbers, {key.kind}")
        tokens = [token_of(10), token_of(key.numbers)]
        if key.name == DOWNLOAD:
            task = ["download", key.kind, self._output(key), *tokens]
        else:
            addresses = [self._server.address(key.kind, token) for token in tokens]
            task = ["rival", key.kind, self._output(key), *addresses]
        return peak(task, env=self._server.env)


def _processor_time() -> float:
    """Return the seconds that the processes that have ended took."""
    if sys.platform == "win32":
        raise NotImplementedError("Windows does not say what processes took that have ended")
    else:  # noqa: RET506 - the type checkers know by it that it is not for Windows
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime
