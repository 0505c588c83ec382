"""The HTTP side: a quiet threaded server on 127.0.0.1 that can always be stopped at once."""

from __future__ import annotations

import socket
import sys
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Event, Lock, Thread, current_thread
from typing import Any, Final, cast

from smspartner.errors import ConfigurationError
from smspartner.sandbox.exchange import Exchange, head
from smspartner.sandbox.faults import FAULTS
from smspartner.sandbox.rentals import Ledger
from smspartner.sandbox.service import Question, Service, framework_error
from smspartner.sandbox.settings import Settings, read_token
from smspartner.sandbox.wire import Format

HOST: Final = "127.0.0.1"

# Requests remembered: enough for any test, and no leak where a sandbox runs for weeks.
_REMEMBERED: Final = 10_000
# Seconds between two looks at whether to stop; a stop takes that long on average twice over.
_POLL: Final = 0.02
# Seconds a handler has to notice that its socket is gone; it takes microseconds.
_PATIENCE: Final = 5.0


@dataclass(frozen=True, slots=True)
class Request:
    """A request that arrived, without the key.

    Attributes:
        path: the path, without the query.
        token: the rental's token, empty where there is none.
        format: ``"json"`` or ``"xml"``.
        time: when it arrived, in seconds of ``time.monotonic``.
        headers: its headers, by their names in lower case.
    """

    path: str
    token: str
    format: Format
    time: float
    headers: Mapping[str, str] = field(repr=False)


class Server(ThreadingHTTPServer):
    """Listens on 127.0.0.1 and gives each connection a thread.

    Args:
        settings: the options of the sandbox.
        ledger: the life of its rentals.

    Raises:
        ConfigurationError: the port is taken, or not allowed.
    """

    request_queue_size = 128

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self.service = Service(settings, ledger)
        self.stopped = Event()
        self.log: deque[Request] = deque(maxlen=_REMEMBERED)
        self._live: dict[Thread, socket.socket] = {}
        self._lock = Lock()
        reason = ""
        try:
            super().__init__((HOST, settings.port), Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
        if reason:
            raise ConfigurationError(
                f"the sandbox cannot listen on {HOST}:{settings.port} ({reason}); "
                "choose another port, or 0 for any free one"
            )

    def server_bind(self) -> None:
        """Bind without looking up the host's name, which can take seconds."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]

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
                connection.shutdown(socket.SHUT_RDWR)
        for thread in live:
            thread.join(_PATIENCE)

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

    def do_GET(self) -> None:
        """Answer a request, or let a fault do so."""
        server = cast("Server", self.server)
        question = Question.of(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        arrived = time.monotonic()
        server.log.append(Request(question.path, question.token, question.form, arrived, headers))
        rental = read_token(question.token, server.service.settings, FAULTS)
        exchange = Exchange(self.connection, question, server.service, rental, server.stopped)
        try:
            if not server.stopped.wait(server.service.settings.delay):
                self._answer(exchange)
        finally:
            exchange.end()
        self.close_connection |= exchange.finished

    def _answer(self, exchange: Exchange) -> None:
        fault = exchange.fault()
        if fault:
            FAULTS[fault](exchange)
        else:
            exchange.send(exchange.answer())

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what is no GET request at all, without repeating it: the key may be in it."""
        del message, explain
        refused = code == HTTPStatus.NOT_IMPLEMENTED
        status = HTTPStatus.METHOD_NOT_ALLOWED if refused else HTTPStatus(code)
        answer = framework_error(status, "json")
        self.close_connection = True
        self.wfile.write(head(answer, "close") + b"".join(answer.body))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing: the line would hold the query, and that the key."""
