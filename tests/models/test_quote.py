"""Whom a rental is for, and what it would cost: ``location/optin`` (fact A7)."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import pytest
from rawserver import RawServer, answer

from smspartner import APIError, Client, ConfigurationError, DecodeError, Sandbox
from smspartner.decoders.whole import decode_answer
from smspartner.models.quote import FIELDS, Quote, QuotedPlace, Targeting
from smspartner.models.status import Cost
from smspartner.sandbox.wire import Format, Value, to_bytes

FORMATS: Final[tuple[Format, ...]] = ("json", "xml")
every_format = pytest.mark.parametrize("form", FORMATS)

#: The one public answer, word for word.
SAMPLE: Final = (
    b'{"success":true,"op":"price","datas":[{"Type":"CP","Localite":"06200","Volume":20},'
    b'{"Type":"total","Localite":"total","Volume":20}],"cost":{"quantity":20,"total":2.52,'
    b'"cost_unity":0.09}}'
)
PLACE: Final[Value] = {"Type": "CP", "Localite": "06200", "Volume": 20}
SUM: Final[Value] = {"Type": "total", "Localite": "total", "Volume": 20}
COST: Final[Value] = {"quantity": 20, "total": 2.52, "cost_unity": 0.09}
VALUE: Final[dict[str, Value]] = {
    "success": True,
    "op": "price",
    "datas": [PLACE, SUM],
    "cost": COST,
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    with Client(sandbox.api_key, base_url=sandbox.url, retries=0) as made:
        yield made


def read(value: Value, form: Format, *, nulls: Any = "dropped") -> Quote:
    return decode_answer(to_bytes(value, form, nulls=nulls), Quote)


@every_format
def test_the_documented_answer_is_a_quote(form: Format) -> None:
    found = read(VALUE, form)
    assert found == decode_answer(SAMPLE, Quote)
    assert found.places == (QuotedPlace(type="CP", place="06200", volume=20),)
    assert found.volume == 20
    assert found.cost == Cost(quantity=20, total=Decimal("2.52"), cost_unity=Decimal("0.09"))
    found.check()


@every_format
def test_money_and_volumes_may_be_text(form: Format) -> None:
    cost: Value = {"quantity": "20", "total": "2.520", "cost_unity": "0.090"}
    found = read({**VALUE, "datas": [{**PLACE, "Volume": "20"}], "cost": cost}, form)  # type: ignore[dict-item]
    assert found.cost is not None
    assert str(found.cost.total) == "2.520"
    assert found.places[0].volume == 20


@every_format
@pytest.mark.parametrize(
    ("kind", "name"),
    [("total", "total"), ("Total", "tous"), ("TOTAL", ""), ("CP", "total"), ("", " Total ")],
)
def test_the_sum_is_never_taken_for_a_place(form: Format, kind: str, name: str) -> None:
    found = read({**VALUE, "datas": [{"Type": kind, "Localite": name, "Volume": 9}, PLACE]}, form)
    assert [place.place for place in found.places] == ["06200"]
    assert found.volume == 9


@every_format
def test_an_answer_without_places_has_none(form: Format) -> None:
    found = read({**VALUE, "datas": []}, form)
    assert (found.places, found.volume) == ((), None)


def test_places_under_keys_are_the_places_in_order() -> None:
    keyed = read({**VALUE, "datas": {"7": PLACE, "9": SUM}}, "json")
    assert keyed == read(VALUE, "xml")


@every_format
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"op": "rent"}, "op: a price was asked for"),
        ({"cost": {**COST, "total": None}}, "cost: the answer names no price"),  # type: ignore[dict-item]
    ],
)
def test_what_is_no_price_is_refused(form: Format, change: dict[str, Value], words: str) -> None:
    found = read({**VALUE, **change}, form, nulls="kept")
    with pytest.raises(DecodeError, match=words):
        found.check()
    with pytest.raises(DecodeError, match="names no price"):
        read({**VALUE, "cost": None}, "json").check()


# --- what is asked --------------------------------------------------------------------------------

GOOD: Final[dict[str, Any]] = {"zipcode": "60200"}
WRONG: Final[dict[str, dict[str, Any]]] = {
    "no place": {"zipcode": ""},
    "postcode as a number": {"zipcode": 60200},
    "postcodes as numbers": {"zipcode": [60200]},
    "short postcode": {"zipcode": "6020"},
    "empty postcode": {"zipcode": "60200,,"},
    "department": {"department": "600"},
    "sex": {"sex": "x"},
    "min_age below 18": {"min_age": 17},
    "min_age as text": {"min_age": "25"},
    "max_age": {"max_age": 99},
    "ages turned round": {"min_age": 35, "max_age": 25},
    "a boolean": {"min_age": True},
    "interest": {"interest": 0},
    "sub_interest": {"sub_interest": "14"},
    "both interests": {"interest": 14, "sub_interest": 35},
    "category": {"category": 104},
    "category as text": {"category": "102"},
    "category as a float": {"category": 102.0},
    "category in a list": {"category": [102]},
    "sex in a list": {"sex": ["m"]},
    "no such postcode": {"zipcode": "00200"},
    "a postcode abroad": {"zipcode": "99123"},
    "no such department": {"department": "96"},
}


@pytest.mark.parametrize("name", WRONG)
def test_what_the_service_would_refuse_is_refused_at_once(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Targeting(**{**GOOD, **WRONG[name]})
    for argument in WRONG[name]:
        assert f"{argument}=" in str(caught.value)


def test_a_targeting_is_sent_as_the_page_says() -> None:
    targeting = Targeting(
        zipcode="02200, 60200",
        department=["2A", "971"],
        sex="women",
        min_age=25,
        max_age=35,
        interest=14,
        category=102,
    )
    assert targeting.places == ("02200", "60200", "2A", "971")
    assert targeting.parameters() == {
        "sexe": "f",
        "minAge": 25,
        "maxAge": 35,
        "interest": 14,
        "category": 102,
        "department": "2A,971",
        "zipcode": "02200,60200",
    }


@pytest.mark.parametrize(
    ("volumes", "words"),
    [
        ({}, "volumes= maps places"),
        ([("60200", 20)], "volumes= maps places"),
        ({"75001": 20}, "volumes= names '75001'"),
        ({60200: 20}, "volumes= names 60200"),
        ({"60200": 0}, r"volumes\['60200'\]= must be a whole number"),
        ({"60200": "20"}, r"volumes\['60200'\]= must be a whole number"),
    ],
)
def test_wrong_volumes_are_refused_before_anything_is_sent(
    sandbox: Sandbox, client: Client, volumes: Any, words: str
) -> None:
    before = len(sandbox.requests)
    with pytest.raises(ConfigurationError, match=words):
        client.quote(Targeting(**GOOD), volumes)
    assert len(sandbox.requests) == before


def test_a_targeting_is_one(client: Client) -> None:
    with pytest.raises(ConfigurationError, match="targeting= must be a Targeting"):
        client.quote({"zipcode": "60200"}, {"60200": 20})  # type: ignore[arg-type]


@every_format
@pytest.mark.parametrize("amount", ["NaN", "Infinity", "free", True])
def test_what_is_no_amount_is_refused(form: Format, amount: Value) -> None:
    with pytest.raises(DecodeError):
        read({**VALUE, "cost": {**COST, "total": amount}}, form)  # type: ignore[dict-item]


@every_format
def test_the_service_quotes_a_price(client: Client, form: Format) -> None:
    targeting = Targeting(zipcode=["06200", "60200"], min_age=25, max_age=35, interest=14)
    found = client.quote(targeting, {"06200": 20, "60200": 10}, format=form)
    assert [(place.place, place.volume) for place in found.places] == [("06200", 20), ("60200", 10)]
    assert found.cost is not None
    assert (found.volume, found.cost.total) == (30, Decimal("3.78"))


@every_format
def test_a_refusal_names_the_field_that_its_code_is_about(client: Client, form: Format) -> None:
    with pytest.raises(APIError) as caught:
        client.quote(Targeting(**GOOD), {"60200": 20_000}, format=form)
    assert caught.value.code == 27
    assert caught.value.__notes__ == [
        "code 27 is about volumes: more numbers than there are at one place"
    ]


@every_format
@pytest.mark.parametrize("code", [*range(3, 10), *range(12, 20), *range(22, 29)])
def test_each_code_of_a_wrong_request_names_the_field_and_every_complaint(
    form: Format, code: int
) -> None:
    complaints = [
        {"elementId": "children[a].data", "message": "too young"},
        {"elementId": "children[b].data", "message": "too old"},
    ]
    body = to_bytes({"success": False, "code": code, "errors": complaints}, form)
    with (
        RawServer(answer(body, headers=[f"Content-Type: application/{form}"])) as server,
        Client("key", base_url=f"{server.url}/v1", retries=0) as client,
        pytest.raises(APIError) as caught,
    ):
        client.quote(Targeting(**GOOD), {"60200": 20}, format=form)
    error = caught.value
    assert error.details == tuple((each["elementId"], each["message"]) for each in complaints)
    assert str(error).startswith("children[a].data: too young; children[b].data: too old")
    assert error.__notes__ == [f"code {code} is about {FIELDS[code]}"]


def test_a_place_that_is_named_twice_is_asked_for_once() -> None:
    assert Targeting(zipcode="60200, 60200").parameters()["zipcode"] == "60200"


def test_other_refusals_name_none() -> None:
    with (
        Sandbox() as own,
        Client("wrong" * 4, base_url=own.url) as client,
        pytest.raises(APIError) as caught,
    ):
        client.quote(Targeting(**GOOD), {"60200": 20})
    assert (caught.value.code, set(FIELDS) & {10, 11}) == (10, set())
