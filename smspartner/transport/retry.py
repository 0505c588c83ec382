"""When to try again, and after how long."""

from __future__ import annotations

import random
from typing import Final

from smspartner.errors import LATER, TransportError
from smspartner.transport import Reply
from smspartner.transport.deadline import Clock
from smspartner.transport.failures import Failure
from smspartner.transport.options import Options

#: The longest wait between two attempts, in seconds, where the service names none.
LONGEST_BACKOFF: Final = 30.0

#: The longest wait a service may ask for, in seconds, where no deadline says less.
LONGEST_WAIT: Final = 3600.0

_random: Final = random.SystemRandom()


def backoff(attempt: int, first: float) -> float:
    """Return the seconds to wait after a failed attempt: doubling, capped, with full jitter.

    Args:
        attempt: how many attempts have failed before this one.
        first: the longest wait after the first failure, in seconds.
    """
    # The exponent is capped too: 2.0 ** 1024 would overflow.
    return _random.uniform(0, min(LONGEST_BACKOFF, first * 2.0 ** min(attempt, 32)))


def wait_after(
    outcome: Reply | Failure, attempt: int, options: Options, clock: Clock
) -> float | None:
    """Return the seconds until the next attempt, None where an outcome is final.

    Args:
        outcome: of this attempt; a reply that is not final is closed.
        attempt: how many attempts there were before this one.
        options: how many retries there may be, and how long the first wait.
        clock: the time allowed for the whole call.

    Raises:
        TransportError: the service asks for a longer wait than the call may last.
    """
    final = not outcome.again if isinstance(outcome, Failure) else outcome.status not in LATER
    if final or attempt >= options.retries:
        return None
    wait = backoff(attempt, options.backoff)
    if isinstance(outcome, Reply):
        wait = max(wait, _asked_within(outcome, clock))
    if wait >= clock.left():
        return None
    if isinstance(outcome, Reply):
        outcome.close()
    return wait


def _asked_within(reply: Reply, clock: Clock) -> float:
    asked = reply.retry_after or 0.0
    if asked < min(clock.left(), LONGEST_WAIT):
        return asked
    reply.close()
    error = TransportError(
        f"the service is busy (HTTP {reply.status}) and asks to wait {asked:.0f} s, longer than "
        "this call may last; run it again after that",
        retryable=True,
        http_status=reply.status,
    )
    error.retry_after = asked
    raise error
