"""The body of an answer as it arrives: decoded, counted, and never silently short."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, NamedTuple, Self

from smspartner.errors import (
    DeadlineError,
    LimitError,
    SMSPartnerError,
    TransportError,
    TruncatedError,
)
from smspartner.transport.call import Call
from smspartner.transport.failures import ABORTED, NETWORK_ERRORS, is_timeout
from smspartner.transport.gunzip import MAGIC, Gunzip

#: The largest piece handed out, in bytes.
PIECE: Final = 64 * 1024

_RECORDED: Final = (
    "do not use what came. If this was a download, the service may have recorded it: look at the "
    "status of the rental, and ask SMS Partner to allow the download once more"
)


class Terms(NamedTuple):
    """Under which terms a body is read.

    Attributes:
        status: the HTTP status of the answer.
        cap: the most bytes the body may have once decoded.
        timeout: how long a wait for the next byte may be, in seconds.
        call: the call whose answer it is.
        repeatable: whether the call may be made again.
        gzip: whether the headers say that the body is gzip. The body decides, once it has begun.
    """

    status: int
    cap: int
    timeout: float
    call: Call
    repeatable: bool
    gzip: bool


class BodyChunks:
    """The pieces of a body, decoded where it is gzip, whatever its headers say; an iterator.

    It ends where the transport knows the body to be whole, or where it cannot know: a body
    without a length that the server ends by closing. There the reader has to prove the end
    (rule R8).

    Args:
        raw: the response of urllib3, told not to decode.
        terms: the limits.
        on_end: called once with the bytes received, at the end, on failure, or by ``close``;
            frees the connection.
    """

    def __init__(self, raw: Any, terms: Terms, on_end: Callable[[int], None]) -> None:
        self._raw = raw
        self._terms = terms
        self._on_end: Callable[[int], None] | None = on_end
        self._gunzip: Gunzip | None = None
        self._on_coded: Callable[[bytes], None] = _forget
        self._received = 0
        self._handed = 0
        self._whole = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        try:
            return self._next()
        except BaseException:  # the end, an error, Ctrl-C: in each case reading ends here
            self.close()
            raise

    def close(self) -> None:
        """Free the connection. Reading on is an error, unless the body had ended."""
        on_end, self._on_end = self._on_end, None
        if on_end is not None:
            on_end(self._received)

    def keep_coded(self, write: Callable[[bytes], None]) -> None:
        """Hand the bytes of a body in gzip to ``write`` as they come, before they are decoded."""
        self._on_coded = write

    def _next(self) -> bytes:
        if self._whole:
            raise StopIteration
        if self._on_end is None:
            raise self._about(TransportError("the answer was closed before its body had ended"))
        piece = self._decoded(min(PIECE, self._terms.cap - self._handed + 1))
        self._handed += len(piece)
        if not piece:
            self._whole = True
            raise StopIteration
        if self._handed > self._terms.cap:
            raise self._about(
                LimitError(
                    f"the body is larger than {self._terms.cap} bytes; where that is right, "
                    "raise the limit for bodies"
                )
            )
        return piece

    def _decoded(self, most: int) -> bytes:
        if not self._received:
            begun = self._read(most)
            while begun == MAGIC[:1] and (more := self._read(most - 1)):
                begun += more
            if not begun.startswith(MAGIC):
                if self._terms.gzip and MAGIC.startswith(begun):
                    self._on_coded(begun)
                    raise self._cut()
                return begun
            self._on_coded(begun)
            self._gunzip = Gunzip(self._read_coded, begun)
        if self._gunzip is None:
            return self._read(most)
        try:
            return self._gunzip(most)
        except EOFError:
            raise self._cut() from None
        except zlib.error:
            with suppress(SMSPartnerError):  # what was paid for is kept to its end
                while self._read_coded(PIECE):
                    pass
            damaged = TransportError("the gzip coding of the body is damaged")
            raise self._about(damaged) from None

    def _read_coded(self, most: int) -> bytes:
        piece = self._read(most)
        self._on_coded(piece)
        return piece

    def _read(self, most: int) -> bytes:
        if self._terms.call.over():  # gzip may take many reads before it gives a byte
            raise self._too_late()
        try:
            piece: bytes = self._raw.read1(most) or b""
        except NETWORK_ERRORS as error:
            raise self._broken(error) from None
        if not piece and self._terms.call.abort.done:  # which looks like an end by closing
            raise self._too_late()
        self._received += len(piece)
        return piece

    def _broken(self, error: Exception) -> SMSPartnerError:
        if self._terms.call.over():
            return self._too_late()
        if is_timeout(error):
            return self._stopped(f"the body stalled: no byte for {self._terms.timeout:g} s")
        return self._cut()

    def _too_late(self) -> SMSPartnerError:
        call = self._terms.call
        if call.abort.done:
            return self._stopped(ABORTED)
        return self._stopped(
            f"the {call.seconds:g} s allowed for the whole call ran out", DeadlineError
        )

    def _stopped(self, what: str, kind: type[TransportError] = TransportError) -> SMSPartnerError:
        return self._about(kind(f"{what}, after {self._received} bytes of the body"))

    def _cut(self) -> SMSPartnerError:
        if not self._received:
            return self._stopped("the connection was cut")
        return self._about(
            TruncatedError(
                f"the connection was cut after {self._received} bytes of the body; {_RECORDED}"
            )
        )

    def _about(self, error: SMSPartnerError) -> SMSPartnerError:
        error.http_status = self._terms.status
        if not isinstance(error, LimitError):
            error.retryable = self._terms.repeatable
        if isinstance(error, TransportError):
            error.maybe_received = error.answered = True
        return error


def _forget(_: bytes) -> None:
    """Do nothing with the bytes of the wire: only the decoded body is wanted."""
