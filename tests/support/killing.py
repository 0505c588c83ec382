"""Command lines that are ended by a signal at a chosen moment, a hundred in a few seconds.

A process imports the package once and forks for each command line. What is forked is a process of
its own that runs ``smspartner.__main__.main`` to its end, or until the signal::

    with Forks(os.environ) as forks:
        ended = forks.run(["download", "n-10"], folder, signal.SIGKILL, after=0.05)

``before`` ends it without the help of a clock: just before its n-th step on files.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

import posix_only

#: What a command line loads on its way: a fork should not spend its short life on imports.
_LOADED: Final = (
    "smspartner.cli.decode_many",
    "smspartner.cli.download",
    "smspartner.transport.requests",
    "lxml.etree",
)
#: The steps on files that can be counted, by their names in the audit of Python.
_STEPS: Final = ("open", "os.rename", "os.remove", "os.chmod", "os.truncate", "os.link")


class Ended(NamedTuple):
    """How a command line ended.

    Attributes:
        code: the exit code, or the negative number of the signal.
        seconds: how long it ran.
        words: what it said on standard error.
    """

    code: int
    seconds: float
    words: str


class Forks:
    """Runs command lines in forks of a process that is ready to.

    Args:
        environment: of the command lines.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Not measured: a signal that comes while coverage holds its lock would wait for ever.
            env={
                name: value
                for name, value in self._environment.items()
                if not name.startswith("COVERAGE_")
            },
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=10)
        assert self._process.returncode == 0

    def run(
        self,
        args: Sequence[str],
        folder: Path,
        number: int = posix_only.SIGKILL,
        *,
        after: float | None = None,
        before: int | None = None,
        times: int = 1,
    ) -> Ended:
        """Run a command line in a folder, and end it.

        Args:
            args: of ``smspartner``.
            folder: the current one of the command.
            number: the signal.
            after: seconds until the signal, None for none.
            before: which step on files the signal comes before, counted from 1, None for none.
            times: how often it comes in the end, every two milliseconds.
        """
        job = {"args": args, "folder": str(folder), "signal": number, "times": times}
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(job | {"after": after, "before": before}) + "\n")
        self._process.stdin.flush()
        return Ended(*json.loads(self._process.stdout.readline()))


def serve() -> int:
    """Fork once for each line of standard input; return what the fork or the server ends with."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until a command line begins, as it does itself
    for name in _LOADED:
        import_module(name)
    for line in sys.stdin:
        job = json.loads(line)
        with tempfile.TemporaryFile() as words:
            started = time.monotonic()
            child = posix_only.fork()
            if not child:
                os.dup2(words.fileno(), sys.stderr.fileno())
                return _command_line(job)
            if job["after"] is not None:
                time.sleep(job["after"])
                for _ in range(job["times"]):
                    os.kill(child, job["signal"])
                    time.sleep(0.002)
            _, status = os.waitpid(child, 0)
            seconds = time.monotonic() - started
            words.seek(0)
            said = words.read().decode()
        print(  # noqa: T201 - the answer
            json.dumps([os.waitstatus_to_exitcode(status), seconds, said]), flush=True
        )
    return 0


def _command_line(job: dict[str, Any]) -> int:
    from smspartner.__main__ import main  # noqa: PLC0415 - the test itself does not need it

    os.chdir(job["folder"])
    sys.stdin = open(os.devnull)  # noqa: SIM115, PTH123 - the jobs are not for the command
    sys.argv = ["smspartner", *job["args"]]
    if job["before"] is not None:
        _end_before(job["before"], job["signal"], job["folder"])
    return main()


def _end_before(step: int, number: int, folder: str) -> None:
    """Send this process a signal just before its n-th step on the files of a folder."""
    left = step

    def count(event: str, args: tuple[Any, ...]) -> None:
        nonlocal left
        if event in _STEPS and args[0] and str(args[0]).startswith(folder):
            left -= 1
            if not left:
                os.kill(os.getpid(), number)

    sys.addaudithook(count)


if __name__ == "__main__":
    sys.exit(serve())
