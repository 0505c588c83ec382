"""What a failure of the network means, in one line: what happened, where, and what to do next.

Nothing of a foreign exception is repeated but the words of the operating system and of the TLS
library: str() of the exceptions of requests and urllib3 shows the address with the key in it.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Callable
from http.client import HTTPException, RemoteDisconnected
from typing import Final, NamedTuple

import msgspec
import requests
from urllib3 import exceptions as u3

from smspartner.errors import DeadlineError, TransportError
from smspartner.transport.call import Call

#: What requests and urllib3 raise. RequestException is an OSError; LocationParseError and the
#: UnicodeError of a host name are ValueErrors.
NETWORK_ERRORS: Final = (OSError, ValueError, HTTPException, u3.HTTPError)

ABORTED: Final = "the call was ended by abort()"

_PROXY_STATUS: Final = r"Tunnel connection failed: (\d{3})\b"
_PROXY_VARIABLES: Final = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")


class FailedAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that got no answer, or one that is none of the service's.

    Attributes:
        what: what happened.
        advice: what to do next.
        again: whether another attempt may fare better.
        maybe_received: whether the service may have acted on the request.
        answered: whether an answer of the service had begun.
        kind: the class of the error to raise in the end.
        http_status: the status of the answer, where there was one.
        retry_after: seconds that the answer asks to wait.
    """

    what: str
    advice: str
    again: bool = True
    maybe_received: bool = False
    answered: bool = False
    kind: type[TransportError] = TransportError
    http_status: int | None = None
    retry_after: float | None = None

    def error(self, attempts: int, seconds: float, *, repeatable: bool) -> TransportError:
        """Return what to raise.

        Args:
            attempts: how many were made.
            seconds: how long they took together.
            repeatable: whether the request may be sent again though it may have been received.
        """
        tried = f"; tried {attempts} times in {seconds:.0f} s" if attempts > 1 else ""
        retryable = repeatable or not self.maybe_received
        error = self.kind(
            f"{self.what}{tried}{f'; {self.advice}' if retryable else ''}",
            retryable=retryable,
            http_status=self.http_status,
            maybe_received=self.maybe_received,
        )
        error.retry_after, error.answered = self.retry_after, self.answered
        return error


class Scene(NamedTuple):
    """Where a failure happened.

    Attributes:
        peer: host and port of the service.
        timeout: how long a wait was allowed to be, in seconds.
        proxy: host and port of the proxy, empty if there is none.
    """

    peer: str
    timeout: float
    proxy: str = ""

    @property
    def far_end(self) -> str:
        """Who was spoken to, and through whom."""
        return f"{self.peer} (through the proxy {self.proxy})" if self.proxy else self.peer

    @property
    def unused_proxy(self) -> str:
        """Advice where the environment names a proxy, which is not used."""
        if self.proxy or not (found := [name for name in _PROXY_VARIABLES if os.environ.get(name)]):
            return ""
        return f"{found[0]} is set and not used: if that proxy is needed, give proxies= (--proxy); "


def explain(error: BaseException, scene: Scene, call: Call) -> FailedAttempt:
    """Return what a failure before any answer means.

    Args:
        error: what requests raised.
        scene: where it happened.
        call: the call; once it is over, that is the reason whatever the error.
    """
    causes = _causes(error)
    kinds = [(cause, meaning) for meaning in _MEANINGS for cause in causes if meaning.fits(cause)]
    cause, meaning = kinds[0] if kinds else (causes[-1], _UNKNOWN)
    maybe_received = call.sent and meaning.sent
    if call.over():
        return too_late(call, scene, maybe_received=maybe_received)
    what, advice = meaning.describe(cause, scene)
    return FailedAttempt(
        what=what,
        advice=advice,
        # A password that was refused once is not sent again: proxies lock accounts.
        again=meaning.again and not _refused_by_proxy(error),
        maybe_received=maybe_received,
        answered=meaning.answered,
    )


def too_late(call: Call, scene: Scene, *, maybe_received: bool) -> FailedAttempt:
    """Return the failure of a call that is over before the service has answered."""
    if call.abort.done:
        what, advice, kind = ABORTED, f"{scene.far_end} had not answered", TransportError
    else:
        what = (
            f"the {call.seconds:g} s allowed for the whole call ran out before {scene.far_end} "
            "had answered"
        )
        advice, kind = "try again, or allow more with deadline=", DeadlineError
    return FailedAttempt(
        what=what, advice=advice, again=False, kind=kind, maybe_received=maybe_received
    )


#: What a server that does not do what was asked says of itself, by its HTTP status.
_TURNED_AWAY: Final = {
    429: "the service is asked too often (HTTP 429)",
    503: "the service is unavailable (HTTP 503)",
    502: "what stands before the service got no answer from it (HTTP 502)",
    504: "what stands before the service got no answer from it in time (HTTP 504)",
}
#: Of these, the ones that say that nothing was done.
_NOT_DONE: Final = frozenset({429, 503})


