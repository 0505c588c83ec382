"""What ResponseReader promises about pieces, slices, memory, and the end of a body."""

from __future__ import annotations

import codecs
import gc
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from bodies import STYLES, Style, people, render, rental, values_of
from cases import (
    FORMATS,
    SetWindow,
    cut_at_random,
    in_pieces,
    numbers_of,
    outcome_of,
    read_fed,
)

from smspartner import (
    ConfigurationError,
    DecodeError,
    LimitError,
    Limits,
    Rental,
    RentedNumber,
    ResponseReader,
    SMSPartnerError,
    TruncatedError,
    UnknownFormatError,
    decode,
    iter_decode,
)
from smspartner.decoders.reader import WINDOW, iter_batches

every_format = pytest.mark.parametrize("format_", FORMATS)
PLAIN: Final = Style()


# Streaming


@every_format
@pytest.mark.parametrize("style", STYLES, ids=str)
@pytest.mark.parametrize("keyed", [False, True], ids=["array", "object"])
def test_a_large_body_is_read_the_same_at_any_chunking(
    format_: str, style: Style, *, keyed: bool
) -> None:
    records = people(5000)
    body = render(rental(records, keyed=keyed), format_, style)
    expected = {"declared": 5000, "numbers": values_of(records)}
    assert len(body) > 3 * WINDOW

    for chunks in (
        [body],
        in_pieces(body, 65536),
        in_pieces(body, 65537),
        in_pieces(body, 1000),
        cut_at_random(body, seed=1),
        cut_at_random(body, seed=2),
    ):
        assert outcome_of(read_fed, chunks) == expected


@every_format
def test_a_large_body_is_read_the_same_byte_by_byte(format_: str) -> None:
    records = people(2500)
    body = render(rental(records), format_, Style(pretty=False))
    assert len(body) > 2 * WINDOW

    assert numbers_of(read_fed(in_pieces(body, 1))) == values_of(records)


@every_format
def test_batches_come_at_the_same_places_however_the_body_is_cut(format_: str) -> None:
    body = render(rental(people(5000)), format_, PLAIN)

    sizes = {
        tuple(len(batch) for batch in iter_batches(ResponseReader(), in_pieces(body, size)))
        for size in (100, 4096, 65536, 70_001, len(body))
    }

    assert len(sizes) == 1


@every_format
def test_the_first_records_come_with_the_first_window(format_: str) -> None:
    body = render(rental(people(5000)), format_, PLAIN)
    reader = ResponseReader()
    states = [(reader.format, reader.declared, reader.found)]

    records = reader.feed(body[: WINDOW + 200])
    states.append((reader.format, reader.declared, reader.found))

    assert states == [(None, None, 0), (format_, 5000, len(records))]
    assert len(records) > 300


@every_format
def test_bodies_of_a_few_hundred_bytes_are_sliced_under_a_tiny_window(
    format_: str, set_window: SetWindow
) -> None:
    set_window(200)
    reader = ResponseReader()

    early = reader.feed(render(rental(people(20)), format_, Style(pretty=False)))

    assert 0 < len(early) < 20
    assert len(early) + len(reader.close()) == 20


@every_format
def test_what_is_held_is_bounded_by_the_window(format_: str) -> None:
    body = render(rental(people(40_000)), format_, PLAIN)
    reader = ResponseReader()
    held = 0

    for chunk in in_pieces(body, 10_000):
        reader.feed(chunk)
        held = max(held, len(reader._slicer.buffer))

    assert len(body) > 20 * held
    assert held < WINDOW + 10_000


@every_format
def test_memory_is_flat_in_the_length_of_the_body(format_: str) -> None:
    def peak(count: int) -> int:
        chunks = in_pieces(render(rental(people(count)), format_, PLAIN), 65536)
        gc.collect()
        tracemalloc.start()
        assert sum(len(batch) for batch in iter_batches(ResponseReader(), chunks)) == count
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return held

    peak(4000)
    assert peak(40_000) < 1.5 * peak(4000)


@every_format
def test_one_huge_piece_is_not_copied_whole(format_: str) -> None:
    body = render(rental(people(40_000)), format_, PLAIN)
    reader = ResponseReader()
    tracemalloc.start()

    for _ in reader.batches(body):
        pass

    assert tracemalloc.get_traced_memory()[1] < len(body) / 2
    tracemalloc.stop()


@every_format
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_kind_of_bytes_can_be_fed(format_: str, kind: type) -> None:
    records = people(2000)
    body = render(rental(records), format_, PLAIN)

    assert numbers_of(decode(kind(body))) == values_of(records)
    assert numbers_of(read_fed(kind(chunk) for chunk in in_pieces(body, 9999))) == values_of(
        records
    )


