"""Markdown, and what docstrings say in it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from typing import Any


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; a bar inside a cell is escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "".join(
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines
    )


def code(text: str) -> str:
    return f"`{text}`"


def summary(thing: Any) -> str:
    """Return the first paragraph of a docstring as one line of Markdown."""
    return markdown(inspect.getdoc(thing) or "").split("\n\n", 1)[0].replace("\n", " ")


def markdown(text: str) -> str:
    return text.replace("``", "`")


def described(thing: type, section: str = "Attributes") -> dict[str, str]:
    """Return what a Google docstring says about each name of a section."""
    doc = markdown(inspect.getdoc(thing) or "")
    found = re.search(rf"^{section}:\n((?:    .*\n?|\n)+)", doc, re.MULTILINE)
    entries = re.findall(r"^    (\w+): (.+(?:\n {5,}.+)*)", found[1] if found else "", re.MULTILINE)
    return {name: re.sub(r"\s+", " ", text).rstrip(".") for name, text in entries}
