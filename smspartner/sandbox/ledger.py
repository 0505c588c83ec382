"""What has happened to each rental: its state (fact A4), and how often it was downloaded."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from threading import Condition
from typing import Final

from smspartner.models.status import RentalState
from smspartner.sandbox.refusals import refusal
from smspartner.sandbox.settings import RentalPlan

# Seconds that a second download waits for the first to end before it is refused with code 35: the
# thread of an answer whose last byte was just sent needs microseconds to note the end.
_GRACE: Final = 0.1


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

    def state(self, rental: RentalPlan) -> RentalState:
        """Return the state of a rental, which begins with the first request about it."""
        with self._changed:
            return self._state(rental)

    def downloads(self, token: str) -> int:
        """Return how many downloads of a rental were counted."""
        with self._changed:
            return self._downloads[token]

    def begin_download(self, rental: RentalPlan, *, once: bool) -> None:
        """Count a download; it runs until ``end_download``.

        Args:
            rental: what is to be downloaded.
            once: whether a rental can be downloaded a single time.

        Raises:
            APIError: 33 too early, 36 it failed, 35 or 34 a download before it runs or has ended.
        """
        token = rental.token
        with self._changed:
            state = self._state(rental)
            if state is RentalState.FAILED:
                raise refusal(36)
            if state in {RentalState.REQUESTED, RentalState.GENERATING}:
                raise refusal(33)
            if once and self._downloads[token]:
                ended = self._changed.wait_for(lambda: not self._running[token], _GRACE)
                raise refusal(34 if ended else 35)
            self._downloads[token] += 1
            self._running[token] += 1

    def end_download(self, token: str) -> None:
        """Note that a counted download has ended."""
        with self._changed:
            self._running[token] -= 1
            self._changed.notify_all()

    def strike(self, token: str, times: int | None) -> bool:
        """Count a strike of a fault; return whether it still strikes.

        Args:
            token: the token of the request, empty where it has none.
            times: how many strikes there are, None for no end.
        """
        with self._changed:
            self._strikes[token] += 1
            return times is None or self._strikes[token] <= times

    def _state(self, rental: RentalPlan) -> RentalState:
        now = self._clock()
        age = now - self._since.setdefault(rental.token, now)
        if self._downloads[rental.token]:
            return RentalState.DOWNLOADED
        if age < rental.pace:
            return RentalState.REQUESTED
        if age < 2 * rental.pace:
            return RentalState.GENERATING
        return RentalState.FAILED if rental.fails else RentalState.READY
