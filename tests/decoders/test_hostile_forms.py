"""Rules R9 to R11: what is not well-formed, deep, or not text, even where it is ignored."""

from __future__ import annotations

import json

import pytest
from bodies import MANY, PHONE, as_xml, cdata, json_body, people, short, xml_body, xml_record
from cases import numbers_of

from smspartner import DecodeError, LimitError, RecordError, decode

# Other XML


@pytest.mark.parametrize(
    "wrong",
    [
        *("\0", "\x01", "\x0b", "\x1b", "\ufffe", "\uffff", "&#0;", "&#1;", "&#xFFFE;", "&#xD800;"),
        *("&#x110000;", "&unknown;", "&amp", "&", "<", "<a", "]]>", "</x>", "<a b>", "<a b=c/>"),
        *("<a b='1' b='2'/>", "<x:y/>", "<a x:b=''/>", "<!-- -- -->", "<?xml version='1.0'?>"),
        *("<![cdata[x]]>", "<!ENTITY a 'b'>", "<1/>", "< a/>", "<a/ >", "<a b='<'/>"),
    ],
    ids=short,
)
@pytest.mark.parametrize("amount", [1, MANY])
def test_what_is_not_well_formed_is_refused(wrong: str, amount: int) -> None:
    good = xml_record(7, cdata(PHONE), "true") * amount

    for record in (xml_record(1, f"x{wrong}y", "true"), xml_record(1, "x", "true", wrong)):
        for records in (good + record, record + good, good + record + good):
            with pytest.raises(DecodeError):
                decode(xml_body(records))
    with pytest.raises(DecodeError):
        decode(xml_body(good) + wrong.encode())


@pytest.mark.parametrize(
    "tail", ["<r/>", "x", "\0", "]]>", "<!DOCTYPE r>", "<?xml version='1.0'?>"]
)
@pytest.mark.parametrize("amount", [1, MANY])
def test_nothing_but_comments_and_white_space_may_follow(tail: str, amount: int) -> None:
    body = xml_body(as_xml(people(amount)), amount)

    assert len(decode(body + b"\n<!-- end --><?end?>\r\n")) == amount
    with pytest.raises(DecodeError):
        decode(body + tail.encode())


def test_what_the_parser_itself_limits_is_a_limit() -> None:
    for further in ("<entry>" * 300 + "</entry>" * 300, f"<{'n' * 60_000}/>"):
        with pytest.raises(LimitError):
            decode(xml_body(as_xml(people(1)), 1, further))


@pytest.mark.parametrize("amount", [1, MANY])
def test_thousands_of_attributes_and_long_names_are_harmless(amount: int) -> None:
    attributes = " ".join(f"a{i}=''" for i in range(5000))
    extra = f"<x {attributes}/><{'n' * 40_000}/>"

    assert len(decode(xml_body(as_xml(people(amount)), amount, extra))) == amount


# JSON (rule R11)


@pytest.mark.parametrize(
    "value",
    [
        *("NaN", "Infinity", "-Infinity", "nan", "01", "+1", "1.", ".5", "-", "1e", "0x1", "1_0"),
        *(
            "tru",
            "True",
            "None",
            "undefined",
            "'x'",
            "x",
            '"\\q"',
            '"\\u12"',
            '"\\ud800"',
            '"\\x41"',
        ),
        *(
            '"\\udc00\\ud800"',
            '"a\tb"',
            '"a\nb"',
            '"\0"',
            '"\x1f"',
            "[1,]",
            '{"a":1,}',
            "{1:2}",
            "[,]",
        ),
        *('{"a"}', '{"a":}', '{"a" 1}', "[1 2]", "[1;2]", "/*c*/1", "1//c\n", "[}", "{]", '"'),
    ],
    ids=short,
)
@pytest.mark.parametrize("amount", [1, MANY])
def test_what_is_no_json_is_refused_even_where_it_is_ignored(value: str, amount: int) -> None:
    row = json.dumps(people(1)[0])
    good = ",".join([row] * amount)
    wrong = f'{row[:-1]},"x":{value}}}'

    for records in (f"{good},{wrong}", f"{wrong},{good}", f"{good},{wrong},{good}"):
        with pytest.raises(DecodeError):
            decode(json_body(records))
    with pytest.raises(DecodeError):
        decode(json_body(good, amount, f',"x":{value}'))


@pytest.mark.parametrize("tail", ["{}", "x", "\0", ",", "]", "}", "\x0b", "\xa0", "null", "//"])
@pytest.mark.parametrize("amount", [1, MANY])
def test_nothing_may_follow_the_value(tail: str, amount: int) -> None:
    body = json_body(",".join(json.dumps(row) for row in people(amount)), amount)

    with pytest.raises(DecodeError):
        decode(body + tail.encode())


