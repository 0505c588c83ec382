"""The plot for the README: what a number costs, by how many of them there are."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from importlib import import_module
from itertools import cycle
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.bars import Results
from benchmarks.contenders import (
    CONTENDERS,
    KEPT,
    LXML_PARSING,
    MSGSPEC,
    OURS,
    PYGIXML_PARSING,
    TABLE,
)
from benchmarks.measure import Key, Samples, costs, ratio

_PANELS: Final = {"json": "JSON", "xml": "XML"}
# Drawn too, but in the panel of XML: what a body costs that the fast path does not take.
_ORDINARY: Final = "xml, a fourth entry"
_OURS_WIDTH: Final = 3
_ACCENT: Final = "#0b63ce"
_LIMIT: Final = "#6b7280"
_OTHERS: Final = ("#c2410c", "#7c3aed", "#0f766e", "#b45309", "#be185d", "#4d7c0f", "#57534e")
# What the labels leave out, so that they are short.
_DETAIL: Final = re.compile(
    r", streaming|, whole body|, clearing| only|,(?= parsing)|\.ElementTree| \+ (loop|dataclass)"
)
# What makes no objects, and is no limit either.
_LEFT_OUT: Final = {"parshred, parsing only", TABLE}
#: Drawn up to the largest body that is read in one piece.
_KEPT_UP_TO: Final = 1000
#: Wide enough to be read at 800 pixels, where a point is about 1.1 pixels.
_INCHES: Final = (10, 4.8)
_DPI: Final = 160
_LABEL_GAP: Final = 0.062


class _Line(NamedTuple):
    """A line: its label, its look, and its points (numbers, nanoseconds)."""

    label: str
    colour: str
    style: str
    width: float
    points: list[tuple[int, float]]


def plot(results: Results, path: Path) -> None:
    """Draw cost against size, both on logarithmic scales, and write it as PNG."""
    import_module("matplotlib").use("Agg")
    pyplot: Any = import_module("matplotlib.pyplot")
    with pyplot.rc_context({"font.size": 11, "axes.spines.top": False, "axes.spines.right": False}):
        figure, panels = pyplot.subplots(1, 2, figsize=_INCHES, sharey=True)
        drawn = [list(_lines(results, kind)) for kind in _PANELS]
        for panel, title, lines in zip(panels, _PANELS.values(), drawn, strict=True):
            _draw(panel, title, lines)
        _scale(panels)
        for panel, lines in zip(panels, drawn, strict=True):
            _label(panel, lines)
        figure.suptitle(
            "From a body to typed objects: time for each number (less is better)", fontsize=13
        )
        figure.subplots_adjust(left=0.075, right=0.8, wspace=0.68, bottom=0.13, top=0.84)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=_DPI)
        pyplot.close(figure)


def _lines(results: Results, kind: str) -> Iterator[_Line]:
    others = cycle(_OTHERS)
    for contender in CONTENDERS:
        name = contender.name
        if kind not in contender.kinds or name in _LEFT_OUT:
            continue
        label = _DETAIL.sub("", name)
        if name == OURS:
            yield _Line(label, _ACCENT, "-", _OURS_WIDTH, _ours(results, kind))
        elif name == KEPT:
            points = _points(results.compared, kind, name)
            small = [point for point in points if point[0] <= _KEPT_UP_TO]
            yield _Line("decode()", _ACCENT, "-.", 1.8, small)
        elif name in {MSGSPEC, LXML_PARSING, PYGIXML_PARSING}:
            yield _Line(
                f"{label} (limit)", _LIMIT, "--", 1.8, _points(results.compared, kind, name)
            )
        else:
            points = _points(results.compared, kind, name)
            yield _Line(label, next(others), "-", 1.5, points)
    if kind == "xml":
        points = _points(results.compared, _ORDINARY, OURS)
        yield _Line("ours, other layouts", _ACCENT, ":", 2, points)


def _ours(results: Results, kind: str) -> list[tuple[int, float]]:
    """Return the points of ours, the last one from its own series, in proportion to the others."""
    points = _points(results.compared, kind, OURS)
    numbers, cost = points[-1]
    there = Key(10 * numbers, kind, OURS)
    further = ratio(results.scaled, there, Key(numbers, kind, OURS))
    return [*points, (there.numbers, cost * further.median)]


def _points(samples: Samples, kind: str, name: str) -> list[tuple[int, float]]:
    keys = sorted(key for key in samples if (key.kind, key.name) == (kind, name))
    return [(key.numbers, costs(samples, key).median) for key in keys]


def _draw(panel: Any, title: str, lines: list[_Line]) -> None:
    for line in lines:
        panel.loglog(
            *zip(*line.points, strict=True),
            color=line.colour,
            linestyle=line.style,
            linewidth=line.width,
            marker="o",
            markersize=line.width + 1,
        )
    panel.set_title(title, fontweight="bold", loc="left")
    panel.set_xlabel("numbers in the body")
    panel.grid(visible=True, which="major", color="#e5e7eb", linewidth=0.8)
    panel.set_axisbelow(True)


def _scale(panels: Any) -> None:
    ticker: Any = import_module("matplotlib.ticker")
    for panel in panels:
        panel.xaxis.set_major_locator(ticker.LogLocator(base=100))
        panel.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: _short(value)))
        panel.yaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: _duration(value)))
        panel.yaxis.set_minor_formatter(ticker.NullFormatter())
        panel.yaxis.set_tick_params(labelleft=True)


def _label(panel: Any, lines: list[_Line]) -> None:
    """Put each line's name beside its end, in the order of the ends and never over another."""
    low, high = (math.log(limit) for limit in panel.get_ylim())
    ends = sorted(((math.log(line.points[-1][1]) - low) / (high - low), line) for line in lines)
    height = -1.0
    for end, line in ends:
        height = max(end, height + _LABEL_GAP)
        panel.annotate(
            line.label,
            xy=line.points[-1],
            xytext=(1.07, height),
            textcoords="axes fraction",
            color=line.colour,
            verticalalignment="center",
            fontweight="bold" if line.width == _OURS_WIDTH else "normal",
            arrowprops={"arrowstyle": "-", "color": line.colour, "linewidth": 0.6, "alpha": 0.6},
        )


def _short(numbers: float) -> str:
    for unit, letter in ((10**6, " M"), (10**3, " k")):
        if numbers >= unit:
            return f"{numbers / unit:g}{letter}"
    return f"{numbers:g}"


def _duration(nanoseconds: float) -> str:
    return f"{nanoseconds / 1000:g} µs" if nanoseconds >= 1000 else f"{nanoseconds:g} ns"
