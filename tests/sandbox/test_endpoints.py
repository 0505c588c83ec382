"""What each endpoint answers, in both formats."""

from __future__ import annotations

import http.client
import json
import re
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from asking import (
    CODE,
    DOWNLOAD,
    FORMATS,
    READ,
    STATUS,
    Got,
    address,
    ask,
    ask_on,
    post,
    target,
)

from smspartner.errors import APIError, ConfigurationError
from smspartner.models.number import RentedNumber
from smspartner.sandbox import Sandbox, body_size, number_at, render
from smspartner.sandbox.wire import Format, Nulls

SANDBOX: Final = {"numbers": 3}


@pytest.mark.parametrize("form", FORMATS)
def test_a_download_gives_the_expected_numbers(sandbox: Sandbox, form: Format) -> None:
    got = ask(sandbox, form=form)
    assert got == Got(200, f"application/{form}", b"".join(render(3, form)))
    assert READ[form](got.body) == list(sandbox.expected())


def test_json_is_the_default_format(sandbox: Sandbox) -> None:
    assert ask(sandbox).media == "application/json"


ERRORS: Final[dict[int, tuple[dict[str, str | None], int, bytes]]] = {
    1: ({"key": None}, 401, b'"code":1,"message":"La Cl\\u00e9 API est requise"}'),
    10: ({"key": "wrong"}, 403, b'"code":10,"message":"Cl\\u00e9 API incorrecte"}'),
    31: ({"of": None}, 400, b'"code":31,"message":"Le token de la location est requis"}'),
    32: ({"of": "unknown"}, 404, b'"code":32,"message":"Location introuvable"}'),
}


@pytest.mark.parametrize("code", ERRORS)
@pytest.mark.parametrize("path", [DOWNLOAD, STATUS])
def test_each_error_code_in_json(sandbox: Sandbox, path: str, code: int) -> None:
    query, _, end = ERRORS[code]
    got = ask(sandbox, path, form="json", **query)
    assert got == Got(200, "application/json", b'{"success":false,' + end)


@pytest.mark.parametrize("code", ERRORS)
@pytest.mark.parametrize("path", [DOWNLOAD, STATUS])
def test_each_error_code_in_xml(sandbox: Sandbox, path: str, code: int) -> None:
    query, _, end = ERRORS[code]
    message = json.loads(b"{" + end)["message"]
    got = ask(sandbox, path, form="xml", **query)
    assert (got.status, got.media) == (200, "application/xml")
    assert got.body.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<result>\n  <entry>false</entry>\n'
        f"  <entry>{code}</entry>\n  <entry><![CDATA[{message}]]></entry>\n</result>\n"
    )


@pytest.mark.parametrize("code", ERRORS)
def test_errors_can_have_an_http_status_of_their_own(code: int) -> None:
    query, status, _ = ERRORS[code]
    with Sandbox(http_errors=True) as sandbox:
        assert ask(sandbox, **query).status == status


def test_an_empty_key_or_token_is_a_missing_one(sandbox: Sandbox) -> None:
    assert b'"code":1,' in ask(sandbox, f"{DOWNLOAD}?apiKey=&token=x&", key=None, of=None).body
    empty_token = f"{DOWNLOAD}?token=&apiKey={sandbox.api_key}&"
    assert b'"code":31,' in ask(sandbox, empty_token, key=None, of=None).body


def test_an_unknown_path_is_an_error_of_the_framework(sandbox: Sandbox) -> None:
    assert ask(sandbox, "/v1/nowhere") == Got(
        404, "application/json", b'{"code":404,"message":"Not Found"}'
    )
    assert ask(sandbox, "/v1/nowhere", form="xml").body == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<result>\n  <code>404</code>\n'
        b"  <message><![CDATA[Not Found]]></message>\n</result>\n"
    )


def test_an_unknown_format_is_not_acceptable(sandbox: Sandbox) -> None:
    assert ask(sandbox, form="csv").status == 406


