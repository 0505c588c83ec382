"""In which further ways a line of an opt-out list is read, and what is refused."""

from __future__ import annotations

import io

import pytest

from smspartner import ConfigurationError, OptOuts
from smspartner.files.opt_outs.readings import RefusedError, other_readings


@pytest.mark.parametrize(
    ("line", "readings"),
    [
        ("3.3639980042E10", ["33639980042"]),
        ("6.399804E8", ["639980400"]),
        ("%u0036 39", ["6 39"]),
        ("\\u0036 39", ["6 39"]),
        ("_x0036_ 39", ["6 39"]),
        ('"06 39\n98 00 42"', ['"06 39\v98 00 42"']),
        ("step 12E9", []),
        ("1.234567E+15", []),
        ("06 39 98 00 42", []),
    ],
)
def test_a_line_is_read_again_as_the_program_that_wrote_it_meant_it(
    line: str, readings: list[str]
) -> None:
    assert other_readings(line) == [(0, reading) for reading in readings]


@pytest.mark.parametrize("line", ["3.363998004E+10", "3.36E10", "1.2E+14"])
def test_a_number_whose_digits_are_lost_is_refused(line: str) -> None:
    with pytest.raises(RefusedError, match="export the list again"):
        other_readings(line)


def test_letters_for_digits_are_seen_in_a_further_reading_too() -> None:
    with pytest.raises(ConfigurationError, match="item 2 of"):
        OptOuts(io.StringIO("0639980042\n&#48;63998OO42\n"))


@pytest.mark.parametrize(
    ("line", "phone"),
    [
        ("call +32 470 12 34 56 soon", "+32470123456"),
        ("call +3247 012 34 56 soon", "+32470123456"),
        ("Max 01512 3456789 Berlin", "+4915123456789"),
    ],
)
def test_a_phone_from_abroad_is_found_with_words_around_it(line: str, phone: str) -> None:
    # With more digits in the line than a phone has, or its last nine would be enough.
    assert phone in OptOuts(io.StringIO(f"order 10000007: {line}"))
