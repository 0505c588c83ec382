"""What it costs to write records where they should go: seconds, and memory at the peak."""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.bodies import pieces, whole
from benchmarks.measure import Say
from benchmarks.memory import peak
from smspartner import RentedNumber, decode, write

#: Records in a batch, about as many as the reader hands over at once.
_BATCH: Final = 1_000


class Way(NamedTuple):
    """One way to write a rental.

    Attributes:
        target: where to, within a folder.
        e164: with the column of that name.
        excel_safe: for spreadsheets.
        again: over what the same rental has written before.
    """

    target: str
    e164: bool = False
    excel_safe: bool = False
    again: bool = False

    def write(self, batches: Iterable[Sequence[RentedNumber]], folder: Path, token: str) -> int:
        """Write everything, and return how many records that was."""
        return write(
            batches, folder / self.target, token=token, e164=self.e164, excel_safe=self.excel_safe
        ).rows


WAYS: Final = {
    "CSV": Way("numbers.csv"),
    "CSV, `e164`": Way("numbers.csv", e164=True),
    "CSV, `excel_safe`": Way("numbers.csv", excel_safe=True),
    "JSON Lines": Way("numbers.jsonl"),
    "JSON": Way("numbers.json"),
    "Parquet": Way("numbers.parquet"),
    "Arrow": Way("numbers.arrow"),
    "SQLite, the first time": Way("numbers.db"),
    "SQLite, again": Way("numbers.db", again=True),
}


class Exports(NamedTuple):
    """What was measured of exports.

    Attributes:
        numbers: records written.
        seconds: of every way, a value for each round.
        peaks: bytes above interpreter and imports, reading the records from JSON included; of
            every way to a new target.
    """

    numbers: int
    seconds: Mapping[str, Sequence[float]]
    peaks: Mapping[str, int]


def compare(numbers: int, rounds: int, say: Say) -> Exports:
    """Write so many records in every way, all taking turns in each round."""
    records = decode(whole(numbers, "json")).numbers
    batches = [records[start : start + _BATCH] for start in range(0, numbers, _BATCH)]
    seconds = defaultdict[str, list[float]](list)
    for way in WAYS.values():
        _timed(way, batches[:1])  # whatever has to be imported is not what writing costs
    for number in range(rounds):
        for name, way in WAYS.items():
            say(f"round {number + 1} of {rounds}: {numbers:,} numbers to {name}")
            seconds[name].append(_timed(way, batches))
    peaks = {name: _peak(name, numbers, say) for name, way in WAYS.items() if not way.again}
    return Exports(numbers, seconds, peaks)


def _timed(way: Way, batches: Sequence[Sequence[RentedNumber]]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        if way.again:
            way.write(batches, Path(folder), "a")
        start = time.perf_counter()
        rows = way.write(batches, Path(folder), "a")
        taken = time.perf_counter() - start
    assert rows == sum(map(len, batches)), f"{way.target}: {rows} rows"
    return taken


def _peak(name: str, numbers: int, say: Say) -> int:
    say(f"memory of {numbers:,} numbers to {name}")
    with tempfile.TemporaryDirectory() as folder:
        return peak(["export", name, folder], body=pieces(numbers, "json"))
