"""Columns of numbers: what they are called, and what may be in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from smspartner.decoders.detect import excerpt
from smspartner.errors import DecodeError
from smspartner.models.columns import FILE, TOKEN
from smspartner.models.number import RentedNumber

#: Numbers as columns: lists of equal length by the names ``id``, ``phone``, ``stop_sms``, ``e164``.
Columns: TypeAlias = dict[str, list[Any]]

#: Rows of a batch, where a format has none of its own.
ROWS: Final = 4096

_E164: Final = "e164"
#: What columns are called: our names, and those of the wire (``stopSms``).
WIRE_NAMES: Final = {
    name: field.name
    for field in msgspec.structs.fields(RentedNumber)
    for name in (field.name, field.encode_name)
} | {_E164: _E164}
_NAMES: Final = {name.casefold(): column for name, column in WIRE_NAMES.items()}
_PHONES: Final = {"phone", _E164}

_TYPES: Final[dict[str, Any]] = {
    "id": list[int],
    "phone": list[str],
    "stop_sms": list[bool],
    _E164: list[str | None],
}
_WANTED: Final = {
    "id": "an integer",
    "phone": "text",
    "stop_sms": "true or false",
    _E164: "text or nothing",
}
_INDEX: Final = r"\$\[(\d+)\]"
_WHAT_TO_DO: Final = "; correct it, or make the file again"

#: Says where a row of a batch is, such as ``'numbers.csv', line 17``.
Place = Callable[[int], str]


def counted_from(first: int, where: object) -> Place:
    """Return what says where a row is by its number alone; the batch begins at ``first``."""
    return lambda index: f"{where}, record {first + index} (counted from 0)"


def known_columns(names: Sequence[str]) -> dict[str, int]:
    """Return where the known columns are among the names that a file gives its own."""
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        column = _NAMES.get(name.strip().casefold())
        if column is not None:
            places.setdefault(column, place)
    return places


def foreign_columns(names: Sequence[str]) -> list[str]:
    """Return the columns of a file that no export has."""
    return [name for name in names if name.strip().casefold() not in {*_NAMES, TOKEN, FILE}]


def has_phones(names: Sequence[str]) -> bool:
    """Say whether one of these columns holds phones."""
    return not _PHONES.isdisjoint(known_columns(names))


def find_columns(names: Sequence[str], where: object) -> dict[str, int]:
    """Return where the known columns are; ``phone`` or ``e164`` has to be one of them.

    Args:
        names: the file's own names of its columns.
        where: the file, or the place in it that gives the names.

    Raises:
        DecodeError: there is no column of phones, or two of them share a name.
    """
    known = [_NAMES.get(name.strip().casefold()) for name in names]
    places = known_columns(names)
    twice = [column for column in places if known.count(column) > 1]
    if twice:
        raise DecodeError(f"{where}: two columns are called {twice[0]}; keep one of them")
    if _PHONES.isdisjoint(places):
        raise DecodeError(
            f"{where}: no column is called phone or e164, but {excerpt(', '.join(names).encode())}"
        )
    return dict(sorted(places.items(), key=lambda column: list(_TYPES).index(column[0])))


def typed(columns: Mapping[str, Sequence[Any]], place: Place) -> Columns:
    """Return columns with every value checked and of its type (rule R7).

    Raises:
        DecodeError: a value is missing or not what its column holds.
    """
    return {name: _typed(name, values, place) for name, values in columns.items()}


def _typed(name: str, values: Sequence[Any], place: Place) -> list[Any]:
    try:
        column: list[Any] = msgspec.convert(values, _TYPES[name], strict=False)
    except msgspec.ValidationError as error:
        problem = str(error)
    else:
        if name == "phone" and not all(map(str.strip, column)):
            blank = next(index for index, phone in enumerate(column) if not phone.strip())
            raise DecodeError(f"{place(blank)}: phone is blank{_WHAT_TO_DO}")
        return column
    found = re.search(_INDEX, problem)
    where = place(int(found[1]) if found else 0)
    missing = "got `null`" in problem
    reason = "is missing" if missing else f"is not {_WANTED[name]}"
    raise DecodeError(f"{where}: {name} {reason}{_WHAT_TO_DO}")
