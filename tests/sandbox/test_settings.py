"""Tokens that spell out a rental."""

from __future__ import annotations

from typing import Final

import pytest
from asking import (
    FORMATS,
    READ,
    ask,
    plan,
)

from smspartner.sandbox import Sandbox
from smspartner.sandbox.settings import read_token
from smspartner.sandbox.wire import Format

SANDBOX: Final = {"numbers": 3}


def test_a_token_can_spell_out_a_rental() -> None:
    made = plan(
        "n-250.fault-stall.times-2.at-17.drip-0.25.framing-chunked.pace-0.5.declared-9.as-b.fails"
    )
    assert (made.numbers, made.fault, made.times, made.at) == (250, "stall", 2, 17)
    assert (made.drip, made.framing, made.pace) == (0.25, "chunked", 0.5)
    assert (made.declared, made.label, made.fails) == (9, "b", True)


def test_what_a_token_does_not_say_is_as_in_the_options() -> None:
    made = plan("as-other", numbers=12, pace=3, framing="close", declared="absent")
    assert (made.numbers, made.pace, made.framing, made.declared) == (12, 3, "close", "absent")


@pytest.mark.parametrize(
    "token",
    ["", "x", "n", "n-", "n--1", "n-1e3", "n-٣", "n-1.", ".n-1", "n-1.x-2", "fault-none", "fails-1",
     "framing-odd", "pace--1", "N-1", "n-1\n"],
    ids=ascii,
)  # fmt: skip
def test_any_other_token_is_unknown(token: str) -> None:
    assert read_token(token, Sandbox(), {"stall"}) is None


@pytest.mark.parametrize("form", FORMATS)
def test_a_token_of_any_size_is_served_and_expected(sandbox: Sandbox, form: Format) -> None:
    body = ask(sandbox, of="n-4321.as-first", form=form).body
    assert READ[form](body) == list(sandbox.expected("n-4321.as-first"))
