"""The results as text: Markdown whose tables are as easy to read on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

from benchmarks.bars import Results, bars
from benchmarks.bodies import KINDS
from benchmarks.commands import DOWNLOAD, RIVALS, STREAM
from benchmarks.connections import Rentals, times_session
from benchmarks.contenders import CONTENDERS, MISSING, OURS
from benchmarks.exports import Exports
from benchmarks.machine import about
from benchmarks.measure import Key, Samples, Spread, costs, ratio, times_ours
from benchmarks.memory import MIB
from benchmarks.phones import Phones
from benchmarks.startup import above_bare
from benchmarks.worst import sizes_of
from smspartner.decoders.limits import DEFAULT_LIMITS

_INTRODUCTION: Final = """\
# Speed and memory, measured

Made by `python -m benchmarks`; not to be edited by hand. Many bodies, engines, and two processes:
`python -m benchmarks.many`, which fills the table of `docs/at-scale.md`.

Everything was measured in one run, in which all take turns in every round. Numbers are medians
over the rounds, with the smallest and the largest in brackets. Where two are compared, they are
compared within each round; with ours, each right behind a reading of ours.

- Reading is timed in processor time of its process, which on an idle machine is the time on the
  wall; it includes letting the objects go. Whole commands, the first record, exports and starts are
  timed on the wall.
- Memory is what the peak adds to interpreter and imports, in a process of its own.
- Bodies are those of the sandbox, in the serializer's own layout (XML indented). "Streaming" reads
  them in chunks of 64 KiB.
