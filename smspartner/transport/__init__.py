"""Transports: how a request becomes the raw bytes of an answer. They know nothing of what is in it.

``RequestsTransport`` is the one that ships, and is imported when it is first asked for, so that
this module loads no network library. Anything with the two methods of ``Transport`` can take its
place: it returns a ``Reply`` and honours three points:

1. ``get`` raises only ``TransportError`` and its subclasses, ``ConfigurationError``, or
   ``LimitError``. An answer the service gave is never an error, whatever its status: what the
   service said is in the body. Redirects alone are refused, since the key is in the address.
2. ``Reply.chunks`` hands bytes out as they come, and ends only where the body is known to end. A
   body that stops early is a ``TruncatedError``, any other failure one of the errors above.
3. No exception, log line or repr of it shows the key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from smspartner.transport.log_filter import Query

if TYPE_CHECKING:
    from smspartner.transport.requests import RequestsTransport

__all__ = ["Headers", "Query", "Reply", "RequestsTransport", "Transport"]


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

    def __repr__(self) -> str:
        return f"Headers({', '.join(self._values)})"


class Reply:
    """The answer to one request: its head, and its body as it arrives.

    Use it as a context manager, or call ``close``: leaving early drops the connection and does
    not wait for the rest of the body.

    Args:
        status: the HTTP status.
        headers: the HTTP headers, in any case.
        chunks: the body, decoded, in pieces of any size above zero; consumed once.
        on_close: what frees the connection; called at most once.
        lost: attempts before this one that were sent, and got no answer.
    """

    __slots__ = ("_on_close", "chunks", "headers", "lost", "status")

    def __init__(
        self,
        status: int,
        headers: Mapping[str, str],
        chunks: Iterable[bytes],
        on_close: Callable[[], None] | None = None,
        *,
        lost: int = 0,
    ) -> None:
        self.status = status
        self.lost = lost
        self.headers = Headers(headers)
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
    """Fetches raw bodies; the three points of its contract are in the module's docstring."""

    def get(
        self,
        path: str,
        params: Mapping[str, str],
        *,
        within: float | None = None,
        once: bool = False,
    ) -> Reply:
        """Return the answer to a GET of ``path`` with ``params`` as its query.

        Args:
            path: below the base address.
            params: the query, with the key in it.
            within: seconds the call may take at most; None leaves it to the transport.
            once: make one attempt only, for callers who ask again by themselves.
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
