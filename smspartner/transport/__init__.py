"""Transports: how a request becomes the raw bytes of an answer. They know nothing of what is in it.

``RequestsTransport`` is the one that ships, and is imported when it is first asked for, so that
this module loads no network library. Anything with the two methods of ``Transport`` can take its
place: it returns a ``Reply`` and honours four points:

1. ``send`` raises only ``TransportError`` and its subclasses, ``ConfigurationError``, or
   ``LimitError``. An answer the service gave is never an error, whatever its status: what the
   service said is in the body. Redirects are refused, since the key is in the address; 429, 502,
   503 and 504 come from what stands before the service, and are errors.
2. A request that is not ``repeatable`` is sent again only where the service cannot have received
   it, or has answered 429 or 503. ``TransportError.maybe_received`` says which it was in the end.
3. ``Reply.chunks`` hands bytes out as they come, and ends only where the body is known to end. A
   body that stops early is a ``TruncatedError``, any other failure one of the errors above.
4. No message, log line or repr of it shows the key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from smspartner.errors import printable
from smspartner.models.masks import Hidden
from smspartner.transport.call import Abort

if TYPE_CHECKING:
    from smspartner.transport.requests import RequestsTransport
    from smspartner.transport.secrets import APIKey

__all__ = ["Abort", "Headers", "Reply", "Request", "RequestsTransport", "Transport"]


class Headers(Mapping[str, str]):
    """The headers of an answer; names are looked up in any case.

    Its repr shows names only: a service may repeat the address of the request in a value.
    """

    __slots__ = ("_values",)

    def __init__(self, headers: Mapping[str, str] | None = None) -> None:
        self._values = {name.lower(): value for name, value in (headers or {}).items()}

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __reduce__(self) -> tuple[type[Headers], tuple[dict[str, str]]]:
        return Headers, (dict(self._values),)

    def __repr__(self) -> str:
        return printable(f"Headers({', '.join(self._values)})")


class Request(Hidden, frozen=True, kw_only=True):
    """What to ask of the service. It does not hold the key, which goes beside it.

    Attributes:
        path: below the base address.
        query: what follows the key in the address.
        body: the JSON object of a POST, which the key joins instead; None makes it a GET.
        repeatable: whether it may be sent again although the service may have received it: it
            changes nothing there.
        deadline: seconds the call may take, until the end of the body; None for the transport's
            own bound, ``math.inf`` for none.
        retries: attempts after the first one; None for the transport's own number.
    """

    shown: ClassVar[tuple[str, ...]] = ("path", "query")  # there may be phones in the body

    path: str
    query: Mapping[str, str] = {}
    body: Mapping[str, object] | None = None
    repeatable: bool = False
    deadline: float | None = None
    retries: int | None = None


class Reply:
    """The answer to one request: its head, and its body as it arrives.

    Use it as a context manager, or call ``close``: leaving early drops the connection and does
    not wait for the rest of the body.

    Args:
        status: the HTTP status.
        headers: the HTTP headers, in any case.
        chunks: the body, decoded, in pieces of any size above zero; consumed once.
        on_close: what frees the connection; called at most once.
        keep_coded: is told where to write the bytes of a body in gzip, before they are decoded;
            None where the transport cannot.
        abort: what ends every wait for more of the body, called from any thread.
    """

    __slots__ = ("_on_close", "abort", "chunks", "headers", "keep_coded", "status")

    def __init__(
        self,
        status: int,
        headers: Mapping[str, str],
        chunks: Iterable[bytes],
        on_close: Callable[[], None] | None = None,
        *,
        abort: Callable[[], None] | None = None,
        keep_coded: Callable[[Callable[[bytes], None]], None] | None = None,
    ) -> None:
        self.keep_coded = keep_coded
        self.status = status
        self.abort = abort or self.close
        self.headers = headers if isinstance(headers, Headers) else Headers(headers)
        self.chunks: Iterator[bytes] = iter(chunks)
        self._on_close = on_close

    @property
    def media_type(self) -> str | None:
        """The media type in lower case and without parameters, None where none was sent."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower() or None

    @property
    def retry_after(self) -> float | None:
        """The seconds the service asks to wait before the next request, None where it does not."""
        from smspartner.transport.head import asked_wait  # noqa: PLC0415 - seldom needed

        return asked_wait(self.headers)

    def close(self) -> None:
        """Free the connection; more calls do nothing."""
        on_close, self._on_close = self._on_close, None
        if on_close is not None:
            on_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Reply({self.status}, {self.media_type})"


class Transport(Protocol):
    """Fetches raw bodies; the four points of its contract are in the module's docstring."""

    def send(self, request: Request, key: APIKey) -> Reply:
        """Return the answer to a request, whatever its status; its body is not read yet.

        Args:
            request: what to ask.
            key: to be sent as ``apiKey``, in the query of a GET, in the JSON body of a POST.
        """
        ...

    def close(self) -> None:
        """Free what the transport holds; replies that are still open stay so."""
        ...


def __getattr__(name: str) -> Any:
    if name != "RequestsTransport":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from smspartner.transport.requests import RequestsTransport  # noqa: PLC0415 - loads requests

    return RequestsTransport