@every_format
@pytest.mark.parametrize("amount", [3, 3000])
def test_a_view_of_any_layout_counts_bytes(format_: str, amount: int) -> None:
    records = people(amount)
    body = render(rental(records), format_, PLAIN)
    body += b" " * (-len(body) % 8)
    doubled = bytes(byte for byte in body for _ in range(2))
    limits = Limits(body=len(body))

    for view in (
        memoryview(body).cast("Q"),
        memoryview(body).cast("B", (len(body) // 4, 4)),
        memoryview(body).cast("b"),
        memoryview(doubled)[::2],
    ):
        assert numbers_of(decode(view, limits=limits)) == values_of(records)
        assert numbers_of(read_fed([view], limits=limits)) == values_of(records)  # type: ignore[list-item] # any buffer
        with pytest.raises(LimitError, match=r"Limits\.body"):
            decode(view, limits=Limits(body=len(body) - 1))


@pytest.mark.parametrize("wrong", ["body.xml", '{"success":true}', Path("body.xml"), 7, None])
def test_what_is_not_bytes_is_refused_with_what_to_do(wrong: Any) -> None:
    reader = ResponseReader()
    for read in (decode, reader.feed, lambda body: list(iter_decode([body]))):
        with pytest.raises(ConfigurationError, match=r"not from \w+: give what .* returns"):
            read(wrong)
    with pytest.raises(ConfigurationError, match="chunks go to iter_decode"):
        list(iter_decode(b"{}"))  # type: ignore[arg-type] # a body is no iterable of chunks


@every_format
def test_a_buffer_can_be_used_again_after_feeding(format_: str) -> None:
    records = people(2000)
    body = render(rental(records), format_, PLAIN)
    buffer = bytearray(4096)
    reader = ResponseReader()
    got: list[RentedNumber] = []

    for chunk in in_pieces(body, 4096):
        buffer[: len(chunk)] = chunk
        got += reader.feed(memoryview(buffer)[: len(chunk)])
        buffer[:] = b"\xff" * 4096
    got += reader.close()

    assert numbers_of(got) == values_of(records)


def test_nothing_can_be_fed_at_any_time() -> None:
    body = render(rental(people(3)), "json", PLAIN)

    assert len(read_fed([b"", body[:10], b"", body[10:], b""])) == 3
    with pytest.raises(UnknownFormatError):
        read_fed([b"", b""])


# Ends


@every_format
def test_a_closed_reader_takes_no_more(format_: str) -> None:
    body = render(rental(people(3)), format_, PLAIN)
    reader = ResponseReader()
    reader.feed(body)
    assert len(reader.close()) == 3

    for more in (body, b""):
        with pytest.raises(DecodeError, match="closed"):
            reader.feed(more)
    with pytest.raises(DecodeError, match="closed"):
        reader.close()


@every_format
@pytest.mark.parametrize("amount", [3, 3000])
def test_a_failed_reader_never_succeeds_afterwards(format_: str, amount: int) -> None:
    records = people(amount)
    records[-1]["id"] = "x"
    body = render(rental(records), format_, PLAIN)
    reader = ResponseReader()

    failures = []
    for step in (lambda: reader.feed(body), reader.close, reader.close, reader.verify):
        try:
            step()
        except SMSPartnerError as error:
            failures.append(error)

    assert len(failures) >= 3
    assert {id(failure) for failure in failures} == {id(failures[0])}


@every_format
@pytest.mark.parametrize("amount", [3, 3000])
def test_closing_early_is_an_error_each_time(format_: str, amount: int) -> None:
    reader = ResponseReader()
    reader.feed(render(rental(people(amount)), format_, PLAIN)[:-9])

    for _ in range(2):
        with pytest.raises(TruncatedError):
            reader.close()


# The result


def test_a_rental_file_is_a_sequence_of_its_numbers() -> None:
    rental_file = decode(render(rental(people(3)), "xml", PLAIN))

    assert isinstance(rental_file, Rental)
    assert len(rental_file) == 3
    assert tuple(rental_file) == rental_file.numbers
    assert repr(rental_file) == "Rental(3 numbers, declared=3)"


def test_both_formats_give_equal_objects() -> None:
    answer = rental(people(2000))

    assert decode(render(answer, "json", PLAIN)) == decode(render(answer, "xml", PLAIN))


def test_a_file_can_be_read_from_disk_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "body.xml"
    path.write_bytes(render(rental(people(3000)), "xml", PLAIN))

    def chunks() -> Iterator[bytes]:
        with path.open("rb") as file:
            while chunk := file.read(8192):
                yield chunk

    assert len(list(iter_decode(chunks()))) == 3000


@pytest.mark.parametrize("size", [10, 70_000, 200_000])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_white_space_and_a_mark_in_front_are_no_body_yet(mark: bytes, size: int) -> None:
    body = mark + b" " * size + b'{"success":true,"phoneNumbers":0}'
    assert decode(body).declared == 0
    reader = ResponseReader()
    for start in range(0, len(body), 1000):
        reader.feed(body[start : start + 1000])
    assert reader.close() == []
