"""``python -m benchmarks``: measure everything, and show it."""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks import commands, connections, exports, measure, memory, phones, startup, worst
from benchmarks.bars import Results
from benchmarks.contenders import CONTENDERS
from benchmarks.measure import check
from benchmarks.memory import MIB, ROOT
from benchmarks.report import report

_RESULTS: Final = ROOT / "benchmarks" / "RESULTS.md"
_PLOT: Final = ROOT / "docs" / "images" / "cost.png"


class _Effort(NamedTuple):
    """How much is measured.

    Attributes:
        sizes: numbers in the bodies of the comparison.
        rounds: how often everybody has a turn.
        starts: how often everything is started.
        smallest: bytes of the smallest worst case.
    """

    sizes: list[int]
    rounds: int
    starts: int
    smallest: int


_DEFAULT: Final = _Effort(
    [1, 10, 100, 500, 1_000, 10_000, 100_000, 1_000_000], rounds=5, starts=15, smallest=MIB
)
_QUICK: Final = _Effort([1, 100, 1_000, 10_000], rounds=2, starts=3, smallest=MIB // 2)
#: Whole commands are compared from this many numbers on: fewer only show how long a start takes.
_COMMANDS_FROM: Final = 1_000


def main() -> None:
    """Measure as much as the command line says."""
    options = _options()
    effort = _effort(options)
    check(CONTENDERS)
    results = _measure(effort)
    text = report(results, rounds=effort.rounds, smallest=effort.smallest)
    print(text)
    table, picture = _outputs(options)
    if table:
        table.write_text(text)
    if picture:
        from benchmarks.plot import plot  # noqa: PLC0415 - what draws nothing needs no matplotlib

        plot(results, picture)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--sizes",
        type=_sizes,
        metavar="N,N,...",
        help="numbers in a body; ours also reads ten times the largest",
    )
    parser.add_argument("--rounds", type=int, metavar="N", help="how often everybody has a turn")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="see in a minute or two that it works; print only, unless --out is given",
    )
    parser.add_argument("--no-plot", action="store_true", help="draw nothing")
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="where the tables go, and the plot beside them, instead of the repository's own",
    )
    options = parser.parse_args()
    if not options.no_plot and find_spec("matplotlib") is None:
        parser.error("the plot needs matplotlib: install the extra 'bench', or give --no-plot")
    return options


def _outputs(options: argparse.Namespace) -> tuple[Path | None, Path | None]:
    """Return where the tables and the plot go, None for nowhere."""
    if options.out:
        table, picture = options.out, options.out.with_suffix(".png")
    elif options.quick:
        return None, None
    else:
        table, picture = _RESULTS, _PLOT
    return table, None if options.no_plot else picture


def _sizes(text: str) -> list[int]:
    return sorted({int(size.replace("_", "")) for size in text.split(",")})


def _effort(options: argparse.Namespace) -> _Effort:
    effort = _QUICK if options.quick else _DEFAULT
    return effort._replace(
        sizes=options.sizes or effort.sizes, rounds=options.rounds or effort.rounds
    )


def _measure(effort: _Effort) -> Results:
    sizes, rounds = effort.sizes, effort.rounds
    return Results(
        # The small things first, while this process is small too.
        starts=startup.measure(effort.starts, _say),
        rentals=connections.measure(rounds, _say),
        commands=commands.compare(
            [size for size in sizes if size >= _COMMANDS_FROM] or sizes, rounds, _say
        ),
        peaks=memory.compare(sizes, _say),
        growth=worst.measure(effort.smallest, rounds, _say),
        pieces=worst.peaks(_say),
        compared=measure.compare(sizes, rounds, _say),
        scaled=measure.scale([*sizes, 10 * sizes[-1]], rounds, _say),
        exports=exports.compare(sizes[-1], rounds, _say),
        phones=phones.measure(rounds, _say),
    )


def _say(text: str) -> None:
    """Say what is being measured, on a line that the next one replaces."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")


if __name__ == "__main__":
    main()
