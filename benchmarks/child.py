"""The process whose memory is measured; ``memory`` starts it and reads the one line it prints.

The task is done on a small scale first, so that whatever has to be imported is there; what the
process holds then is "interpreter and imports", and only from then on does the peak count.
"""

from __future__ import annotations

import gc
import io
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from benchmarks.bodies import whole
from benchmarks.contenders import chunks, named
from benchmarks.exports import WAYS
from benchmarks.rivals import RIVALS
from smspartner.cli import run
from smspartner.decoders.reader import ResponseReader, iter_batches
from smspartner.decoders.whole import decode
from smspartner.errors import SMSPartnerError

if sys.platform != "win32":
    import resource

_KIB: Final = 1024
_FEW: Final = 10
_PROC: Final = Path("/proc/self")

Steps = tuple[Callable[[], None], Callable[[], None]]


def main(task: str, *arguments: str) -> None:
    """Do a task, and print the bytes the process held before it and at its peak."""
    small, large = _TASKS[task](*arguments)
    small()
    gc.collect()
    before = _held()
    large()
    print(json.dumps({"before": before, "peak": _peak()}))


def _read(name: str, kind: str) -> Steps:
    """Return the steps of reading a body from standard input."""
    read = named(name).read

    def drain(body: BinaryIO) -> None:
        for _ in read(body):
            pass

    return lambda: drain(io.BytesIO(whole(_FEW, kind))), lambda: drain(sys.stdin.buffer)


def _decode() -> Steps:
    """Return the steps of reading a body in one piece from standard input."""

    def attempt(body: BinaryIO) -> None:
        with suppress(SMSPartnerError):
            decode(body.read())

    return lambda: attempt(io.BytesIO(whole(_FEW, "xml"))), lambda: attempt(sys.stdin.buffer)


def _export(name: str, folder: str) -> Steps:
    """Return the steps of reading a JSON body from standard input and writing it."""
    way = WAYS[name]

    def copy(body: BinaryIO, token: str) -> None:
        way.write(iter_batches(ResponseReader(), chunks(body)), Path(folder), token)

    def small() -> None:
        copy(io.BytesIO(whole(_FEW, "json")), "small")

    return small, lambda: copy(sys.stdin.buffer, "large")


def _download(form: str, output: str, small: str, large: str) -> Steps:
    """Return the steps of ``smspartner download``, for two tokens."""

    def fetch(token: str) -> None:
        code = run(["download", token, "--output", output, "--format", form, "--quiet"])
        assert code == 0, f"smspartner download: exit code {code}"

    return lambda: fetch(small), lambda: fetch(large)


def _rival(form: str, output: str, small: str, large: str) -> Steps:
    """Return the steps of a rival's download, for two addresses."""
    fetch = RIVALS[form]
    return lambda: fetch(small, output), lambda: fetch(large, output)


_TASKS: Final[dict[str, Callable[..., Steps]]] = {
    "read": _read,
    "decode": _decode,
    "export": _export,
    "download": _download,
    "rival": _rival,
}


def _held() -> int:
    """Return the bytes held now, and let the peak count from here on."""
    if not (_PROC / "clear_refs").exists():
        return _peak()
    (_PROC / "clear_refs").write_text("5")
    return _status("VmRSS")


def _peak() -> int:
    # ru_maxrss would do, but under Linux a child begins with that of its parent.
    if (_PROC / "status").exists():
        return _status("VmHWM")
    if sys.platform == "win32":
        raise NotImplementedError("memory is not measured on Windows")
    else:  # noqa: RET506 - the type checkers know by it that it is not for Windows
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * _KIB


def _status(field: str) -> int:
    lines = (_PROC / "status").read_text().splitlines()
    return next(int(line.split()[1]) * _KIB for line in lines if line.startswith(field))


if __name__ == "__main__":
    main(*sys.argv[1:])
