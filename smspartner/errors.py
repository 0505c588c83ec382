"""Every exception that leaves this library.

Whatever the service, the network or the bytes do, only these come out (rule R9); any other
exception is a bug worth reporting.

    SMSPartnerError                     .token, .file, .retryable, .http_status, .kept
     +-- ConfigurationError             an argument or a setting that cannot work
     +-- OutputError                    a file or database that cannot be written
     +-- APIError                       the service refused: .code, .message, .details
     |    +-- AccountError              codes 11, 20, 30, 40, 96: credit, account, access
     |    |    +-- APIKeyMissingError   code 1
     |    |    +-- APIKeyInvalidError   code 10
     |    +-- TokenMissingError         code 31
     |    +-- RentalNotFoundError       code 32
     |    +-- RentalUsedError           code 34: the rental has been downloaded before
     |    +-- RentalPendingError        codes 33, 35, or a wait that ran out: not ready yet
     |    +-- RentalFailedError         code 36, or a status that says so: it will not come
     +-- DownloadLostError              a download that may be counted, and whose answer is lost
     +-- TransportError                 no answer, or none that could be used
     |    +-- DeadlineError             the time allowed for the whole call is over
     |    +-- RedirectError             the service pointed elsewhere; the key was not sent there
     +-- DecodeError                    an answer that is not what the rules allow
          +-- UnknownFormatError        neither JSON nor XML: HTML, plain text, nothing
          +-- UnsafeXMLError            a DOCTYPE, or an encoding that is not allowed
          +-- TruncatedError            the body stops early
          +-- RecordError               one record is wrong: .index, .field
          +-- CountMismatchError        not as many records as declared: .declared, .found
          +-- LimitError                larger or deeper than a limit allows

``retryable`` is the decision a caller needs: True only where running the same call again loses
nothing, because the download cannot have been counted, or because the call records nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
E = TypeVar("E", bound=BaseException)


class SMSPartnerError(Exception):
    """Base of every error of this library.

    Attributes:
        token: the token of the rental that the call was about, None for any other call.
        file: the file that was read, as the caller named it, None where none was.
        retryable: whether the same call may safely be made again as it is.
        http_status: the HTTP status of the answer the error is about, None where there was none.
        kept: where the raw body was kept, None if it is not on disk.
        retry_after: seconds the service asked to wait before the next request, None where it
            named none.
        headers: the headers of the answer, None where there was none.
    """

    token: str | None = None
    file: str | None = None
    retryable: bool = False
    http_status: int | None = None
    kept: Path | None = None
    retry_after: float | None = None
    headers: Mapping[str, str] | None = None
    #: Its words where a journal tells it again; of what it was made of it may know no more.
    _told: str | None = None

    def __str__(self) -> str:
        about = [] if self.token is None else [f"rental {self.token}"]
        if self.file is not None:
            about.append(repr(self.file))
        return printable(": ".join([*about, self.what]))

    def __reduce__(self) -> tuple[Any, ...]:
        """Be copied as it is: one that a journal tells again has no arguments to be made of."""
        return _copied, (type(self), self.args), vars(self)

    @property
    def what(self) -> str:
        """What happened, without the rental and the file it happened to."""
        return self._said() if self._told is None else self._told

    def _said(self) -> str:
        return super().__str__()


def _copied(kind: type[E], args: tuple[Any, ...]) -> E:
    return kind.__new__(kind, *args)


def printable(text: str) -> str:
    """Return words from outside without what a terminal would obey, or cannot show."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "�" for c in text)


#: The HTTP statuses that refuse begin here.
REFUSED: Final = 400


def boundary(function: Callable[P, R]) -> Callable[P, R]:
    """Let errors leave a public function without the frames and exceptions they came through.

    Those frames hold bodies, phones and the address with the key, and tools that report errors
    show variables. What an error has to say is in the error. An interruption (Ctrl-C, a task
    that is cancelled) leaves in the same way; what is neither, such as the exception of a
    caller's own callback, keeps its traceback.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except SMSPartnerError as error:
            leaving: BaseException = bare(error)
        except Exception as error:
            if _fits(function, args, kwargs):
                raise
            leaving = bare(error)  # a key that was given beside a wrong name is in ``kwargs``
        except BaseException as stop:  # noqa: BLE001 - raised below
            leaving = bare(stop)
        del args, kwargs
        try:
            raise leaving
        finally:
            del leaving  # or this frame and its error would keep each other alive

    return call


def _fits(function: Callable[..., object], args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
    try:
        signature(function).bind(*args, **kwargs)
    except TypeError:
        return False
    return True


def bare(error: E) -> E:
    """Return an error without the frames and exceptions it came through; see ``boundary``.

    A cause in the words of the system (a closed pipe, a library that is missing) is kept; that
    of an HTTP library would hold the request.
    """
    error.__context__ = None
    cause = error.__cause__
    if cause is not None:
        plain = isinstance(cause, OSError | ImportError) and type(cause).__module__ == "builtins"
        error.__cause__ = bare(cause) if plain else None
    return error.with_traceback(None)


class ConfigurationError(SMSPartnerError):
    """A setting that cannot work; told before anything is sent, where that can be."""


class OutputError(SMSPartnerError):
    """What was read could not be written where it should go.

    A file or a database is as it was before; what went to a pipe is gone.
    """


#: One complaint about a field of a request: the field as the service names it, and its words.
Complaint = tuple[str, str]


class APIError(SMSPartnerError):
    """The service refused the request (rule R4).

    Args:
        code: the service's own code, None where it gave none that reads as an integer.
        message: the service's own words; where it gave none, those of its complaints; or None.
        http_status: the HTTP status that carried the refusal, None where it is not known.
        details: complaints about fields of the request, in pairs of field and message.
    """

    code: int | None = None
    message: str | None = None
    details: tuple[Complaint, ...] = ()

    def __init__(
        self,
        code: int | None = None,
        message: str | None = None,
        http_status: int | None = None,
        details: tuple[Complaint, ...] = (),
    ) -> None:
        super().__init__(code, message, http_status, details)
        self.code = code
        self.message = message or "; ".join(": ".join(pair) for pair in details) or None
        self.http_status = http_status
        self.details = details

    def _said(self) -> str:
        said = self.message or "the service refused the request and gave no reason"
        known = []
        if self.code is not None:
            known.append(f"code {self.code}")
        if self.http_status is not None:
            known.append(f"HTTP {self.http_status}")
        return f"{said} ({', '.join(known)})" if known else said


class AccountError(APIError):
    """Codes 11, 20, 30, 40, 96: not enough credit, a disabled or blocked account, no access."""


class APIKeyMissingError(AccountError):
    """Code 1: the API key is required."""


class APIKeyInvalidError(AccountError):
    """Code 10: the API key is not one the service knows."""


class TokenMissingError(APIError):
    """Code 31: the rental's token is required."""


