"""The numbers of a rental on their way from the service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext, suppress
from threading import Lock
from types import TracebackType
from typing import Self

from smspartner.client.asking import SERVER_ERROR, lost
from smspartner.client.boundary import public
from smspartner.client.caller import Caller
from smspartner.decoders.reader import ResponseReader, iter_batches
from smspartner.errors import (
    APIError,
    ConfigurationError,
    LimitError,
    SMSPartnerError,
    TransportError,
)
from smspartner.files.raw_body import RawBody
from smspartner.models.number import RentedNumber
from smspartner.models.table import Tabular
from smspartner.transport import Headers, Reply


class NumberStream(Iterator[RentedNumber], Tabular):
    """The numbers of one rental on their way; an iterator, and a context manager.

    It is read once. Numbers taken one by one, in batches, or by both in turn go on from where
    the last stopped; a table or an export needs all of them, and is refused once some were taken.
    The count is checked at the end, by any way of reading (rule R8); what has failed fails again.

    Leaving it early drops the connection. ``Client.stream`` makes it.

    Attributes:
        token: the rental's token.
        http_status: the status of the answer.
        headers: the headers of the answer.
        declared: the count the service declares, None where it declares none. Known from the
            start, except where the service puts it behind the numbers.
        format: the name of the format the answer is in.
        found: how many numbers have been decoded so far.
    """

    def __init__(
        self, reply: Reply, token: str, caller: Caller, raw: RawBody | None = None
    ) -> None:
        self.token: str = token
        self.http_status: int = reply.status
        self._reply = reply
        self._caller, self._key = caller, caller.key
        # A page of a gateway is no body of a rental; after it the body may still come.
        self._raw = None if reply.status >= SERVER_ERROR else raw
        self._chunks = reply.chunks if self._raw is None else self._raw.tee(reply.chunks)
        if self._raw is not None and reply.keep_coded is not None:
            reply.keep_coded(self._raw.write_coded)
        self._reader = ResponseReader(
            media_type=reply.media_type, http_status=reply.status, limits=caller.limits
        )
        self._turn = caller.turn
        chunks = self._chunks if self._turn is None else _outside(self._turn, self._chunks)
        self._source = iter_batches(self._reader, chunks)
        self._taken = 0
        self._closed = False
        self._failure: SMSPartnerError | None = None
        self._ahead: Iterator[RentedNumber] = iter(self._decoded())

    @property
    def headers(self) -> Headers:
        """The headers of the answer; the key is masked where the service repeats it."""
        return self._caller.headers_of(self._reply)

    @property
    def declared(self) -> int | None:
        """The count the service declares."""
        return self._reader.declared

    @property
    def format(self) -> str:
        """The name of the format the answer is in."""
        return self._reader.format or ""

    @property
    def found(self) -> int:
        """How many numbers have been decoded so far."""
        return self._reader.found

    def batches(self) -> Iterator[list[RentedNumber]]:
        """Return an iterator over the numbers in lists: faster than one by one.

        Numbers that were taken before, here or one by one, do not come again.

        Raises:
            TransportError, DecodeError: while iterating: the rest of the body did not come, or
                is not what the rules allow; all numbers before that place have been handed out.
                Or the stream is closed.
        """
        return iter(self._batch, [])

    @public
    def __next__(self) -> RentedNumber:
        self._require_open()
        for number in self._ahead:
            self._taken += 1
            return number
        self._ahead = iter(self._decoded())
        for number in self._ahead:
            self._taken += 1
            return number
        raise StopIteration

    @public
    def _batch(self) -> list[RentedNumber]:
        """Return the next numbers, none at the end; they count as taken."""
        self._require_open()
        batch = list(self._ahead) or self._decoded()
        self._taken += len(batch)
        return batch

    def _decoded(self) -> list[RentedNumber]:
        """Return the next numbers of the body, none at its end.

        What has failed fails again: an end would make the numbers look complete.
        """
        if self._failure is not None:
            raise self._failure
        try:
            with self._turn or nullcontext():
                batch = next(self._source, None)
        except SMSPartnerError as error:
            self._failure = self._told(error)
            self._end(error)
            raise self._failure from error.__cause__
        except BaseException as error:
            self._failure = TransportError("reading this stream was interrupted")
            self._end(error)
            raise
        if batch is None:
            self._reply.close()
            return []
        return batch

    def _told(self, error: SMSPartnerError) -> SMSPartnerError:
        """Return an error of the body as one of this download."""
        error.http_status = self.http_status
        error.retry_after, error.headers = self._reply.retry_after, self.headers
        underway = isinstance(error, TransportError) and self.http_status < SERVER_ERROR
        return lost(error) if underway else error

    def all_batches(self) -> Iterator[list[RentedNumber]]:
        """Return all numbers, for a table or an export, where none may be missing.

        Raises:
            ConfigurationError: some have been taken; also while iterating, where others do so.
        """
        handed = 0

        def batch() -> list[RentedNumber]:
            nonlocal handed
            self._require_taken(handed)
            found = self._batch()
            handed += len(found)
            return found

        self._require_taken(0)
        return iter(batch, [])

    @public
    def _require_taken(self, count: int) -> None:
        """Require that so many numbers have been taken, and no others."""
        self._require_open()
        if self._taken != count and self._failure is None:
            raise ConfigurationError(
                f"{self._taken - count} numbers of this stream have been read elsewhere, and would "
                "be missing here: a stream is read once; use download() to use its numbers again"
            )

    def _require_open(self) -> None:
        if self._closed:
            raise TransportError("this stream is closed: read it inside its with block")

    @public
    def _end(self, error: BaseException | None) -> None:
        """Close the connection; a raw body still gets the rest of what was paid for.

        Not where no more can come, where there is too much of it, or where a person wants to stop.
        """
        over = isinstance(error, TransportError | APIError | LimitError)
        if self._raw is not None and isinstance(error, Exception) and not over:
            with suppress(SMSPartnerError):
                for _ in self._chunks:
                    pass
        self._reply.close()

    def close(self) -> None:
        """Drop the connection; numbers that have not been read are lost."""
        self._closed = True
        self._reply.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closed = True
        self._end(error)

    def __repr__(self) -> str:
        return f"NumberStream({self.found} numbers so far, declared={self.declared})"


def _outside(turn: Lock, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the chunks of a body; let others have their turn while one is waited for."""
    while True:
        turn.release()
        try:
            chunk = next(chunks, None)
        finally:
            turn.acquire()
        if chunk is None:
            return
        yield chunk
