"""Whether two files carry the same numbers, whatever kinds of files they are.

What both files say of each number is compared. What only one of them says is not, and
``Comparison.left_out`` names it. Memory stays flat, in any order too: then the records of both
files go to a temporary table on disk, which finds those that only one of them has.
"""

from __future__ import annotations

import ast
import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any, Final, TypeAlias

from smspartner.errors import ConfigurationError
from smspartner.files.columns import Columns
from smspartner.files.read import BATCH_COLUMNS, NumbersFile, open_numbers
from smspartner.files.targets import STDOUT, Target
from smspartner.models.masks import mask_phone
from smspartner.models.phones import normalise

#: Numbers of each file that are held against each other at once.
_BLOCK: Final = 4096
_PHONES: Final = ("phone", "e164")

#: The first record of each file that it has more often than the other one.
_SURPLUS: Final = """
SELECT side, min(place), line FROM (
    SELECT min(side) AS side, min(place) AS place, line FROM (
        SELECT *, row_number() OVER (PARTITION BY side, line ORDER BY place) AS nth FROM records
    ) GROUP BY line, nth HAVING count(*) = 1
) GROUP BY side
"""

_Pair: TypeAlias = tuple[NumbersFile, NumbersFile]


@dataclass(frozen=True, slots=True)
class Sighting:
    """A record, or one value of it, in one of the files.

    Attributes:
        index: which record, counted from 0.
        text: what stands there, with phones masked.
    """

    index: int
    text: str


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two files differ.

    Attributes:
        left: what the first file has and the other has not; None where there is nothing.
        right: likewise for the second file.
        field: the field that differs between two records at the same place; None where whole
            records are in one file only.
        remark: how the two differ, where masking hides it.
    """

    left: Sighting | None
    right: Sighting | None
    field: str | None = None
    remark: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What came of comparing two files.

    Attributes:
        same: whether they carry the same numbers.
        ordered: whether their order was compared too.
        columns: what was compared of each number.
        left_out: what was not, because only one file says it.
        numbers: how many numbers each file has; None where reading stopped at a difference.
        rentals: how many rentals each file has, None for what is no database.
        first: where they first differ; None where they are the same.
    """

    same: bool
    ordered: bool
    columns: tuple[str, ...]
    left_out: tuple[str, ...]
    numbers: tuple[int, int] | None
    rentals: tuple[int | None, int | None]
    first: Difference | None


def compare_files(
    left: Target, right: Target, *, any_order: bool = False, token: str | None = None
) -> Comparison:
    """Compare the numbers of two files.

    Args:
        left: a body or an export of any kind; ``-`` is standard input.
        right: the other one.
        any_order: compare which numbers there are, and how often, but not their order. A
            database has none, so with one it is not compared anyway.
        token: which rental of a database.

    Raises:
        ConfigurationError: a file cannot be read, or there is nothing to compare.
        APIError, DecodeError: a file is not understood. In order, what comes after the first
            difference is not read.
    """
    if left == right == STDOUT:
        raise ConfigurationError("standard input can be read only once; give one file by its name")
    with ExitStack() as stack:
        pair = _opened(stack, left, right, token)
        columns, left_out = _common(pair)
        ordered = not any_order and pair[0].ordered and pair[1].ordered
        find = _first_difference if ordered else _first_surplus
        first = find(pair, columns)
    return Comparison(
        same=first is None,
        ordered=ordered,
        columns=columns,
        left_out=left_out,
        numbers=(pair[0].found, pair[1].found) if first is None or first.field is None else None,
        rentals=(pair[0].rentals, pair[1].rentals),
        first=first,
    )


def _opened(stack: ExitStack, left: Target, right: Target, token: str | None) -> _Pair:
    pair = (
        stack.enter_context(open_numbers(left, token=token)),
        stack.enter_context(open_numbers(right, token=token)),
    )
    if token is not None and pair[0].rentals is None and pair[1].rentals is None:
        raise ConfigurationError("a token chooses a rental of a database; neither file is one")
    return pair


