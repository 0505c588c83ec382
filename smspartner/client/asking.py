"""Asking for a rental's numbers, which may be handed out once: never blindly a second time.

A download that was sent and got no answer may have been counted. What became of it is asked of
``status``, and only where that says that nothing was handed out is the download asked for again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final, TypeVar

from smspartner.errors import (
    APIError,
    DownloadLostError,
    RentalFailedError,
    RentalPendingError,
    RentalUsedError,
    SMSPartnerError,
    TransportError,
    UnknownFormatError,
)
from smspartner.models.status import RentalState, RentalStatus
from smspartner.transport.call import pause

#: Fact A6: the rental's file is not found. It is not made yet, or gone.
NOT_FOUND: Final = 33
#: Fact A3: the rental is not found; services have said so of one that is being made, too.
_UNKNOWN: Final = 32
#: The HTTP statuses of a server that failed begin here.
SERVER_ERROR: Final = 500

T = TypeVar("T")


def ask_once(
    attempt: Callable[[float | None], T],
    status: Callable[[], RentalStatus],
    *,
    deadline: float | None,
    patience: float,
    again: bool,
) -> T:
    """Return what a download gives; ask for it a second time only if the first was not counted.

    Args:
        attempt: asks for the download, within so many seconds.
        status: asks for the status of the rental, with a deadline of its own.
        deadline: seconds for all of it but the last question for the status, None for no bound.
        patience: seconds after which the service has given up on a request, too.
        again: whether to ask a second time at all.

    Raises:
        DownloadLostError: it was asked for, and what it gave is lost.
        RentalPendingError: the rental's file is not ready; asking again is safe.
        RentalFailedError: the service could not make the file.
        SMSPartnerError: as ``attempt`` raises them.
    """
    end = math.inf if deadline is None else time.monotonic() + deadline
    try:
        return attempt(deadline)
    except SMSPartnerError as error:
        if not may_be_counted(error):
            raise _explained(error, status) from None
        first = error
    if isinstance(first, TransportError) and first.answered:
        raise lost(first)
    _require_ready(first, status)
    if not again or end - time.monotonic() <= 2 * patience:  # half of it is for that request
        raise lost(first, "its status is ready, but the request may still be on its way")
    pause(patience)  # the first request may still be on its way through the service
    _require_ready(first, status)
    if end - time.monotonic() <= patience:
        raise lost(first, "its status is ready, but too little time is left to ask once more")
    try:
        return attempt(None if deadline is None else end - time.monotonic())
    except RentalUsedError as error:
        raise lost(first, f"the service says that it was: {error.what}") from None
    except SMSPartnerError as error:
        if may_be_counted(error):
            raise lost(error, "it was asked for twice, as its status said not yet") from None
        raise


def may_be_counted(error: SMSPartnerError) -> bool:
    """Tell whether the service may have counted a download that ended in an error."""
    if isinstance(error, TransportError):
        return error.maybe_received
    # A page instead of an answer, or an error of the framework's own.
    page = isinstance(error, UnknownFormatError)
    framework = isinstance(error, APIError) and error.code == error.http_status
    return (page or framework) and (error.http_status or 0) >= SERVER_ERROR


def lost(error: SMSPartnerError, more: str = "") -> DownloadLostError:
    """Return the error for a download that may be counted, and gave nothing that can be used.

    Args:
        error: what happened.
        more: what was found out since.
    """
    told = DownloadLostError(
        f"the download may have been counted, and its answer is lost: {error.what}"
        f"{f'; {more}' if more else ''}; it is not asked for again by itself: look at the status "
        "of the rental later, and ask SMS Partner to allow the download once more"
    )
    told.http_status, told.retry_after, told.headers = (
        error.http_status,
        error.retry_after,
        error.headers,
    )
    return told


def _require_ready(first: SMSPartnerError, status: Callable[[], RentalStatus]) -> None:
    """Return if the rental is ready to be downloaded, so that the first request did not count."""
    try:
        found = status()
    except SMSPartnerError as error:
        why = error.what.partition(";")[0]  # its advice is about the status alone
        raise lost(first, f"its status could not be asked: {why}") from None
    if found.state is RentalState.FAILED:
        raise RentalFailedError(None, f"the service could not make this rental: {found.status}")
    if _is_being_made(found):
        raise RentalPendingError(None, _not_ready(found))
    if found.state is not RentalState.READY:
        raise lost(first, f"its status is {_in_words(found)}")


def _explained(error: SMSPartnerError, status: Callable[[], RentalStatus]) -> SMSPartnerError:
    """Return a refusal with what the status of the rental adds to it.

    33, and 32, may be said of a rental that is being made.
    """
    if not isinstance(error, APIError) or error.code not in {NOT_FOUND, _UNKNOWN}:
        return error
    try:
        found = status()
    except SMSPartnerError:
        return error
    made = _is_being_made(found)
    if made and error.code == NOT_FOUND:
        pending = RentalPendingError(error.code, _not_ready(found), error.http_status)
        pending.headers = error.headers
        return pending
    error.add_note(_not_ready(found) if made else f"the rental's status is {_in_words(found)}")
    return error


def _is_being_made(found: RentalStatus) -> bool:
    return found.state in {RentalState.REQUESTED, RentalState.GENERATING}


def _not_ready(found: RentalStatus) -> str:
    return (
        f"the rental is not ready (status {_in_words(found)}); wait= waits until it is, and "
        "status tells how far it is"
    )


def _in_words(found: RentalStatus) -> str:
    said = found.state.name.lower()
    return said if said == str(found.status).lower() else f"{said} ({found.status})"
