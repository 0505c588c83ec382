"""Rules R3 to R5: what counts as a success, what a refusal says, and which entry is which."""

from __future__ import annotations

import json
from typing import Final

import pytest
from bodies import FEW, MANY, PHONE, XSI, people, short, to_xml
from cases import SetWindow, in_pieces, read_fed

from smspartner import (
    APIError,
    DecodeError,
    decode,
)
from smspartner.models.envelope import Key

NIL: Final = '<entry xsi:nil="true"/>'
RECORD: Final = (
    f"<entry><entry>1</entry><entry><![CDATA[{PHONE}]]></entry><entry>false</entry></entry>"
)


@pytest.mark.parametrize("flag", ["true", "True", "TRUE"])
def test_the_flag_may_be_text_in_any_case(flag: str) -> None:
    assert len(decode(f'{{"success":"{flag}","phoneNumbers":0}}'.encode())) == 0
    assert len(decode(f"<r><entry>{flag}</entry><entry>0</entry></r>".encode())) == 0


@pytest.mark.parametrize("flag", ["1", "0", "yes", "", "null", " true", "tru\u0435", "1.0", "200"])
def test_another_flag_is_no_flag(flag: str) -> None:
    for body in (
        json.dumps({"success": flag, "code": 10, "message": "x", "phoneNumbers": 0}).encode(),
        f"<r><entry>{flag}</entry><entry>10</entry><entry>x</entry></r>".encode(),
        f"<r><success>{flag}</success><code>10</code><message>x</message></r>".encode(),
    ):
        with pytest.raises(DecodeError):
            decode(body)
    for value in ("1", "0", "1.0", "[]", "{}", '["true"]'):
        with pytest.raises(DecodeError):
            decode(f'{{"success":{value},"code":10,"message":"x"}}'.encode())


HUGE: Final = "9" * 5000
NO: Final = '{"success":false'
REFUSALS: Final = [
    ('{"success":"FALSE","code":"10","message":"x"}', (10, "x")),
    (NO + "}", (None, None)),
    (NO + ',"code":10}', (10, None)),
    (NO + ',"code":10.0,"message":"x"}', (10, "x")),
    (NO + ',"code":true,"message":"x"}', (None, "x")),
    (NO + ',"code":"007","message":"x"}', (None, "x")),
    (NO + ',"code":[1],"message":{"a":1}}', (None, None)),
    (NO + ',"code":-3,"message":" a\\nb \\t"}', (-3, "a\nb")),
    (NO + ',"code":1e400,"message":1e400}', (None, "1e400")),
    (f'{NO},"code":{HUGE},"message":{HUGE}}}', (None, HUGE)),
    (NO + ',"code":10,"message":false}', (10, "false")),
    (NO + ',"datas":[{"id":1}],"code":10,"message":"x"}', (10, "x")),
    ('{"code":404,"message":"Not Found"}', (404, "Not Found")),
    ('{"success":null,"code":404,"message":"Not Found"}', (404, "Not Found")),
    ('{"message":"Bad credentials"}', (None, "Bad credentials")),
    ('{"type":"t","title":"An error","status":403,"detail":"no"}', (403, "no")),
    ('{"type":"t","title":"An error","status":403}', (403, "An error")),
    ("<r><entry>FALSE</entry><entry>10</entry><entry>x</entry></r>", (10, "x")),
    ("<r><entry>\n false \n</entry></r>", (None, None)),
    ("<r><entry>false</entry><entry>10</entry></r>", (10, None)),
    ("<r><entry>false</entry><entry>x</entry></r>", (None, "x")),
    ("<r><entry>false</entry><entry>x</entry><entry>10</entry></r>", (10, "x")),
    ("<r><entry>false</entry><entry>10</entry><entry>20</entry></r>", (10, "20")),
    ("<r><entry>false</entry><entry>007</entry><entry>x</entry></r>", (None, "x")),
    ("<r><entry>false</entry><entry>10.0</entry><entry> x </entry></r>", (10, "x")),
    ("<r><entry>false</entry><entry/><entry>x</entry></r>", (None, "x")),
    ("<r><code>404</code><message><![CDATA[Not Found]]></message></r>", (404, "Not Found")),
    ("<r><success>false</success><message>x</message><code>10</code></r>", (10, "x")),
    ("<r><success>false</success><entry>10</entry><entry>x</entry></r>", (10, "x")),
    ("<r><entry>false</entry><code>10</code><message>x</message></r>", (10, "x")),
    ("<response><title>t</title><status>500</status><detail>d</detail></response>", (500, "d")),
]


@pytest.mark.parametrize(("text", "expected"), REFUSALS, ids=short)
@pytest.mark.parametrize("window", [64, 65536])
def test_a_refusal_gives_code_and_message(
    text: str, expected: tuple[object, object], window: int, set_window: SetWindow
) -> None:
    set_window(window)

    for size in (7, 10_000):
        with pytest.raises(APIError) as caught:
            read_fed(in_pieces(text.encode(), size))
        assert (caught.value.code, caught.value.message) == expected


@pytest.mark.parametrize("amount", [FEW, MANY])
@pytest.mark.parametrize("behind", [0, 20_000], ids=["short tail", "long tail"])
@pytest.mark.parametrize("flag_first", [True, False], ids=["flag first", "flag last"])
def test_a_refusal_keeps_its_reason_whatever_comes_along(
    amount: int, behind: int, *, flag_first: bool
) -> None:
    records = json.dumps(people(amount))
    flags = ('"success":false', '"x":1') if flag_first else ('"success":true', '"success":false')
    tail = f'"tail":[{",".join(["{}"] * behind)}],"code":32,"message":"non"'
    body = f'{{{flags[0]},"datas":{records},{flags[1]},{tail}}}'.encode()

    with pytest.raises(APIError) as caught:
        decode(body)

    assert (caught.value.code, caught.value.message) == (32, "non")