- The garbage collector is as it is by default."""

_TITLES: Final = {
    "json": "JSON to typed objects",
    "xml": "XML to typed objects",
    "xml, phones with blanks": "XML with blanks in its phones",
    "xml, a fourth entry": "XML records with a fourth entry",
    "xml, a name with an accent": "XML records with a name in them",
}

Rows = Iterable[Sequence[str]]
K = TypeVar("K")


def report(results: Results, *, rounds: int, smallest: int) -> str:
    """Return the results as Markdown.

    Args:
        results: what was measured.
        rounds: how often.
        smallest: the bytes of the smallest worst case.
    """
    parts = [
        _INTRODUCTION,
        _promises(results),
        *(_comparison(results, kind) for kind in KINDS),
        _scaling(results.scaled),
        _whole_commands(results),
        _first_records(results.commands.samples),
        _exports(results.exports),
        _phones(results.phones),
        _starts(results),
        _rentals(results.rentals),
        _worst(results, smallest),
        _pieces(results.pieces),
        _where(rounds),
    ]
    return "\n\n".join(parts) + "\n"


def _table(header: Sequence[str], rows: Rows) -> str:
    lines = [header, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = [
        " | ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])])
        for line in lines
    ]
    rule = "-|-".join(["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])])
    return "\n".join(f"| {line} |" for line in (padded[0], rule.replace("-|-", " | "), *padded[1:]))


def _spread(found: Spread, digits: int = 0) -> str:
    median, low, high = (f"{value:,.{digits}f}" for value in found)
    return f"{median} ({low} to {high})"


def _promises(results: Results) -> str:
    rows = [
        (bar.what, bar.promised, bar.measured, "yes" if bar.met else "**no**")
        for bar in bars(results)
    ]
    count = sum(row[-1] == "yes" for row in rows)
    return (
        f"## Promises: {count} of {len(rows)} met\n\nWith {results.largest:,} numbers where a row "
        "does not say otherwise.\n\n" + _table(("what", "promised", "measured", "met"), rows)
    )


def _comparison(results: Results, kind: str) -> str:
    sizes = sorted({key.numbers for key in results.compared if key.kind == kind})
    last = f"at {results.largest:,}:"
    header = (
        "nanoseconds per number",
        *(f"{size:,} numbers" for size in sizes),
        f"{last} times ours",
        f"{last} first record, ms",
        f"{last} memory, MiB",
    )
    names = [each.name for each in CONTENDERS if kind in each.kinds]
    rows = [_contender(results, sizes, kind, name) for name in names]
    return f"## {_TITLES[kind]}\n\n{_table(header, rows)}"


def _contender(results: Results, sizes: Sequence[int], kind: str, name: str) -> Sequence[str]:
    samples = results.compared
    key = Key(results.largest, kind, name)
    first = Spread.of(sample.first / 1e6 for sample in samples[key])
    return (
        name,
        *(_spread(costs(samples, Key(size, kind, name))) for size in sizes),
        _spread(times_ours(samples, key), 2),
        f"{first.median:,.1f}",
        _mib(results.peaks, key),
    )


def _mib(peaks: Mapping[K, int], key: K) -> str:
    return f"{peaks[key] / MIB:,.1f}" if key in peaks else ""


def _scaling(samples: Samples) -> str:
    sizes = sorted({key.numbers for key in samples})
    rows = [
        (form, *(_spread(costs(samples, Key(size, form, OURS)), 1) for size in sizes))
        for form in RIVALS
    ]
    header = ("nanoseconds per number", *(f"{size:,} numbers" for size in sizes))
    return f"## Ours from {sizes[0]:,} to {sizes[-1]:,} numbers\n\n{_table(header, rows)}"


def _whole_commands(results: Results) -> str:
    header = (
        "command",
        "format",
        "numbers",
        "seconds",
        "processor, s",
        "times ours",
        "memory, MiB",
    )
    rows = [
        row
        for form, rival in RIVALS.items()
        for name in (DOWNLOAD, rival)
        for row in _command(results, form, name)
    ]
    return (
        f"## The whole command: from a service on loopback to a CSV file\n\n{_table(header, rows)}"
    )


def _command(results: Results, form: str, name: str) -> Iterator[Sequence[str]]:
    samples, processor, peaks = results.commands
    sizes = {key.numbers for key in (*samples, *peaks) if key.kind == form and key.name == name}
    for numbers in sorted(sizes):
        key, ours = Key(numbers, form, name), Key(numbers, form, DOWNLOAD)
        timed = key in samples
        seconds = _spread(Spread.of(each.total / 1e9 for each in samples[key]), 2) if timed else ""
        spent = _spread(Spread.of(processor[key]), 2) if timed else ""
        times = _spread(ratio(samples, key, ours), 2) if timed else ""
        yield name, form, f"{numbers:,}", seconds, spent, times, _mib(peaks, key)


def _first_records(samples: Samples) -> str:
    keys = sorted(key for key in samples if key.name == STREAM)
    rows = [
        (
            key.kind,
            f"{key.numbers:,}",
            _spread(Spread.of(sample.first / 1e6 for sample in samples[key]), 2),
            _spread(Spread.of(sample.total / 1e6 for sample in samples[key]), 1),
        )
        for key in keys
    ]
    header = ("`Client.stream` over loopback", "numbers", "first record, ms", "all records, ms")
    return f"## The first record\n\n{_table(header, rows)}"


def _exports(exports: Exports) -> str:
    rows = [
        (name, _spread(Spread.of(seconds), 2), _mib(exports.peaks, name))
        for name, seconds in exports.seconds.items()
    ]
    table = _table((f"{exports.numbers:,} numbers to", "seconds", "memory, MiB"), rows)
    return (
        "## Exports\n\nSeconds without reading the body, memory with it, streaming from JSON.\n\n"
        + table
    )


def _phones(phones: Phones) -> str:
    rows = [(f"`{form}`", _spread(Spread.of(taken))) for form, taken in phones.items()]
    return f"## Phones in E.164\n\n{_table(('`normalise`', 'nanoseconds'), rows)}"


def _starts(results: Results) -> str:
    rows = [
        (name, _spread(Spread.of(taken), 1), _spread(above_bare(results.starts, name), 1))
        for name, taken in results.starts.items()
    ]
    header = ("milliseconds", "in all", "above a bare interpreter")
    return f"## Starting\n\n{_table(header, rows)}"


def _rentals(rentals: Rentals) -> str:
    rows = [
        (name, _spread(Spread.of(taken), 2), _spread(times_session(rentals, name), 2))
        for name, taken in rentals.items()
    ]
    header = ("milliseconds", "each", "times a session of requests")
    return f"## Ten numbers over TLS, one rental after the other\n\n{_table(header, rows)}"


def _worst(results: Results, smallest: int) -> str:
    header = ("nanoseconds per byte", *(f"{size / MIB:g} MiB" for size in sizes_of(smallest)))
    rows = [
        (name, *(_spread(found, 1) for found in costs_)) for name, costs_ in results.growth.items()
    ]
    return f"## Worst cases\n\n{_table(header, rows)}"


def _pieces(pieces: Mapping[str, int]) -> str:
    limit = DEFAULT_LIMITS.document
    rows = [(name, _mib(pieces, name), f"{size / limit:.1f}") for name, size in pieces.items()]
    header = (f"bodies of {limit / MIB:g} MiB read in one piece", "memory, MiB", "times the size")
    return f"## Worst cases for memory\n\n{_table(header, rows)}"


def _where(rounds: int) -> str:
    missing = f"\n\nNot installed, so not measured: {', '.join(MISSING)}." if MISSING else ""
    return f"## Where\n\nRounds: {rounds}.\n\n{_table(('what', 'which'), about())}{missing}"