class RentalNotFoundError(APIError):
    """Code 32: the service knows no rental with this token."""


class RentalUsedError(APIError):
    """Code 34: the rental has been downloaded before, and is not handed out again."""


class RentalPendingError(APIError):
    """The rental's file is not ready: code 35, code 33 while it is made, or a wait that ran out.

    Waiting again is safe.
    """

    retryable = True


class RentalFailedError(APIError):
    """The service could not make the file of a rental: code 36, or its status says so.

    ``code`` is None where a status said it. Waiting longer is no use.
    """


#: Facts A3 and A6: the codes of a download that have a class of their own. 33 is not among them:
#: it means "not made yet" or "gone", and only the rental's status tells which.
API_ERRORS: Final[dict[int, type[APIError]]] = {
    1: APIKeyMissingError,
    10: APIKeyInvalidError,
    11: AccountError,
    20: AccountError,
    30: AccountError,
    31: TokenMissingError,
    32: RentalNotFoundError,
    34: RentalUsedError,
    35: RentalPendingError,
    36: RentalFailedError,
    40: AccountError,
    96: AccountError,
}


def api_error(
    code: int | None,
    message: str | None,
    http_status: int | None = None,
    details: tuple[Complaint, ...] = (),
) -> APIError:
    """Return the exception for a code of the service, of a class of its own where it has one."""
    kind = APIError if code is None else API_ERRORS.get(code, APIError)
    return kind(code, message, http_status, details)


class DownloadLostError(SMSPartnerError):
    """A download was asked for, may have been counted, and its answer is lost.

    It is never repeated by itself: look at the rental's status, and ask SMS Partner.
    """


class TransportError(SMSPartnerError):
    """The request could not be made, or no usable answer came.

    Args:
        message: what happened and what to do next, without the address (the key is in it).
        retryable: whether the same call may be made again: it changes nothing at the service, or
            the service cannot have acted on it.
        http_status: the status of the answer, where there was one.
        maybe_received: whether the service may have acted on the request: some of it was sent, and
            no answer says that it was refused.

    Attributes:
        answered: whether an answer of the service had begun.
    """

    answered: bool = False
    maybe_received: bool = False

    def __init__(
        self,
        message: str,
        *,
        retryable: bool = False,
        http_status: int | None = None,
        maybe_received: bool = False,
    ) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.http_status = http_status
        self.maybe_received = maybe_received


class DeadlineError(TransportError):
    """The time allowed for the whole call ran out."""


class RedirectError(TransportError):
    """The service answered with a redirect, which is never followed: the key is in the URL."""


class DecodeError(SMSPartnerError):
    """The body is not what the reading rules allow."""


class UnknownFormatError(DecodeError):
    """The body is neither JSON nor XML (rule R2)."""

    def _said(self) -> str:
        said = super()._said()
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

    index: int = -1  # not known
    field: str | None = None
    reason: str = ""

    def __init__(self, index: int, field: str | None = None, reason: str = "not readable") -> None:
        super().__init__(index, field, reason)
        self.index = index
        self.field = field
        self.reason = reason

    def _said(self) -> str:
        path = f"datas[{self.index}]" + (f".{self.field}" if self.field else "")
        return f"{path}: {self.reason}"


class CountMismatchError(DecodeError):
    """The body declares one number of records and holds another (rule R8).

    Args:
        declared: the count the body declares.
        found: how many records it holds.
    """

    declared: int = -1  # not known
    found: int = -1

    def __init__(self, declared: int, found: int) -> None:
        super().__init__(declared, found)
        self.declared = declared
        self.found = found

    def _said(self) -> str:
        return (
            f"the service declared {self.declared} numbers and sent {self.found}; "
            "do not use this file as complete: ask SMS Partner"
        )
