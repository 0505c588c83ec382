"""What is shown of texts from outside: no phone, however it is written."""

from __future__ import annotations

import pytest

from smspartner.models.masks import mask_digits

PAIRS = ["06", "39", "98", "00", "42"]
BETWEEN = [
    "",
    " ",
    ".",
    "-",
    "/",
    ",",
    ";",
    ":",
    "_",
    "\u2013",
    "\u00a0",
    " - ",
    ") (",
    " / ",
    '","',
    "\t",
    "·",
]


@pytest.mark.parametrize("between", BETWEEN, ids=ascii)
@pytest.mark.parametrize("text", ["{}", "no column is called ({})", "+33 {}: unknown", "x{}y"])
def test_digits_of_a_phone_are_hidden_whatever_is_between(between: str, text: str) -> None:
    shown = mask_digits(text.format(between.join(PAIRS)))
    assert not set("0639842") & set(shown.replace("+33", ""))
    assert len(shown) == len(text.format(between.join(PAIRS)))


@pytest.mark.parametrize(
    "text",
    ["code 9", "record 12345 of 67890", "at 00:30", "12,50 EUR", "1,024 MiB", "2024", "3.36E+10"],
)
def test_fewer_digits_stay(text: str) -> None:
    assert mask_digits(text) == text
