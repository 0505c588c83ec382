"""Words for people: on standard error, and harmless to a terminal."""

from __future__ import annotations

import contextlib
import sys

import click


def say(text: str) -> None:
    """Write a line for people to standard error."""
    # Where standard error is full or gone nobody reads; what the command is for still counts.
    with contextlib.suppress(OSError):
        click.echo(printable(text), err=True)


def is_watched() -> bool:
    """Say whether standard error is a terminal, where somebody may be looking."""
    return sys.stderr is not None and sys.stderr.isatty()


def printable(text: str) -> str:
    """Return words that may come from outside without what a terminal would obey."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "�" for c in text)