@pytest.mark.parametrize(
    "wrong",
    [b"\xff", b"\x80", b"\xc3", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf5\x80\x80\x80"],
    ids=short,
)
@pytest.mark.parametrize("amount", [1, MANY])
def test_json_is_utf_8_even_where_it_is_ignored(wrong: bytes, amount: int) -> None:
    good = ",".join(json.dumps(row) for row in people(amount))
    record = b'{"id":1,"phone":"x","stopSms":true,"x":"' + wrong + b'"}'

    for records in (good.encode() + b"," + record, record + b"," + good.encode()):
        with pytest.raises(DecodeError):
            decode(b'{"success":true,"datas":[' + records + b"]}")


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_json_in_another_encoding_is_refused(codec: str) -> None:
    with pytest.raises(DecodeError):
        decode(json_body("").decode().encode(codec))


@pytest.mark.parametrize("amount", [1, MANY])
def test_the_last_of_two_equal_keys_wins_in_a_record(amount: int) -> None:
    record = '{"id":1,"id":2,"phone":"a","stopSms":true,"phone":"b","stopSms":false}'

    numbers = decode(json_body(",".join([record] * amount))).numbers

    assert numbers_of(numbers) == [[2, "b", False]] * amount


@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("where", ["extra", "record", "message"])
@pytest.mark.parametrize("depth", [70, 130, 2000, 200_000])
def test_deep_json_is_refused_as_such(opening: str, where: str, depth: int) -> None:
    closing = {"[": "]", '{"a":': "}"}[opening]
    deep = opening * depth + "1" + closing * depth
    body = {
        "extra": f'{{"success":true,"phoneNumbers":0,"x":{deep}}}',
        "record": f'{{"success":true,"datas":[{{"id":1,"phone":"x","stopSms":1,"x":{deep}}}]}}',
        "message": f'{{"success":true,"phoneNumbers":0,"message":{deep}}}',
    }[where]

    with pytest.raises(LimitError, match="deeper"):
        decode(body.encode())


def test_brackets_in_a_text_are_not_depth() -> None:
    body = json.dumps({"success": True, "phoneNumbers": 0, "x": '[{"\\' * 5000, '[{"': 1})

    assert len(decode(body.encode())) == 0


@pytest.mark.parametrize("digits", [25, 4000, 4299])
def test_an_integer_is_exact_at_any_length_python_reads(digits: int) -> None:
    huge = "9" * digits

    for body in (
        json_body(f'{{"id":{huge},"phone":"x","stopSms":1}}'),
        json_body(f'{{"id":"{huge}","phone":"x","stopSms":1}}'),
        xml_body(xml_record(huge, "x", "1")),
    ):
        try:
            assert decode(body).numbers[0].id == int(huge)
        except RecordError as error:
            assert (error.field, digits > 25) == ("id", True)  # noqa: PT017 - both are right


# Errors tell no phones


@pytest.mark.parametrize(
    "body",
    [
        xml_body(xml_record(1, "<![CDATA[+33639980042 call\x01]]>", "true")),
        xml_body(xml_record(1, "\n<![CDATA[\n33639980042\n\x02]]>", "true")),
        xml_body("<entry><!-- 33639980042 -- 33639980042 --></entry>"),
        xml_body("<p33639980042></q33639980042>"),
        xml_body("&p33639980042;"),
        xml_body("<p33639980042:x/>"),
        xml_body("<x p33639980042='1' p33639980042='2'/>"),
        xml_body("<?p33639980042 \x01?>"),
        xml_body("<x xmlns:p='33639980042 33639980042'/>"),
        xml_body(xml_record("33639980042", "33639980042", "33639980042")),
        b'<?xml version="1.0" encoding="33639980042"?><r/>',
        b'<?xml version="33639980042"?><r/>',
        json_body('{"id":"x33639980042","phone":"33639980042","stopSms":"33639980042"}'),
        json_body('{"id":1,"phone":33639980042,"stopSms":true}'),
        json_body('{"id":1,"phone":"33639980042","stopSms":33639980042}'),
        json_body('{"id":1,"phone":"33639980042"33639980042'),
        b'{"success":true,"datas":{"33639980042":{"id":1}}}',
        b'{"success":true,"datas":{"33639980042":1,"33639980042":2}}',
        b'{"success":true,"phoneNumbers":"x33639980042"}',
        b'{"success":"33639980042"}',
        *(b"33639980042", b"<html>06 39 98 00 42", b"06.39.98.00.42", b"06-39-98-00-42"),
        *("06\xa039\xa098\xa000\xa042".encode(), "+33 6\u202f39\u202f98\u202f00\u202f42".encode()),
    ],
    ids=short,
)
@pytest.mark.parametrize("format_", [None, "json", "xml"])
def test_no_error_shows_a_phone(body: bytes, format_: str | None) -> None:
    with pytest.raises(DecodeError) as caught:
        decode(body, format_)

    digits = "".join(filter(str.isdigit, str(caught.value)))
    assert "39980042" not in digits
    assert "3399800" not in digits
