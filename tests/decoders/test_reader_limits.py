"""What bodies may look like to be read at all: formats (rule R2) and limits (rule R10)."""

from __future__ import annotations

from typing import Any, Final

import pytest
from bodies import PHONE, Style, json_body, people, render, rental, values_of, xml_body, xml_record
from cases import (
    FORMATS,
    in_pieces,
    numbers_of,
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
    UnknownFormatError,
    decode,
    iter_decode,
)
from smspartner.decoders.whole import decode_answer
from smspartner.models.account import Account

every_format = pytest.mark.parametrize("format_", FORMATS)
PLAIN: Final = Style()


# Formats (rule R2)


@pytest.mark.parametrize("format_", ["yaml", "", "JSON"])
def test_an_unknown_format_is_refused_before_any_byte(format_: str) -> None:
    for use in (ResponseReader, lambda name: decode(b"{}", name)):
        with pytest.raises(ConfigurationError, match="this library knows: json, xml"):
            use(format_)


@every_format
def test_a_body_of_the_other_format_is_refused_under_an_explicit_one(format_: str) -> None:
    other = {"json": "xml", "xml": "json"}[format_]
    body = render(rental(people(1)), other, PLAIN)

    with pytest.raises(UnknownFormatError, match=f"not {format_}"):
        decode(body, format_)


@every_format
@pytest.mark.parametrize(
    "media_type",
    ["application/json", "application/xml", "text/xml", "text/html", "application/x-unheard-of"],
)
def test_the_body_decides_where_the_media_type_is_wrong(format_: str, media_type: str) -> None:
    reader = ResponseReader(media_type=media_type)

    reader.feed(render(rental(people(2)), format_, PLAIN))

    assert len(reader.close()) == 2
    assert reader.format == format_


@pytest.mark.parametrize(
    "body",
    [b"", b"  \n", b"<html><body>0639980042", b"<!DOCTYPE HTML>", b"Bad gateway", b"\x89PNG"],
    ids=repr,
)
def test_what_is_no_data_is_an_error_with_status_and_excerpt(body: bytes) -> None:
    reader = ResponseReader(http_status=502)
    reader.feed(body)

    with pytest.raises(UnknownFormatError) as caught:
        reader.close()

    assert caught.value.http_status == 502
    assert body.strip()[:5].decode("latin-1").replace("\x89", "�") in str(caught.value)
    assert "0639980042" not in str(caught.value)


