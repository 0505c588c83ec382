"""The most that reading a body holds in memory, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks.bodies import pieces
from benchmarks.contenders import CONTENDERS, OURS
from benchmarks.measure import Key, Say

#: Where ``python -m benchmarks`` works, here and in the processes it starts.
ROOT: Final = Path(__file__).parent.parent
MIB: Final = 1024 * 1024

#: Bytes above what the interpreter and its imports hold.
Peaks = Mapping[Key, int]


def compare(sizes: Sequence[int], say: Say) -> Peaks:
    """Return everybody's peak on the largest of the sizes, and ours on ten times as many too."""
    largest = max(sizes)
    keys = [Key(largest, kind, each.name) for each in CONTENDERS for kind in each.kinds]
    keys += [Key(10 * largest, kind, OURS) for kind in ("json", "xml")]
    return {key: _reading(key, say) for key in keys}


def _reading(key: Key, say: Say) -> int:
    say(f"memory of {key.name}, {key.numbers:,} numbers, {key.kind}")
    return peak(["read", key.name, key.kind], body=pieces(key.numbers, key.kind))


def peak(
    task: Sequence[str], *, body: Iterable[bytes] = (), env: Mapping[str, str] | None = None
) -> int:
    """Return the bytes a task of ``child`` adds at its peak to what the process held before.

    Args:
        task: what ``child`` is to do.
        body: what it reads from standard input; never held as a whole here.
        env: what is added to its environment.
    """
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "benchmarks.child", *task],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, **(env or {})},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for piece in body:
            process.stdin.write(piece)
        process.stdin.close()
        said = process.stdout.read()
    assert process.returncode == 0, f"a process for memory ended with {process.returncode}"
    measured = json.loads(said)
    return int(measured["peak"] - measured["before"])
