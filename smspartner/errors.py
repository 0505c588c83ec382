"""Every exception that leaves this library.

Whatever the service, the network or the bytes do, only these come out (rule R9); any other
exception is a bug worth reporting.

    SMSPartnerError
     +-- ConfigurationError             a setting that cannot work: address, format, limit
     +-- OutputError                    a file or database that cannot be written
     +-- APIError                       the service said no: .code, .message, .http_status
     |    +-- APIKeyMissingError        code 1
     |    +-- APIKeyInvalidError        code 10
     |    +-- TokenMissingError         code 31
     |    +-- RentalNotFoundError       code 32
     +-- RentalFailedError              the service could not make the file of a rental
     +-- TransportError                 no answer, or none that could be used
     |    +-- DeadlineError             the time allowed for the whole call is over
     |    |    +-- RentalPendingError   the file of a rental is still not made
     |    +-- RedirectError             the service pointed elsewhere; the key was not sent there
     +-- DecodeError                    an answer that is not what the contract says
          +-- UnknownFormatError        neither JSON nor XML: HTML, plain text, nothing
          +-- UnsafeXMLError            a DOCTYPE, or an encoding that is not allowed
          +-- TruncatedError            the body stops early
          +-- RecordError               one record is wrong: .index, .field
          +-- CountMismatchError        not as many records as declared: .declared, .found
          +-- LimitError                larger or deeper than a limit allows

``retryable`` is the decision a caller needs: True only where running the same call again loses
nothing, because no byte of a body had come, or because the call records nothing at the service.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final


class SMSPartnerError(Exception):
    """Base of every error of this library.

    Attributes:
        retryable: whether the same call may safely be made again as it is.
        http_status: the HTTP status of the answer the error is about, None where there was none.
        kept: where the raw body was kept, None where there is none on disk.
        retry_after: seconds the service asked to wait before the next request, None where it
            named none.
    """

    retryable: bool = False
    http_status: int | None = None
    kept: Path | None = None
    retry_after: float | None = None


#: The HTTP statuses that refuse begin here.
REFUSED: Final = 400

#: HTTP statuses by which a server, or what stands before it, asks to come again later.
LATER: Final = frozenset({429, 502, 503, 504})


def bare(error: SMSPartnerError) -> SMSPartnerError:
    """Return an error without the frames and exceptions it came through, ready to be raised.

    Those frames have bodies and phones in their variables, and tools that report errors show
    variables. What the error has to say is in the error.
    """
    error.__context__ = None
    if error.__cause__ is not None:
        error.__cause__.__context__ = None
        error.__cause__.__traceback__ = None
    return error.with_traceback(None)


class ConfigurationError(SMSPartnerError):
    """A setting that cannot work; told before anything is sent, where that can be."""


class OutputError(SMSPartnerError):
    """What was read could not be written where it should go.

    A file or a database is as it was before; what went to a pipe is gone.
    """


class APIError(SMSPartnerError):
    """The service refused the request (rule R4).

    Args:
        code: the service's own code, None where it gave none that reads as an integer.
        message: the service's own words, None where it gave none.
        http_status: the HTTP status that carried the refusal, None where it is not known.
    """

    def __init__(
        self, code: int | None = None, message: str | None = None, http_status: int | None = None
    ) -> None:
        super().__init__(code, message, http_status)
        self.code = code
        self.message = message
        self.http_status = http_status

    def __str__(self) -> str:
        said = self.message or "the service refused the request and gave no reason"
        details = []
        if self.code is not None:
            details.append(f"code {self.code}")
        if self.http_status is not None:
            details.append(f"HTTP {self.http_status}")
        return f"{said} ({', '.join(details)})" if details else said


class APIKeyMissingError(APIError):
    """Code 1: the API key is required."""


class APIKeyInvalidError(APIError):
    """Code 10: the API key is not one the service knows."""


class TokenMissingError(APIError):
    """Code 31: the rental's token is required."""


class RentalNotFoundError(APIError):
    """Code 32: the service knows no rental with this token."""


#: Contract A3: the codes of the service that have a class of their own.
API_ERRORS: Final[dict[int, type[APIError]]] = {
    1: APIKeyMissingError,
    10: APIKeyInvalidError,
    31: TokenMissingError,
    32: RentalNotFoundError,
}


def api_error(code: int | None, message: str | None, http_status: int | None = None) -> APIError:
    """Return the exception for a code of the service: a subclass where contract A3 names one."""
    kind = APIError if code is None else API_ERRORS.get(code, APIError)
    return kind(code, message, http_status)


class RentalFailedError(SMSPartnerError):
    """The service could not make the file of a rental (status 3); waiting longer is no use."""


class TransportError(SMSPartnerError):
    """The request could not be made, or no usable answer came.

    Args:
        message: what happened and what to do next, without the address (the key is in it).
        retryable: True where no byte of a body had arrived.
        http_status: the status of the answer, where there was one.
    """

    def __init__(
        self, message: str, *, retryable: bool = False, http_status: int | None = None
    ) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.http_status = http_status


class DeadlineError(TransportError):
    """The time allowed for the whole call ran out."""


class RentalPendingError(DeadlineError):
    """The time allowed for waiting is over and the file is still not made; wait again."""


class RedirectError(TransportError):
    """The service answered with a redirect, which is never followed: the key is in the URL."""


class DecodeError(SMSPartnerError):
    """The body is not what the contract says."""


class UnknownFormatError(DecodeError):
    """The body is neither JSON nor XML (rule R2)."""

    def __str__(self) -> str:
        said = super().__str__()
        return said if self.http_status is None else f"{said} (HTTP {self.http_status})"


class UnsafeXMLError(DecodeError):
    """The XML has a DOCTYPE, or an encoding that is not allowed (rule R10)."""


class TruncatedError(DecodeError):
    """The body stops before its end (rule R8)."""


class LimitError(DecodeError):
    """The body is larger or deeper than a limit allows (rule R10)."""


class RecordError(DecodeError):
    """One record of a rental cannot be read (rule R6).

    Args:
        index: which record, counted from 0.
        field: the field's name on the wire (``id``, ``phone``, ``stopSms``), None where the
            record as a whole is wrong.
        reason: what was expected and what was found; never the value itself, it may be a phone.
    """

    def __init__(self, index: int, field: str | None = None, reason: str = "not readable") -> None:
        super().__init__(index, field, reason)
        self.index = index
        self.field = field
        self.reason = reason

    def __str__(self) -> str:
        path = f"datas[{self.index}]" + (f".{self.field}" if self.field else "")
        return f"{path}: {self.reason}"


class CountMismatchError(DecodeError):
    """The body declares one number of records and holds another (rule R8).

    Args:
        declared: the count the body declares.
        found: how many records it holds.
    """

    def __init__(self, declared: int, found: int) -> None:
        super().__init__(declared, found)
        self.declared = declared
        self.found = found

    def __str__(self) -> str:
        return (
            f"the service declared {self.declared} numbers and sent {self.found}; "
            "do not use this file as complete: ask SMS Partner"
        )
