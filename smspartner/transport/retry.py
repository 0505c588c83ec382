"""When to try again, and after how long."""

from __future__ import annotations

import random
from typing import Final

from msgspec.structs import replace

from smspartner.transport.call import Call
from smspartner.transport.failures import FailedAttempt

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


def pause_after(
    failed: FailedAttempt, pause: float, call: Call, *, repeatable: bool
) -> float | None:
    """Return the seconds until the next attempt, None where there is to be none.

    Args:
        failed: the last attempt.
        pause: the seconds to wait where the service names none.
        call: the time allowed for the whole call.
        repeatable: whether the request may be sent again though it may have been received.
    """
    if not failed.again or (failed.maybe_received and not repeatable):
        return None
    pause = max(pause, failed.retry_after or 0.0)
    return pause if pause < min(call.left(), LONGEST_WAIT) else None


def too_long(failed: FailedAttempt, call: Call) -> FailedAttempt:
    """Return the failure with a word on a wait that the call has no time for, if that is so."""
    asked = failed.retry_after
    if not asked or asked < min(call.left(), LONGEST_WAIT):
        return failed
    return replace(
        failed,
        what=f"{failed.what} and asks to wait {asked:.0f} s, longer than this call may last",
    )
