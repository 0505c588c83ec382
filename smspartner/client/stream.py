"""The numbers of a rental on their way from the service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self

from smspartner.decoders.limits import Limits
from smspartner.decoders.reader import ResponseReader, iter_batches
from smspartner.errors import (
    LATER,
    APIError,
    ConfigurationError,
    LimitError,
    SMSPartnerError,
    TransportError,
    UnknownFormatError,
    bare,
)
from smspartner.files.raw_body import RawBody
from smspartner.models.number import RentedNumber
from smspartner.models.table import Tabular
from smspartner.transport import Reply
from smspartner.transport.secrets import APIKey


def settle(error: SMSPartnerError, key: APIKey) -> None:
    """Mask the key in an error, and say that it is safe to call again if the server asked to."""
    key.hide_in_error(error)
    page = isinstance(error, UnknownFormatError)
    framework = isinstance(error, APIError) and error.code == error.http_status
    if error.http_status in LATER and (page or framework):
        error.retryable = True


def tell_lost(error: SMSPartnerError, reply: Reply) -> None:
    """Add to a refusal that an earlier attempt, which the service may have counted, got lost."""
    if reply.lost and isinstance(error, APIError):
        error.add_note(
            "an earlier attempt was lost before its answer came; if the service has counted that "
            "as the download, this one is refused: look at the status of the rental"
        )


class NumberStream(Iterator[RentedNumber], Tabular):
    """The numbers of one rental on their way; an iterator, and a context manager.

    Leaving it early drops the connection. ``Client.stream`` makes it.

    Attributes:
        http_status: the status of the answer.
        declared: the count the service declares, None where it declares none. Known from the
            start, except where the service puts it behind the numbers.
        format: the name of the format the answer is in.
        found: how many numbers have been read so far.
    """

    def __init__(
        self, reply: Reply, key: APIKey, limits: Limits, raw: RawBody | None = None
    ) -> None:
        self.http_status = reply.status
        self._reply = reply
        self._key = key
        self._raw = raw
        self._chunks = reply.chunks if raw is None else raw.tee(reply.chunks)
        self._reader = ResponseReader(
            media_type=reply.media_type, http_status=reply.status, limits=limits
        )
        self._source = self._read()
        self._read_through = False
        self._failure: SMSPartnerError | None = None
        self._ahead: Iterator[RentedNumber] = iter(next(self._source, ()))

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
        """How many numbers have been read so far."""
        return self._reader.found

    def batches(self) -> Iterator[list[RentedNumber]]:
        """Yield the numbers in lists, as they are decoded: faster than one by one.

        Numbers that were taken before, here or one by one, do not come again.

        Raises:
            TransportError, DecodeError: the rest of the body did not come, or is not as the
                rules say. All numbers before that place have been yielded.
        """
        if ahead := list(self._ahead):
            yield ahead
        yield from self._source
        self._require_whole()
        self._read_through = True

    def _require_whole(self) -> None:
        """Fail again where reading has failed: an end would make the numbers look complete."""
        if self._failure is not None:
            raise bare(self._failure)

    def _rows(self) -> Iterator[list[RentedNumber]]:
        if self._read_through:
            raise ConfigurationError(
                "this stream has been read to its end, a second table would be empty: keep the "
                "first one, or use download()"
            )
        return self.batches()

    def _read(self) -> Iterator[list[RentedNumber]]:
        try:
            yield from iter_batches(self._reader, self._chunks)
        except SMSPartnerError as error:
            failure = error
        else:
            self._reply.close()
            return
        settle(failure, self._key)
        failure.retry_after = self._reply.retry_after
        tell_lost(failure, self._reply)
        self._end(failure)
        self._failure = failure
        raise bare(failure)

    def _end(self, error: BaseException | None) -> None:
        """Close the connection; a raw body still gets the rest of what was paid for.

        Not where no more can come, where there is too much of it, or where somebody wants to stop.
        """
        over = isinstance(error, TransportError | APIError | LimitError)
        if self._raw is not None and isinstance(error, Exception) and not over:
            with suppress(SMSPartnerError):
                for _ in self._chunks:
                    pass
        self._reply.close()

    def close(self) -> None:
        """Drop the connection; numbers that have not been read are lost."""
        self._reply.close()

    def __next__(self) -> RentedNumber:
        for number in self._ahead:
            return number
        for batch in self._source:
            self._ahead = iter(batch)
            return next(self._ahead)
        self._require_whole()
        self._read_through = True
        raise StopIteration

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end(error)

    def __repr__(self) -> str:
        return f"NumberStream({self.found} numbers so far, declared={self.declared})"
