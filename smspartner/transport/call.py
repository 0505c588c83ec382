"""One call: the time it may take, and what ends it earlier.

The call that is being made is known to the connections through a context variable, so that one
pool of connections serves calls with different deadlines from any number of threads.
"""

from __future__ import annotations

import math
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from smspartner.transport.secrets import APIKey


class Abort:
    """Ends calls from another thread, whatever they wait for: a connection, an answer, a pause.

        abort = Abort()
        with abort:               # in the thread that calls
            client.download(token)
        abort()                   # in any other

    Calls made within the block, their bodies included, fail with a ``TransportError`` at once, and
    so do all later ones. Only the lookup of a name by the system goes on until it is done.
    """

    def __init__(self) -> None:
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._sockets: set[socket.socket] = set()

    def __call__(self) -> None:
        """End the calls."""
        with self._lock:
            self._done.set()
            for sock in self._sockets:
                _shut(sock)

    @property
    def done(self) -> bool:
        """Whether the calls were ended."""
        return self._done.is_set()

    def pause(self, seconds: float) -> None:
        """Wait, but not after the calls were ended."""
        self._done.wait(seconds)

    def watch(self, sock: socket.socket) -> None:
        """Have a socket shut down with the calls."""
        with self._lock:
            self._sockets.add(sock)
            if self.done:
                _shut(sock)

    def forget(self, sock: socket.socket) -> None:
        """Leave a socket alone from now on."""
        with self._lock:
            self._sockets.discard(sock)

    def __enter__(self) -> Self:
        _aborts.set((*_aborts.get(), self))  # not kept here: several threads may enter one Abort
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _aborts.set(_aborts.get()[:-1])


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):  # it may be closed by now
        sock.shutdown(socket.SHUT_RDWR)


#: What ends the calls of this context, the innermost last.
_aborts: Final[ContextVar[tuple[Abort, ...]]] = ContextVar("smspartner_aborts", default=())


def _current_abort() -> Abort:
    """Return what ends the calls of this context, or one that nobody calls."""
    return (_aborts.get() or (Abort(),))[-1]


class Call:
    """One call, running from its creation.

    Args:
        seconds: the time allowed, None for no deadline.
        key: what is masked in the log records of the call.
        max_idle: how long a connection may have been idle to be used again, in seconds.

    Attributes:
        sent: whether the service may have got any of the request; True until it is known not to.
    """

    def __init__(
        self,
        seconds: float | None = None,
        *,
        key: APIKey | None = None,
        max_idle: float = math.inf,
    ) -> None:
        self.seconds = math.inf if seconds is None else seconds
        self.key = key
        self.max_idle = max_idle
        self.sent = True
        self.abort = _current_abort()
        self._start = time.monotonic()
        self._socket: socket.socket | None = None

    def elapsed(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self._start

    def left(self) -> float:
        """Return the seconds left; zero or less once the deadline has passed."""
        return self.seconds - self.elapsed()

    def over(self) -> bool:
        """Return whether the deadline has passed, or the call was ended."""
        return self.abort.done or self.left() <= 0

    def clamp(self, timeout: float | None) -> float | None:
        """Return the smaller of a timeout and the time left; None stands for no limit.

        Raises:
            TimeoutError: no time is left. (A timeout of zero would mean "never wait".)
        """
        if self.over():
            raise TimeoutError("the call is over")
        left = self.left()
        if left == math.inf:
            return timeout
        return left if timeout is None else min(left, timeout)

    def hold(self, sock: socket.socket) -> None:
        """Take a connection into use: ``abort`` shuts it down from now on."""
        self.release()
        # By a handle of our own: TLS takes the socket over while it connects, and urllib3 lets go
        # of it where the server will close. The connection lasts until ``release``.
        self._socket = socket.socket(fileno=os.dup(sock.fileno()))
        self.abort.watch(self._socket)

    def release(self) -> None:
        """Let go of the connection; it may serve another call."""
        sock, self._socket = self._socket, None
        if sock is not None:
            self.abort.forget(sock)
            sock.close()

    @contextmanager
    def current(self) -> Iterator[None]:
        """Be the call that connections and log records made in this context belong to."""
        token = _call.set(self)
        try:
            yield
        finally:
            _call.reset(token)


_call: Final[ContextVar[Call | None]] = ContextVar("smspartner_call", default=None)


def pause(seconds: float) -> None:
    """Wait between two calls, but not after those of this context were ended."""
    _current_abort().pause(seconds)


def ended() -> bool:
    """Return whether the calls of this context were ended."""
    return _current_abort().done


def current_call() -> Call | None:
    """Return the call that is being made in this context, or None."""
    return _call.get()
