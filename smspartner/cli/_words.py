"""Words for people: on standard error, and harmless to a terminal."""

from __future__ import annotations

import click


def say(text: str) -> None:
    """Write a line for people to standard error."""
    click.echo(printable(text), err=True)


def printable(text: str) -> str:
    """Return words that may come from outside without what a terminal would obey."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "�" for c in text)
