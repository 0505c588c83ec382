"""Waiting on a terminal, with a live line, and without one, with log lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from smspartner.cli.console import is_watched, say
from smspartner.client.client import Client
from smspartner.errors import printable
from smspartner.models.status import RentalStatus


def wait_for(
    client: Client, token: str, *, format_name: str, deadline: float, quiet: bool
) -> RentalStatus:
    """Wait until a rental's file is there, saying on standard error how far it is."""
    with _told(quiet=quiet) as tell:
        return client.wait(token, format=format_name, deadline=deadline, on_status=tell)


def line_of(status: RentalStatus) -> str:
    """Return a status as one line for people."""
    said = status.state.name.lower()
    same = said == str(status.status).lower()
    known = said if same else f"{said} (the service says: {printable(str(status.status))})"
    return known if status.numbers is None else f"{known}, {status.numbers:,} numbers"


@contextmanager
def _told(*, quiet: bool) -> Iterator[Callable[[RentalStatus], None] | None]:
    if quiet:
        yield None
    elif is_watched():
        from rich.console import Console  # noqa: PLC0415 - 60 ms that only a terminal needs
        from rich.text import Text  # noqa: PLC0415

        with Console(stderr=True).status("waiting for the rental …") as live:
            yield lambda status: live.update(Text(f"waiting for the rental: {line_of(status)} …"))
    else:
        yield _log


def _log(status: RentalStatus) -> None:
    say(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} waiting for the rental: {line_of(status)}")
