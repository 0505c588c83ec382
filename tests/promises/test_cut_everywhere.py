"""However an answer is cut, no success ever differs from the whole; over real sockets.

Small rentals are cut at every byte, large ones around every place where something begins or ends:
slices of the reader, blocks of the sandbox, records, the end. The rentals declare no count, so that
nothing but the end of the body itself tells that it is whole.

What HTTP adds to a body (its head, the sizes of chunks) : ``transport/test_failures.py``;
bodies of other shapes, without a network: ``test_truncation.py``.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Final

import pytest

from smspartner import (
    Client,
    DownloadLostError,
    RentedNumber,
    Sandbox,
    SMSPartnerError,
    TruncatedError,
    UnknownFormatError,
    decode,
)
from smspartner.decoders.reader import WINDOW
from smspartner.files.raw_body import RawBody
from smspartner.sandbox import render
from smspartner.sandbox.bodies import BLOCK
from smspartner.sandbox.gzipped import compressed

SANDBOX: Final = {"declared": "absent"}

SMALL: Final = 5
LARGE: Final = 3_000

# Under the other framings HTTP itself notices a cut.
under_each_framing = pytest.mark.parametrize(
    "framing",
    [*(pytest.param(each, marks=pytest.mark.slow) for each in ("length", "chunked")), "close"],
)


@pytest.fixture(
    params=["json", "xml, pretty", pytest.param("xml, on one line", marks=pytest.mark.slow)]
)
def form(request: pytest.FixtureRequest, sandbox: Sandbox) -> str:
    """Return the format to ask for; the sandbox writes it in one of the service's styles."""
    name, _, style = str(request.param).partition(", ")
    sandbox.pretty = style != "on one line"
    return name


def whole(sandbox: Sandbox, count: int, form: str) -> bytes:
    return b"".join(render(count, form, pretty=sandbox.pretty, declared="absent"))


def client(sandbox: Sandbox) -> Client:
    return Client(sandbox.api_key, base_url=sandbox.url, retries=0)


def expected_error(place: int, framing: str) -> type[SMSPartnerError]:
    """Return the error for a cut: of a body without a byte nothing can be said to be missing."""
    if place:
        return TruncatedError
    return UnknownFormatError if framing == "close" else DownloadLostError


def cut(count: int, place: int, framing: str) -> str:
    return f"n-{count}.fault-cut.at-{place}.framing-{framing}"


@under_each_framing
def test_no_byte_of_a_small_answer_can_be_missing(
    sandbox: Sandbox, form: str, framing: str
) -> None:
    body = whole(sandbox, SMALL, form)
    everything = tuple(sandbox.expected(f"n-{SMALL}"))
    assert decode(body).numbers == everything
    with client(sandbox) as service:
        for place in range(len(body)):
            if place >= len(body.rstrip()) and framing == "close":
                # Only the line break behind the document is missing, and nobody can know.
                found = service.download(cut(SMALL, place, framing), format=form)
                assert found.numbers == everything
                continue
            with pytest.raises(expected_error(place, framing)):
                service.download(cut(SMALL, place, framing), format=form)


def test_no_byte_of_a_compressed_answer_can_be_missing(sandbox: Sandbox, form: str) -> None:
    pieces = render(SMALL, form, pretty=sandbox.pretty, declared="absent")
    length = len(b"".join(compressed(pieces)))
    with client(sandbox) as service:
        for place in range(length):
            token = f"n-{SMALL}.fault-gzip-cut.at-{place}"
            with pytest.raises(TruncatedError if place else DownloadLostError):
                service.download(token, format=form)
        whole = service.download(f"n-{SMALL}.fault-gzip-cut.at-{length}", format=form)
    assert whole.numbers == tuple(sandbox.expected(f"n-{SMALL}"))


@under_each_framing
def test_no_byte_of_a_streamed_answer_can_be_missing(
    sandbox: Sandbox, tmp_path: Path, form: str, framing: str
) -> None:
    body = whole(sandbox, LARGE, form)
    everything = list(sandbox.expected(f"n-{LARGE}"))
    with client(sandbox) as service:
        for place in places(body, form):
            token, path = cut(LARGE, place, framing), tmp_path / str(place)
            found: list[RentedNumber] = []
            with (
                pytest.raises(TruncatedError),
                RawBody(path) as raw,
                service.stream(token, format=form, raw=raw) as stream,
            ):
                found.extend(stream)
            assert found == everything[: len(found)]
            kept = tmp_path / f"{place}.incomplete"
            assert list(tmp_path.iterdir()) == [kept]
            assert kept.read_bytes() == body[:place]
            kept.unlink()


def test_a_count_that_fits_what_came_does_not_make_it_whole(sandbox: Sandbox, form: str) -> None:
    body = b"".join(render(LARGE, form, pretty=sandbox.pretty, declared=BLOCK))
    end = end_of_record(body, form, BLOCK)
    with client(sandbox) as service:
        for place in range(end - 3, end + 12):
            token = f"{cut(LARGE, place, 'close')}.declared-{BLOCK}"
            with pytest.raises(TruncatedError):
                service.download(token, format=form)


def places(body: bytes, form: str) -> list[int]:
    """Return where a cut is most likely to look like an end, and some places by chance."""
    end, head = len(body.rstrip()), end_of_record(body, form, 1)
    borders = [
        *range(WINDOW, end, WINDOW),
        *range(head + WINDOW, end, WINDOW),
        *(end_of_record(body, form, number) for number in (1, BLOCK, LARGE)),
    ]
    found = {border + shift for border in borders for shift in range(-2, 3)}
    found.update(range(end - 12, end), random.Random(end).choices(range(1, end), k=10))
    return sorted(place for place in found if place < end)


def end_of_record(body: bytes, form: str, number: int) -> int:
    """Return the place behind a record, counted from 1."""
    mark = b"}" if form == "json" else b"e</entry>"
    place = 0
    for _ in range(number + (form == "xml")):  # the flag of success ends like a record
        place = body.index(mark, place) + len(mark)
    return body.find(b"</entry>", place) + len(b"</entry>") if form == "xml" else place