LOCATION: Final = (
    '"location":{"sexe":"femme","minAge":31,"maxAge":49,"zipcode":"60200","interest":"12",'
    '"category":103,"details_localisation":[{"Type":"cp","Location":"60200","VolumeDesired":"10",'
    '"Volume":"266"}],"cost":{"quantity":10,"total":"0.900","cost_unity":"0.090"}}'
)


def test_a_downloaded_rental_has_the_status_of_the_public_sample() -> None:
    with Sandbox(numbers=10, status_style="text") as sandbox:
        ask(sandbox)
        assert ask(sandbox, STATUS).body.decode() == (
            f'{{"success":true,"token":"{sandbox.token}","status":"File downloaded by user from '
            f'api",{LOCATION},"file":{{"phoneNumbers":"10"}}}}'
        )


def test_the_xml_status_has_the_positions_of_the_json_keys() -> None:
    with Sandbox(pretty=False) as sandbox:
        assert ask(sandbox, STATUS, of="n-10", form="xml").body == (
            b'<?xml version="1.0" encoding="UTF-8"?>\n<result><entry>true</entry>'
            b"<entry><![CDATA[n-10]]></entry><entry>2</entry><entry>"
            b"<entry><![CDATA[femme]]></entry><entry>31</entry><entry>49</entry>"
            b"<entry><![CDATA[60200]]></entry><entry><![CDATA[12]]></entry><entry>103</entry>"
            b"<entry><entry><entry><![CDATA[cp]]></entry><entry><![CDATA[60200]]></entry>"
            b"<entry><![CDATA[10]]></entry><entry><![CDATA[266]]></entry></entry></entry>"
            b"<entry><entry>10</entry><entry><![CDATA[0.900]]></entry>"
            b"<entry><![CDATA[0.090]]></entry></entry></entry>"
            b"<entry><entry><![CDATA[10]]></entry></entry></result>\n"
        )


@pytest.mark.parametrize(
    ("nulls", "in_json", "in_xml"),
    [
        ("dropped", b"}}", b"</entry></entry></result>\n"),
        ("kept", b'}},"file":null}', b'<entry xsi:nil="true"/></result>\n'),
    ],
)
def test_before_the_file_is_made_its_place_is_null(
    nulls: Nulls, in_json: bytes, in_xml: bytes
) -> None:
    with Sandbox(nulls=nulls, pretty=False) as sandbox:
        as_json = ask(sandbox, STATUS, of="fails").body
        as_xml = ask(sandbox, STATUS, of="fails", form="xml").body
    assert as_json.endswith(in_json)
    assert (b'"file"' in as_json) == (b"xmlns:xsi" in as_xml) == (nulls == "kept")
    assert as_xml.endswith(in_xml)


def test_the_account_is_the_public_pair_of_samples(sandbox: Sandbox) -> None:
    as_json = ask(sandbox, "/v1/me", of=None)
    assert as_json.body.startswith(b'{\n    "success": true,\n    "code": 200,\n    "user": {\n')
    assert json.loads(as_json.body)["credits"]["solde"] == "10225.119"
    as_xml = ask(sandbox, "/v1/me", of=None, form="xml")
    assert as_xml.body.startswith(
        b"<?xml version='1.0' encoding='UTF-8'?>\n<result>\n  <entry>true</entry>\n"
        b"  <entry>200</entry>\n  <entry>\n    <username>exemple@email.com</username>\n"
    )
    assert b"    <entry><![CDATA[10224.688]]></entry>\n  </entry>\n</result>\n" in as_xml.body


def test_the_credits_can_be_chosen() -> None:
    older: dict[str, Any] = {
        "creditSmsLowCost": 12,
        "toSend": 0,
        "balance": "3.20",
        "currency": "EUR",
    }
    with Sandbox(credits=older, pretty=False) as sandbox:
        assert json.loads(ask(sandbox, "/v1/me", of=None).body)["credits"] == older
        assert (
            b"<entry><entry>12</entry><entry>0</entry><entry><![CDATA[3.20]]></entry>"
            in ask(sandbox, "/v1/me", of=None, form="xml").body
        )


