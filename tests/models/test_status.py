"""The status of a rental: fact A4, the same from both formats."""

from __future__ import annotations

import pickle
from decimal import Decimal
from itertools import cycle
from typing import Any, Final

import msgspec
import pytest

from smspartner import (
    APIKeyInvalidError,
    Client,
    ConfigurationError,
    DecodeError,
    RentalNotFoundError,
    RentalState,
    RentalStatus,
    Sandbox,
    TokenMissingError,
    TransportError,
    TruncatedError,
)
from smspartner.decoders.whole import decode_answer
from smspartner.models.status import Cost, FileInfo, Place, Targeting
from smspartner.sandbox.wire import DECLARATION, Format, Nulls, Value, to_bytes

SANDBOX: Final = {"numbers": 10}

FORMATS: Final[tuple[Format, ...]] = ("json", "xml")
every_format = pytest.mark.parametrize("form", FORMATS)

#: Fact A4, word for word but for the token, which it leaves out.
SAMPLE_JSON: Final = (
    b'{"success":true,"token":"5f0c2a","status":"File downloaded by user from api","location":'
    b'{"sexe":"femme","minAge":31,"maxAge":49,"zipcode":"60200","interest":"12","category":103,'
    b'"details_localisation":[{"Type":"cp","Location":"60200","VolumeDesired":"10","Volume":"266"}]'
    b',"cost":{"quantity":10,"total":"0.900","cost_unity":"0.090"}},"file":{"phoneNumbers":"10"}}'
)
#: By fact A5 the positions of the XML are the order of the JSON keys.
SAMPLE_XML: Final = f"""{DECLARATION}<result>
  <entry>true</entry>
  <entry><![CDATA[5f0c2a]]></entry>
  <entry><![CDATA[File downloaded by user from api]]></entry>
  <entry>
    <entry><![CDATA[femme]]></entry>
    <entry>31</entry>
    <entry>49</entry>
    <entry><![CDATA[60200]]></entry>
    <entry><![CDATA[12]]></entry>
    <entry>103</entry>
    <entry>
      <entry>
        <entry><![CDATA[cp]]></entry>
        <entry><![CDATA[60200]]></entry>
        <entry><![CDATA[10]]></entry>
        <entry><![CDATA[266]]></entry>
      </entry>
    </entry>
    <entry>
      <entry>10</entry>
      <entry><![CDATA[0.900]]></entry>
      <entry><![CDATA[0.090]]></entry>
    </entry>
  </entry>
  <entry>
    <entry><![CDATA[10]]></entry>
  </entry>
</result>
""".encode()
SAMPLE: Final = RentalStatus(
    success=True,
    token="5f0c2a",
    status="File downloaded by user from api",
    targeting=Targeting(
        sex="femme",
        min_age=31,
        max_age=49,
        zipcode="60200",
        interest="12",
        category=103,
        places=[Place(type="cp", location="60200", volume_desired=10, volume=266)],
        cost=Cost(quantity=10, total=Decimal("0.900"), cost_unity=Decimal("0.090")),
    ),
    file=FileInfo(phone_numbers=10),
)


@pytest.mark.parametrize("body", [SAMPLE_JSON, SAMPLE_XML], ids=FORMATS)
def test_the_sample_is_read_in_both_formats(body: bytes) -> None:
    found = decode_answer(body, RentalStatus)

    assert found == SAMPLE
    assert found.state is RentalState.DOWNLOADED
    assert not found.pending
    assert found.numbers == 10


@pytest.mark.parametrize("body", [SAMPLE_JSON, SAMPLE_XML], ids=FORMATS)
def test_amounts_are_exact_decimals_and_never_floats(body: bytes) -> None:
    targeting = decode_answer(body, RentalStatus).targeting
    assert targeting is not None
    assert targeting.cost is not None
    amounts = [targeting.cost.total, targeting.cost.cost_unity]
    assert [str(amount) for amount in amounts] == ["0.900", "0.090"]
    assert {type(amount) for amount in amounts} == {Decimal}


@every_format
@pytest.mark.parametrize(
    "amount", ["0.1", "12345678901234567890.123456789", "-3.50", "7", 7], ids=repr
)
def test_amounts_keep_every_digit(amount: str | int, form: Format) -> None:
    cost: dict[str, Value] = {"quantity": 1, "total": amount, "cost_unity": amount}
    found = read(status_body(location=location(cost=cost)), form)
    assert found.targeting is not None
    assert found.targeting.cost == Cost(1, Decimal(amount), Decimal(amount))
    assert found.targeting.cost is not None
    assert str(found.targeting.cost.total) == str(amount)


