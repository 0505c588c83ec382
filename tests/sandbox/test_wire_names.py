"""The check that a struct declares every name of a sample."""

from __future__ import annotations

import msgspec
import pytest

from smspartner.models.account import Account
from smspartner.models.envelope import Answer, RentalAnswer
from smspartner.models.status import RentalStatus
from smspartner.sandbox.wire_names import require_wire_names

#: The samples of facts A2, A4 and A9.
RENTAL = (
    b'{"success":true,"phoneNumbers":1,"datas":'
    b'[{"id":4314,"phone":"+33639980011","stopSms":false}]}'
)
STATUS = (
    b'{"success":true,"token":"t","status":"File downloaded by user from api","location":{"sexe":'
    b'"femme","minAge":31,"maxAge":49,"zipcode":"60200","interest":"12","category":103,'
    b'"details_localisation":[{"Type":"cp","Location":"60200","VolumeDesired":"10","Volume":"266"}],'
    b'"cost":{"quantity":10,"total":"0.900","cost_unity":"0.090"}},"file":{"phoneNumbers":"10"}}'
)
ACCOUNT = (
    b'{"success":true,"code":200,"user":{"username":"u","firstname":"f","lastname":"l"},"credits":'
    b'{"creditSms":1,"creditSmsECO":2,"creditHlr":3,"toSend":0,"solde":"1.5","currency":"EUR",'
    b'"balance":"1.5"}}'
)


@pytest.mark.parametrize(
    ("struct", "sample"), [(RentalAnswer, RENTAL), (RentalStatus, STATUS), (Account, ACCOUNT)]
)
def test_every_struct_declares_the_names_of_its_sample(
    struct: type[msgspec.Struct], sample: bytes
) -> None:
    require_wire_names(struct, sample)


class Line(msgspec.Struct):
    unit_price: int | None = None


class Order(Answer, frozen=True):
    number: int | None = None
    lines: list[Line] | None = None


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        (b'{"success":true,"number":1,"lines":[],"note":"x"}', "the sample has .*, note"),
        (b'{"success":true,"lines":[],"number":1}', "Order declares success, number, lines; "),
        (b'{"success":true,"number":1,"lines":[{"unit-price":1}]}', r"Order\.lines declares"),
    ],
    ids=["forgotten", "order", "spelling"],
)
def test_a_name_that_is_forgotten_misplaced_or_misspelled_is_told(
    sample: bytes, words: str
) -> None:
    with pytest.raises(AssertionError, match=words):
        require_wire_names(Order, sample)


def test_a_map_with_any_names_and_plain_values_are_passed_over() -> None:
    class Prices(Answer, frozen=True):
        by_place: dict[str, int]
        extra: list[str] | None = None
        anything: object = None

    sample = b'{"success":true,"byPlace":{"06":1},"extra":["x"],"anything":{"a":1}}'
    require_wire_names(Prices, sample)
