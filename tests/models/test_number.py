"""A rented number, and what is shown of it."""

from __future__ import annotations

import pytest

from smspartner import Rental, RentedNumber
from smspartner.models.phones import normalise

NUMBER = RentedNumber(1, "+33639980042", stop_sms=True)


@pytest.mark.parametrize(
    "shown", [NUMBER, [NUMBER], {"a": NUMBER}, Rental((NUMBER,)), normalise("0639980042")]
)
def test_rich_shows_no_phone_although_it_asks_for_fields(shown: object) -> None:
    pretty = pytest.importorskip("rich.pretty", reason="the extra cli is not installed")
    said = pretty.pretty_repr(shown)
    assert "998004" not in said
    assert "•• 42'" in said or "numbers=1" in said


def test_rich_shows_the_other_fields() -> None:
    pretty = pytest.importorskip("rich.pretty", reason="the extra cli is not installed")
    assert pretty.pretty_repr(NUMBER) == (
        "RentedNumber(id=1, phone='+33 6 •• •• •• 42', stop_sms=True)"
    )
    assert pretty.pretty_repr(Rental((NUMBER,), 1)) == "Rental(numbers=1, declared=1)"
    assert pretty.pretty_repr(normalise("call me")) == (
        "Normalised(\n    e164=None,\n    reason='it holds something other than digits',\n"
        "    country=None,\n    kind=None\n)"
    )
