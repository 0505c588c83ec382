"""What this library promises about speed and memory, held against what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from benchmarks.commands import DOWNLOAD, RIVALS, STREAM, Commands
from benchmarks.contenders import DEFUSED, JSON_LOADS, LXML_LOOP, LXML_PARSING, MSGSPEC, OURS
from benchmarks.exports import Exports
from benchmarks.measure import Key, Samples, Spread, ratio, times_ours
from benchmarks.memory import MIB, Peaks
from benchmarks.phones import Phones
from benchmarks.startup import HELP, IMPORT, Starts, above_bare
from benchmarks.worst import Growth

# Below this many numbers, opening a body is a part of its cost that can be seen.
_FLAT_FROM: Final = 10_000
# MiB: what the allocator happens to keep.
_SAME_MEMORY: Final = 1
_LINEAR: Final = 1.5


class Results(NamedTuple):
    """Everything that one run has measured.

    Attributes:
        compared: everybody, on the sizes of the comparison.
        scaled: ours alone, up to ten times the largest of them.
        peaks: memory of everybody.
        commands: whole commands.
        starts: milliseconds until anything happens.
        growth: the worst cases.
        exports: records written where they should go.
        phones: phones told in E.164.
    """

    compared: Samples
    scaled: Samples
    peaks: Peaks
    commands: Commands
    starts: Starts
    growth: Growth
    exports: Exports
    phones: Phones

    @property
    def largest(self) -> int:
        """The largest size of the comparison."""
        return max(key.numbers for key in self.compared)


class Bar(NamedTuple):
    """A promise: what is measured, how it has to be, how it is, and whether that will do."""

    what: str
    promised: str
    measured: str
    met: bool


def bars(results: Results) -> list[Bar]:
    """Return all promises, each with what became of it."""
    parts = (_json, _xml, _memory, _flat, _first_record, _starts, _download, _growth)
    return [bar for part in parts for bar in part(results)]


def _least(what: str, bound: float, found: Spread) -> Bar:
    return Bar(what, f"at least {bound:g}x", _in_words(found, "x"), found.median >= bound)


def _most(what: str, bound: float, found: Spread, unit: str, promise: str = "at most") -> Bar:
    return Bar(what, f"{promise} {bound:g}{unit}", _in_words(found, unit), found.median <= bound)


def _in_words(found: Spread, unit: str) -> str:
    median, low, high = (f"{value:.3g}" for value in found)
    return f"{median}{unit}" if low == high else f"{median}{unit} ({low} to {high})"


def _json(results: Results) -> Iterator[Bar]:
    loads, limit = (Key(results.largest, "json", name) for name in (JSON_LOADS, MSGSPEC))
    samples = results.compared
    yield _least(f"JSON, faster than {JSON_LOADS}", 8, times_ours(samples, loads))
    yield _most(f"JSON, time against {MSGSPEC}", 1, times_ours(samples, limit).inverse(), "x")


def _xml(results: Results) -> Iterator[Bar]:
    ours, loop, defused, limit = (
        Key(results.largest, "xml", name) for name in (OURS, LXML_LOOP, DEFUSED, LXML_PARSING)
    )
    twin = Key(results.largest, "json", JSON_LOADS)
    samples = results.compared
    yield _least(f"XML, faster than {LXML_LOOP}", 2, times_ours(samples, loop))
    yield _least(f"XML, faster than {DEFUSED}", 5, times_ours(samples, defused))
    yield _most(f"XML, time against {LXML_PARSING}", 1.6, times_ours(samples, limit).inverse(), "x")
    yield _most(f"XML, time against {JSON_LOADS} on JSON", 1, ratio(samples, ours, twin), "x")


def _memory(results: Results) -> Iterator[Bar]:
    for name, peaks in ((OURS, results.peaks), (DOWNLOAD, results.commands.peaks)):
        for form in RIVALS:
            sizes = (results.largest, 10 * results.largest)
            held = Spread.of(peaks[Key(numbers, form, name)] / MIB for numbers in sizes)
            yield _most(f"Memory, {name}, {form}", 16, Spread(held.high, *held[1:]), " MiB")
            more = Spread.of([held.high - held.low])
            what = f"Memory, {name}, {form}: from {sizes[0]:,} to {sizes[1]:,}"
            yield _most(what, _SAME_MEMORY, more, " MiB", "same within")


def _flat(results: Results) -> Iterator[Bar]:
    for form in RIVALS:
        sizes = sorted({key.numbers for key in results.scaled if key.kind == form})
        sizes = [size for size in sizes if size >= _FLAT_FROM] or sizes
        keys = [Key(numbers, form, OURS) for numbers in sizes]
        each = [ratio(results.scaled, key, keys[-1]).median for key in keys]
        more = Spread.of([100 * (max(each) / min(each) - 1)])
        what = f"Cost of a number, {form}: from {sizes[0]:,} to {sizes[-1]:,}"
        yield _most(what, 15, more, " %", "flat within")


def _first_record(results: Results) -> Iterator[Bar]:
    for form in RIVALS:
        samples = results.commands.samples[Key(results.largest, form, STREAM)]
        share = Spread.of(100 * sample.first / sample.total for sample in samples)
        yield _most(f"First record over loopback, {form}, of the whole time", 2, share, " %")


def _starts(results: Results) -> Iterator[Bar]:
    bare = above_bare(results.starts, IMPORT)
    yield _most(f"`{IMPORT}` above a bare interpreter", 40, bare, " ms")
    yield _most(f"`{HELP}`", 200, Spread.of(results.starts[HELP]), " ms")


def _download(results: Results) -> Iterator[Bar]:
    ours, rival = (Key(results.largest, "json", name) for name in (DOWNLOAD, RIVALS["json"]))
    faster = ratio(results.commands.samples, rival, ours)
    yield _least(f"Download to CSV, JSON, faster than {rival.name}", 2, faster)


def _growth(results: Results) -> Iterator[Bar]:
    name, costs_ = max(
        results.growth.items(), key=lambda case: case[1][-1].median / case[1][0].median
    )
    more = Spread.of([costs_[-1].median / costs_[0].median])
    what = f"Worst case ({name}): cost of a byte in four times the size"
    yield _most(what, _LINEAR, more, "x")
