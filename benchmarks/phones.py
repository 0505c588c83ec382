"""What it costs to tell a phone in E.164, by how it is written."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from benchmarks.measure import Say
from smspartner.models.phones import normalise

_COUNT: Final = 100_000


class _Form(NamedTuple):
    """A form, filled in with the four last digits, and how E.164 begins for it."""

    form: str
    begins: str


_FORMS: Final = (
    _Form("+3363998{:04}", "+3363998"),
    _Form("063998{:04}", "+3363998"),
    _Form("003363998{:04}", "+3363998"),
    _Form("06.39.98.{:04}", "+3363998"),
    _Form("+33 6 39 98 {:04}", "+3363998"),
    _Form("069200{:04}", "+26269200"),
    _Form("+3369200{:04}", "+26269200"),
    _Form("+26269200{:04}", "+26269200"),
)

#: Nanoseconds for a phone of every form, a value for each round.
Phones = Mapping[str, Sequence[float]]


def measure(rounds: int, say: Say) -> Phones:
    """Tell phones of every form, which take turns."""
    taken = defaultdict[str, list[float]](list)
    for number in range(rounds):
        for form, begins in _FORMS:
            say(f"round {number + 1} of {rounds}: phones as {form}")
            phones = [form.format(last % 10_000) for last in range(_COUNT)]
            told = normalise(phones[0]).e164 or ""
            assert told.startswith(begins), f"{form}: {told}"
            taken[form.format(0)].append(_timed(phones))
    return taken


def _timed(phones: Sequence[str]) -> float:
    start = time.process_time_ns()
    for phone in phones:
        normalise(phone)
    return (time.process_time_ns() - start) / len(phones)
