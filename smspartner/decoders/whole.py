"""Bodies that are at hand, or come from an iterator: the reader behind one call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import cast

from smspartner.decoders import reader
from smspartner.decoders.detect import decoder_for
from smspartner.decoders.limits import DEFAULT_LIMITS, Limits
from smspartner.decoders.reader import ResponseReader, bytes_of, iter_batches, too_large
from smspartner.errors import CountMismatchError, LimitError, SMSPartnerError, boundary
from smspartner.models.envelope import A, L, RentalAnswer
from smspartner.models.number import RentedNumber
from smspartner.models.rental import Rental


@boundary
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
        DecodeError: the body breaks a reading rule; its subclasses say in which way.
        ConfigurationError: no decoder has the name ``format``.

    >>> decode(b'{"success":true,"phoneNumbers":1,"datas":'
    ...        b'[{"id":7,"phone":"+33639980042","stopSms":false}]}').numbers
    (RentedNumber(id=7, phone='+33 6 •• •• •• 42', stop_sms=False),)
    """
    view = body if isinstance(body, bytes) else bytes_of(body)
    size = len(view)
    if size < reader.WINDOW and size <= limits.document and size <= limits.body:
        # What a reader does with a body that fills no window.
        document = bytes(view)
        answer = decoder_for(document, format_name=format).decode(document, RentalAnswer, limits)
        numbers, declared = tuple(answer.records), answer.phone_numbers
        if declared is not None and declared != len(numbers):
            raise CountMismatchError(declared, len(numbers))
        return Rental(numbers, declared)
    pieces = ResponseReader(format, limits=limits)
    records = pieces.feed(view)
    records += pieces.close()
    return Rental(tuple(records), pieces.declared)


@boundary
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
        if len(body) > limits.document:
            raise LimitError(too_large(limits))
        return decoder_for(body, media_type=media_type).decode(body, answer, limits)
    except SMSPartnerError as error:
        error.http_status = http_status
        raise


@boundary
def decode_list(
    chunks: Iterable[bytes],
    answer: type[L],
    *,
    media_type: str | None = None,
    http_status: int | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> L:
    """Return a body that comes in pieces as the struct that declares it, read in slices.

    What it takes in memory is its records, and no more.

    Args:
        chunks: the pieces of the body.
        answer: the struct.
        media_type: as for ``decode_answer``.
        http_status: as for ``decode_answer``.
        limits: as for ``decode_answer``.

    Raises:
        CountMismatchError: there are not as many records as declared.
        APIError, DecodeError: as for ``decode_answer``.
    """
    pieces = ResponseReader(
        media_type=media_type, http_status=http_status, limits=limits, answer=answer
    )
    records = [record for batch in iter_batches(pieces, chunks) for record in batch]
    found = cast("L", pieces.answer)
    return found.with_records(records) if records else found  # no list is not an empty one


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
    del chunks  # a list of them would show the body in the frame that an error passes
    step = boundary(partial(next, batches, None))
    while (batch := step()) is not None:
        yield from batch
