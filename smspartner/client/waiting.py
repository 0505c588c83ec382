"""Waiting for a rental's file: growing pauses, one question after each."""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from smspartner.client.arguments import SECONDS, require
from smspartner.errors import (
    APIError,
    ConfigurationError,
    DeadlineError,
    RentalFailedError,
    RentalPendingError,
    SMSPartnerError,
    UnknownFormatError,
)
from smspartner.models.status import RentalState, RentalStatus
from smspartner.transport.call import ended, pause

_GROWTH: Final = 1.5
# Seconds that a question may take even where the deadline is nearer: an answer deserves that.
_PATIENCE: Final = 2.0
#: No pause is longer than this, in seconds: a file that is ready is noticed within a minute.
CEILING: Final = 60.0
#: Fact A6: the codes that say that a rental's file is not there yet.
_NOT_READY: Final = frozenset({33, 35})


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
    found = _asked(ask, within=max(deadline, _PATIENCE), once=False)
    for wait in pauses(poll):  # pragma: no branch - it never ends by itself
        if isinstance(found, RentalStatus):
            if _is_over(found):
                return found
            if on_status is not None:
                on_status(found)
        left = end - time.monotonic()
        if left <= 0:
            break
        pause(min(max(wait, getattr(found, "retry_after", None) or 0.0), left))
        try:
            found = _asked(ask, within=max(end - time.monotonic(), _PATIENCE), once=True)
        except SMSPartnerError as error:
            if ended() or not (error.retryable or isinstance(error, UnknownFormatError)):
                raise
            found = error
            _log.info("waiting for a rental, asked in vain: %s", error)
    raise _too_late(deadline, found)


def _asked(ask: Ask, *, within: float, once: bool) -> RentalStatus | SMSPartnerError:
    """Return the status, or a refusal that says that the file is not ready."""
    try:
        return ask(within=within, once=once)
    except APIError as refusal:
        if refusal.code not in _NOT_READY:
            raise
        return refusal


def _is_over(status: RentalStatus) -> bool:
    if status.state is RentalState.FAILED:
        raise RentalFailedError(None, f"the service could not make this rental: {status.status}")
    return not status.pending


def _too_late(deadline: float, found: RentalStatus | SMSPartnerError) -> SMSPartnerError:
    if isinstance(found, SMSPartnerError) and not isinstance(found, APIError):
        return DeadlineError(
            f"the rental's status could not be asked within {deadline:g} s: {found.what}",
            retryable=True,
        )
    said = f"status {found.status!r}" if isinstance(found, RentalStatus) else found.what
    return RentalPendingError(
        getattr(found, "code", None),
        f"the rental is not ready after {deadline:g} s ({said}); waiting again is safe",
    )


def _check(deadline: float, poll: float) -> None:
    require("deadline", deadline, (int, float), SECONDS)
    require("poll", poll, (int, float), SECONDS)
    if not (math.isfinite(deadline) and deadline >= 0):
        raise ConfigurationError("deadline= must be a number of seconds, 0 or more")
    if not (math.isfinite(poll) and poll > 0):
        raise ConfigurationError("poll= must be a number of seconds above 0")
