"""What a terminal shows while a command works: a spinner until numbers come, then a bar."""

from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from smspartner.cli.console import is_terminal, is_watched
from smspartner.files.targets import STDOUT
from smspartner.models.number import RentedNumber

if TYPE_CHECKING:
    from rich.status import Status

T = TypeVar("T")
Batches = Iterator[list[RentedNumber]]

_WAITING: Final = "waiting for the service"
#: How the transport ends a warning that it will try again.
_ATTEMPT: Final = r"\((attempt \d+ of \d+)\)$"


class Source(Protocol):
    """Numbers on their way, and how many there will be."""

    @property
    def declared(self) -> int | None:
        """The declared count, None where it is not known."""
        ...

    def batches(self) -> Batches:
        """Yield the numbers in lists."""
        ...


def is_seen(output: str, *, quiet: bool) -> bool:
    """Return whether progress is to be shown: on a terminal that the numbers do not go to."""
    return not quiet and is_watched() and not (output == STDOUT and is_terminal(sys.stdout))


def asked(ask: Callable[[], T], *, show: bool) -> T:
    """Return what ``ask`` returns, with a spinner that says which attempt it is."""
    if not show:
        return ask()
    from rich.console import Console  # noqa: PLC0415 - 60 ms that only a terminal needs

    logger = logging.getLogger("smspartner")
    with Console(stderr=True).status(f"{_WAITING} …") as live:
        handler = _Attempts(live)
        logger.addHandler(handler)
        try:
            return ask()
        finally:
            logger.removeHandler(handler)


class _Attempts(logging.Handler):
    """Puts the attempt that the transport warns of into the spinner's line."""

    def __init__(self, live: Status) -> None:
        super().__init__(logging.WARNING)
        self._live = live

    def emit(self, record: logging.LogRecord) -> None:
        if found := re.search(_ATTEMPT, record.getMessage()):
            self._live.update(f"{_WAITING}, {found[1]} …")


@contextmanager
def watched(source: Source, *, show: bool) -> Iterator[Batches]:
    """Yield the batches of a source, with a bar: percent, count, rate, time left."""
    if not show:
        yield source.batches()
        return
    from rich.console import Console  # noqa: PLC0415 - 60 ms that only a terminal needs
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("numbers"),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None, rate="")
        start = time.monotonic()

        def counted() -> Batches:
            done = 0
            for batch in source.batches():
                yield batch
                done += len(batch)
                rate = done / max(time.monotonic() - start, 0.001)
                progress.update(task, total=source.declared, completed=done, rate=f"{rate:,.0f}/s")

        yield counted()


@contextmanager
def progress_over(bodies: int, *, quiet: bool) -> Iterator[Callable[[], None]]:
    """Yield what to call after each of so many bodies; a bar shows it on a terminal."""
    if quiet or not is_watched():
        yield lambda: None
        return
    from rich.console import Console  # noqa: PLC0415 - 60 ms that only a terminal needs
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("bodies", total=bodies)
        yield lambda: progress.advance(task)