@pytest.mark.parametrize("amount", [FEW, MANY])
def test_a_named_refusal_keeps_its_reason_whatever_comes_along(amount: int) -> None:
    rows = to_xml([list(row.values()) for row in people(amount)]).decode()
    datas = rows[rows.index("<entry>") : rows.rindex("</result>")]
    body = (
        f"<result><success>false</success><datas>{datas}</datas>"
        "<code>32</code><message>non</message></result>"
    )

    with pytest.raises(APIError) as caught:
        decode(body.encode())

    assert (caught.value.code, caught.value.message) == (32, "non")


@pytest.mark.parametrize(
    "text",
    [
        *("{}", '{"code":200}', '{"code":200,"message":"OK"}', "[]", '"x"', '{"datas":[]}'),
        *("<r/>", "<r>true</r>", "<r><x/></r>", "<r><code>200</code></r>", "<r><entry/></r>"),
        "<r xmlns='urn:x'><entry>true</entry><entry>0</entry></r>",
    ],
)
def test_an_answer_without_flag_and_reason_is_not_an_answer(text: str) -> None:
    with pytest.raises(DecodeError):
        decode(text.encode())


def test_a_null_that_is_kept_keeps_its_place_in_a_refusal() -> None:
    refused = f"<r {XSI}><entry>false</entry><entry>abc</entry>{NIL}</r>".encode()
    said = b'{"success":false,"code":"abc","message":null}'
    for body in (refused, said):
        with pytest.raises(APIError) as caught:
            decode(body)
        assert (caught.value.code, caught.value.message) == (None, None)


@pytest.mark.parametrize("further", [NIL, "<entry>x</entry>", "<entry>7</entry>", NIL * 2])
def test_the_numbers_are_told_by_their_kind_where_nulls_are_kept(further: str) -> None:
    body = f"<result {XSI}><entry>true</entry><entry>{RECORD}</entry>{further}</result>"
    rental = decode(body.encode())
    assert (rental.declared, [number.id for number in rental]) == (None, [1])


def test_a_null_in_a_record_does_not_move_what_stands_around_the_numbers() -> None:
    record = RECORD.removesuffix("</entry>") + f"{NIL}</entry>"
    body = f"<result {XSI}><entry>true</entry><entry>{record}</entry><entry>1</entry></result>"
    assert len(decode(body.encode())) == 1


# Complaints (rule R4, fact A6)

COMPLAINT: Final = ("children[phoneNumbers].data", "This phone number is not valid (922264)")
ITEM: Final = json.dumps(dict(zip(("elementId", "message"), COMPLAINT, strict=True)))
ITEM_XML: Final = "<entry><entry>{}</entry><entry>{}</entry></entry>".format(*COMPLAINT)
COMPLAINTS: Final = {
    "errors": f'{{"success":false,"code":9,"errors":[{ITEM}]}}',
    "error": f'{{"success":false,"code":9,"error":[{ITEM}]}}',
    "xml": f"<r><entry>false</entry><entry>9</entry><entry>{ITEM_XML}</entry></r>",
    "xml without code": f"<r><entry>false</entry><entry>{ITEM_XML}</entry></r>",
    "xml named": f"<r><success>false</success><error>{ITEM_XML}</error></r>",
    "any keys": f'{{"success":false,"errors":[{{"a":"{COMPLAINT[0]}","b":"{COMPLAINT[1]}"}}]}}',
    "message first": json.dumps(
        {"success": False, "errors": [{"message": COMPLAINT[1], "elementId": COMPLAINT[0]}]}
    ),
}


@pytest.mark.parametrize("body", COMPLAINTS.values(), ids=COMPLAINTS)
def test_the_complaints_of_a_refusal_are_its_details(body: str) -> None:
    with pytest.raises(APIError) as caught:
        decode(body.encode())

    assert caught.value.details == (COMPLAINT,)
    assert caught.value.message == ": ".join(COMPLAINT)


@pytest.mark.parametrize(
    "items",
    [
        "[]",
        "[1]",
        '["x"]',
        "[{}]",
        '[{"a":"x"}]',
        '[{"a":"x","b":1}]',
        '[{"a":"x","b":"y","c":"z"}]',
        f"[{ITEM},7]",
        '{"a":"x","b":"y"}',
        '"x"',
        "null",
    ],
)
def test_what_is_not_two_texts_each_is_no_complaint(items: str) -> None:
    with pytest.raises(APIError) as caught:
        decode(f'{{"success":false,"code":9,"errors":{items}}}'.encode())

    assert (caught.value.code, caught.value.message, caught.value.details) == (9, None, ())


@pytest.mark.parametrize(
    "items",
    [
        "<entry/>",
        "<entry>x</entry>",
        "<entry><entry>x</entry></entry>",
        f"<entry>{NIL}<entry>x</entry></entry>",
        "<entry><entry><entry>x</entry></entry><entry>x</entry></entry>",
        ITEM_XML + RECORD,
    ],
)
def test_what_is_not_two_leaves_each_is_no_complaint(items: str) -> None:
    with pytest.raises(APIError) as caught:
        decode(f"<r {XSI}><entry>false</entry><entry>9</entry><entry>{items}</entry></r>".encode())

    assert (caught.value.code, caught.value.details) == (9, ())


def test_an_answer_that_declares_what_nothing_reads_is_a_fault_of_its_struct() -> None:
    with pytest.raises(NotImplementedError, match="no answer may declare"):
        Key.hook(bytes, "text")
