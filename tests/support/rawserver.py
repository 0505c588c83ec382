r"""A server that answers with exactly the bytes a test wants, when it wants them.

    def late(peer: Peer) -> None:
        time.sleep(1)
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with RawServer(late) as server:
        requests.get(server.url)

Each connection gets a thread; the script runs once a whole request head has been read, unless it
wants the connection as it was accepted (``greet=False``).
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Self

Script = Callable[["Peer"], None]

#: The first bytes of a TLS handshake that goes on for long.
HANDSHAKE = b"\x16\x03\x03\x10\x00" + b"\x02" * 500


class Peer:
    """One connection, seen from the server."""

    def __init__(self, sock: socket.socket, over: threading.Event) -> None:
        self.sock = sock
        self.head = b""
        self._over = over

    def read_head(self) -> bytes:
        """Read the head of the next request; nothing where the client has left."""
        self.head = b""
        while b"\r\n\r\n" not in self.head:
            data = self.sock.recv(65536)
            if not data:
                break
            self.head += data
        return self.head

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.sock.sendall(piece)

    def dribble(self, data: bytes, gap: float) -> None:
        """Send one byte each ``gap`` seconds."""
        for byte in data:
            if self._over.wait(gap):
                return
            self.send(bytes([byte]))

    def stall(self) -> None:
        """Say nothing until the test is over, or the client has gone."""
        self.sock.settimeout(0.02)
        while not self._over.is_set():
            with contextlib.suppress(TimeoutError):
                if not self.sock.recv(65536):
                    return

    def left(self) -> bool:
        """Whether the client closes the connection within two seconds."""
        self.sock.settimeout(2)
        try:
            return not self.sock.recv(1)
        except TimeoutError:
            return False
        except OSError:
            return True

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class RawServer:
    """Runs one script per connection, in their order; the last one serves all that follow.

    Args:
        scripts: what to do with a connection.
        tls: makes it an https server.
        greet: whether to read the request before a script runs.
    """

    def __init__(
        self, *scripts: Script, tls: ssl.SSLContext | None = None, greet: bool = True
    ) -> None:
        self.heads: list[bytes] = []
        self.errors: list[BaseException] = []
        self._scripts = scripts
        self._tls = tls
        self._greet = greet
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        return len(self._threads) - 1

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        # Closing alone does not wake up accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()
        if self.errors:
            raise self.errors[0]

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            script = self._scripts[min(self.connections, len(self._scripts) - 1)]
            thread = threading.Thread(target=self._serve, args=(sock, script))
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket, script: Script) -> None:
        try:
            with sock, self._wrapped(sock) as wrapped:
                peer = Peer(wrapped, self._over)
                if self._greet:
                    peer.read_head()
                    self.heads.append(peer.head)
                script(peer)
        except OSError:
            pass  # the client has gone, as a client may
        except BaseException as error:  # noqa: BLE001 - raised again where the test can see it
            self.errors.append(error)

    def _wrapped(self, sock: socket.socket) -> socket.socket:
        sock.settimeout(10)
        return self._tls.wrap_socket(sock, server_side=True) if self._tls else sock


def head(*headers: str, status: str = "200 OK") -> bytes:
    """Return the head of an answer."""
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode("latin-1")


def chunked(*pieces: bytes) -> bytes:
    """Return a body in HTTP chunks, complete."""
    return b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in (*pieces, b""))


def sends(*pieces: bytes) -> Script:
    """Return a script that sends and closes."""
    return lambda peer: peer.send(*pieces)


def answer(body: bytes = b"", *, status: str = "200 OK", headers: Iterable[str] = ()) -> Script:
    """Return a script that sends a whole answer with its length."""
    return sends(head(*headers, f"Content-Length: {len(body)}", status=status) + body)


def keeps(*replies: bytes) -> Script:
    """Return a script that answers one request after the other; the last reply serves the rest."""

    def script(peer: Peer) -> None:
        for number in itertools.count():
            peer.send(replies[min(number, len(replies) - 1)])
            if not peer.read_head():
                return

    return script


def whole(body: bytes, *headers: str) -> bytes:
    """Return an answer with its length."""
    return head(*headers, f"Content-Length: {len(body)}") + body


def stalls(*pieces: bytes) -> Script:
    """Return a script that sends, and then neither sends nor closes."""

    def script(peer: Peer) -> None:
        peer.send(*pieces)
        peer.stall()

    return script


def resets(*pieces: bytes) -> Script:
    """Return a script that sends, and then resets the connection."""

    def script(peer: Peer) -> None:
        peer.send(*pieces)
        time.sleep(0.05)  # or the reset would overtake what was sent
        peer.reset()

    return script


def dribbles(data: bytes, *before: bytes) -> Script:
    """Return a script that sends, and then goes on byte by byte."""

    def script(peer: Peer) -> None:
        peer.send(*before)
        peer.dribble(data, 0.03)

    return script


def dead_port() -> int:
    """Return a port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def full_listener(host: str, port: int = 0) -> Iterator[int]:
    """A port whose queue is full: connecting to it hangs."""
    with socket.socket() as listener, contextlib.ExitStack() as held:
        listener.bind((host, port))
        listener.listen(0)
        for _ in range(2):
            sock = held.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(listener.getsockname())
        time.sleep(0.01)
        yield listener.getsockname()[1]
