"""The reader: bytes in, batches of records out, with flat memory; it does no input or output.

The reader stores what it is fed and answers from what is there. It cuts long bodies into slices,
counts records, and insists that the body ends. Every decision depends on the bytes alone, never
on how they were cut on their way in (rule R12).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NoReturn, TypeVar

from smspartner.decoders import Decoder, decoder_named
from smspartner.decoders.detect import WHITE, decoder_for, is_blank
from smspartner.decoders.limits import DEFAULT_LIMITS, KIB, Limits
from smspartner.decoders.slices import Hole, Slicer, counting_from
from smspartner.errors import (
    ConfigurationError,
    CountMismatchError,
    DecodeError,
    LimitError,
    SMSPartnerError,
    TruncatedError,
    boundary,
)
from smspartner.models.envelope import ListAnswer, RentalAnswer
from smspartner.models.number import RentedNumber

#: How many bytes of records are decoded at once.
WINDOW: Final = 64 * KIB

# A large piece is taken in by parts of this size, so that it is never copied whole.
_PART: Final = 256 * KIB

_NO_BYTES: Final = (
    "a body is read from its bytes, not from {}: give what a file opened with 'rb' or "
    "Path('body.xml').read_bytes() returns, or text.encode(); chunks go to iter_decode"
)

T = TypeVar("T")


class ResponseReader:
    """Reads one body of the rental endpoint, or of another that answers a list, piece by piece.

    Args:
        format: "json", "xml" or the name of a registered decoder; None looks at the body.
        media_type: the Content-Type of the answer, where it is known.
        http_status: the HTTP status of the answer; every error then carries it.
        limits: bounds on what the body may cost.
        answer: the struct that declares what is read.

    Attributes:
        answer: the answer once the body is over, with the last of its records, None before.
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
        answer: type[ListAnswer] = RentalAnswer,
    ) -> None:
        if format is not None:
            decoder_named(format)
        self.answer: ListAnswer | None = None
        self._kind = answer
        self.declared: int | None = None
        self.found: int = 0
        self._format = format
        self._media_type = media_type
        self._http_status = http_status
        self._limits = limits
        self._decoder: Decoder | None = None
        self._hole: Hole | None = None
        self._slicer = Slicer(WINDOW, WINDOW)
        self._size = 0
        self._untouched = True
        self._closed = False
        self._failure: SMSPartnerError | None = None

    @property
    def format(self) -> str | None:
        """The name of the decoder that reads this body, None before it is known."""
        return None if self._decoder is None else self._decoder.name

    @boundary
    def feed(self, data: bytes | bytearray | memoryview) -> list[RentedNumber]:
        """Take in the next bytes of the body and return the records that they complete.

        Raises:
            RecordError: a record is wrong; the index counts from the start of the body.
            LimitError: the body or a record is larger than a limit allows.
            UnknownFormatError: the body is neither JSON nor XML.
            APIError: the service refused the request.
            DecodeError: anything else that the reading rules do not allow.
            ConfigurationError: ``data`` is not bytes.
        """
        records: list[RentedNumber] = []
        for batch in self.batches(data):
            records += batch
        return records

    def batches(self, data: bytes | bytearray | memoryview) -> Iterator[list[RentedNumber]]:
        """Take in the next bytes like ``feed``, but yield each slice's records at once.

        What was complete before an error is then not lost with it.
        """
        self._require_open()
        view = data if isinstance(data, bytes) and len(data) <= _PART else bytes_of(data)
        for start in range(0, len(view), _PART):
            part = view[start : start + _PART]
            room = self._limits.body - self._size
            self._slicer.buffer += part[:room]
            self._size += len(part)
            while self._slicer.is_full:
                if records := self._guarded(self._advance):
                    yield records
            if len(part) > room:
                self._guarded(self._refuse_body)

    @boundary
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

    @boundary
    def finish(self) -> list[RentedNumber]:
        """Do the first half of ``close``: return the last records, without counting them."""
        self._require_open()
        return self._guarded(self._finish)

    @boundary
    def verify(self) -> None:
        """Do the second half of ``close``: compare the count with the records (rule R8)."""
        self._guarded(self._verify)

    def _guarded(self, step: Callable[[], T]) -> T:
        """Run a step; a failure carries the HTTP status, and every later step repeats it."""
        if self._failure is not None:
            raise self._failure
        try:
            return step()
        except SMSPartnerError as error:
            error.http_status = self._http_status
            self._failure = error
            self._slicer.buffer.clear()
            raise

    def _advance(self) -> list[RentedNumber] | None:
        """Do the next thing that a full window allows."""
        if self._decoder is None:
            self._open()
        elif self._hole is None:
            self._refuse_size()
        else:
            return self._slice(self._hole)
        return None

    def _choose(self, start: bytes) -> Decoder:
        return decoder_for(start, format_name=self._format, media_type=self._media_type)

    def _open(self) -> None:
        """Look for the hole in the first window; a body without one is read in one piece."""
        slicer, window = self._slicer, self._slicer.window
        if is_blank(window) and slicer.size <= self._limits.document:
            slicer.size *= 2
            return
        self._decoder = self._choose(window)
        blank = len(window) - len(window.lstrip(WHITE))
        if blank:
            del slicer.buffer[:blank]
            window = bytes(slicer.buffer[:WINDOW])
        self._hole = self._find_hole(self._decoder, window)
        if self._hole is None:
            slicer.size = self._limits.document + 1
            return
        self.declared = self._hole.declared
        del slicer.buffer[: len(self._hole.head)]
        self._slicer = Slicer(WINDOW, self._limits.record, slicer.buffer)

    def _find_hole(self, decoder: Decoder, window: bytes) -> Hole | None:
        if self._kind is RentalAnswer:
            return decoder.find_hole(window, self._limits)
        find = getattr(decoder, "find_list", None)
        return find(window, self._kind, self._limits) if find else None

    def _slice(self, hole: Hole) -> list[RentedNumber] | None:
        """Decode the records in the window; one that ends in no record asks for a larger one."""
        try:
            with counting_from(self.found):
                records = self._slicer.take((hole.guess, hole.walk), hole.decode)
        except OverflowError:
            self._refuse_record(hole)
        if records is not None:
            self._untouched = False
            self.found += len(records)
        return records

    def _refuse_record(self, hole: Hole) -> NoReturn:
        try:
            with counting_from(self.found):
                hole.explain(self._slicer.window)
        except TruncatedError:
            pass
        raise LimitError(
            f"record {self.found}, or what follows the last record, is larger than the limit of "
            f"{self._limits.record} bytes (Limits.record)"
        )

    def _refuse_body(self) -> NoReturn:
        raise LimitError(
            f"the body is larger than the limit of {self._limits.body} bytes (Limits.body)"
        )

    def _refuse_size(self) -> NoReturn:
        raise LimitError(too_large(self._limits))

    def _require_open(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._closed:
            raise DecodeError("the reader was closed: a new body needs a new reader")

    def _finish(self) -> list[RentedNumber]:
        self._closed = True
        rest = self._slicer.rest()
        if self._decoder is None:
            self._decoder = self._choose(rest)
        if self._hole is not None:
            with counting_from(self.found):
                answer = self._hole.finish(rest, untouched=self._untouched)
        elif len(rest) > self._limits.document:
            self._refuse_size()
        else:
            answer = self._decoder.decode(rest, self._kind, self._limits)
        self.answer, self.declared = answer, answer.declared
        records: list[RentedNumber] = answer.records
        self.found += len(records)
        return records

    def _verify(self) -> None:
        if self.declared is not None and self.declared != self.found:
            raise CountMismatchError(self.declared, self.found)


def iter_batches(reader: ResponseReader, chunks: Iterable[bytes]) -> Iterator[list[RentedNumber]]:
    """Yield lists of records as ``reader`` completes them, then check the end of the body."""
    for chunk in chunks:
        yield from reader.batches(chunk)
    if records := reader.finish():
        yield records
    reader.verify()


def bytes_of(data: bytes | bytearray | memoryview) -> memoryview:
    """Return a view that counts bytes, whatever the items and the layout of ``data``.

    Raises:
        ConfigurationError: there are no bytes in it.
    """
    try:
        view = memoryview(data)
    except TypeError:
        raise ConfigurationError(_NO_BYTES.format(type(data).__name__)) from None
    if view.format == "B" and view.ndim == 1 and view.contiguous:
        return view
    return memoryview(view.tobytes())


def too_large(limits: Limits) -> str:
    """Return the message for a document above ``limits.document``."""
    return (
        "this body cannot be read in slices, and is larger than the limit of "
        f"{limits.document} bytes for a body read in one piece (Limits.document)"
    )