def _common(pair: _Pair) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the columns that both have, and those that only one has."""
    one, two = (set(source.columns) for source in pair)
    if pair[0].empty or pair[1].empty:  # it says as much as the other one of each of its numbers
        one = two = two if pair[0].empty else one
    if not one & two & set(_PHONES):
        raise ConfigurationError(
            f"nothing to compare: {pair[0]} has {', '.join(pair[0].columns)}, "
            f"{pair[1]} has {', '.join(pair[1].columns)}; export phone from both"
        )
    return (
        tuple(name for name in BATCH_COLUMNS if name in one & two),
        tuple(name for name in BATCH_COLUMNS if name in one ^ two),
    )


def _first_difference(pair: _Pair, columns: Sequence[str]) -> Difference | None:
    """Go through both files side by side, up to the first difference."""
    ones, twos = (_blocks(source, columns) for source in pair)
    nothing: Columns = {name: [] for name in columns}
    start = 0
    for one, two in zip_longest(ones, twos, fillvalue=nothing):
        if one != two:
            found = _difference(one, two, start)
            if found.field is None:
                deque(chain(ones, twos), maxlen=0)  # so that it is known how much longer one is
            return found
        start += len(one[columns[0]])
    return None


def _blocks(source: NumbersFile, columns: Sequence[str]) -> Iterator[Columns]:
    """Yield the numbers in batches of one size, whatever size the format reads."""
    waiting: Columns = {name: [] for name in columns}
    for batch in source.batches():
        for name in columns:
            waiting[name] += batch[name]
        while len(waiting[columns[0]]) >= _BLOCK:
            yield {name: values[:_BLOCK] for name, values in waiting.items()}
            waiting = {name: values[_BLOCK:] for name, values in waiting.items()}
    if waiting[columns[0]]:
        yield waiting


def _difference(one: Columns, two: Columns, start: int) -> Difference:
    """Find the first difference between two blocks that are not equal."""
    places = {name: _first_unequal(one[name], two[name]) for name in one}
    field = min(places, key=places.__getitem__)
    place = places[field]
    if place == min(len(one[field]), len(two[field])):
        return Difference(_record(one, place, start), _record(two, place, start))
    left, right = one[field][place], two[field][place]
    return Difference(
        Sighting(start + place, _masked(field, left)),
        Sighting(start + place, _masked(field, right)),
        field,
        _remark(field, left, right),
    )


def _record(block: Columns, place: int, start: int) -> Sighting | None:
    """Return the record at a place, None where the block is over."""
    rows = list(zip(*(values[place : place + 1] for values in block.values()), strict=True))
    return _sighting(start + place, rows[0], block) if rows else None


def _first_unequal(one: Sequence[Any], two: Sequence[Any]) -> int:
    pairs = enumerate(zip(one, two, strict=False))  # one can be longer: then the end differs
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(two)))


def _first_surplus(pair: _Pair, columns: Sequence[str]) -> Difference | None:
    """Find the first records that only one of the files has, or has more often."""
    with closing(sqlite3.connect("", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("CREATE TABLE records (side, place, line)")
        database.execute("BEGIN")
        for side, source in enumerate(pair):
            lines = ((side, place, repr(row)) for place, row in enumerate(_rows(source, columns)))
            database.executemany("INSERT INTO records VALUES (?, ?, ?)", lines)
        found = {
            side: _sighting(place, ast.literal_eval(line), columns)
            for side, place, line in database.execute(_SURPLUS)
        }
    return Difference(found.get(0), found.get(1)) if found else None


def _rows(source: NumbersFile, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    for batch in source.batches():
        yield from zip(*(batch[name] for name in columns), strict=True)


def _sighting(index: int, row: Iterable[Any], columns: Iterable[str]) -> Sighting:
    values = (f"{name} {_masked(name, value)}" for name, value in zip(columns, row, strict=True))
    return Sighting(index, ", ".join(values))


def _masked(field: str, value: Any) -> str:
    """Return a value as it may be shown."""
    if value is None:
        return "nothing"
    return mask_phone(value) if field in _PHONES else str(value).lower()


def _remark(field: str, one: Any, two: Any) -> str | None:
    """Say how two phones differ, where their masks do not show it."""
    if field not in _PHONES or one is None or two is None:
        return None
    if (e164 := normalise(one).e164) is not None and e164 == normalise(two).e164:
        return "the same number, written differently"
    if mask_phone(one) == mask_phone(two):
        return f"they differ from character {_first_unequal(one, two) + 1} on"
    return None
