"""The pictures of the docs that are made: of the terminal, and of the promises.

``python tests/support/docs_pictures.py`` makes them anew; a test compares.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Final, NamedTuple

from docs_blocks import ROOT

from smspartner import Sandbox

IMAGES: Final = ROOT / "docs" / "images"
#: What the picture of the terminal shows, run in an empty folder.
COMMANDS: Final = (
    "smspartner download TOKEN -o numbers.csv",
    "head -n 3 numbers.csv",
    "smspartner inspect numbers.csv",
)
_PICTURE: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" \
font-family="{font}" font-size="14" aria-labelledby="title desc">
  <title id="title">{title}</title>
  <desc id="desc">{desc}</desc>
  <style>
{style}
  </style>
  <rect class="sky" width="{width}" height="{height}"{round}/>
{body}
</svg>
"""
_MONO: Final = "DejaVu Sans Mono, Menlo, Consolas, monospace"
_SANS: Final = "Helvetica, Arial, DejaVu Sans, sans-serif"
_LINE: Final = 20
#: A character of most fonts of fixed width at 14 pixels, rounded up.
_CHARACTER: Final = 8.5


def printed(command: str, folder: Path, environment: dict[str, str]) -> str:
    """Return what a command writes to both of its outputs."""
    program, *arguments = command.split()
    if program == "head":  # Windows has none
        _, count, name = arguments
        return "\n".join((folder / name).read_text().splitlines()[: int(count)])
    done = subprocess.run(
        [sys.executable, "-m", program, *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout


def terminal() -> str:
    """Return the picture of the commands and what they print, against the sandbox."""
    lines: list[tuple[str, str]] = []
    with (
        Sandbox(numbers=1000, token="TOKEN") as sandbox,
        tempfile.TemporaryDirectory() as folder,
    ):
        environment = {
            "SMSPARTNER_BASE_URL": sandbox.url,
            "SMSPARTNER_API_KEY": sandbox.api_key,
            "PYTHONPATH": str(ROOT),
        }
        for command in COMMANDS:
            lines.append(("command", f"$ {command}"))
            output = printed(command, Path(folder), environment)
            lines += [("output", line) for line in output.splitlines()]
    body = (
        f'  <text class="{kind}" x="20" y="{36 + _LINE * row}">{escape(text, quote=False)}</text>'
        for row, (kind, text) in enumerate(lines)
    )
    return _PICTURE.format(
        width=40 + round(max(len(text) for _, text in lines) * _CHARACTER),
        height=36 + _LINE * len(lines),
        font=_MONO,
        title="smspartner in a terminal",
        desc=escape("; ".join(COMMANDS), quote=False) + ": each with what it prints.",
        style="""\
    text { white-space: pre }
    .sky { fill: #f6f8fa }
    .command { fill: #2f5fb3; font-weight: bold }
    .output { fill: #1f2328 }
    @media (prefers-color-scheme: dark) {
      .sky { fill: #161b22 }
      .command { fill: #79a8f5 }
      .output { fill: #e6edf3 }
    }""",
        round=' rx="8"',
        body="\n".join(body),
    )


class Promise(NamedTuple):
    """A promise of speed or memory, as measured; ``share`` is how much of it is used."""

    what: str
    limit: str
    measured: str
    share: float
    met: bool


def promised() -> Iterator[Promise]:
    """Yield each promise of speed and memory, from the last measurement."""
    results = (ROOT / "benchmarks" / "RESULTS.md").read_text()
    section = results.partition("\n## Promises")[2].partition("\n## ")[0]
    for row in re.findall(r"^\| (?!what|-)(.*) \|$", section, re.MULTILINE):
        what, limit, measured, met = (cell.strip() for cell in row.split(" | "))
        measured = measured.partition(" (")[0]
        there, bound = (float(re.findall(r"[\d.]+", text)[0]) for text in (measured, limit))
        share = bound / there if limit.startswith("at least") else there / bound
        yield Promise(what, limit, measured, share, met == "yes")


#: How much more than a promise has room in the picture; the bar of what takes more ends in a point.
_ROOM: Final = 1.25


def promises(found: Sequence[Promise] | None = None) -> str:
    """Return the picture of how much of each promise is used up: of the last measurement's."""
    found = list(promised()) if found is None else found
    met = sum(each.met for each in found)
    left, scale, row = 500, 240, 26
    figures = round(left + _ROOM * scale) + 14
    legend = (
        f"Shorter is better; the line is what is promised: {met} of {len(found)} are met. "
        "What is not met goes past the line, in red."
    )
    body = [f'  <text class="what" x="20" y="30">{legend}</text>']
    for number, (what, limit, measured, share, kept) in enumerate(found):
        y, width = 62 + row * number, round(min(share, _ROOM) * scale)
        end = f"l8 8.5l-8 8.5H{left}z" if share > _ROOM else f"v17H{left}z"
        kind = "bar" if kept else "bar missed"
        text = escape(what.replace("`", ""), quote=False)
        body += [
            f'  <text class="name" text-anchor="end" x="{left - 12}" y="{y}">{text}</text>',
            f'  <path class="{kind}" d="M{left} {y - 13}h{width}{end}"/>',
            f'  <text class="what" x="{figures}" y="{y}">{measured}, {limit}</text>',
        ]
    height = 62 + row * len(found)
    body.append(f'  <path class="line" d="M{left + scale} 44V{height - 18}"/>')
    return _PICTURE.format(
        width=1000,
        height=height,
        font=_SANS,
        title="What was measured, as a share of what is promised",
        desc=f"{len(found)} promises about speed and memory, each with a bar; where one is met, it "
        f"ends before the line of what is promised: {met} are.",
        style="""\
    .sky { fill: #f6f8fa }
    .name { fill: #1f2328; font-size: 12px }
    .what { fill: #57606a; font-size: 12px }
    .bar { fill: #2f5fb3 }
    .missed { fill: #b3362f }
    .line { stroke: #b5761a; stroke-width: 2 }
    @media (prefers-color-scheme: dark) {
      .sky { fill: #161b22 }
      .name { fill: #e6edf3 }
      .what { fill: #a3adb8 }
      .bar { fill: #79a8f5 }
      .missed { fill: #f0857c }
      .line { stroke: #d9a441 }
    }""",
        round="",
        body="\n".join(body),
    )


PICTURES: Final[dict[str, Callable[[], str]]] = {"promises": promises, "terminal": terminal}


def main() -> None:
    """Write every picture again."""
    for name, make in PICTURES.items():
        (IMAGES / f"{name}.svg").write_text(make())


if __name__ == "__main__":
    main()
