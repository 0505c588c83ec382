"""Rules R5 and R6: the envelope, and the records in it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from bodies import (
    FEW,
    MANY,
    PHONE,
    STYLES,
    Style,
    as_json,
    as_xml,
    json_body,
    people,
    render,
    rental,
    short,
    xml_body,
    xml_record,
)
from cases import FORMATS, numbers_of

from smspartner import DecodeError, RecordError, decode

# Envelope (rule R5)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"success":true,"phoneNumbers":0}', (0, 0)),
        ('{"success":true,"datas":[]}', (None, 0)),
        ('{"success":true,"datas":{}}', (None, 0)),
        ('{"success":true,"phoneNumbers":null,"datas":[]}', (None, 0)),
        ('{"success":true,"phoneNumbers":"0","datas":null}', (0, 0)),
        ('{"success":true,"phoneNumbers":0.0,"more":{"datas":[1]}}', (0, 0)),
        ("<r><entry>true</entry><entry>0</entry></r>", (0, 0)),
        ("<r><entry>true</entry><entry/></r>", (None, 0)),
        ("<r><entry>true</entry><entry></entry></r>", (None, 0)),
        ("<r><entry>true</entry><entry>\n  </entry></r>", (None, 0)),
        ("<r><entry>true</entry><entry>0</entry><entry/></r>", (0, 0)),
        ("<r><entry>true</entry><entry>0</entry><entry/><entry>x</entry></r>", (0, 0)),
        ("<r><success>true</success><phoneNumbers>0</phoneNumbers></r>", (0, 0)),
        ("<r><datas/><success>true</success></r>", (None, 0)),
        ("<r><more>x</more><entry>true</entry><entry>0</entry></r>", (0, 0)),
    ],
    ids=short,
)
def test_a_rental_may_be_empty(text: str, expected: tuple[int | None, int]) -> None:
    rental_file = decode(text.encode())

    assert (rental_file.declared, len(rental_file)) == expected


@pytest.mark.parametrize(
    "text",
    [
        *('{"success":true}', '{"success":true,"phoneNumbers":null,"datas":null}'),
        *('{"success":true,"phoneNumbers":"null"}', '{"success":true,"phoneNumbers":0,"datas":""}'),
        *('{"success":true,"phoneNumbers":0,"datas":"null"}', '{"success":true,"datas":false}'),
        *('{"success":true,"phoneNumbers":[]}', '{"success":true,"phoneNumbers":1.5,"datas":[]}'),
        '{"success":true,"phoneNumbers":true,"datas":[]}',
        *("<r><entry>true</entry></r>", "<r><entry>true</entry><entry>x</entry></r>"),
        "<r><entry>true</entry><entry> </entry></r>",
        "<r><entry>true</entry><entry>0</entry><entry>x</entry></r>",
        "<r><entry>true</entry><entry>0</entry><entry>0</entry></r>",
        "<r><entry>true</entry><entry>0</entry><entry> </entry></r>",
        "<r><entry>true</entry><entry>null</entry><entry/></r>",
        "<r><entry>true</entry><entry/><entry><entry>1</entry></entry></r>",
        "<r><success>true</success><phoneNumbers>null</phoneNumbers><datas/></r>",
        "<r><success>true</success><phoneNumbers>0</phoneNumbers><datas>null</datas></r>",
        "<r><success>true</success></r>",
    ],
    ids=short,
)
def test_what_is_no_envelope_is_never_an_empty_rental(text: str) -> None:
    with pytest.raises(DecodeError):
        decode(text.encode())


@pytest.mark.parametrize("amount", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "further",
    [
        *(1, 1.5, True, None, "", "text", [], {}, [1, 2], {"a": {"b": [1]}}, [[], {}]),
        people(3),
        people(MANY),
        {"datas": people(3)},
        [{"datas": people(MANY)}],
        "</entry></entry><entry><entry>",
        '],"datas":[{"id":1',
    ],
    ids=short,
)
@pytest.mark.parametrize("format_", FORMATS)
def test_further_entries_of_any_shape_are_ignored(
    format_: str, further: object, amount: int
) -> None:
    rows = people(amount)

    for style in STYLES:
        for count in (amount, None):
            answer = rental(rows, count=count, further=further, more=[further])
            assert len(decode(render(answer, format_, style))) == amount


@pytest.mark.parametrize("amount", [FEW, MANY])
@pytest.mark.parametrize(
    "further",
    [
        *(1, 1.5, True, None, "", "text", [], {}, [1, 2], {"a": [{"b": 1}]}),
        people(2),
        {"id": 5, "phone": "x", "stopSms": True, "datas": people(2)},
        "</entry></entry><entry><entry>",
        '},{"id":1,"phone":"x","stopSms":true},{',
    ],
    ids=short,
)
@pytest.mark.parametrize("format_", FORMATS)
def test_further_values_of_a_record_are_ignored(format_: str, further: object, amount: int) -> None:
    rows = people(amount)
    expected = [[row["id"], row["phone"], row["stopSms"]] for row in rows]
    for row in rows[1::2]:
        row |= {"further": further, "more": "+33639980099", "evenMore": True}

    for style in STYLES if amount < MANY else STYLES[:1]:
        assert numbers_of(decode(render(rental(rows), format_, style))) == expected


# Records (rule R6)


@pytest.mark.parametrize("field", ["id", "phone", "stopSms"])
@pytest.mark.parametrize("style", STYLES, ids=str)
@pytest.mark.parametrize("format_", FORMATS)
def test_a_missing_field_is_named_where_the_format_tells(
    format_: str, style: Style, field: str
) -> None:
    rows = people(FEW)
    rows[1][field] = None

    with pytest.raises(RecordError) as caught:
        decode(render(rental(rows), format_, style))

    assert caught.value.index == 1
    assert str(caught.value).startswith("datas[1]")
    if format_ == "json" or style.nulls_kept:
        assert caught.value.field == field


@pytest.mark.parametrize(
    "record",
    ["null", "1", '"x"', "true", "[]", "{}", '[1,"x",true]', '[{"id":1,"phone":"x","stopSms":1}]'],
)
def test_a_json_record_is_an_object(record: str) -> None:
    good = '{"id":1,"phone":"x","stopSms":true}'

    for body in (json_body(f"{good},{record}"), json_body(f"{good},{record}," * MANY + good)):
        with pytest.raises(RecordError) as caught:
            decode(body)
        assert caught.value.index == 1


@pytest.mark.parametrize(
    "record",
    [
        *("<entry/>", "<entry></entry>", "<entry>1</entry>", "<entry><![CDATA[x]]></entry>"),
        *(
            xml_record(1),
            xml_record(1, "x"),
            xml_record("x", 1, "true"),
            xml_record(1, "true", "x"),
        ),
        *(xml_record("true", 1, "x"), xml_record("", "x", "true"), xml_record(1, "", "true")),
        *(xml_record(1, "x", ""), xml_record("<entry>1</entry>", "x", "true")),
        *(xml_record(1, "<entry>x</entry>", "true"), xml_record(1, "x", "<entry>true</entry>")),
        "<entry><id>1</id><phone>x</phone></entry>",
        "<entry><entry>1</entry><other>x</other><entry>true</entry></entry>",
    ],
)
def test_an_xml_record_has_three_entries_that_fit(record: str) -> None:
    good = xml_record(1, "x", "true")

    for body in (xml_body(good + record), xml_body((good + record) * MANY + good)):
        with pytest.raises(RecordError) as caught:
            decode(body)
        assert caught.value.index == 1


def test_named_elements_of_a_record_are_read_by_name() -> None:
    for record in (
        "<entry><stopSms>1</stopSms><phone>x</phone><id>7</id></entry>",
        "<entry><note>n</note><id>7</id><phone>x</phone><stopSms>true</stopSms></entry>",
        "<entry><phone>x</phone><entry>7</entry><entry>TRUE</entry></entry>",
        "<number><entry>7</entry><entry>x</entry><entry>true</entry></number>",
    ):
        for amount in (1, MANY):
            assert numbers_of(decode(xml_body(record * amount))) == [[7, "x", True]] * amount


@pytest.mark.parametrize("amount", [0, MANY])
def test_a_wrong_record_is_refused_even_if_another_takes_its_key(amount: int) -> None:
    entries = [f'"{place}":{json.dumps(row)}' for place, row in enumerate(people(amount))]
    entries += ['"x":{"id":1}', '"x":{"id":1,"phone":"x","stopSms":true}']

    with pytest.raises(DecodeError):
        decode(f'{{"success":true,"datas":{{{",".join(entries)}}}}}'.encode())


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
def test_a_second_list_of_numbers_does_not_hide_that_the_first_is_wrong(second: str) -> None:
    rows: list[dict[str, Any]] = [{"id": each, "phone": PHONE, "stopSms": False} for each in "12x"]
    body = f'{{"success":true,"datas":[{as_json(rows)}],"datas":{second}}}'
    with pytest.raises(RecordError):
        decode(body.encode())


@pytest.mark.parametrize("null", ['"null"', '"NULL"', '"Null"', '"n\\u0075ll"'])
@pytest.mark.parametrize("record", [f'{{"id":1,"phone":"{PHONE}","stopSms":true}}', ""])
@pytest.mark.parametrize("amount", [1, 2000])
def test_the_text_null_is_no_null(null: str, record: str, amount: int) -> None:
    records = ",".join([record] * amount) if record else ""
    large = records.replace('"id":1', '"id":9007199254740993')
    for body in (
        f'{{"success":true,"phoneNumbers":{null},"datas":[{records}]}}',
        f'{{"success":true,"datas":[{records}],"phoneNumbers":{null}}}',
        f'{{"success":true,"phoneNumbers":{null},"datas":[{large}]}}',
        f'{{"success":true,"phoneNumbers":0,"datas":{null}}}',
    ):
        with pytest.raises(DecodeError, match=r"phoneNumbers|datas"):
            decode(body.encode())
