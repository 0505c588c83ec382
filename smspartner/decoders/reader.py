"""The reader: bytes in, batches of records out, with flat memory; it does no input or output.

The reader stores what it is fed and answers from what is there. It cuts long bodies into slices,
counts records, and insists that the body ends. Every decision depends on the bytes alone, never
on how they were cut on their way in (rule R12).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NoReturn, TypeVar

from smspartner.decoders import Decoder, decoder_named
from smspartner.decoders.detect import decoder_for, is_blank
from smspartner.decoders.limits import DEFAULT_LIMITS, KIB, Limits
from smspartner.decoders.slices import Cut, Hole, counting_from
from smspartner.errors import (
    CountMismatchError,
    DecodeError,
    LimitError,
    SMSPartnerError,
    TruncatedError,
    bare,
)
from smspartner.models.envelope import A, RentalAnswer
from smspartner.models.number import RentedNumber
from smspartner.models.rental import Rental

#: How many bytes of records are decoded at once.
WINDOW: Final = 64 * KIB

# A large piece is taken in by parts of this size, so that it is never copied whole.
_PART: Final = 256 * KIB

T = TypeVar("T")


class ResponseReader:
    """Reads one body of the rental endpoint, piece by piece.

    Args:
        format: "json", "xml" or the name of a registered decoder; None looks at the body.
        media_type: the Content-Type of the answer, where it is known.
        http_status: the HTTP status of the answer; every error then carries it.
        limits: bounds on what the body may cost.

    Attributes:
        declared: the count the service declares: None before it is known and where there is
            none. In a long body it is known with the first records.
        found: how many records have been handed out.

    Raises:
        ConfigurationError: no decoder has the name ``format``.
    """

    def __init__(
        self,
        format: str | None = None,  # noqa: A002 - the word users know from _format=
        *,
        media_type: str | None = None,
        http_status: int | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        if format is not None:
            decoder_named(format)
        self.declared: int | None = None
        self.found = 0
        self._format = format
        self._media_type = media_type
        self._http_status = http_status
        self._limits = limits
        self._decoder: Decoder | None = None
        self._hole: Hole | None = None
        self._buffer = bytearray()
        self._size = 0
        self._window = WINDOW
        self._untouched = True
        self._closed = False
        self._failure: SMSPartnerError | None = None

    @property
    def format(self) -> str | None:
        """The name of the decoder that reads this body, None before it is known."""
        return None if self._decoder is None else self._decoder.name

    def feed(self, data: bytes | bytearray | memoryview) -> list[RentedNumber]:
        """Take in the next bytes of the body and return the records that they complete.

        Raises:
            RecordError: a record is wrong; the index counts from the start of the body.
            LimitError: the body or a record is larger than a limit allows.
            UnknownFormatError: the body is neither JSON nor XML.
            APIError: the service refused the request.
            DecodeError: anything else that the rules do not allow.
        """
        records: list[RentedNumber] = []
        data = memoryview(data)
        for batch in self.batches(data):
            records += batch
        return records

    def batches(self, data: bytes | bytearray | memoryview) -> Iterator[list[RentedNumber]]:
        """Take in the next bytes like ``feed``, but yield each slice's records at once.

        What was complete before an error is then not lost with it.
        """
        self._require_open()
        data = memoryview(data)
        for start in range(0, len(data), _PART):
            part = data[start : start + _PART]
            room = self._limits.body - self._size
            self._buffer += part[:room]
            self._size += len(part)
            while len(self._buffer) >= self._window:
                if records := self._guarded(self._advance):
                    yield records
            if len(part) > room:
                self._guarded(self._refuse_body)

    def close(self) -> list[RentedNumber]:
        """Say that the body is over, and return its last records.

        Raises:
            TruncatedError: the body stops before its end.
            CountMismatchError: there are not as many records as declared.
            APIError, DecodeError: as for ``feed``.
        """
        records = self.finish()
        self.verify()
        return records

    def finish(self) -> list[RentedNumber]:
        """Do the first half of ``close``: return the last records, without counting them."""
        self._require_open()
        return self._guarded(self._finish)

    def verify(self) -> None:
        """Do the second half of ``close``: compare the count with the records (rule R8)."""
        self._guarded(self._verify)

    def _guarded(self, step: Callable[[], T]) -> T:
        """Run a step; a failure carries the HTTP status, and every later step repeats it."""
        if self._failure is None:
            try:
                return step()
            except SMSPartnerError as error:
                error.http_status = self._http_status
                self._failure = error
                self._buffer.clear()
        raise bare(self._failure)

    def _advance(self) -> list[RentedNumber]:
        """Do the next thing that a full window allows."""
        if self._decoder is None:
            self._open()
        elif self._hole is None:
            self._refuse_size()
        else:
            return self._slice(self._hole)
        return []

    def _choose(self, start: bytes) -> Decoder:
        return decoder_for(start, format_name=self._format, media_type=self._media_type)

    def _open(self) -> None:
        """Look for the hole in the first window; a body without one is read in one piece."""
        window = bytes(memoryview(self._buffer)[: self._window])
        if is_blank(window) and self._window <= self._limits.document:
            self._window *= 2
            return
        self._decoder = self._choose(window)
        self._hole = self._decoder.find_hole(bytes(self._buffer[:WINDOW]), self._limits)
        if self._hole is None:
            self._window = self._limits.document + 1
            return
        self.declared = self._hole.declared
        self._drop(len(self._hole.head))

    def _slice(self, hole: Hole) -> list[RentedNumber]:
        """Decode the records in the window; one that ends in no record asks for a larger one."""
        window = bytes(memoryview(self._buffer)[: self._window])
        cut = hole.cut(window)
        records = self._decode(hole, window, cut)
        if records is None:
            cut = hole.walk(window)
            records = self._decode(hole, window, cut)
        if records is None or cut is None:
            self._grow(hole, window)
            return []
        self._drop(cut.start)
        self._untouched = False
        self.found += len(records)
        return records

    def _decode(self, hole: Hole, window: bytes, cut: Cut | None) -> list[RentedNumber] | None:
        if cut is None:
            return None
        with counting_from(self.found):
            return hole.decode(window[: cut.end])

    def _drop(self, size: int) -> None:
        del self._buffer[:size]
        self._window = min(WINDOW, self._limits.record)

    def _grow(self, hole: Hole, window: bytes) -> None:
        """Ask for a window twice as large, up to the limit of one record."""
        limit = self._limits.record
        if len(window) < limit:
            self._window = min(2 * len(window), limit)
            return
        try:
            with counting_from(self.found):
                hole.explain(window)
        except TruncatedError:
            pass
        raise LimitError(
            f"record {self.found}, or what follows the last record, is larger than the limit of "
            f"{limit} bytes (Limits.record)"
        )

    def _refuse_body(self) -> NoReturn:
        raise LimitError(
            f"the body is larger than the limit of {self._limits.body} bytes (Limits.body)"
        )

    def _refuse_size(self) -> NoReturn:
        raise LimitError(
            f"this body cannot be read in slices, and is larger than the limit of "
            f"{self._limits.document} bytes for a body read in one piece (Limits.document)"
        )

    def _require_open(self) -> None:
        if self._failure is not None:
            raise bare(self._failure)
        if self._closed:
            raise DecodeError("the reader was closed: a new body needs a new reader")

    def _finish(self) -> list[RentedNumber]:
        self._closed = True
        if self._decoder is None:
            self._decoder = self._choose(bytes(self._buffer))
        rest = bytes(self._buffer)
        self._buffer.clear()
        if self._hole is not None:
            with counting_from(self.found):
                answer = self._hole.finish(rest, untouched=self._untouched)
        elif len(rest) > self._limits.document:
            self._refuse_size()
        else:
            answer = self._decoder.decode(rest, RentalAnswer, self._limits)
        self.declared = answer.phone_numbers
        records = answer.records
        self.found += len(records)
        return records

    def _verify(self) -> None:
        if self.declared is not None and self.declared != self.found:
            raise CountMismatchError(self.declared, self.found)


def decode(
    body: bytes | bytearray | memoryview,
    format: str | None = None,  # noqa: A002 - the word users know from _format=
    *,
    limits: Limits = DEFAULT_LIMITS,
) -> Rental:
    """Return the numbers of a body that is at hand as a whole.

    Args:
        body: the bytes the service sent, JSON or XML.
        format: "json", "xml" or the name of a registered decoder; None looks at the body.
        limits: bounds on what the body may cost.

    Raises:
        APIError: the body is a refusal of the service (rule R4).
        DecodeError: the body is not as the rules say; its subclasses say in which way.
        ConfigurationError: no decoder has the name ``format``.

    >>> decode(b'{"success":true,"phoneNumbers":1,"datas":'
    ...        b'[{"id":7,"phone":"+33639980042","stopSms":false}]}').numbers
    (RentedNumber(id=7, phone='+33 6 •• •• •• 42', stop_sms=False),)
    """
    # Only views are kept in variables here and below: an error report may show variables.
    body = memoryview(body)
    reader = ResponseReader(format, limits=limits)
    records = reader.feed(body)
    records += reader.close()
    return Rental(tuple(records), reader.declared)


def decode_answer(
    body: bytes,
    answer: type[A],
    *,
    media_type: str | None = None,
    http_status: int | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> A:
    """Return the body of any endpoint as the struct that declares its answer.

    Args:
        body: the bytes the service sent, whole.
        answer: the struct.
        media_type: the Content-Type of the answer, where it is known.
        http_status: the HTTP status of the answer; every error then carries it.
        limits: bounds on what the body may cost.

    Raises:
        APIError: the body is a refusal of the service (rule R4).
        DecodeError: the body is not what the struct declares.
    """
    try:
        return decoder_for(body, media_type=media_type).decode(body, answer, limits)
    except SMSPartnerError as error:
        error.http_status = http_status
        failure = error
    del body  # as everywhere here
    raise bare(failure)


def iter_decode(
    chunks: Iterable[bytes],
    format: str | None = None,  # noqa: A002 - the word users know from _format=
    *,
    limits: Limits = DEFAULT_LIMITS,
) -> Iterator[RentedNumber]:
    """Yield the numbers of a body that comes in pieces of any size, with flat memory.

    Every record of the body is yielded before an error about its end is raised, so a count that
    does not match is known last (rule R8).

    Args:
        chunks: the pieces of the body.
        format: "json", "xml" or the name of a registered decoder; None looks at the body.
        limits: bounds on what the body may cost.

    Raises:
        APIError, DecodeError, ConfigurationError: as for ``decode``, while iterating.
    """
    batches = iter_batches(ResponseReader(format, limits=limits), chunks)
    del chunks
    for batch in batches:
        yield from batch


def iter_batches(reader: ResponseReader, chunks: Iterable[bytes]) -> Iterator[list[RentedNumber]]:
    """Yield lists of records as ``reader`` completes them, then check the end of the body."""
    views = _views(chunks)
    del chunks
    for view in views:
        yield from reader.batches(view)
    if records := reader.finish():
        yield records
    reader.verify()


def _views(chunks: Iterable[bytes]) -> Iterator[memoryview]:
    for chunk in chunks:
        yield memoryview(chunk)
