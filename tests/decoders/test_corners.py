"""Corners of the reading rules: what both formats carry alike, they answer alike (R1 to R8)."""

from __future__ import annotations

import codecs
import json
from typing import Any

import pytest
from markup import PHONE, as_json, as_xml, json_body, xml_body

from smspartner import (
    APIError,
    DecodeError,
    RecordError,
    ResponseReader,
    TruncatedError,
    decode,
)

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
NIL = '<entry xsi:nil="true"/>'
RECORD = f"<entry><entry>1</entry><entry><![CDATA[{PHONE}]]></entry><entry>false</entry></entry>"


@pytest.mark.parametrize("further", [NIL, "<entry>x</entry>", "<entry>7</entry>", NIL * 2])
def test_the_numbers_are_told_by_their_kind_where_nulls_are_kept(further: str) -> None:
    body = f"<result {XSI}><entry>true</entry><entry>{RECORD}</entry>{further}</result>"
    rental = decode(body.encode())
    assert (rental.declared, [number.id for number in rental]) == (None, [1])


def test_a_null_in_a_record_does_not_move_what_stands_around_the_numbers() -> None:
    record = RECORD.removesuffix("</entry>") + f"{NIL}</entry>"
    body = f"<result {XSI}><entry>true</entry><entry>{record}</entry><entry>1</entry></result>"
    assert len(decode(body.encode())) == 1


@pytest.mark.parametrize("count", [2, 800])
def test_the_first_wrong_record_is_named_whatever_is_wrong_with_a_later_one(count: int) -> None:
    rows: list[dict[str, Any]] = [
        {"id": place, "phone": PHONE, "stopSms": False} for place in range(count)
    ]
    rows[0]["phone"], rows[-1]["id"] = "  ", "x"
    keyed = {str(place + 7): row for place, row in enumerate(rows)}
    bodies = (
        json_body(as_json(rows)),
        json.dumps({"success": True, "datas": keyed}).encode(),
        xml_body(as_xml(rows)),
    )
    for body in bodies:
        with pytest.raises(RecordError) as caught:
            decode(body)
        assert (caught.value.index, caught.value.field) == (0, "phone")


@pytest.mark.parametrize("second", ["[]", '[{"id":1}]', '{"a":{}}', "7", '"x"'])
def test_a_second_list_of_numbers_does_not_hide_what_is_wrong_with_the_first(second: str) -> None:
    rows: list[dict[str, Any]] = [{"id": each, "phone": PHONE, "stopSms": False} for each in "12x"]
    body = f'{{"success":true,"datas":[{as_json(rows)}],"datas":{second}}}'
    with pytest.raises(RecordError) as caught:
        decode(body.encode())
    assert (caught.value.index, caught.value.field) == (2, "id")


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


def test_a_null_that_is_kept_keeps_its_place_in_a_refusal() -> None:
    refused = f"<r {XSI}><entry>false</entry><entry>abc</entry>{NIL}</r>".encode()
    said = b'{"success":false,"code":"abc","message":null}'
    for body in (refused, said):
        with pytest.raises(APIError) as caught:
            decode(body)
        assert (caught.value.code, caught.value.message) == (None, None)


@pytest.mark.parametrize("size", [10, 70_000, 200_000])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_white_space_and_a_mark_in_front_are_no_body_yet(mark: bytes, size: int) -> None:
    body = mark + b" " * size + b'{"success":true,"phoneNumbers":0}'
    assert decode(body).declared == 0
    reader = ResponseReader()
    for start in range(0, len(body), 1000):
        reader.feed(body[start : start + 1000])
    assert reader.close() == []