def test_credits_need_the_key(sandbox: Sandbox) -> None:
    assert json.loads(ask(sandbox, "/v1/me", key="wrong").body)["code"] == 10


# --- methods --------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", DOWNLOAD, "GET, HEAD"),
        ("DELETE", "/v1/stop-sms/delete", "GET, HEAD"),
        ("GET", "/v1/stop-sms/add", "POST"),
        ("PUT", "/v1/location/optin", "POST"),
    ],
)
def test_another_method_is_not_allowed(
    sandbox: Sandbox, method: str, path: str, allow: str, form: Format
) -> None:
    before = sandbox.downloads()
    connection = http.client.HTTPConnection(*address(sandbox), timeout=10)
    connection.request(method, target(sandbox, path, form=form), body=b"{}")
    with connection.getresponse() as response:
        assert (response.status, response.headers["Allow"]) == (405, allow)
        assert b"Method Not Allowed" in response.read()
    connection.close()
    assert sandbox.downloads() == before


def test_a_head_is_a_get_without_its_body() -> None:
    with Sandbox(numbers=3, fault="cut") as sandbox:
        connection = http.client.HTTPConnection(*address(sandbox), timeout=10)
        connection.request("HEAD", target(sandbox))
        with connection.getresponse() as response:
            assert response.headers["Content-Length"] == str(body_size(3, "json"))
            assert response.read() == b""
        assert ask_on(connection, target(sandbox, STATUS)).status == 200
        connection.close()
        assert sandbox.downloads() == 1


# --- the stop list --------------------------------------------------------------------------------


def test_the_stop_list_is_that_of_the_page(sandbox: Sandbox) -> None:
    add = "/v1/stop-sms/add"
    key = sandbox.api_key
    added = post(sandbox, add, {"apiKey": key, "phoneNumber": "06 39 98 00 42"})
    assert added.body == b'{"success":true,"code":200,"stopId":300}'
    assert post(sandbox, add, {"apiKey": key, "phoneNumber": "+33639980043"}, form="xml").body == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<result>\n  <entry>true</entry>\n'
        b"  <entry>200</entry>\n  <entry>301</entry>\n</result>\n"
    )
    assert sandbox.stops.phones == ["+33639980042", "+33639980043"]
    listed = json.loads(ask(sandbox, "/v1/stop-sms/list").body)
    assert (listed["success"], listed["code"], listed["nbData"]) == (True, 200, 2)
    first = listed["data"][0]
    assert (list(first), first["id"]) == (["id", "phoneNumber", "createdAt"], 300)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", first["createdAt"])
    gone = f"/v1/stop-sms/delete?id={first['id']}&apiKey={key}"
    assert ask(sandbox, f"{gone}&", key=None).body == b'{"success":true,"code":200}'
    assert sandbox.stops.phones == ["+33639980043"]
    assert CODE["json"](ask(sandbox, f"{gone}&", key=None).body) == 4


