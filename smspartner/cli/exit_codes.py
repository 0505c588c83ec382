"""Exit codes: what a script can do next."""

from __future__ import annotations

from enum import IntEnum

from smspartner.errors import (
    AccountError,
    APIError,
    ConfigurationError,
    DecodeError,
    DownloadLostError,
    OutputError,
    RentalPendingError,
    SMSPartnerError,
)


class Exit(IntEnum):
    """The exit codes of every command."""

    OK = 0
    FAILED = 1
    USAGE = 2
    CONFIGURATION = 4
    REFUSED = 5
    NETWORK = 6
    NOT_UNDERSTOOD = 7
    PENDING = 8
    SOME_FAILED = 9
    HUNG_UP = 129
    INTERRUPTED = 130
    PIPE_CLOSED = 141
    TERMINATED = 143


def exit_code(error: SMSPartnerError) -> Exit:
    """Return the exit code of a failure. Only one that is safe to run again is ``NETWORK``."""
    if isinstance(error, RentalPendingError):
        return Exit.PENDING
    if error.retryable and not isinstance(error, OutputError):  # that is to be mended first
        return Exit.NETWORK
    if isinstance(error, ConfigurationError | AccountError):
        return Exit.CONFIGURATION
    if isinstance(error, APIError | DownloadLostError):
        return Exit.REFUSED
    return Exit.NOT_UNDERSTOOD if isinstance(error, DecodeError) else Exit.FAILED
