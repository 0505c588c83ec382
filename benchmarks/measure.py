"""How long a contender takes, and how soon it has the first record."""

from __future__ import annotations

import gc
import io
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median
from typing import Final, NamedTuple

from benchmarks.bodies import values_at, whole
from benchmarks.contenders import CONTENDERS, OURS, Batches, Contender, Read, named

# A sample takes this long at least, in nanoseconds: a shared processor has slow tenths of a second,
# in which everything takes twice as long. One reading of ours would be all in one of them or not.
_AT_LEAST: Final = 500_000_000
_CHECKED: Final = 2_500

Say = Callable[[str], None]


class Key(NamedTuple):
    """What a series of samples is about.

    Attributes:
        numbers: records in the body.
        kind: the kind of body.
        name: the contender.
    """

    numbers: int
    kind: str
    name: str


class Sample(NamedTuple):
    """One measurement, in nanoseconds: until the first record, and until the last."""

    first: float
    total: float


Samples = Mapping[Key, Sequence[Sample]]


class Spread(NamedTuple):
    """The median of a series, and its smallest and largest value."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Return the spread of a series, in its own unit."""
        series = sorted(values)
        return cls(median(series), series[0], series[-1])


def costs(samples: Samples, key: Key) -> Spread:
    """Return the nanoseconds per number of a series."""
    return Spread.of(sample.total / key.numbers for sample in samples[key])


def ratio(samples: Samples, one: Key, other: Key) -> Spread:
    """Return how many times as much a number costs here as there, compared within each round."""
    pairs = zip(samples[one], samples[other], strict=True)
    size = other.numbers / one.numbers
    return Spread.of(first.total / second.total * size for first, second in pairs)


def check(contenders: Iterable[Contender]) -> None:
    """Stop everything where a contender does not read what is in the body."""
    for name, kinds, read, typed in contenders:
        for kind in kinds:
            records = [
                record for batch in read(io.BytesIO(whole(_CHECKED, kind))) for record in batch
            ]
            assert len(records) == _CHECKED, f"{name} on {kind}: {len(records)} records"
            for position, record in enumerate(records if typed else []):
                values = (record.id, record.phone, record.stop_sms)
                assert values == values_at(position, kind), f"{name} on {kind}: {values}"


def compare(sizes: Sequence[int], rounds: int, say: Say) -> Samples:
    """Measure everybody on every size, all of a size taking turns in each round."""
    samples = defaultdict[Key, list[Sample]](list)
    for numbers in sizes:
        turns = [Key(numbers, kind, each.name) for each in CONTENDERS for kind in each.kinds]
        _take_turns(turns, rounds, samples, say)
    return samples


def scale(sizes: Sequence[int], rounds: int, say: Say) -> Samples:
    """Measure ours alone on every size, the sizes taking turns in each round."""
    samples = defaultdict[Key, list[Sample]](list)
    for kind in ("json", "xml"):
        _take_turns([Key(numbers, kind, OURS) for numbers in sizes], rounds, samples, say)
    return samples


def _take_turns(
    turns: Sequence[Key], rounds: int, samples: defaultdict[Key, list[Sample]], say: Say
) -> None:
    bodies = {(key.numbers, key.kind): b"" for key in turns}
    for numbers, kind in bodies:
        bodies[numbers, kind] = whole(numbers, kind)
    for number in range(rounds):
        for key in turns:
            say(f"round {number + 1} of {rounds}: {key.name}, {key.numbers:,} numbers, {key.kind}")
            body = bodies[key.numbers, key.kind]
            samples[key].append(_sample(named(key.name).read, body, key.numbers))


def _sample(read: Read, body: bytes, numbers: int) -> Sample:
    # Once only: collecting before each reading of a small body leaves it cold caches, 30 % slower.
    gc.collect()
    times: list[Sample] = []
    while sum(each.total for each in times) < _AT_LEAST:
        times.append(_timed(read, body, numbers))
    return Sample(median(each.first for each in times), median(each.total for each in times))


def _timed(read: Read, body: bytes, numbers: int) -> Sample:
    """Read a body once, with the garbage collector as it is by default.

    What counts is the time this process runs: on an idle machine that is the time on the wall, on
    a busy one it leaves out the others. It includes letting the records go, which a streaming
    contender cannot help doing on its way.
    """
    source = io.BytesIO(body)
    start = time.process_time_ns()
    first, count = _drained(read(source))
    end = time.process_time_ns()
    assert count == numbers, f"{count} records of {numbers}"
    return Sample(first - start, end - start)


def _drained(batches: Batches) -> tuple[int, int]:
    """Take all records, and return when the first was there and how many there were."""
    count = first = 0
    for batch in batches:
        first = first or time.process_time_ns()
        count += len(batch)
    return first, count