@pytest.mark.parametrize("stop_id", ["7", "x", "-1", "٣", "9" * 5000])
def test_an_id_that_is_not_there_cannot_be_removed(sandbox: Sandbox, stop_id: str) -> None:
    gone = f"/v1/stop-sms/delete?{urlencode({'id': stop_id})}&"
    assert CODE["json"](ask(sandbox, f"{gone}apiKey={sandbox.api_key}&", key=None).body) == 4


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("phone", "code"), [(None, 2), ("", 2), ("0639980001", 3), ("922264", 9), (5, 9)]
)
def test_a_phone_that_cannot_be_added(form: Format, phone: object, code: int) -> None:
    with Sandbox(stop_list=["+33639980001"], pretty=False) as sandbox:
        fields = {"apiKey": sandbox.api_key, "phoneNumber": phone}
        body = post(sandbox, "/v1/stop-sms/add", fields, form=form).body
        assert CODE[form](body) == code
        assert sandbox.stops.phones == ["+33639980001"]
    if phone == "922264":
        words = "This phone number is not valid (922264)"
        assert body == (
            (
                b'{"success":false,"code":9,"errors":[{"elementId":'
                b'"children[phoneNumber].data","message":"%s"}]}'
                if form == "json"
                else b'<?xml version="1.0" encoding="UTF-8"?>\n<result><entry>false</entry>'
                b"<entry>9</entry><entry><entry>"
                b"<entry><![CDATA[children[phoneNumber].data]]></entry>"
                b"<entry><![CDATA[%s]]></entry></entry></entry></result>\n"
            )
            % words.encode()
        )


def test_a_phone_that_is_no_text_is_refused_in_xml_too(sandbox: Sandbox) -> None:
    fields = {"apiKey": sandbox.api_key, "phoneNumber": "\ud800\x01"}
    body = post(sandbox, "/v1/stop-sms/add", fields, form="xml").body
    assert b"(\xed\xa0\x80\x01)" in body


def test_a_test_that_changes_the_stop_list_gets_the_errors_of_the_service() -> None:
    stops = Sandbox(stop_list=["0639980001"]).stops
    with pytest.raises(APIError, match="code 9"):
        stops.add("x")
    with pytest.raises(APIError, match="code 4"):
        stops.remove(7)


@pytest.mark.parametrize("number", [None, "7", "x"])
def test_a_stop_that_cannot_be_removed(sandbox: Sandbox, number: str | None) -> None:
    path = "/v1/stop-sms/delete" + (f"?id={number}&apiKey={sandbox.api_key}&" if number else "")
    key = None if number else ""
    assert CODE["json"](ask(sandbox, path, key=key).body) == (4 if number else 3)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param(b"", 90, id="empty"),
        pytest.param(b"{", 90, id="cut"),
        pytest.param(b"[" * 200_000, 90, id="deep"),
        pytest.param(b"\xff", 90, id="not text"),
        pytest.param(b"[]", 90, id="a list"),
        pytest.param(b"{}", 1, id="no key"),
        pytest.param(b'{"apiKey":"x"}', 10, id="a wrong key"),
    ],
)
def test_what_is_posted_is_a_json_object_with_the_key(
    sandbox: Sandbox, body: bytes, code: int
) -> None:
    for path in ("/v1/stop-sms/add", "/v1/location/optin"):
        assert CODE["json"](post(sandbox, path, body).body) == code


# --- the price of a rental ------------------------------------------------------------------------

ASKED: Final[dict[str, Any]] = {
    "op": "price",
    "parameters": {
        "sexe": "m", "minAge": 25, "maxAge": "35", "interest": 14, "category": 102,
        "zipcode": "06200,60200", "department": "02,2A",
    },
    "volumes": {"06200": 20},
}  # fmt: skip


def asked(sandbox: Sandbox, changes: dict[str, Any], form: Format = "json") -> bytes:
    fields = {"apiKey": sandbox.api_key, **ASKED, **changes}
    kept = {name: value for name, value in fields.items() if value is not None}
    return post(sandbox, "/v1/location/optin", kept, form=form).body


def test_a_price_is_that_of_the_page(sandbox: Sandbox) -> None:
    assert asked(sandbox, {}).decode() == (
        '{"success":true,"op":"price","datas":[{"Type":"CP","Localite":"06200","Volume":20},'
        '{"Type":"total","Localite":"total","Volume":20}],'
        '"cost":{"quantity":20,"total":2.52,"cost_unity":0.09}}'
    )
    as_xml = asked(sandbox, {"volumes": {"06200": 20, "2A": 5}}, "xml")
    assert re.findall(rb"<entry><!\[CDATA\[(.*?)\]\]>", as_xml) == [
        b"price", b"CP", b"06200", b"DEP", b"2A", b"total", b"total",
    ]  # fmt: skip
    assert b"<entry>25</entry>" in as_xml


