"""One request and the means to answer it, well or badly."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable, Iterator
from email.utils import formatdate
from http import HTTPStatus
from itertools import chain
from threading import Event
from typing import Final

from smspartner.sandbox.endpoints import DOWNLOAD, Endpoints
from smspartner.sandbox.messages import ParsedRequest, Response
from smspartner.sandbox.settings import Framing, RentalPlan

# Bytes that are sent with one call.
_TOGETHER: Final = 1 << 16


def head(answer: Response, framing: Framing, *, length: int | None = None) -> bytes:
    """Return the status line and headers of an answer.

    Args:
        answer: what they belong to.
        framing: how they tell the end of the body.
        length: a Content-Length that is wrong on purpose.
    """
    ending = {
        "length": f"Content-Length: {answer.size if length is None else length}",
        "chunked": "Transfer-Encoding: chunked",
        "close": "Connection: close",
    }
    status = HTTPStatus(answer.status)
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        "Server: smspartner-sandbox",
        f"Date: {formatdate(usegmt=True)}",
        f"Content-Type: {answer.media}",
        *answer.headers,
        ending[framing],
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def framed(pieces: Iterable[bytes], framing: Framing, cut: int | None = None) -> Iterator[bytes]:
    """Return a body as it goes over the wire.

    Args:
        pieces: the body.
        framing: how its end is told.
        cut: bytes of the body to stop after, in the middle of a chunk if there are chunks; None
            for a whole body.
    """
    chunked = framing == "chunked"
    left = cut
    for piece in filter(None, pieces):
        opening, closing = (b"%x\r\n" % len(piece), b"\r\n") if chunked else (b"", b"")
        if left is not None and left < len(piece):
            yield opening + piece[:left]
            return
        yield opening + piece + closing if chunked else piece
        left = None if left is None else left - len(piece)
    if chunked and cut is None:
        yield b"0\r\n\r\n"


class Exchange:
    """One request and the means to answer it, well or badly.

    Args:
        connection: where the answer goes.
        request: what was asked.
        endpoints: what has the right answer.
        rental: the rental that the request's token spells out, None if it spells out none.
        stopped: set when the sandbox stops; nothing here waits longer than that.

    Attributes:
        finished: whether the connection must be closed after this answer.
        status: the HTTP status that was sent last, None where none was.
        fault: the name of the fault that struck, None where none did.
    """

    def __init__(
        self,
        connection: socket.socket,
        request: ParsedRequest,
        endpoints: Endpoints,
        rental: RentalPlan | None,
        stopped: Event,
    ) -> None:
        self.request = request
        self.settings = endpoints.settings
        self.finished = False
        self.status: int | None = None
        self.fault: str | None = None
        self._connection = connection
        self._endpoints = endpoints
        self._rental = rental
        self._stopped = stopped
        self._counted = ""

    @property
    def framing(self) -> Framing:
        """How the end of the body is told."""
        return self._rental.framing if self._rental else self.settings.framing

    @property
    def at(self) -> int | None:
        """Bytes of the body to send before a fault, None if the fault decides."""
        return self._rental.at if self._rental else self.settings.at

    @property
    def drip(self) -> float:
        """Seconds between two bytes of a fault that dribbles."""
        return self._rental.drip if self._rental else self.settings.drip

    def struck_by(self) -> str | None:
        """Return the name of the fault that strikes this answer, and count the strike."""
        by = self._rental or self.settings
        here = by.fault_on == "all" or self.request.path == DOWNLOAD
        if by.fault and here and self._endpoints.ledger.strike(self.request.token, by.times):
            self.fault = by.fault
        return self.fault

    def answer(self) -> Response:
        """Return what the service says; a download is counted by it."""
        answer = self._endpoints.answer(self.request, self._rental)
        self._counted = answer.counted
        return answer

    def end(self) -> None:
        """Tell the ledger that a download has ended: nothing more will be sent."""
        if self._counted:
            self._endpoints.ledger.end_download(self._counted)

    def head(self, answer: Response, framing: Framing, *, length: int | None = None) -> bytes:
        """Return the status line and headers of an answer, which is about to be sent."""
        self.status = answer.status
        return head(answer, framing, length=length)

    def send(
        self, answer: Response, framing: Framing | None = None, cut: int | None = None
    ) -> None:
        """Send an answer, whole or up to a byte of its body."""
        framing = framing or self.framing
        body = () if self.request.method == "HEAD" else framed(answer.body, framing, cut)
        self.write(chain([self.head(answer, framing)], body))
        self.finished |= framing == "close" or cut is not None

    def write(self, pieces: Iterable[bytes]) -> None:
        """Send bytes as they are; small pieces go together, as a packet each would be slower."""
        held = bytearray()
        for piece in pieces:
            held += piece
            if len(held) >= _TOGETHER:
                self._connection.sendall(held)
                held.clear()
        self._connection.sendall(held)

    def dribble(self, pieces: Iterable[bytes]) -> None:
        """Send bytes one by one."""
        for byte in (bytes([byte]) for piece in pieces for byte in piece):
            if self._stopped.wait(self.drip):
                return
            self.write([byte])

    def stall(self) -> None:
        """Say nothing more until the client leaves or the sandbox stops."""
        self.finished = True
        while self._connection.recv(1 << 16):  # a stop shuts the connection down
            pass

    def reset(self) -> None:
        """Drop the connection with a TCP reset instead of its proper end."""
        self.finished = True
        abort = struct.pack("ii", 1, 0)
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, abort)
        # The socket object would say goodbye (FIN) before it closes; the bare descriptor does not.
        socket.close(self._connection.detach())
