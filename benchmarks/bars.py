"""What this library promises about speed and memory, held against what was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from benchmarks.commands import DOWNLOAD, RIVALS, STREAM, Commands
from benchmarks.connections import ASKED, DOWNLOADED, SESSION, Rentals, times_session
from benchmarks.contenders import (
    CONTENDERS,
    DEFUSED,
    JSON_LOADS,
    KEPT,
    LXML_LOOP,
    LXML_PARSING,
    MSGSPEC,
    OURS,
    PYGIXML_PARSING,
    TABLE,
)
from benchmarks.exports import Exports
from benchmarks.measure import Key, Samples, Spread, ratio, times_ours
from benchmarks.memory import MIB, Peaks
from benchmarks.phones import Phones
from benchmarks.startup import HELP, IMPORT, Starts, above_bare
from benchmarks.worst import Growth
from smspartner.decoders.limits import DEFAULT_LIMITS

# Below this many numbers, opening a body is a part of its cost that can be seen.
_FLAT_FROM: Final = 10_000
# MiB: what the allocator happens to keep.
_SAME_MEMORY: Final = 1
_LINEAR: Final = 1.5
# A body read in one piece against its size (Limits.document).
_PIECE: Final = 30
# Small bodies, as ``decode`` reads them, against what one would write by hand: at so many numbers
# at least so many times as fast.
_SMALL: Final = {
    JSON_LOADS: {1: 1, 10: 1.5, 100: 4, 500: 5},
    LXML_LOOP: {1: 1, 10: 1.5, 100: 2.5, 500: 3},
}
# Records in another layout than the serializer's, against parsing alone.
_OFF_THE_LAYOUT: Final = 1.3


# Numbers of a rental of which the start of the command is most of the cost.
_SMALL_RENTAL: Final = 1_000


class Results(NamedTuple):
    """Everything that one run has measured.

    Attributes:
        compared: everybody, on the sizes of the comparison.
        scaled: ours alone, up to ten times the largest of them.
        peaks: memory of everybody.
        commands: whole commands.
        starts: milliseconds until anything happens.
        rentals: milliseconds of small rentals over TLS.
        growth: the worst cases.
        pieces: bytes that the worst bodies take which are read in one piece.
        exports: records written where they should go.
        phones: phones told in E.164.
    """

    compared: Samples
    scaled: Samples
    peaks: Peaks
    commands: Commands
    starts: Starts
    rentals: Rentals
    growth: Growth
    pieces: Mapping[str, int]
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
    parts = (
        *(_json, _xml, _small, _odd, _tables, _exports, _memory, _pieces),
        *(_flat, _first_record, _starts, _rentals, _download, _growth),
    )
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

    pygixml = Key(results.largest, "xml", PYGIXML_PARSING)
    if pygixml in samples:
        found = times_ours(samples, pygixml).inverse()
        yield _most(f"XML, time against {PYGIXML_PARSING}", 1.2, found, "x")


def _small(results: Results) -> Iterator[Bar]:
    for rival, bounds in _SMALL.items():
        kind = "json" if rival == JSON_LOADS else "xml"
        for numbers, bound in bounds.items():
            ours, other = Key(numbers, kind, KEPT), Key(numbers, kind, rival)
            if other in results.compared:
                what = f"{numbers:,} numbers in {kind.upper()}, `decode` faster than {rival}"
                yield _least(what, bound, ratio(results.compared, other, ours))


def _odd(results: Results) -> Iterator[Bar]:
    for kind in next(each.kinds for each in CONTENDERS if each.name == LXML_PARSING):
        limit = Key(results.largest, kind, LXML_PARSING)
        if kind != "xml":
            found = times_ours(results.compared, limit).inverse()
            yield _most(f"{kind}, time against {LXML_PARSING}", _OFF_THE_LAYOUT, found, "x")


def _tables(results: Results) -> Iterator[Bar]:
    for kind, rival, bound in (("json", MSGSPEC, 2.0), ("xml", LXML_PARSING, 0.45)):
        table, limit = (Key(results.largest, kind, name) for name in (TABLE, rival))
        if table in results.compared:
            found = ratio(results.compared, table, limit)
            yield _most(
                f"{kind.upper()} to an Arrow table, time against {rival}", bound, found, "x"
            )


def _exports(results: Results) -> Iterator[Bar]:
    seconds = results.exports.seconds
    for name in ("CSV, `e164`", "CSV, `excel_safe`"):
        pairs = zip(seconds[name], seconds["CSV"], strict=True)
        yield _most(f"{name}, time against CSV", 2, Spread.of(a / b for a, b in pairs), "x")


def _pieces(results: Results) -> Iterator[Bar]:
    name, most = max(results.pieces.items(), key=lambda piece: piece[1])
    what = f"Memory of a body read in one piece, against its size ({name})"
    yield _most(what, _PIECE, Spread.of([most / DEFAULT_LIMITS.document]), "x")


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


def _rentals(results: Results) -> Iterator[Bar]:
    for name in (DOWNLOADED, ASKED):
        found = times_session(results.rentals, name)
        yield _most(f"Ten numbers over TLS, {name}, against {SESSION}", 1.25, found, "x")


def _download(results: Results) -> Iterator[Bar]:
    ours, rival = (Key(results.largest, "json", name) for name in (DOWNLOAD, RIVALS["json"]))
    faster = ratio(results.commands.samples, rival, ours)
    yield _least(f"Download to CSV, JSON, faster than {rival.name}", 2, faster)
    spent = results.commands.processor
    ours, rival = (Key(_SMALL_RENTAL, "json", name) for name in (DOWNLOAD, RIVALS["json"]))
    if ours in spent:
        pairs = zip(spent[ours], spent[rival], strict=True)
        what = f"Download of {_SMALL_RENTAL:,} numbers, processor time against {rival.name}"
        yield _most(what, 1.25, Spread.of(a / b for a, b in pairs), "x")


def _growth(results: Results) -> Iterator[Bar]:
    name, costs_ = max(
        results.growth.items(), key=lambda case: case[1][-1].median / case[1][0].median
    )
    more = Spread.of([costs_[-1].median / costs_[0].median])
    what = f"Worst case ({name}): cost of a byte in four times the size"
    yield _most(what, _LINEAR, more, "x")