WRONG: Final[list[tuple[int, dict[str, Any]]]] = [
    (3, {"parameters": None}),
    (4, {"op": None}),
    (4, {"op": "buy"}),
    (5, {"urlNotification": "here"}),
    (6, {"op": "Rent"}),
    (6, {"op": "calcul"}),
    (26, {"volumes": None}),
    (26, {"volumes": {"75001": 5}}),
    (26, {"volumes": {"06200": "20"}}),
    (26, {"volumes": {"06200": 0}}),
    (26, {"volumes": {"06200": True}}),
    (27, {"volumes": {"06200": 10_001}}),
]
WRONG_PARAMETERS: Final[list[tuple[int, dict[str, Any]]]] = [
    (8, {"sexe": "x"}),
    (8, {"sexe": ["m"]}),
    (12, {"minAge": 17}),
    (12, {"minAge": True}),
    (14, {"maxAge": 24}),
    (14, {"maxAge": 99}),
    (16, {"interest": "Cuisine"}),
    (18, {"subInterest": 1.5}),
    (23, {"category": 104}),
    (24, {"zipcode": "", "department": None}),
    (25, {"zipcode": "06200,6020"}),
    (25, {"department": "2C"}),
]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    ("code", "changes"),
    [
        *WRONG,
        *((code, {"parameters": ASKED["parameters"] | each}) for code, each in WRONG_PARAMETERS),
    ],
)
def test_a_wrong_request_is_refused_with_the_code_of_its_field(
    sandbox: Sandbox, code: int, changes: dict[str, Any], form: Format
) -> None:
    assert CODE[form](asked(sandbox, changes, form)) == code


def test_each_wrong_field_is_named(sandbox: Sandbox) -> None:
    said = json.loads(asked(sandbox, {"op": "x", "parameters": {"minAge": 5, "zipcode": "06200"}}))
    assert [each["elementId"] for each in said["errors"]] == [
        "children[op].data",
        "children[parameters].children[minAge].data",
    ]
    assert "message" not in said


def test_more_numbers_than_there_are_in_all_are_refused(sandbox: Sandbox) -> None:
    places = [f"{place:05d}" for place in range(6)]
    changes = {
        "parameters": {"zipcode": ",".join(places)},
        "volumes": dict.fromkeys(places, 10_000),
    }
    assert CODE["json"](asked(sandbox, changes)) == 28


# --- given records --------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
def test_given_numbers_are_served(form: Format) -> None:
    number = RentedNumber(1, "+262692000000", stop_sms=True)
    with Sandbox(records=[number, number, (2, "+32470000000", False)]) as sandbox:
        body = ask(sandbox, form=form).body
        assert READ[form](body) == list(sandbox.expected())
        assert len(READ[form](body)) == sandbox.numbers == 3
        assert READ[form](ask(sandbox, of="n-1", form=form).body) == [number_at(0, 0)]
        assert b'"phoneNumbers":"3"' in ask(sandbox, STATUS).body
        assert sandbox.downloads() == 1


def test_given_records_can_be_wrong() -> None:
    records: list[Any] = [(1, None, False), {"id": "x", "more": [1]}, (2,)]
    with Sandbox(records=records, declared="absent") as sandbox:
        assert ask(sandbox).body == (
            b'{"success":true,"datas":[{"id":1,"stopSms":false},{"id":"x","more":[1]},{"id":2}]}'
        )
        with pytest.raises(ConfigurationError, match=r"records\[0\]"):
            list(sandbox.expected())
        sandbox.declared = 7
        assert b'"phoneNumbers":7' in ask(sandbox).body
