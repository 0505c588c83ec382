"""Waiting for a rental's file: growing pauses, one question after each."""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from smspartner.errors import (
    ConfigurationError,
    DeadlineError,
    RentalFailedError,
    RentalPendingError,
    SMSPartnerError,
    UnknownFormatError,
)
from smspartner.models.status import RentalState, RentalStatus

_GROWTH: Final = 1.5
# Seconds that a question may take even where the deadline is nearer: an answer deserves that.
_PATIENCE: Final = 2.0
#: No pause is longer than this, in seconds: a file that is ready is noticed within a minute.
CEILING: Final = 60.0


class Ask(Protocol):
    """Asks for the status: within so many seconds, and again after a failure or just once."""

    def __call__(self, *, within: float, once: bool) -> RentalStatus:
        """Return the status."""
        ...


_log = logging.getLogger("smspartner")


def pauses(first: float) -> Iterator[float]:
    """Yield seconds to wait: growing by half up to ``CEILING``, each shortened by up to a quarter.

    The random part keeps many commands that cron started together from asking together.
    """
    pause = first
    while True:
        yield min(pause, CEILING) * random.uniform(0.75, 1.0)  # noqa: S311 - no secret
        pause = min(pause * _GROWTH, CEILING)


def wait_until_ready(
    ask: Ask,
    *,
    deadline: float,
    poll: float,
    on_status: Callable[[RentalStatus], None] | None = None,
) -> RentalStatus:
    """Ask for a rental's status until its file is there.

    The first question must be answered: a wrong key or a missing network is known at once. Later
    ones survive a bad minute of the network, since asking again costs nothing.

    Args:
        ask: asks once.
        deadline: seconds until giving up; a last question is asked then.
        poll: seconds of the first pause.
        on_status: is called with every status that is not the last.

    Returns:
        The status that says ready, or downloaded already.

    Raises:
        RentalFailedError: the service could not make the file.
        RentalPendingError: it is still not there; waiting again is safe.
        DeadlineError: the service could not be asked in the end; waiting again is safe.
        ConfigurationError: ``deadline`` or ``poll`` is not a number of seconds.
        SMSPartnerError: as ``ask`` raises them.
    """
    _check(deadline, poll)
    end = time.monotonic() + deadline
    status: RentalStatus | None = ask(within=max(deadline, _PATIENCE), once=False)
    trouble, asked = "", 0.0
    for pause in pauses(poll):  # pragma: no branch - it never ends by itself
        if status is not None and _is_over(status):
            return status
        if status is not None and on_status is not None:
            on_status(status)
        left = end - time.monotonic()
        if left <= 0:
            break
        time.sleep(min(max(pause, asked), left))
        asked = 0.0
        try:
            status = ask(within=max(end - time.monotonic(), _PATIENCE), once=True)
        except SMSPartnerError as error:
            if not (error.retryable or isinstance(error, UnknownFormatError)):
                raise
            status, trouble, asked = None, str(error), error.retry_after or 0.0
            _log.info("waiting for a rental, asked in vain: %s", error)
    raise _too_late(deadline, status, trouble)


def _is_over(status: RentalStatus) -> bool:
    if status.state is RentalState.FAILED:
        raise RentalFailedError(None, f"the service could not make this rental: {status.status}")
    return not status.pending


def _too_late(
    deadline: float, status: RentalStatus | None, trouble: str
) -> DeadlineError | RentalPendingError:
    if status is None:
        return DeadlineError(
            f"the rental's status could not be asked within {deadline:g} s: {trouble}",
            retryable=True,
        )
    return RentalPendingError(
        None,
        f"the rental is not ready after {deadline:g} s (status {status.status!r}); "
        "waiting again is safe",
    )


def _check(deadline: float, poll: float) -> None:
    if not (math.isfinite(deadline) and deadline >= 0):
        raise ConfigurationError("the deadline must be a number of seconds, 0 or more")
    if not (math.isfinite(poll) and poll > 0):
        raise ConfigurationError("the first pause must be a number of seconds above 0")
