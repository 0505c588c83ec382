"""Words for people: on standard error, and harmless to a terminal."""

from __future__ import annotations

import os
import sys
from typing import TextIO

import click


def say(text: str) -> None:
    """Write a line for people to standard error."""
    try:
        click.echo(printable(text), err=True)
    except OSError:  # full or gone: nobody reads, and what the command is for still counts
        abandon(sys.stderr)


def abandon(stream: TextIO) -> None:
    """Let what a stream still holds go nowhere: Python would fail on it once more in the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def is_watched() -> bool:
    """Say whether standard error is a terminal, where somebody may be looking."""
    return sys.stderr is not None and sys.stderr.isatty()


def printable(text: str) -> str:
    """Return words that may come from outside without what a terminal would obey."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "�" for c in text)
