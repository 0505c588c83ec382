"""What is printed for people: harmless to a terminal."""

from __future__ import annotations

import os
import sys
from typing import Any, TextIO

import click

from smspartner.errors import printable


def show(text: str) -> None:
    """Write a line for people to standard output."""
    click.echo(printable(text))


def show_json(value: Any) -> None:
    """Write one line of JSON to standard output.

    What a terminal would obey is escaped, and so is what of a file name is not UTF-8.
    """
    import json  # noqa: PLC0415 - with msgspec 14 ms of a start, which few commands need

    import msgspec  # noqa: PLC0415

    text = json.dumps(msgspec.to_builtins(value), ensure_ascii=False, separators=(",", ":"))
    click.echo("".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text))


def say(text: str) -> None:
    """Write a line for people to standard error."""
    try:
        click.echo(printable(text), err=True)
    except OSError:  # full or gone: the work counts, not the words
        abandon(sys.stderr)


def abandon(stream: TextIO) -> None:
    """Redirect a stream to the null device, so that the flush at exit cannot fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def is_watched() -> bool:
    """Return whether standard error is a terminal."""
    return is_terminal(sys.stderr)


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a standard stream is a terminal; it is None where it was closed."""
    return stream is not None and stream.isatty()
