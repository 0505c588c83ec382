"""How long a contender takes, and how soon it has the first record."""

from __future__ import annotations

import gc
import io
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean, median
from typing import Final, NamedTuple

from benchmarks.bodies import values_at, whole
from benchmarks.contenders import CONTENDERS, OURS, Batches, Contender, Read, named

# A sample takes this long at least, in nanoseconds: a shared processor has slow tenths of a second,
# in which everything takes twice as long. One reading of ours would be all in one of them or not.
_AT_LEAST: Final = 500_000_000
# The same where sizes are compared: about what one reading of the largest body takes.
_AS_LONG_AS_THE_LARGEST: Final = 2_000_000_000
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
    """One measurement, in nanoseconds.

    Attributes:
        first: until the first record.
        total: until the last.
        ours: what this library needed in all for the same body, a moment before.
    """

    first: float
    total: float
    ours: float = 0.0


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

    def inverse(self) -> Spread:
        """Return the spread of a series of ratios the other way round."""
        return Spread(1 / self.median, 1 / self.high, 1 / self.low)


def costs(samples: Samples, key: Key) -> Spread:
    """Return the nanoseconds per number of a series."""
    return Spread.of(sample.total / key.numbers for sample in samples[key])


def times_ours(samples: Samples, key: Key) -> Spread:
    """Return how many times as much as ours a series costs, each beside a measurement of ours.

    So a slow moment of the machine, which may last seconds, strikes both or neither.
    """
    return Spread.of(sample.total / sample.ours for sample in samples[key])


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
        bodies = {kind: whole(numbers, kind) for kind in {key.kind for key in turns}}
        for number in range(rounds):
            for key in turns:
                say(f"round {number + 1} of {rounds}: {key.name}, {numbers:,} numbers, {key.kind}")
                samples[key].append(_beside_ours(key, bodies[key.kind]))
    return samples


def scale(sizes: Sequence[int], rounds: int, say: Say) -> Samples:
    """Measure ours alone on every size, the sizes taking turns in each round."""
    samples = defaultdict[Key, list[Sample]](list)
    for kind in ("json", "xml"):
        bodies = {numbers: whole(numbers, kind) for numbers in sizes}
        for number in range(rounds):
            for numbers, body in bodies.items():
                say(f"round {number + 1} of {rounds}: {OURS}, {numbers:,} numbers, {kind}")
                key = Key(numbers, kind, OURS)
                samples[key].append(_sample(key, body, _AS_LONG_AS_THE_LARGEST))
    return samples


def _beside_ours(key: Key, body: bytes) -> Sample:
    ours = _sample(key._replace(name=OURS), body)
    sample = ours if key.name == OURS else _sample(key, body)
    return sample._replace(ours=ours.total)


def _sample(key: Key, body: bytes, at_least: int = _AT_LEAST) -> Sample:
    read = named(key.name).read
    # Once only: collecting before each reading of a small body leaves it cold caches, 30 % slower.
    gc.collect()
    times: list[Sample] = []
    taken = 0.0
    while taken < at_least:
        times.append(_timed(read, body, key.numbers))
        taken += times[-1].total
    # The mean, as one long reading is a mean too: a median of short ones leaves slow moments out.
    return Sample(fmean(each.first for each in times), fmean(each.total for each in times))


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
