"""Connections that keep to a call: every wait ends with its deadline, and when it is ended early.

A read timeout alone does not bound time: one byte each 0.1 s keeps urllib3 in the headers for
ever. So each wait gets the smaller of the timeout and the time left. Looking up a name is the
one wait that cannot be bounded like this: the system's resolver does it, with its own timeouts.

This is the only module that relies on names that urllib3 and http.client do not document;
``RELIED_ON`` lists them, a test looks for each, and pyproject.toml says which versions were tried.
"""

from __future__ import annotations

import functools
import io
import os
import socket
import time
from http.client import HTTPResponse, RemoteDisconnected
from typing import Any, Final

from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util import wait_for_read
from urllib3.util.connection import allowed_gai_family

from smspartner.transport.call import Call, current_call

#: What is overridden or used here without being documented, by the class it belongs to.
RELIED_ON: Final[dict[type, tuple[str, ...]]] = {
    HTTPConnection: ("_new_conn", "_tunnel", "debuglevel", "response_class", "socket_options"),
    HTTPResponse: ("begin",),
}

#: Bytes to ask the system for at once, so that small HTTP chunks cost few calls.
READ_AHEAD: Final = 64 * 1024

#: Some servers close each connection behind their answer without having said so. After so many
#: seconds this one is not going to: it is waited for once, before a connection is used again.
_CLOSED_BY_NOW: Final = 0.02


class _ClampedReads(io.RawIOBase):
    """The receiving side of a socket; no read waits beyond the deadline of a call."""

    def __init__(self, sock: socket.socket, call: Call) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._call = call
        self._timeout = sock.gettimeout()
        self.at_end = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self.at_end:
            return None
        timeout = self._call.clamp(self._timeout)
        if timeout != self._timeout:
            self._sock.settimeout(timeout)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Lines(io.BufferedReader):
    """Refuses a head that stops early, which http.client takes for all there is."""

    def __init__(self, reads: _ClampedReads, connection: _Connection) -> None:
        super().__init__(reads, READ_AHEAD)
        self._reads = reads
        self._connection = connection
        self.in_head = True

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        if self.in_head and not line.endswith(b"\n") and len(line) != size:
            raise RemoteDisconnected("the connection ended within the head of the answer")
        return line

    def close(self) -> None:
        if not self.closed:
            self._reads.at_end = True  # peek shows what was read ahead, and nothing more
            self._connection.rest(clean=not self.peek(1))
        super().close()


class _Response(HTTPResponse):
    """Reads status line, headers and body within the deadline of the call it answers."""

    def __init__(self, sock: socket.socket, *args: Any, owner: _Connection, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        given, self._lines = self.fp, _Lines(_ClampedReads(sock, owner.call), owner)
        # In this order: a stop in between must not leave a closed file behind, which Python 3.13
        # would complain of on standard error.
        self.fp = self._lines
        given.close()

    def begin(self, *args: Any, **kwargs: Any) -> None:
        super().begin(*args, **kwargs)
        while 100 < self.status < 200 and self.status != 101:  # noqa: PLR2004 - interim answers
            self.headers = self.msg = None  # type: ignore[assignment] # so that it begins again
            super().begin(*args, **kwargs)
        self._lines.in_head = False


class _Connection(HTTPConnection):
    """Stands in front of the connection class that urllib3 would have used."""

    #: Whether this machine looks up names; where urllib3 connects through SOCKS, the far end does.
    direct: bool
    #: http.client prints each request, with the key in it, where its class attribute is set.
    debuglevel = 0

    _process = 0
    _clean = True
    _rested = 0.0
    _lasting = False

    @property
    def call(self) -> Call:
        """The call that is being made; one without a deadline for other uses of a session."""
        return current_call() or Call()

    def response_class(  # type: ignore[override] # called by http.client as the class would be
        self, sock: socket.socket, **kwargs: Any
    ) -> _Response:
        """Return the reader of an answer; it keeps to the call that is being made."""
        return _Response(sock, owner=self, **kwargs)

    @property
    def is_connected(self) -> bool:
        """Whether this connection may serve the call that is being made.

        Not after the answer before was followed by more, in a process that did not make it, or
        where it has been idle for longer than the call allows.
        """
        idle = time.monotonic() - self._rested
        fit = self._clean and self._process == os.getpid() and idle <= self.call.max_idle
        left = getattr(self.sock, "pending", None)  # decrypted, and not read yet
        if not fit or (left and left()) or not super().is_connected:
            return False
        if not self._lasting:
            wait = _CLOSED_BY_NOW - idle
            self._lasting = wait <= 0 or not wait_for_read(self.sock, timeout=wait)
        return self._lasting

    def rest(self, *, clean: bool) -> None:
        """Note the end of an answer, and whether nothing came behind it."""
        self._clean, self._rested = clean, time.monotonic()

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is not None:
            self._hold(self.sock)
        self.call.sent = True
        super().request(*args, **kwargs)

    def _new_conn(self) -> socket.socket:
        self._process, self._clean, self._lasting = os.getpid(), True, False
        sock = self._connected() if self.direct else super()._new_conn()
        try:
            self._hold(sock)
            # Next comes the TLS handshake, which keeps to this timeout as a whole (measured).
            sock.settimeout(self.call.clamp(self.timeout))
        except TimeoutError:
            sock.close()
            raise
        return sock

    def _hold(self, sock: socket.socket) -> None:
        """Let the call that is being made end the waits of a socket."""
        if (call := current_call()) is not None:
            call.hold(sock)

    def _connected(self) -> socket.socket:
        """Try each address for the time that is left: urllib3 gives each the whole timeout."""
        failure: Exception = NewConnectionError(self, "the name has no address")
        for family, kind, protocol, _, address in self._addresses():
            sock = socket.socket(family, kind, protocol)
            try:
                self._reach(sock, address)
            except TimeoutError as error:
                failure = ConnectTimeoutError(self, "no connection in time")
                failure.__cause__ = error
            except OSError as error:
                failure = NewConnectionError(self, str(error))
                failure.__cause__ = error
            else:
                return sock
        raise failure

    def _reach(self, sock: socket.socket, address: Any) -> None:
        try:
            for option in self.socket_options or ():
                sock.setsockopt(*option)
            self._hold(sock)
            sock.settimeout(self.call.clamp(self.timeout))
            sock.connect(address)
        except BaseException:
            sock.close()
            raise

    def _addresses(self) -> list[Any]:
        try:
            return socket.getaddrinfo(
                self.host, self.port, allowed_gai_family(), socket.SOCK_STREAM
            )
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error

    def _tunnel(self) -> None:
        super()._tunnel()
        self.sock.settimeout(self.call.clamp(self.timeout))


@functools.cache
def guarded(base: type) -> type:
    """Return a subclass of a connection class of urllib3 that keeps to the call being made.

    Args:
        base: the class; what is none of urllib3's (a recorder of HTTP in a test) is
            returned as it is.
    """
    if not issubclass(base, HTTPConnection):
        return base
    direct = base._new_conn is HTTPConnection._new_conn  # noqa: SLF001 - see RELIED_ON
    return type(f"Guarded{base.__name__}", (_Connection, base), {"direct": direct})


def is_guarded(connection: type) -> bool:
    """Return whether a connection class is one that this module has made."""
    return issubclass(connection, _Connection)