@every_format
@pytest.mark.parametrize("amount", ["NaN", "Infinity", "", "free", "1,50", True, [1]], ids=repr)
def test_what_is_no_amount_is_refused(amount: Value, form: Format) -> None:
    cost: dict[str, Value] = {"quantity": 1, "total": amount, "cost_unity": "1"}
    with pytest.raises(DecodeError):
        read(status_body(location=location(cost=cost)), form)


def read(value: Value, form: Format, nulls: Nulls = "dropped") -> RentalStatus:
    return decode_answer(to_bytes(value, form, nulls=nulls), RentalStatus)


def status_body(status: Value = 2, **further: Value) -> dict[str, Value]:
    return {"success": True, "token": "t", "status": status, **further}


def location(**changes: Value) -> dict[str, Value]:
    sample = msgspec.json.decode(SAMPLE_JSON)["location"]
    return {**sample, **changes}


# --- states ---------------------------------------------------------------------------------------

STATES: Final[list[tuple[Value, RentalState, bool]]] = [
    (0, RentalState.REQUESTED, True),
    (1, RentalState.GENERATING, True),
    (2, RentalState.READY, False),
    (3, RentalState.FAILED, False),
    (4, RentalState.UNKNOWN, True),
    (5, RentalState.DOWNLOADED, False),
    (6, RentalState.UNKNOWN, True),
    ("0", RentalState.REQUESTED, True),
    ("5", RentalState.DOWNLOADED, False),
    ("05", RentalState.UNKNOWN, True),
    ("File ready", RentalState.READY, False),
    ("file READY", RentalState.READY, False),
    ("Request failed", RentalState.FAILED, False),
    ("File already downloaded", RentalState.DOWNLOADED, False),
    ("File downloaded by user from api", RentalState.DOWNLOADED, False),
    ("En cours de préparation", RentalState.UNKNOWN, True),
    ("not ready", RentalState.UNKNOWN, True),
    ("", RentalState.UNKNOWN, True),
]


@every_format
@pytest.mark.parametrize(("said", "state", "pending"), STATES, ids=repr)
def test_codes_and_texts_say_the_state_and_are_kept_as_text(
    said: Value, state: RentalState, *, pending: bool, form: Format
) -> None:
    found = read(status_body(said), form)
    assert (found.state, found.pending, found.status) == (state, pending, str(said))


def test_a_code_and_its_text_are_the_same_status() -> None:
    assert read(status_body(5), "json") == read(status_body("5"), "json")
    assert read(status_body(5), "xml") == read(status_body("5"), "xml")


@every_format
@pytest.mark.parametrize("said", [None, [2], {"code": 2}], ids=["null", "list", "map"])
def test_without_a_status_there_is_no_answer(said: Value, form: Format) -> None:
    with pytest.raises(DecodeError):
        read(status_body(said), form)


# --- what is absent -------------------------------------------------------------------------------


@pytest.mark.parametrize("nulls", ["dropped", "kept"])
@every_format
def test_what_is_not_there_is_none(form: Format, nulls: Nulls) -> None:
    found = read(status_body(0, location=None, file=None), form, nulls)
    assert (found.targeting, found.file, found.numbers) == (None, None, None)
    found = read(status_body(0, location=location(), file=None), form, nulls)
    assert (found.targeting, found.file) == (SAMPLE.targeting, None)
    found = read(status_body(0, location=location(), file={"phoneNumbers": None}), form, nulls)
    assert (found.targeting, found.file) == (SAMPLE.targeting, FileInfo())
    assert found.numbers is None


@pytest.mark.parametrize("gap", ["minAge", "maxAge", "zipcode", "interest", "category"])
def test_numbers_side_by_side_are_never_taken_for_each_other(gap: str) -> None:
    body = status_body(2, location=location(**{gap: None}), file={"phoneNumbers": "10"})
    as_json = read(body, "json")
    assert as_json == read(body, "json", "kept") == read(body, "xml", "kept")
    with pytest.raises(DecodeError, match=r"several ways.*ask for JSON"):
        read(body, "xml")


@every_format
def test_a_zipcode_keeps_its_leading_zero(form: Format) -> None:
    found = read(status_body(location=location(zipcode="02100")), form)
    assert found.targeting is not None
    assert found.targeting.zipcode == "02100"


