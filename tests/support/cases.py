"""The recorded bodies and the ways to read them: what many tests share.

An *outcome* is what a caller gets from a body, in the words of ``outcomes.json``: the records with
their declared count, or the kind of refusal. Two readings agree when their outcomes are equal.
"""

from __future__ import annotations

import itertools
import json
import os
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from smspartner import APIError, DecodeError, ResponseReader, decode, iter_decode
from smspartner.decoders.limits import DEFAULT_LIMITS, Limits
from smspartner.models.number import RentedNumber
from smspartner.models.rental import Rental

FIXTURES: Final = Path(__file__).resolve().parent.parent.parent / "fixtures"
FORMATS: Final = ("json", "xml")

#: The recorded corpus: the serializer's two settings for null, and the pairs in each.
SETTINGS: Final = {"nulls-dropped": 150, "nulls-kept": 151}
#: The cases of our own: a body in one format or both, and a line in ``outcomes.json``.
OWN: Final = "cases"

#: Small enough that bodies of a few hundred bytes are cut into slices; 64 is smaller than any
#: XML head, so such a body is read in one piece.
TINY_WINDOWS: Final = (64, 100, 200, 333)

#: Bytes of a body that can be read many times over in a test.
SMALL: Final = 4096

Outcome = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One body and what reading it gives."""

    name: str
    format: str
    path: Path
    expected: Outcome

    @property
    def body(self) -> bytes:
        return self.path.read_bytes()

    @property
    def is_success(self) -> bool:
        return "numbers" in self.expected

    def __str__(self) -> str:
        return f"{self.name}.{self.format}"


def folder_of(setting: str) -> Path:
    """Return the folder of the bodies of a setting, or of our own cases."""
    return FIXTURES / OWN if setting == OWN else FIXTURES / "corpus" / setting


@cache
def outcomes(setting: str) -> dict[str, Outcome]:
    """Return the expectations of one folder, by the name of the body."""
    found: dict[str, Outcome] = json.loads((folder_of(setting) / "outcomes.json").read_text())
    return found


def cases_in(setting: str) -> Iterator[Case]:
    """Yield each body of one folder with its expectation."""
    for name, pair in outcomes(setting).items():
        for format_ in FORMATS:
            expected = pair.get("both", pair.get(format_))
            if expected is not None:
                path = folder_of(setting) / f"{name}.{format_}"
                yield Case(f"{setting}/{name}", format_, path, expected)


@cache
def corpus() -> tuple[Case, ...]:
    """Return every recorded body with its expectation: two for each pair."""
    return tuple(case for setting in SETTINGS for case in cases_in(setting))


@cache
def every_case() -> tuple[Case, ...]:
    """Return every body that has an expectation: the recorded ones, and those of our own."""
    return (*corpus(), *cases_in(OWN))


def numbers_of(records: Iterable[RentedNumber]) -> list[list[Any]]:
    """Return records in the form of ``outcomes.json``."""
    return [[number.id, number.phone, number.stop_sms] for number in records]


Reading = Callable[[Iterable[bytes], str | None], Rental]
SetWindow = Callable[[int], None]


def outcome_of(read: Reading, chunks: Iterable[bytes], format_: str | None = None) -> Outcome:
    """Return what a caller gets from a body: the numbers, or the kind of refusal.

    Only errors of this library count as an outcome; any other exception passes (rule R9).
    """
    try:
        rental = read(chunks, format_)
    except APIError as error:
        return {"error": "api", "code": error.code, "message": error.message}
    except DecodeError:
        return {"error": "decode"}
    return {"declared": rental.declared, "numbers": numbers_of(rental.numbers)}


def read_fed(
    chunks: Iterable[bytes], format_: str | None = None, limits: Limits = DEFAULT_LIMITS
) -> Rental:
    """Read a body by ``feed`` and ``close``."""
    reader = ResponseReader(format_, limits=limits)
    records: list[RentedNumber] = []
    for chunk in chunks:
        records += reader.feed(chunk)
    records += reader.close()
    assert reader.found == len(records)
    return Rental(tuple(records), reader.declared)


def read_iterated(
    chunks: Iterable[bytes], format_: str | None = None, limits: Limits = DEFAULT_LIMITS
) -> Rental:
    """Read a body by ``iter_decode``, which does not tell the declared count."""
    return Rental(tuple(iter_decode(chunks, format_, limits=limits)))


def read_whole(
    chunks: Iterable[bytes], format_: str | None = None, limits: Limits = DEFAULT_LIMITS
) -> Rental:
    """Read a body by ``decode``."""
    return decode(b"".join(chunks), format_, limits=limits)


def cut(body: bytes, places: Iterable[int]) -> list[bytes]:
    """Return a body in pieces, cut at the given places."""
    edges = [0, *sorted(places), len(body)]
    return [body[start:end] for start, end in itertools.pairwise(edges)]


def in_pieces(body: bytes, size: int) -> list[bytes]:
    """Return a body in pieces of one size."""
    return [body[start : start + size] for start in range(0, len(body), size)]


def cut_at_random(body: bytes, seed: int) -> list[bytes]:
    """Return a body in up to ten pieces; the same seed cuts at the same places."""
    chance = random.Random(seed)
    return cut(body, (chance.randrange(len(body) + 1) for _ in range(chance.randint(1, 9))))


def unmeasured() -> dict[str, str]:
    """Return an environment for a process in which coverage, if it is measured, loads nothing."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


Chunking = Callable[[bytes], list[list[bytes]]]


def _pairs(body: bytes) -> Iterator[list[bytes]]:
    """Yield a body with a short middle piece, at places from end to end."""
    steps = 12 if len(body) < SMALL else 3
    for place in range(0, len(body), max(1, len(body) // steps)):
        yield cut(body, (place, min(place + 1 + place % 7, len(body))))


#: Each chunking gives one or more ways to cut a body into pieces.
CHUNKINGS: Final[dict[str, Chunking]] = {
    "whole": lambda body: [[body]],
    "bytewise": lambda body: [in_pieces(body, 1)],
    "random": lambda body: [
        cut_at_random(body, seed) for seed in range(6 if len(body) < SMALL else 2)
    ],
    "pairs": lambda body: list(_pairs(body)),
}
