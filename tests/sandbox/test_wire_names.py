"""The check that a struct declares every name of a sample."""

from __future__ import annotations

import msgspec
import pytest

from smspartner.models.envelope import Answer
from smspartner.sandbox.wire_names import require_wire_names


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
