"""The life of each rental: requested, being generated, ready, downloaded; or failed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from enum import IntEnum
from threading import Condition
from typing import Final

from smspartner.sandbox.settings import RentalPlan


class State(IntEnum):
    """The states of a rental, by the service's codes (fact A4)."""

    REQUESTED = 0
    GENERATING = 1
    READY = 2
    FAILED = 3
    DOWNLOADED = 5

    @property
    def words(self) -> str:
        """The state as text; only that of DOWNLOADED is documented."""
        return _WORDS[self]


# Seconds that a second download waits for the first one to end before it is told that there is one:
# the thread of an answer whose last byte has gone out needs microseconds to say so.
_GRACE: Final = 0.1

_WORDS = {
    State.REQUESTED: "Requested",
    State.GENERATING: "File being generated",
    State.READY: "File ready",
    State.FAILED: "Request failed",
    State.DOWNLOADED: "File downloaded by user from api",
}


class Ledger:
    """What has happened to each token so far; safe to use from many threads.

    Args:
        clock: seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = Condition()
        self._since: dict[str, float] = {}
        self._downloads: Counter[str] = Counter()
        self._running: Counter[str] = Counter()
        self._strikes: Counter[str] = Counter()

    def state(self, rental: RentalPlan) -> State:
        """Return the state of a rental, whose life begins with the first question about it."""
        with self._changed:
            return self._state(rental)

    def downloads(self, token: str) -> int:
        """Return how many downloads of a rental were counted."""
        with self._changed:
            return self._downloads[token]

    def download(self, rental: RentalPlan, *, once: bool) -> int | None:
        """Count a download where the rental allows one; it runs until ``end_download``.

        Args:
            rental: what is to be downloaded.
            once: whether a rental can be downloaded a single time.

        Returns:
            None where it was counted, else the code of the refusal (fact A6).
        """
        token = rental.token
        with self._changed:
            state = self._state(rental)
            if state is State.FAILED:
                return 36
            if state in {State.REQUESTED, State.GENERATING}:
                return 33
            if once and self._downloads[token]:
                ended = self._changed.wait_for(lambda: not self._running[token], _GRACE)
                return 34 if ended else 35
            self._downloads[token] += 1
            self._running[token] += 1
            return None

    def end_download(self, token: str) -> None:
        """Take note that a counted download runs no longer."""
        with self._changed:
            self._running[token] -= 1
            self._changed.notify_all()

    def strike(self, token: str, times: int | None) -> bool:
        """Return whether a fault still strikes this token, and count it.

        Args:
            token: the token of the request, empty where it has none.
            times: how many strikes there are, None for no end.
        """
        with self._changed:
            self._strikes[token] += 1
            return times is None or self._strikes[token] <= times

    def _state(self, rental: RentalPlan) -> State:
        now = self._clock()
        age = now - self._since.setdefault(rental.token, now)
        if self._downloads[rental.token]:
            return State.DOWNLOADED
        if age < rental.pace:
            return State.REQUESTED
        if age < 2 * rental.pace:
            return State.GENERATING
        return State.FAILED if rental.fails else State.READY