def turned_away(status: int, retry_after: float | None) -> FailedAttempt | None:
    """Return the failure that an answer stands for, None where it is one of the service's own.

    Args:
        status: its HTTP status.
        retry_after: seconds that it asks to wait.
    """
    if status not in _TURNED_AWAY:
        return None
    done = status not in _NOT_DONE
    again = "try again later" if done else "safe to run again"
    return FailedAttempt(
        what=_TURNED_AWAY[status],
        advice=f"{again}, after {retry_after:.0f} s" if retry_after else again,
        maybe_received=done,
        http_status=status,
        retry_after=retry_after,
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
        if isinstance(cause, OSError) and (found := re.match(_PROXY_STATUS, str(cause))):
            return found[1]
    return ""


_Words = tuple[str, str]


def _proxy(error: BaseException, scene: Scene) -> _Words:
    status = _refused_by_proxy(error)
    said = f"it answered HTTP {status}" if status else _said(error)
    return (
        f"the proxy {scene.proxy} could not be used: {said}",
        "check the address and the password in proxies=",
    )


def _certificate(error: BaseException, scene: Scene) -> _Words:
    said = getattr(error, "verify_message", "") or "not valid for this name"
    return (
        f"the TLS certificate of {scene.far_end} could not be verified: {said}",
        (
            "nothing was sent. Check the clock of this machine and the base URL; where a company "
            "proxy or your own server signs with its own authority, pass that certificate file as "
            "verify="
        ),
    )


def _tls(error: BaseException, scene: Scene) -> _Words:
    reason = (getattr(error, "reason", None) or _said(error)).lower().replace("_", " ")
    return (
        f"TLS with {scene.far_end} failed: {reason}",
        "check that its port is one that speaks https",
    )


def _name(_: BaseException, scene: Scene) -> _Words:
    host = scene.peer.rpartition(":")[0]
    return (
        f"the name {host} could not be resolved",
        f"{scene.unused_proxy}check the network connection, and the base URL",
    )


def _slow_connect(_: BaseException, scene: Scene) -> _Words:
    return (
        f"no connection to {scene.far_end} within {scene.timeout:g} s",
        f"{scene.unused_proxy}check the network and the firewall, or allow more with timeout=",
    )


def _no_connect(error: BaseException, scene: Scene) -> _Words:
    return (
        f"no connection to {scene.far_end}: {_said(error)}",
        f"{scene.unused_proxy}check the base URL, the network and the firewall",
    )


def _slow_answer(_: BaseException, scene: Scene) -> _Words:
    return (
        f"{scene.far_end} did not answer within {scene.timeout:g} s",
        "try again later, or allow more with timeout=",
    )


def _lost(error: BaseException, scene: Scene) -> _Words:
    said = "" if isinstance(error, RemoteDisconnected) else f" ({_said(error)})"
    return f"{scene.far_end} closed the connection before it answered{said}", "try again later"


def _not_http(error: BaseException, scene: Scene) -> _Words:
    return (
        f"{scene.far_end} did not answer in HTTP ({type(error).__name__})",
        "check host and port of the base URL",
    )


def _unknown(error: BaseException, scene: Scene) -> _Words:
    return f"the request to {scene.far_end} failed ({type(error).__name__})", "try again later"


class _Meaning(NamedTuple):
    """What an exception among the causes of a failure means.

    Attributes:
        kinds: its types.
        describe: what happened, and what to do next.
        again: whether another attempt may fare better.
        sent: whether the request may have been sent by then.
        answered: whether an answer had begun.
    """

    kinds: tuple[type[BaseException], ...]
    describe: Callable[[BaseException, Scene], _Words]
    again: bool = True
    sent: bool = True
    answered: bool = False

    def fits(self, cause: BaseException) -> bool:
        return isinstance(cause, self.kinds)


#: The first line one of whose types is among the causes is the meaning of a failure.
_MEANINGS: Final = (
    _Meaning((u3.ProxyError, requests.exceptions.ProxyError), _proxy, sent=False),
    _Meaning((ssl.CertificateError,), _certificate, again=False, sent=False),
    _Meaning((ssl.SSLError,), _tls, again=False),
    _Meaning((u3.SSLError,), _tls, again=False),
    _Meaning((socket.gaierror, u3.NameResolutionError), _name, sent=False),
    _Meaning((u3.NewConnectionError,), _no_connect, sent=False),
    _Meaning((u3.ConnectTimeoutError, requests.ConnectTimeout), _slow_connect, sent=False),
    _Meaning((u3.TimeoutError, TimeoutError, requests.Timeout), _slow_answer),
    _Meaning((ConnectionError,), _lost),
    _Meaning((HTTPException, u3.InvalidHeader), _not_http, again=False, answered=True),
)
_UNKNOWN: Final = _Meaning((), _unknown)
