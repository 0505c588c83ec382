"""Rule R7, value by value: the same in both formats, in small bodies and in slices."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import oracle_xml
import pytest
from bodies import (
    FEW,
    MANY,
    PHONE,
    as_json,
    as_xml,
    cdata,
    json_body,
    people,
    render,
    rental,
    short,
    xml_body,
    xml_record,
)
from cases import numbers_of

from smspartner import DecodeError, RecordError, decode
from smspartner.decoders.whole import decode_answer
from smspartner.models.account import Account

# Scalars (rule R7): as JSON value, as JSON text, as XML.

INTEGERS: Final = {
    **{text: int(text) for text in ("0", "7", "-7", "100000", "9223372036854775807", "1" * 25)},
    "-0": 0,
    "2.0": 2,
    "1e3": 1000,
    "1E+3": 1000,
    "10e-1": 1,
    "-1.5e1": -15,
    "9007199254740992.0": 2**53,
}
#: What a double takes for an integer.
NEARLY_INTEGERS: Final = (
    *(
        "1.0000000000000000001",
        "9007199254740991.3",
        "9.0071399254740993e15",
        "-3.00000000000000000007",
    ),
    *("1e-99999999999999", f"1e-{'9' * 30}", "9007E99254740993"),
)
NOT_INTEGERS: Final = (
    *NEARLY_INTEGERS,
    *("1.5", "1e-1", "1e16", "1e400", "007", "+7", "1.", ".5", "1_0", "0x10", "٣", "1e", "--1"),
    *("", "true", "false", "null", "NaN", "Infinity", "inf", "1,0", "1 0", "abc", "9" * 5000),
)
BOOLEANS: Final = {
    **dict.fromkeys(("true", "TRUE", "tRuE", "1"), True),
    **dict.fromkeys(("false", "FALSE", "False", "0"), False),
}
NOT_BOOLEANS: Final = ("2", "-1", "1.0", "01", "on", "yes", "vrai", "t", "", "null", "tru\u0435")


def three_bodies(place: int, text: str) -> Iterator[bytes]:
    """Yield bodies with text as a field: as JSON text, as XML, each also in a long body."""
    for amount in (FEW, MANY):
        good = [[row["id"], row["phone"], row["stopSms"]] for row in people(amount - 1)]
        wrong: list[Any] = [1, PHONE, True]
        wrong[place] = text
        rows = [*good[: amount // 2], wrong, *good[amount // 2 :]]
        keys = ("id", "phone", "stopSms")
        yield render(rental([dict(zip(keys, row, strict=True)) for row in rows]), "json")
        markup = [[row[0], cdata(row[1]), str(row[2]).lower()] for row in good]
        wrong_markup: list[Any] = [1, cdata(PHONE), "true"]
        wrong_markup[place] = cdata(text) if place == 1 else text
        markup.insert(amount // 2, wrong_markup)
        yield xml_body("".join(xml_record(*row) for row in markup), amount)


def values_at(place: int, text: str) -> list[object]:
    """Return what the field is read as in every body, or the error's index and field."""
    found: list[object] = []
    for body in three_bodies(place, text):
        amount = FEW if len(body) < 2000 + len(text) else MANY
        try:
            row = numbers_of(decode(body))[amount // 2]
        except RecordError as error:
            found.append((error.index - amount // 2, error.field))
        else:
            found.append(row[place])
    return found


@pytest.mark.parametrize(("text", "value"), INTEGERS.items(), ids=short)
def test_an_integer_may_be_text(text: str, value: int) -> None:
    assert values_at(0, text) == [value] * 4
    assert decode(json_body(f'{{"id":{text},"phone":"x","stopSms":1}}')).numbers[0].id == value


@pytest.mark.parametrize("text", NOT_INTEGERS, ids=short)
def test_what_is_no_integer_is_an_error_of_the_field(text: str) -> None:
    assert values_at(0, text) == [(0, "id")] * 4


@pytest.mark.parametrize("number", NEARLY_INTEGERS, ids=short)
def test_a_number_is_an_integer_or_an_error_and_never_the_nearest_one(number: str) -> None:
    with pytest.raises(RecordError) as caught:
        decode(json_body(f'{{"id":{number},"phone":"x","stopSms":1}}'))

    assert (caught.value.index, caught.value.field) == (0, "id")


@pytest.mark.parametrize(("text", "value"), BOOLEANS.items(), ids=short)
def test_a_boolean_may_be_text_or_digit(text: str, value: bool) -> None:  # noqa: FBT001 - from a table
    assert values_at(2, text) == [value] * 4


@pytest.mark.parametrize("text", NOT_BOOLEANS, ids=short)
def test_what_is_no_boolean_is_an_error_of_the_field(text: str) -> None:
    assert values_at(2, text) == [(0, "stopSms")] * 4


@pytest.mark.parametrize(
    "text",
    [
        *("0639980042", "+33 6 39 98 00 42", " 0639980042 ", "007", "1e5", "null", "true", "[]"),
        *(
            "a]]>b",
            "]]>",
            "<entry>",
            "&amp;",
            '"',
            "\\",
            "+٣٣٦",
            "📵",
            "é",
            "a\u2028b",
            "\ufeff",
            "\x7f",
        ),
        *("line\nbreak", "\tx\n", "\nx", "x\n\n", "\u200b"),
    ],
    ids=short,
)
def test_a_phone_is_never_edited(text: str) -> None:
    assert values_at(1, text) == [text] * 4


@pytest.mark.parametrize("text", ["", " ", "\n", " \t\n ", "\xa0", "\u2003\u2028"], ids=short)
def test_a_blank_phone_is_an_error_of_the_field(text: str) -> None:
    assert values_at(1, text) == [(0, "phone")] * 4


@pytest.mark.parametrize("value", ["33639980042", "1.5", "true", "null", '["x"]', '{"a":"x"}'])
def test_a_json_phone_is_text_and_nothing_else(value: str) -> None:
    with pytest.raises(RecordError) as caught:
        decode(json_body(f'{{"id":1,"phone":{value},"stopSms":false}}'))

    assert (caught.value.index, caught.value.field) == (0, "phone")
    assert "33639980042" not in str(caught.value)


# White space in XML (rule R7)

#: The markup inside an entry, and the value it has.
WHITE_SPACE: Final = {
    "x": "x",
    " x ": " x ",
    "\tx\t": "\tx\t",
    "\nx\n": "x",
    "\n  x\n  ": "x",
    " \n x \n ": "x",
    "\n  x ": "x ",
    " x\n  ": " x",
    "\r\n  x\r\n": "x",
    "\rx\r": "x",
    "x\ny": "x\ny",
    "\n x\ny \n": "x\ny",
    "<![CDATA[x]]>": "x",
    "\n  <![CDATA[x]]>\n  ": "x",
    " <![CDATA[x]]> ": " x ",
    "<![CDATA[ x ]]>": " x ",
    "<![CDATA[\nx\n]]>": "\nx\n",
    "\n<![CDATA[\n x \n]]>\n": "\n x \n",
    "\n a<![CDATA[\nx\n]]>b \n": "a\nx\nb",
    "<![CDATA[a]]>\n<![CDATA[b]]>": "a\nb",
    "<![CDATA[a]]]]><![CDATA[>b]]>": "a]]>b",
    "\n<![CDATA[]]>\nx": "\nx",
    "\n<!-- c -->x<!-- d -->\n": "x",
    "a<!-- c -->b": "ab",
    "a<?p i?>b": "ab",
    "&#65;&amp;&lt;": "A&<",
    "&#x1F4F5;": "\U0001f4f5",
    "\xa0\nx\n\xa0": "\xa0\nx\n\xa0",
    "\x85x\u2028": "\x85x\u2028",
}


@pytest.mark.parametrize(("markup", "value"), WHITE_SPACE.items(), ids=short)
@pytest.mark.parametrize("amount", [1, MANY])
def test_indentation_is_dropped_and_white_space_in_a_line_is_kept(
    markup: str, value: str, amount: int
) -> None:
    body = xml_body(xml_record(1, markup, "true") * amount, amount)

    assert {number.phone for number in decode(body)} == {value}
    if amount == 1:
        assert oracle_xml.read(body)["numbers"] == numbers_of(decode(body))


@pytest.mark.parametrize("amount", [1, MANY])
def test_indentation_around_every_value_is_dropped(amount: int) -> None:
    record = xml_record("\n 7\n", f"\n <![CDATA[{PHONE}]]>\n ", "\n  true\n")
    body = xml_body(f"\n{record}\n" * amount, f"\n {amount}\n")

    assert set(decode(body)) == set(decode(xml_body(xml_record(7, PHONE, "true"))))


@pytest.mark.parametrize(("markup", "value"), WHITE_SPACE.items(), ids=short)
def test_both_readers_see_the_same_text(markup: str, value: str) -> None:
    root = oracle_xml.parse(f"<r><entry>{markup}</entry></r>".encode())

    assert root.children[0].text() == value


# Beyond 2^53 (rule R7); the formats side by side are in fixtures/cases.

LARGE: Final = 2**53 + 1


@pytest.mark.parametrize("amount", [1, 3000])
def test_ids_of_any_size_are_read_where_they_are_written_plainly(amount: int) -> None:
    rows = [{"id": LARGE + each, "phone": PHONE, "stopSms": False} for each in range(amount)]
    for body in (json_body(as_json(rows), amount), xml_body(as_xml(rows), amount)):
        assert [number.id for number in decode(body)] == [row["id"] for row in rows]


@pytest.mark.parametrize("place", [0, 1500, 2999])
def test_an_id_that_may_have_been_rounded_is_an_error_of_the_field(place: int) -> None:
    rows = people(3000)
    rows[place]["id"] = f"{LARGE}.0"
    for body in (json_body(as_json(rows)), xml_body(as_xml(rows))):
        with pytest.raises(RecordError, match="exact") as caught:
            decode(body)
        assert (caught.value.index, caught.value.field) == (place, "id")


def test_beside_a_large_id_a_wrong_count_is_told() -> None:
    row = as_json([{"id": LARGE, "phone": PHONE, "stopSms": False}])
    with pytest.raises(DecodeError, match="phoneNumbers"):
        decode(f'{{"success":true,"datas":[{row}],"phoneNumbers":"x"}}'.encode())


ROUNDED: Final = (
    *(f"{LARGE}.0", f'"{LARGE}e0"', "-9.007199254740993E15"),
    *("1.0000000000000000001", '"0.99999999999999999999"', "-1e-99999999999999"),
)


@pytest.mark.parametrize("number", ROUNDED)
def test_no_integer_of_another_answer_is_rounded_either(number: str) -> None:
    bare = number.strip('"')
    for body in (
        f'{{"success":true,"code":200,"credits":{{"creditSms":{number}}}}}',
        f"<r><success>true</success><credits><creditSms>{bare}</creditSms></credits></r>",
    ):
        with pytest.raises(DecodeError, match="exact"):
            decode_answer(body.encode(), Account)


@pytest.mark.parametrize("number", ["1.0", "0.1", "2.675", "1e300", "0.1000000000000000055511"])
def test_a_number_that_is_no_integer_may_have_any_digits(number: str) -> None:
    for body in (
        f'{{"success":true,"code":200,"credits":{{"balance":{number}}}}}',
        f"<r><success>true</success><credits><balance>{number}</balance></credits></r>",
    ):
        found = decode_answer(body.encode(), Account).credits
        assert found is not None
        assert found.balance == Decimal(number)


@pytest.mark.parametrize("number", ROUNDED)
@pytest.mark.parametrize("amount", [1, 3000])
def test_nor_is_a_count(number: str, amount: int) -> None:
    rows = people(amount)
    bare = number.strip('"')
    for body in (
        f'{{"success":true,"phoneNumbers":{number},"datas":[{as_json(rows)}]}}',
        f"<result><entry>true</entry><entry>{bare}</entry><entry>{as_xml(rows)}</entry></result>",
    ):
        with pytest.raises(DecodeError, match=r"phoneNumbers: .*exact"):
            decode(body.encode())


@pytest.mark.parametrize("flag", ["-0", '"-0"', '"\\u002d0"', '"-\\u0030"'])
def test_minus_zero_is_no_boolean(flag: str) -> None:
    rows = people(3)
    record = f'{{"id":1,"phone":"{PHONE}","stopSms":{flag}}}'
    for body in (
        json_body(f"{as_json(rows)},{record}"),
        xml_body(as_xml(rows) + xml_record(1, PHONE, json.loads(flag) if '"' in flag else flag)),
    ):
        with pytest.raises(RecordError) as caught:
            decode(body)
        assert (caught.value.index, caught.value.field) == (3, "stopSms")


@pytest.mark.parametrize("space", ["&#9;", "&#x0a;", "&#32;"])
@pytest.mark.parametrize("opening", ["<![CDATA[", "<!--", "<?pi ", "<a b='"])
def test_a_reference_closes_nothing_that_is_open(opening: str, space: str) -> None:
    record = f"<entry>1</entry><entry>{opening}\n {space}{PHONE}</entry><entry>false</entry>"
    body = f"<result><entry>true</entry><entry><entry>{record}</entry></entry></result>"

    with pytest.raises(DecodeError):
        decode(body.encode())
