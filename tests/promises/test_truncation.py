"""Rule R8: a body that stops early is an error, whatever the transport said about its length."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import pytest
from bodies import STYLES, Style, people, render, rental
from cases import SMALL, Case, SetWindow, corpus, cut_at_random, in_pieces, numbers_of, read_fed

from smspartner import RentedNumber, TruncatedError, UnknownFormatError, decode, iter_decode

#: Where a cut is most likely to look like an end.
_EDGES: Final = re.compile(rb"[<>{}\[\],\"]|\]\]>|true|false")


def distinct(*, small: bool) -> list[Case]:
    """Return the successes of the corpus, one for each body: the two settings share most."""
    found = {case.body: case for case in reversed(corpus()) if case.is_success}
    return [case for body, case in found.items() if (len(body) <= SMALL) is small]


def places(body: bytes, step: int) -> Iterator[int]:
    """Yield places to cut a large body: each byte near 30 edges, and one in each ``step``."""
    edges = [found.start() for found in _EDGES.finditer(body)]
    for edge in edges[:: max(1, len(edges) // 30)] + edges[-8:]:
        yield from range(max(0, edge - 3), min(edge + 4, len(body)))
    yield from range(0, len(body), step)
    yield from range(len(body) - 40, len(body))


@pytest.mark.parametrize("window", [150, pytest.param(65536, marks=pytest.mark.slow)])
@pytest.mark.parametrize("case", distinct(small=True), ids=str)
def test_no_byte_of_a_small_body_can_be_missing(
    case: Case, window: int, set_window: SetWindow
) -> None:
    set_window(window)
    body = case.body

    assert_never_shorter(body, range(len(body)))


@pytest.mark.parametrize("window", [400, 65536])
@pytest.mark.parametrize("case", distinct(small=False), ids=str)
def test_no_byte_of_a_thousand_numbers_can_be_missing(
    case: Case, window: int, set_window: SetWindow
) -> None:
    set_window(window)
    body = case.body

    assert_never_shorter(body, places(body, step=len(body) // 25))


@pytest.mark.parametrize("style", STYLES, ids=str)
@pytest.mark.parametrize("format_", ["json", "xml"])
@pytest.mark.parametrize("keyed", [False, True], ids=["array", "object"])
def test_no_byte_of_a_streamed_body_can_be_missing(
    format_: str, style: Style, *, keyed: bool
) -> None:
    body = render(rental(people(4000), keyed=keyed), format_, style)
    assert len(body) > 3 * 65536

    near_slices = [
        place + shift for place in range(65536, len(body), 65536) for shift in (-1, 0, 1)
    ]
    assert_never_shorter(body, [*near_slices, *range(0, len(body), 23456), len(body.rstrip()) - 1])


@pytest.mark.parametrize("count", [None, 0, 1500], ids=["no count", "count 0", "right count"])
@pytest.mark.parametrize("format_", ["json", "xml"])
def test_a_cut_is_found_even_where_the_count_does_not_tell(format_: str, count: int | None) -> None:
    records = people(3000)
    body = render(rental(records, count=count), format_, Style())
    # With 1500 declared, a body cut behind record 1500 has exactly as many.
    end = body.index(str(records[1500]["id"]).encode())

    with pytest.raises(TruncatedError):
        decode(body[:end])


@pytest.mark.parametrize("format_", ["json", "xml"])
def test_what_came_before_the_cut_is_handed_out_before_the_error(format_: str) -> None:
    body = render(rental(people(3000)), format_, Style())
    whole = numbers_of(decode(body))
    got: list[RentedNumber] = []

    with pytest.raises(TruncatedError):
        got.extend(iter_decode(in_pieces(body[:-20], 5000)))

    assert len(got) > 500
    assert numbers_of(got) == whole[: len(got)]


@pytest.mark.parametrize("size", [1, 1000, 100_000])
@pytest.mark.parametrize("format_", ["json", "xml"])
def test_white_space_behind_a_body_is_no_part_of_it(format_: str, size: int) -> None:
    for records in (people(2), people(2000)):
        body = render(rental(records), format_, Style()).rstrip()

        assert decode(body) == decode(body + b" \n\t\r" * (size // 4 + 1))


def assert_never_shorter(body: bytes, cuts: range | list[int] | Iterator[int]) -> None:
    """Check that every cut is an error, or the whole where only white space is missing."""
    whole = decode(body)
    end = len(body.rstrip())
    for place in sorted(set(cuts)):
        chunks = [body[:place]] if place % 4 else cut_at_random(body[:place], seed=place)
        if place >= end:
            assert read_fed(chunks) == whole
            continue
        # Nothing at all has no format (rule R2).
        with pytest.raises(TruncatedError if place else UnknownFormatError):
            read_fed(chunks)
