"""The life of each rental: requested, being generated, ready, downloaded; or failed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from enum import IntEnum
from threading import Lock

from smspartner.sandbox.settings import RentalPlan


class State(IntEnum):
    """The states of a rental, by the service's codes (contract A4)."""

    REQUESTED = 0
    GENERATING = 1
    READY = 2
    FAILED = 3
    DOWNLOADED = 5

    @property
    def words(self) -> str:
        """The state as text; only that of DOWNLOADED is documented."""
        return _WORDS[self]


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
        self._lock = Lock()
        self._since: dict[str, float] = {}
        self._downloads: Counter[str] = Counter()
        self._strikes: Counter[str] = Counter()

    def state(self, rental: RentalPlan) -> State:
        """Return the state of a rental, whose life begins with the first question about it."""
        with self._lock:
            return self._state(rental)

    def download(self, rental: RentalPlan, *, once: bool) -> bool:
        """Record a download where the rental allows one; return whether it does.

        Args:
            rental: what is to be downloaded.
            once: whether a rental that was downloaded is refused.
        """
        allowed = {State.READY} if once else {State.READY, State.DOWNLOADED}
        with self._lock:
            if self._state(rental) not in allowed:
                return False
            self._downloads[rental.token] += 1
            return True

    def strike(self, token: str, times: int | None) -> bool:
        """Return whether a fault still strikes this token, and count it.

        Args:
            token: the token of the request, empty where it has none.
            times: how many strikes there are, None for no end.
        """
        with self._lock:
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
