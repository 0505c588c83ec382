"""What stops a reader: another count, a refusal, a wrong record; and where it stops."""

from __future__ import annotations

from typing import Final

import pytest
from bodies import Style, people, render, rental, values_of
from cases import (
    FORMATS,
    SetWindow,
    in_pieces,
    numbers_of,
    read_fed,
)

from smspartner import (
    APIError,
    APIKeyInvalidError,
    CountMismatchError,
    DecodeError,
    RecordError,
    RentedNumber,
    ResponseReader,
    TruncatedError,
    decode,
    iter_decode,
)

every_format = pytest.mark.parametrize("format_", FORMATS)
PLAIN: Final = Style()


# The declared count (rule R8)


@every_format
@pytest.mark.parametrize("amount", [0, 1, 5, 3000])
def test_a_count_is_optional(format_: str, amount: int) -> None:
    body = render(rental(people(amount), count=None), format_, PLAIN)

    rental_file = decode(body)

    assert (rental_file.declared, len(rental_file)) == (None, amount)


@every_format
@pytest.mark.parametrize("amount", [2, 3000])
@pytest.mark.parametrize("off", [-1, 1, 10**12])
def test_another_count_is_an_error_after_the_last_record(
    format_: str, amount: int, off: int
) -> None:
    body = render(rental(people(amount), count=amount + off), format_, PLAIN)
    got: list[RentedNumber] = []

    with pytest.raises(CountMismatchError) as caught:
        got.extend(iter_decode(in_pieces(body, 1234)))

    assert (caught.value.declared, caught.value.found) == (amount + off, amount)
    assert len(got) == amount


def test_a_count_behind_the_records_is_read_too() -> None:
    text = render(rental(people(3000)), "json", PLAIN).replace(b'"phoneNumbers":3000,', b"")
    reader = ResponseReader()

    early = reader.feed(text[:-1] + b',"phoneNumbers":3000}')
    assert (bool(early), reader.declared) == (True, None)
    reader.close()

    assert (reader.declared, reader.found) == (3000, 3000)
    with pytest.raises(CountMismatchError):
        decode(text[:-1] + b',"phoneNumbers":2999}')


def test_the_last_of_two_counts_decides_in_json() -> None:
    body = render(rental(people(3000), count=7), "json", PLAIN)

    assert decode(body[:-1] + b',"phoneNumbers":3000}').declared == 3000


# Refusals (rule R4)


@every_format
def test_a_refusal_is_raised_at_the_end_of_the_body(format_: str) -> None:
    answer = {"success": False, "code": 10, "message": "Clé API incorrecte"}
    reader = ResponseReader(http_status=403)

    for chunk in in_pieces(render(answer, format_, PLAIN), 10):
        assert reader.feed(chunk) == []
    with pytest.raises(APIKeyInvalidError) as caught:
        reader.close()

    error = caught.value
    assert (error.code, error.message, error.http_status) == (10, "Clé API incorrecte", 403)
    assert str(error) == "Clé API incorrecte (code 10, HTTP 403)"


@every_format
@pytest.mark.parametrize("amount", [3, 3000])
def test_a_refusal_wins_over_numbers_that_come_along(format_: str, amount: int) -> None:
    answer = {**rental(people(amount)), "success": False}

    with pytest.raises(APIError):
        decode(render(answer, format_, PLAIN))


@pytest.mark.parametrize("amount", [3, 3000])
def test_a_flag_behind_the_records_is_read_too(amount: int) -> None:
    body = render(rental(people(amount)), "json", PLAIN)[:-1]

    with pytest.raises(APIError, match=r"non \(code 32\)"):
        decode(body + b',"success":false,"code":32,"message":"non"}')


# Records (rule R6)


@every_format
@pytest.mark.parametrize("place", [0, 699, 1500, 2999])
@pytest.mark.parametrize(
    ("field", "value"), [("id", "x"), ("phone", " "), ("stopSms", "on"), ("stopSms", None)]
)
@pytest.mark.parametrize("keyed", [False, True], ids=["array", "object"])
def test_an_error_names_the_record_counted_from_the_start_of_the_body(
    format_: str, place: int, field: str, value: object, *, keyed: bool
) -> None:
    records = people(3000)
    records[place][field] = value
    body = render(rental(records, keyed=keyed), format_, Style(nulls_kept=True))
    seen = []

    for size in (4096, len(body)):
        with pytest.raises(RecordError) as caught:
            read_fed(in_pieces(body, size))
        seen.append((caught.value.index, caught.value.field))

    assert seen == [(place, field)] * 2


@every_format
@pytest.mark.parametrize("place", [0, 4, 9])
@pytest.mark.parametrize("window", [100, 200, 333])
def test_an_error_names_the_record_under_any_window(
    format_: str, place: int, window: int, set_window: SetWindow
) -> None:
    set_window(window)
    records = people(10)
    del records[place]["phone"]
    body = render(rental(records), format_, Style(pretty=False))

    with pytest.raises(RecordError) as caught:
        read_fed(in_pieces(body, 50))

    # A missing entry moves the next one forward: XML finds a boolean where the phone belongs.
    assert caught.value.index == place


@every_format
def test_records_before_a_wrong_one_are_handed_out(format_: str) -> None:
    records = people(3000)
    records[2900]["id"] = None
    got: list[RentedNumber] = []

    with pytest.raises(RecordError):
        got.extend(iter_decode([render(rental(records), format_, PLAIN)]))

    assert numbers_of(got) == values_of(records)[: len(got)]
    assert len(got) > 1000


@every_format
@pytest.mark.parametrize("window", [200, 65536])
@pytest.mark.parametrize("size", [300, 5000, 100_000, 700_000])
def test_a_record_may_be_larger_than_the_window(
    format_: str, window: int, size: int, set_window: SetWindow
) -> None:
    set_window(window)
    records = people(40)
    for place in (0, 1, 20, 39):
        records[place]["note"] = "x" * size
    body = render(rental(records), format_, PLAIN)

    for chunks in ([body], in_pieces(body, 30_000)):
        assert numbers_of(read_fed(chunks)) == values_of(records)


@pytest.mark.parametrize(
    "body",
    [
        b'{"success":false,"code":10,"message":nu}',
        b'{"success":true,"phoneNumbers":1,"datas":[{"id":1,"phone":"x","stopSms":t}]}',
        b'{"success":true,"phoneNumbers":1,"datas":[{"id":-}]}',
        b'{"success":false,"message":"\\ud800"}',
        b"<result><entry>true</entry><entry>0</entry><entry/></result><!-- x --><x:y/>",
    ],
)
def test_what_is_whole_and_wrong_is_not_called_short(body: bytes) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(body)
    assert type(caught.value) is DecodeError


@pytest.mark.parametrize("rest", [b"<!-- x", b"<!-", b"<?p ", b"<?"])
def test_xml_that_stops_behind_its_root_is_short(rest: bytes) -> None:
    with pytest.raises(TruncatedError):
        decode(b"<result><entry>true</entry><entry>0</entry><entry/></result>" + rest)
