"""A deadline that bounds every wait on the socket: connecting, TLS, status line, headers, body.

A read timeout alone does not bound time: one byte each 0.1 s keeps urllib3 in the headers for
ever. So each wait gets the smaller of the timeout and the time left. Looking up a name is the
one wait that cannot be bounded like this: the system's resolver does it, with its own timeouts.
"""

from __future__ import annotations

import io
import math
import socket
import time
from http.client import HTTPResponse, RemoteDisconnected
from typing import Any, ClassVar, Final

from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import allowed_gai_family

#: Bytes to ask the system for at once, so that small HTTP chunks cost few calls.
READ_AHEAD: Final = 64 * 1024


class Clock:
    """The time allowed for one call, running from its creation.

    Args:
        seconds: the time allowed, None for no deadline.
    """

    __slots__ = ("_start", "seconds")

    def __init__(self, seconds: float | None) -> None:
        self.seconds = math.inf if seconds is None else seconds
        self._start = time.monotonic()

    def elapsed(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self._start

    def left(self) -> float:
        """Return the seconds left; zero or less once the deadline has passed."""
        return self.seconds - self.elapsed()

    def over(self) -> bool:
        """Return whether the deadline has passed."""
        return self.left() <= 0

    def clamp(self, timeout: float | None) -> float | None:
        """Return the smaller of a timeout and the time left; None stands for no limit.

        Raises:
            TimeoutError: no time is left. (A timeout of zero would mean "never wait".)
        """
        left = self.left()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        if left == math.inf:
            return timeout
        return left if timeout is None else min(left, timeout)


class _ClampedSocket(io.RawIOBase):
    """The receiving side of a socket; no read waits beyond the deadline."""

    def __init__(self, sock: socket.socket, clock: Clock) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._clock = clock
        self._timeout = sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        timeout = self._clock.clamp(self._timeout)
        if timeout != self._timeout:
            self._sock.settimeout(timeout)
        return self._raw.readinto(buffer)

    def fileno(self) -> int:
        return self._raw.fileno()

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Lines(io.BufferedReader):
    """Refuses a head that stops early, which http.client takes for all there is."""

    in_head = True

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        if self.in_head and not line.endswith(b"\n") and len(line) != size:
            raise RemoteDisconnected("the connection ended within the head of the answer")
        return line


class _ClampedResponse(HTTPResponse):
    """Reads status line, headers and body within the deadline of its class."""

    clock: ClassVar[Clock]

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        given, self._lines = self.fp, _Lines(_ClampedSocket(sock, self.clock), READ_AHEAD)
        # In this order: a stop in between must not leave a closed file behind, which Python 3.13
        # would complain of on standard error.
        self.fp = self._lines
        given.close()

    def begin(self, *args: Any, **kwargs: Any) -> None:
        super().begin(*args, **kwargs)
        self._lines.in_head = False


class _ClampedConnection(HTTPConnection):
    """Stands in front of the connection class that urllib3 would have used."""

    clock: ClassVar[Clock]
    direct: ClassVar[bool]
    #: http.client prints each request, with the key in it, where its class attribute is set.
    debuglevel = 0

    def _new_conn(self) -> socket.socket:
        sock = self._connect()
        # Next comes the TLS handshake, which keeps to this timeout as a whole (measured).
        try:
            sock.settimeout(self.clock.clamp(self.timeout))
        except TimeoutError:
            sock.close()
            raise
        return sock

    def _connect(self) -> socket.socket:
        """Try each address for the time that is left: urllib3 gives each the whole timeout."""
        name = self._dns_host
        failure: Exception | None = None
        try:
            for address in self._addresses(name):
                self.host = address
                self.timeout = self.clock.clamp(self.timeout)
                try:
                    return super()._new_conn()
                except (ConnectTimeoutError, NewConnectionError) as error:
                    failure = error
        finally:
            self.host = name
        raise failure or NewConnectionError(self, "the name has no address")

    def _addresses(self, name: str) -> list[str]:
        if not self.direct:
            return [name]
        try:
            found = socket.getaddrinfo(name, self.port, allowed_gai_family(), socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise NameResolutionError(name, self, error) from error
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    def _tunnel(self) -> None:
        super()._tunnel()
        self.sock.settimeout(self.clock.clamp(self.timeout))


def clamped(base: type, clock: Clock) -> type:
    """Return a subclass of a connection class of urllib3 whose every wait keeps to a clock.

    Args:
        base: the class; what is none of urllib3's (a recorder of HTTP in somebody's tests) is
            returned as it is.
        clock: the time allowed.
    """
    if not issubclass(base, HTTPConnection):
        return base
    response = type("ClampedResponse", (_ClampedResponse,), {"clock": clock})
    # Where urllib3 connects by other means (SOCKS), the far end looks the name up.
    direct = base._new_conn is HTTPConnection._new_conn  # noqa: SLF001 - the hook of urllib3
    members = {"clock": clock, "direct": direct, "response_class": response}
    return type(f"Clamped{base.__name__}", (_ClampedConnection, base), members)