@every_format
@pytest.mark.parametrize("blanks", [1, 1023, 1024, 5000, 65536, 200_000])
def test_white_space_before_a_body_is_skipped(format_: str, blanks: int) -> None:
    body = render(rental(people(3)), format_, PLAIN)

    for chunks in ([b" \n" * (blanks // 2) + body], in_pieces(b" " * blanks + body, 1000)):
        assert len(read_fed(chunks)) == 3


@every_format
@pytest.mark.parametrize("amount", [3, 3000])
def test_one_byte_order_mark_is_skipped(format_: str, amount: int) -> None:
    body = render(rental(people(amount)), format_, PLAIN)

    for size in (1, 2, 3, 1000) if amount == 3 else (1000,):
        assert len(read_fed(in_pieces(b"\xef\xbb\xbf" + body, size))) == amount
    with pytest.raises(DecodeError):
        decode(b"\xef\xbb\xbf\xef\xbb\xbf" + body)


# Limits (rule R10)


@every_format
@pytest.mark.parametrize("amount", [3, 3000])
def test_a_body_may_be_as_large_as_the_limit_and_no_byte_more(format_: str, amount: int) -> None:
    body = render(rental(people(amount)), format_, PLAIN)

    for size in (1000, len(body)):
        chunks = in_pieces(body, size)
        assert len(read_fed(chunks, limits=Limits(body=len(body)))) == amount
        with pytest.raises(LimitError, match=r"Limits\.body"):
            read_fed(chunks, limits=Limits(body=len(body) - 1))


@every_format
@pytest.mark.parametrize("wrong", [None, 5], ids=["all right", "record 5 wrong"])
def test_what_comes_before_the_limit_does_not_depend_on_chunks(
    format_: str, wrong: int | None
) -> None:
    records = people(3000)
    if wrong is not None:
        records[wrong]["id"] = "x"
    body = render(rental(records), format_, PLAIN)

    seen = set()
    for size in (1, 999, 65536, 69_999, 70_000, 70_001, len(body)):
        got: list[RentedNumber] = []
        with pytest.raises(DecodeError) as caught:
            got.extend(iter_decode(in_pieces(body, size), limits=Limits(body=70_000)))
        seen.add((len(got), repr(caught.value)))

    assert len(seen) == 1


@every_format
def test_a_body_without_a_place_to_cut_is_limited_as_a_document(format_: str) -> None:
    answer = {"success": True, "phoneNumbers": 0, "datas": None, "note": "x" * 200_000}
    body = render(answer, format_, Style(nulls_kept=True))

    for size in (1000, len(body)):
        assert len(read_fed(in_pieces(body, size))) == 0
        with pytest.raises(LimitError, match=r"Limits\.document"):
            read_fed(in_pieces(body, size), limits=Limits(document=100_000))


@every_format
def test_a_short_body_is_limited_as_a_document(format_: str) -> None:
    body = render(rental(people(3)), format_, PLAIN)

    assert len(decode(body, limits=Limits(document=len(body)))) == 3
    with pytest.raises(LimitError, match=r"Limits\.document"):
        decode(body, limits=Limits(document=len(body) - 1))


@every_format
def test_a_long_body_is_not_limited_as_a_document(format_: str) -> None:
    body = render(rental(people(3000)), format_, PLAIN)

    assert len(decode(body, limits=Limits(document=1))) == 3000


@every_format
@pytest.mark.parametrize("place", [0, 1, 1500, 2999])
def test_a_record_may_be_no_larger_than_its_limit(format_: str, place: int) -> None:
    records = people(3000)
    records[place]["note"] = "x" * 150_000
    body = render(rental(records), format_, PLAIN)

    assert len(decode(body, limits=Limits(record=200_000))) == 3000
    with pytest.raises(LimitError, match=r"Limits\.record"):
        decode(body, limits=Limits(record=100_000))


@every_format
@pytest.mark.parametrize("record", [1, 3, 20])
def test_no_record_fits_in_a_few_bytes(format_: str, record: int) -> None:
    with pytest.raises(LimitError, match=r"Limits\.record"):
        decode(render(rental(people(3000)), format_, PLAIN), limits=Limits(record=record))


@every_format
@pytest.mark.parametrize("record", [120, 300, 1000])
def test_a_record_limit_below_the_window_makes_smaller_slices(format_: str, record: int) -> None:
    records = people(2000)
    body = render(rental(records), format_, Style(pretty=False))
    limits = Limits(record=2 * record)

    assert numbers_of(decode(body, limits=limits)) == values_of(records)


@every_format
@pytest.mark.parametrize("depth", [8, 64, 200])
def test_values_may_be_nested_as_deep_as_the_limit(format_: str, depth: int) -> None:
    def nested(levels: int) -> object:
        return [] if levels == 1 else [nested(levels - 1)]

    def body(levels: int) -> bytes:
        # The envelope is one level, the extra's lists are the others.
        return render(rental(people(1), extra=nested(levels - 1)), format_, PLAIN)

    limits = Limits(depth=depth)
    assert len(decode(body(depth), limits=limits)) == 1
    with pytest.raises(LimitError, match="nested deeper"):
        decode(body(depth + 1), limits=limits)


@pytest.mark.parametrize("value", [0, True, 1.5, float("nan"), "10", None])
@pytest.mark.parametrize("name", ["body", "document", "record", "depth"])
def test_a_limit_is_a_whole_number_above_zero(name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"{name}.*whole number"):
        Limits(**{name: value})


def test_depth_ends_where_a_parser_does() -> None:
    assert Limits(depth=200).depth == 200
    with pytest.raises(ConfigurationError, match="200"):
        Limits(depth=201)


@pytest.mark.parametrize("amount", [2000, 20_000])
def test_a_tree_takes_no_more_memory_than_the_limit_stands_for(amount: int) -> None:
    body = b"<result><entry>true</entry><entry>0</entry>" + b"<a/>" * amount + b"</result>"
    assert len(decode(body)) == 0
    if amount > 10_000:
        with pytest.raises(LimitError, match=r"more elements .* 100000 bytes \(Limits\.document"):
            decode(body, limits=Limits(document=100_000))
    else:
        assert len(decode(body, limits=Limits(document=len(body)))) == 0


@every_format
def test_an_answer_is_no_larger_than_a_document(format_: str) -> None:
    body = render({"success": True, "code": 200}, format_, PLAIN)
    assert decode_answer(body, Account, limits=Limits(document=len(body))).code == 200
    with pytest.raises(LimitError, match=r"Limits\.document"):
        decode_answer(body, Account, limits=Limits(document=len(body) - 1))


@pytest.mark.parametrize("depth", [64, 65])
@pytest.mark.parametrize("opening", ["refusal", "wrong record", "right record", "cut short"])
def test_depth_is_limited_alike_in_both_formats(opening: str, depth: int) -> None:
    lists = depth - (1 if opening == "refusal" else 3)
    j, x = "1", "<entry>1</entry>"
    for _ in range(lists):
        j, x = f"[{j}]", f"<entry>{x}</entry>"
    id_ = "true" if opening == "wrong record" else "1"
    record = xml_record(id_, PHONE, "true").removesuffix("</entry>") + f"{x}</entry>"
    bodies = [
        json_body(f'{{"id":{id_},"phone":"{PHONE}","stopSms":true,"x":{j}}}'),
        xml_body(record),
    ]
    if opening == "refusal":
        refused = f"<r><entry>false</entry><entry>7</entry>{x}</r>"
        bodies = [f'{{"success":false,"code":7,"x":{j}}}'.encode(), refused.encode()]
    elif opening == "cut short":
        bodies = [body[:-3] for body in bodies]
    found = [type(outcome(body)).__name__ for body in bodies]

    kinds = {
        "refusal": "APIError",
        "wrong record": "RecordError",
        "right record": "Rental",
        "cut short": "TruncatedError",
    }
    assert found == [kinds[opening] if depth == 64 else "LimitError"] * 2


def outcome(body: bytes) -> Rental | SMSPartnerError:
    try:
        return decode(body)
    except SMSPartnerError as error:
        return error


#: Around the depth at which one of the two JSON parsers gives up, and the other does not yet.
DEPTHS = range(700, 1100)


@pytest.mark.parametrize("opening", [b"[", b'{"x":'])
def test_a_body_that_stops_at_any_depth_is_an_error_of_this_library(opening: bytes) -> None:
    for depth in DEPTHS:
        with pytest.raises(LimitError):
            decode(b'{"success":true,"x":' + opening * depth)


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_keyed_records_of_any_depth_give_an_outcome(opening: bytes, closing: bytes) -> None:
    record = b'{"id":1,"phone":"+33639980042","stopSms":false,"x":{"y":%s}}'
    for depth in DEPTHS:
        nested = opening * depth + b"1" + closing * depth
        with pytest.raises(LimitError):
            decode(b'{"success":true,"datas":{"a":%s}}' % (record % nested))


@pytest.mark.parametrize("piece", ["<![CDATA[x]]>", "x&#10;"])
def test_a_text_in_very_many_pieces_is_refused(piece: str) -> None:
    for amount, kind in ((400, Rental), (100_000, LimitError)):
        phone = "<!-- -->" * 10_000 + piece * amount
        assert isinstance(outcome(xml_body(xml_record(1, phone, "true"))), kind)
