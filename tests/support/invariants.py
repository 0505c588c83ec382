"""What holds for any bytes at all: the promises that every fuzz test checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from unittest.mock import patch

import oracle_json
import oracle_xml
from cases import Outcome, cut_at_random, numbers_of, read_fed

from smspartner import APIError, LimitError, SMSPartnerError, UnsafeXMLError
from smspartner.decoders import reader
from smspartner.models.rental import Rental

_ENGINES: Final[dict[str, Callable[[bytes], Outcome]]] = {
    "json": oracle_json.read,
    "xml": oracle_xml.read,
}
_TINY: Final = (64, 100, 150, 200, 333)

Result = Rental | SMSPartnerError


def check(body: bytes, format_: str, seed: int = 0) -> Result:
    """Check every invariant for a body, and return what reading it gives.

    - Only errors of this library come out (rule R9): any other exception passes and is a bug.
    - Where the bytes are cut never changes what comes out, to the last word (rule R12).
    - Slices never change the records; nothing is read in slices that is refused as a whole.
    - A body is a success exactly where an independent reader says so, with the same records.
    """
    whole = read([body], format_)
    cut = read(cut_at_random(body, seed), format_)
    with window(_TINY[seed % len(_TINY)]):
        sliced = read([body], format_)
        sliced_cut = read(cut_at_random(body, seed + 1), format_)

    assert said(cut) == said(whole)
    assert said(sliced_cut) == said(sliced)
    assert_agree(sliced, whole)
    assert_second_engine_agrees(body, format_, whole)
    return whole


def read(chunks: Iterable[bytes], format_: str | None) -> Result:
    """Return a rental or the error that refuses it."""
    try:
        return read_fed(chunks, format_)
    except SMSPartnerError as error:
        return error


def said(result: Result) -> Any:
    """Return a result in a form in which two of them are equal only if they are the same."""
    return result if isinstance(result, Rental) else (type(result), result.args)


@contextmanager
def window(size: int) -> Iterator[None]:
    """Decode slices of this size for a while."""
    with patch.object(reader, "WINDOW", size):
        yield


def assert_agree(sliced: Result, whole: Result) -> None:
    """Check that slices give the same, apart from two things that are as they should be.

    - A body that gives its numbers twice is refused once the first of them were handed out.
    - A wrong record comes before a success flag further on that says no.
    """
    if isinstance(whole, Rental):
        assert sliced == whole or "numbers twice" in str(sliced)
    else:
        assert isinstance(sliced, SMSPartnerError)
        assert not isinstance(sliced, APIError) or said(sliced) == said(whole)


def assert_second_engine_agrees(body: bytes, format_: str, whole: Result) -> None:
    """Check that an independent reader sees the same success, or none either.

    Where a key comes twice, the last wins; that the first must be right too is no harm.
    """
    if isinstance(whole, LimitError | UnsafeXMLError):
        return  # it knows neither limits nor policy
    if "the parser does not take it" in str(whole):
        return  # well-formed, but for libxml2
    try:
        expected: Outcome | None = _ENGINES[format_](body)
    except oracle_xml.RefusedError:
        expected = None
    if isinstance(whole, Rental):
        assert {"declared": whole.declared, "numbers": numbers_of(whole)} == expected
    else:
        assert expected is None or (format_ == "json" and oracle_json.has_doubles(body))
