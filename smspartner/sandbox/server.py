"""The HTTP side: a threaded server that can always be stopped at once.

The logger ``smspartner.sandbox`` has a line at level INFO for each request, without the key.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
from collections import deque
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Event, Lock, Thread, current_thread
from typing import Any, Final, cast

from smspartner.errors import ConfigurationError
from smspartner.sandbox.endpoints import Endpoints
from smspartner.sandbox.exchange import Exchange, head
from smspartner.sandbox.faults import FAULTS
from smspartner.sandbox.messages import ParsedRequest, Request, framework_error
from smspartner.sandbox.settings import read_token

_log = logging.getLogger("smspartner.sandbox")

# Requests remembered: enough for any test, and no leak where a sandbox runs for weeks.
_REMEMBERED: Final = 10_000
# Bytes of a request's body, in a chunk of it or in all of it where there are no chunks.
_LARGEST: Final = 1 << 24
# Bytes of a line between chunks.
_LINE: Final = 1 << 12
# Seconds between two looks at whether to stop; a stop takes that long on average twice over.
_POLL: Final = 0.02
# Seconds a handler has to notice that its socket is gone; it takes microseconds.
_PATIENCE: Final = 5.0


class _UnreadableError(Exception):
    """A request's body that cannot be read; its argument is the HTTP status that says so."""


class Server(ThreadingHTTPServer):
    """Gives each connection a thread.

    Args:
        endpoints: what answers.

    Raises:
        ConfigurationError: the port is taken, or not allowed.
    """

    request_queue_size = 128
    # Elsewhere it lets a restarted server have its port again, on Windows any second server.
    allow_reuse_address = os.name != "nt"

    def __init__(self, endpoints: Endpoints) -> None:
        self.endpoints = endpoints
        settings = endpoints.settings
        self.stopped = Event()
        self.log: deque[Request] = deque(maxlen=_REMEMBERED)
        self._live: dict[Thread, socket.socket] = {}
        self._lock = Lock()
        reason = ""
        try:
            super().__init__((settings.host, settings.port), Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
        if reason:
            raise ConfigurationError(
                f"the sandbox cannot listen on {settings.host}:{settings.port} ({reason}); "
                "choose another port, or 0 for any free one"
            )

    def server_bind(self) -> None:
        """Bind without looking up the host's name, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.endpoints.settings.host, self.server_address[1]

    def run(self) -> None:
        """Answer until ``stop`` is called from another thread."""
        self.serve_forever(_POLL)

    def stop(self) -> None:
        """Stop listening, end every answer under way, and wait for their threads."""
        self.stopped.set()
        self.shutdown()
        self.server_close()
        with self._lock:
            live = dict(self._live)
        for connection in live.values():
            with suppress(OSError):  # its client may have closed it a moment ago
                socket.socket.shutdown(connection, socket.SHUT_RDWR)  # without a word of TLS
        for thread in live:
            thread.join(_PATIENCE)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; with TLS, its first read makes the handshake, in its own thread."""
        connection, address = super().get_request()
        if tls := self.endpoints.settings.tls:
            connection = tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        return connection, address

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give a connection a thread that ``stop`` knows of."""
        arguments = (request, client_address)
        thread = Thread(target=self.process_request_thread, args=arguments, daemon=True)
        with self._lock:
            self._live[thread] = request
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer all requests of one connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._lock:
                del self._live[current_thread()]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report what went wrong in a handler; a client that went away is not worth a word."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """Answers the requests of one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def _respond(self) -> None:
        """Answer a request, or let a fault do so."""
        server = cast("Server", self.server)
        try:
            body = self._read_body()
        except _UnreadableError as error:
            self.send_error(error.args[0])
            return
        request = ParsedRequest.of(self.command, self.path, body)
        headers = {name.lower(): value for name, value in self.headers.items()}
        arrived, method = time.monotonic(), self.command
        server.log.append(
            Request(request.path, request.token, request.form, arrived, headers, method)
        )
        rental = read_token(request.token, server.endpoints.settings, FAULTS)
        exchange = Exchange(self.connection, request, server.endpoints, rental, server.stopped)
        try:
            if not server.stopped.wait(server.endpoints.settings.delay):
                self._answer(exchange)
        finally:
            exchange.end()
            _log.info(
                "%s: %s%s",
                request,
                exchange.status or "no answer",
                f" ({exchange.fault})" if exchange.fault else "",
            )
        self.close_connection |= exchange.finished

    # The names that the base class looks up; the endpoints decide which method is allowed.
    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _respond  # noqa: N815

    def _answer(self, exchange: Exchange) -> None:
        fault = None if self.command == "HEAD" else exchange.struck_by()
        if fault:
            FAULTS[fault](exchange)
        else:
            exchange.send(exchange.answer())

    def _read_body(self) -> bytes:
        """Take the body off the connection, so that the next request begins behind it."""
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(iter(self._read_chunk, b""))
        return self._read(self.headers.get("Content-Length", "0"), 10)

    def _read_chunk(self) -> bytes:
        size, _, _ = self.rfile.readline(_LINE).partition(b";")
        chunk = self._read(size.strip().decode("latin-1"), 16)
        while self.rfile.readline(_LINE).strip() and not chunk:
            pass  # a trailer, behind the last chunk
        return chunk

    def _read(self, size: str, base: int) -> bytes:
        try:
            length = int(size if size.isalnum() else "", base)  # no sign, no underscore
        except ValueError:
            raise _UnreadableError(HTTPStatus.BAD_REQUEST) from None
        if length > _LARGEST:
            raise _UnreadableError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        body = self.rfile.read(length)
        if len(body) < length:
            raise _UnreadableError(HTTPStatus.BAD_REQUEST)
        return body

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what cannot be read, without repeating it: the key may be in it."""
        del message, explain
        answer = framework_error(HTTPStatus(code), "json")
        self.close_connection = True
        _log.info("not an HTTP request that can be read: %d", code)
        self.wfile.write(head(answer, "close") + b"".join(answer.body))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing: the line would hold the query, and that the key."""