@every_format
@pytest.mark.parametrize("count", ["ten", "1.5", True, [10]], ids=repr)
def test_a_count_that_is_no_integer_is_refused(count: Value, form: Format) -> None:
    with pytest.raises(DecodeError):
        read(status_body(file={"phoneNumbers": count}), form)


@pytest.mark.parametrize("body", [SAMPLE_JSON, SAMPLE_XML], ids=FORMATS)
def test_a_status_that_stops_early_is_truncated_wherever_it_stops(body: bytes) -> None:
    end = body.rstrip()
    for size in range(1, len(end)):
        with pytest.raises(DecodeError):
            decode_answer(end[:size], RentalStatus)
    with pytest.raises(TruncatedError):
        decode_answer(end[: len(end) // 2], RentalStatus)


def test_a_status_can_be_pickled_copied_and_compared() -> None:
    copy: Any = pickle.loads(pickle.dumps(SAMPLE))  # noqa: S301 - our own bytes
    assert copy == SAMPLE
    assert copy.state is RentalState.DOWNLOADED
    assert msgspec.structs.replace(SAMPLE, status="2") != SAMPLE


# --- Client.status --------------------------------------------------------------------------------


@pytest.mark.parametrize("style", ["code", "text"])
@pytest.mark.parametrize("nulls", ["dropped", "kept"])
def test_the_life_of_a_rental_is_the_same_in_both_formats(nulls: Nulls, style: Any) -> None:
    with (
        Sandbox(numbers=10, nulls=nulls, status_style=style, pace=0.2) as sandbox,
        Client(sandbox.api_key, base_url=sandbox.url) as client,
    ):
        seen: dict[RentalState, None] = {}
        for form in cycle(FORMATS):
            seen[client.status(sandbox.token, format=form).state] = None
            if RentalState.READY in seen:
                break
        client.download(sandbox.token)
        after = [client.status(sandbox.token, format=form) for form in FORMATS]
    assert list(seen) == [RentalState.REQUESTED, RentalState.GENERATING, RentalState.READY]
    assert after[0] == after[1]
    assert after[0].state is RentalState.DOWNLOADED
    assert after[0].numbers == 10


def test_asking_for_the_status_downloads_nothing(sandbox: Sandbox, client: Client) -> None:
    name = "n-3.as-asked"
    for form in (*FORMATS, *FORMATS):
        assert client.status(name, format=form).state is RentalState.READY
    asked = [request for request in sandbox.requests if request.token == name]
    assert [(request.path, request.format) for request in asked] == [
        ("/v1/location/status", form) for form in (*FORMATS, *FORMATS)
    ]


@every_format
def test_a_rental_that_failed_has_a_status_like_any_other(client: Client, form: Format) -> None:
    found = client.status("fails", format=form)
    assert (found.state, found.status, found.file) == (RentalState.FAILED, "3", None)


@every_format
def test_an_unknown_rental_and_a_wrong_key_are_refused(
    sandbox: Sandbox, client: Client, form: Format
) -> None:
    with pytest.raises(RentalNotFoundError) as caught:
        client.status("unknown", format=form)
    assert (caught.value.code, caught.value.http_status) == (32, 200)
    with (
        Client("not-this-key", base_url=sandbox.url) as stranger,
        pytest.raises(APIKeyInvalidError) as refused,
    ):
        stranger.status("n-1", format=form)
    assert "not-this-key" not in str(refused.value)


@pytest.mark.parametrize("token", ["", " "])
def test_a_blank_token_is_not_sent(sandbox: Sandbox, client: Client, token: str) -> None:
    before = len(sandbox.requests)
    with pytest.raises(TokenMissingError):
        client.status(token)
    assert len(sandbox.requests) == before


def test_an_unknown_format_is_not_sent(sandbox: Sandbox, client: Client) -> None:
    before = len(sandbox.requests)
    with pytest.raises(ConfigurationError, match="json, xml"):
        client.status("n-1", format="yaml")
    assert len(sandbox.requests) == before


@pytest.mark.parametrize("fault", ["cut", "reset", "reset-early", "cut-headers", "503"])
def test_a_status_that_did_not_arrive_may_be_asked_again(client: Client, fault: str) -> None:
    with pytest.raises((TransportError, DecodeError)) as caught:
        client.status(f"fault-{fault}.times-1.on-all")
    assert caught.value.retryable
    assert client.status(f"fault-{fault}.times-1.on-all").state is RentalState.READY
