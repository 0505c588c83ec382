"""What a failure of the network means, in one line: what happened, where, and what to do next.

Nothing of a foreign exception is repeated but the words of the operating system and of the TLS
library: str() of the exceptions of requests and urllib3 shows the address with the key in it.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable
from http.client import HTTPException, RemoteDisconnected
from typing import Final, NamedTuple

from urllib3 import exceptions as u3

from smspartner.errors import DeadlineError, TransportError
from smspartner.transport.deadline import Clock

#: What requests and urllib3 raise. RequestException is an OSError; LocationParseError and the
#: UnicodeError of a host name are ValueErrors.
NETWORK_ERRORS: Final = (OSError, ValueError, HTTPException, u3.HTTPError)

_PROXY_STATUS: Final = re.compile(r"Tunnel connection failed: (\d{3})\b")


class Failure(NamedTuple):
    """A request that got no answer that can be used.

    Attributes:
        error: what to raise.
        again: whether another attempt may fare better.
        sent: whether the request had gone out, so that the service may have acted on it.
    """

    error: TransportError
    again: bool = True
    sent: bool = False

    def __str__(self) -> str:
        return str(self.error)


class Scene(NamedTuple):
    """Where a failure happened.

    Attributes:
        peer: host and port of the service.
        timeout: how long a wait was allowed to be, in seconds.
        proxy: host and port of the proxy, empty where there is none.
    """

    peer: str
    timeout: float
    proxy: str = ""

    @property
    def far_end(self) -> str:
        """Who was spoken to, and through whom."""
        return f"{self.peer} (through the proxy {self.proxy})" if self.proxy else self.peer


def explain(error: BaseException, scene: Scene, clock: Clock) -> Failure:
    """Return what a failure before any answer means.

    Args:
        error: what requests raised.
        scene: where it happened.
        clock: the time allowed; once it has run out, that is the reason whatever the error.
    """
    if clock.over():
        return Failure(too_late(clock, f"before {scene.far_end} had answered"), again=False)
    causes = _causes(error)
    for kind, describe, again in _MEANINGS:
        for cause in causes:
            if isinstance(cause, kind):
                failure = TransportError(describe(cause, scene), retryable=True)
                # A password that was refused once is not sent again: proxies lock accounts.
                hopeful = again and not _refused_by_proxy(error)
                return Failure(failure, hopeful, sent=describe in {_slow_answer, _lost, _not_http})
    name = type(causes[-1]).__name__
    return Failure(
        TransportError(f"the request to {scene.far_end} failed ({name})", retryable=True)
    )


def too_late(clock: Clock, moment: str) -> DeadlineError:
    """Return the error for a deadline that has passed before any byte of a body came."""
    return DeadlineError(
        f"the {clock.seconds:g} s allowed for the whole call ran out {moment}; try again, or "
        "allow more with deadline=",
        retryable=True,
    )


def is_timeout(error: BaseException) -> bool:
    """Return whether an error is at bottom a wait that took too long."""
    return any(isinstance(cause, TimeoutError | u3.TimeoutError) for cause in _causes(error))


def _causes(error: BaseException) -> list[BaseException]:
    """Return an exception and those it was made from, outermost first.

    ``__context__`` is left out: it may lead to an error the caller was handling.
    """
    found: list[BaseException] = []
    ahead: list[object] = [error]
    while ahead:
        cause = ahead.pop(0)
        if isinstance(cause, BaseException) and cause not in found:
            found.append(cause)
            ahead += (*cause.args, getattr(cause, "reason", None), cause.__cause__)
    return found


def _said(error: BaseException) -> str:
    """Return the words of the operating system for an error, its type where there are none."""
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
    return type(error).__name__


def _refused_by_proxy(error: BaseException) -> str:
    """Return the HTTP status with which a proxy refused a tunnel, nothing where none did."""
    for cause in _causes(error):
        if isinstance(cause, OSError) and (found := _PROXY_STATUS.match(str(cause))):
            return found[1]
    return ""


def _proxy(error: BaseException, scene: Scene) -> str:
    status = _refused_by_proxy(error)
    said = f"it answered HTTP {status}" if status else _said(error)
    return (
        f"the proxy {scene.proxy} could not be used: {said}; check the address and the password "
        "in proxies= (--proxy)"
    )


def _certificate(error: BaseException, scene: Scene) -> str:
    said = getattr(error, "verify_message", "") or "not valid for this name"
    return (
        f"the TLS certificate of {scene.far_end} could not be verified: {said}; nothing was sent. "
        "Check the clock of this machine and the base URL; where a company proxy or your own "
        "server signs with its own authority, pass that certificate file as verify= (--ca-bundle)"
    )


def _tls(error: BaseException, scene: Scene) -> str:
    reason = (getattr(error, "reason", None) or _said(error)).lower().replace("_", " ")
    return (
        f"TLS with {scene.far_end} failed: {reason}; check that its port is one that speaks https"
    )


def _name(_: BaseException, scene: Scene) -> str:
    host = scene.peer.rpartition(":")[0]
    return f"the name {host} could not be resolved; check the network connection, and the base URL"


def _slow_connect(_: BaseException, scene: Scene) -> str:
    return (
        f"no connection to {scene.far_end} within {scene.timeout:g} s; check the network and the "
        "firewall, or allow more with timeout="
    )


def _no_connect(error: BaseException, scene: Scene) -> str:
    return (
        f"no connection to {scene.far_end}: {_said(error)}; check the base URL, the network and "
        "the firewall"
    )


def _slow_answer(_: BaseException, scene: Scene) -> str:
    return (
        f"{scene.far_end} did not answer within {scene.timeout:g} s; try again later, or allow "
        "more with timeout="
    )


def _lost(error: BaseException, scene: Scene) -> str:
    said = "" if isinstance(error, RemoteDisconnected) else f" ({_said(error)})"
    return f"{scene.far_end} closed the connection before it answered{said}; try again later"


def _not_http(error: BaseException, scene: Scene) -> str:
    kind = type(error).__name__
    return f"{scene.far_end} did not answer in HTTP ({kind}); check host and port of the base URL"


_Meaning = tuple[
    type[BaseException] | tuple[type[BaseException], ...],
    Callable[[BaseException, Scene], str],
    bool,
]

#: The first line one of whose types is among the causes is the meaning of a failure.
_MEANINGS: Final[tuple[_Meaning, ...]] = (
    ((u3.ProxyError,), _proxy, True),
    ((ssl.CertificateError,), _certificate, False),
    ((ssl.SSLError,), _tls, False),
    ((u3.SSLError,), _tls, False),
    ((socket.gaierror, u3.NameResolutionError), _name, True),
    ((u3.NewConnectionError,), _no_connect, True),
    ((u3.ConnectTimeoutError,), _slow_connect, True),
    ((u3.TimeoutError, TimeoutError), _slow_answer, True),
    ((ConnectionError,), _lost, True),
    ((HTTPException, u3.InvalidHeader), _not_http, False),
)
