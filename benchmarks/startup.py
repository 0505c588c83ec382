"""How long it takes until anything happens: imports, and the help of the command."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from benchmarks.measure import Say, Spread
from benchmarks.memory import ROOT

BARE: Final = "a bare interpreter"
IMPORT: Final = "import smspartner"
HELP: Final = "smspartner --help"

_EMPTY: Final = """b'{"success":true,"phoneNumbers":0,"datas":[]}'"""
_ARGUMENTS: Final = {
    BARE: ["-c", "pass"],
    IMPORT: ["-c", "import smspartner"],
    "import, and decode a JSON body": ["-c", f"import smspartner; smspartner.decode({_EMPTY})"],
    "import, and make a Client": ["-c", "import smspartner; smspartner.Client('key')"],
    HELP: ["-m", "smspartner", "--help"],
}

#: Milliseconds of every start, a value for each round.
Starts = Mapping[str, Sequence[float]]


def measure(rounds: int, say: Say) -> Starts:
    """Start everything in turns; the first round only fills the caches and does not count."""
    starts = defaultdict[str, list[float]](list)
    for number in range(rounds + 1):
        say(f"round {number} of {rounds}: starts")
        for name, arguments in _ARGUMENTS.items():
            taken = _milliseconds(arguments)
            if number:
                starts[name].append(taken)
    return starts


def above_bare(starts: Starts, name: str) -> Spread:
    """Return the milliseconds of a start above those of a bare interpreter in the same round."""
    return Spread.of(taken - bare for taken, bare in zip(starts[name], starts[BARE], strict=True))


def _milliseconds(arguments: Sequence[str]) -> float:
    start = time.perf_counter()
    command = [sys.executable, *arguments]
    subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)  # noqa: S603
    return 1000 * (time.perf_counter() - start)
