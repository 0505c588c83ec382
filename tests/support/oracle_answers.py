"""What a positional XML body could have meant, by brute force (fact A5).

Every object that the serializer's rules turn into the same entries. One such object: both formats
give it. Several: the wire cannot tell them apart, and XML is refused. It shares nothing with the
decoders.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import combinations, product
from typing import Any, Final, TypeAlias

import msgspec
import pytest

from smspartner import DecodeError
from smspartner.decoders.whole import decode_answer
from smspartner.models.account import User
from smspartner.models.envelope import A, Answer, xml_orders
from smspartner.sandbox.wire import Format, Named, Nulls, Value, to_bytes

#: What a null becomes, and how the XML is laid out.
STYLES: Final[list[tuple[Nulls, bool]]] = [
    ("dropped", True),
    ("dropped", False),
    ("kept", True),
    ("kept", False),
]
FORMATS: Final[tuple[Format, ...]] = ("json", "xml")
SEVERAL: Final = "several ways"

# --- the oracle -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Names:
    """Elements with names of their own, and what is in them."""

    children: tuple[tuple[str, Cell], ...]


#: What is left of a value in XML: a text, an explicit null, entries, or named elements.
Cell: TypeAlias = "str | tuple[Cell, ...] | Names | None"

INTEGER: Final = re.compile(r"(-?(?:0|[1-9][0-9]*))(?:\.0+)?")
DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}


def seen_in_xml(value: Value, nulls: Nulls) -> Cell:
    """Return what the serializer leaves of a value: scalars are text, most keys are gone."""
    if isinstance(value, dict):
        kept = {key: item for key, item in value.items() if item is not None or nulls == "kept"}
        if isinstance(value, Named) and kept:
            return Names(tuple((key, seen_in_xml(item, nulls)) for key, item in kept.items()))
        return tuple(seen_in_xml(item, nulls) for item in kept.values()) or ""
    if isinstance(value, list):
        return tuple(seen_in_xml(item, nulls) for item in value) or ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def _first_two_different(found: Iterator[Any]) -> list[Any]:
    kept: list[Any] = []
    for item in found:
        if item not in kept:
            kept.append(item)
        if len(kept) == 2:
            break
    return kept


@lru_cache(maxsize=4096)
def could_have_been(kind: Any, cell: Cell) -> list[Any]:
    """Return what an element may have meant, and no more than two: more change nothing."""
    return _first_two_different(_origins(kind, cell))


def _origins(kind: Any, cell: Cell) -> Iterator[Any]:
    for member in _members(kind):
        if member is type(None):
            yield from [None] if cell is None else []
        elif typing.get_origin(member) is list:
            yield from _lists(typing.get_args(member)[0], cell)
        elif typing.get_origin(member) is dict:
            continue  # its names are lost, and its twin is the list (fact A5.6)
        elif issubclass(member, msgspec.Struct):
            yield from _structs(member, cell)
        elif isinstance(cell, str):
            yield from _scalars(member, cell)


def _members(kind: Any) -> Sequence[Any]:
    if typing.get_origin(kind) is typing.Annotated:
        return [typing.get_args(kind)[0]]
    return [kind] if typing.get_origin(kind) is list else typing.get_args(kind) or [kind]


def _scalars(kind: type, text: str) -> Iterator[Any]:
    if kind is str:
        yield text
    elif kind is bool:
        yield from [BOOLEANS[text.lower()]] if text.lower() in BOOLEANS else []
    elif kind is int:
        yield from (int(found) for found in INTEGER.findall(text) if INTEGER.fullmatch(text))
    elif DECIMAL.fullmatch(text):
        yield kind(text)


def _lists(item: Any, cell: Cell) -> Iterator[Any]:
    if cell == "":
        yield []
    elif isinstance(cell, tuple):
        for items in product(*(could_have_been(item, child) for child in cell)):
            yield list(items)


def _structs(kind: type[msgspec.Struct], cell: Cell) -> Iterator[Any]:
    orders = xml_orders(kind)
    for chosen, cells in (choice for order in orders for choice in _choices(order, cell)):
        pairs = zip(chosen, cells, strict=True)
        found = [could_have_been(_declared(field), each) for field, each in pairs]
        for values_ in product(*found):
            fields = {f.name: value for f, value in zip(chosen, values_, strict=True)}
            with suppress(ValueError):  # a struct may refuse what is not there together
                yield kind(**fields)


def _declared(field: msgspec.structs.FieldInfo) -> Any:
    return bool if field.name == "success" else field.type


def _choices(
    fields: Sequence[msgspec.structs.FieldInfo], cell: Cell
) -> Iterator[tuple[Sequence[msgspec.structs.FieldInfo], Sequence[Cell]]]:
    """Yield every choice of fields that the elements may belong to, in their order."""
    if isinstance(cell, Names):
        elements = dict(cell.children)
        chosen = [field for field in fields if field.encode_name in elements]
        if len(chosen) == len(elements) and all(f in chosen for f in fields if f.required):
            yield chosen, [elements[field.encode_name] for field in chosen]
    elif isinstance(cell, tuple) or cell == "":
        cells = cell or ()
        optional = [field for field in fields if not field.required]
        for left_out in combinations(optional, max(0, len(fields) - len(cells))):
            chosen = [field for field in fields if field not in left_out]
            if len(chosen) == len(cells):
                yield chosen, cells


# --- from objects to bodies -----------------------------------------------------------------------


def on_the_wire(thing: Any, *, named: frozenset[type] = frozenset({User})) -> Value:
    """Return an object as the service's PHP holds it: a map, or an object where it is ``named``."""
    if isinstance(thing, msgspec.Struct):
        fields = xml_orders(type(thing))[0]
        value = {f.encode_name: on_the_wire(getattr(thing, f.name), named=named) for f in fields}
        return Named(value) if type(thing) in named else value
    if isinstance(thing, list):
        return [on_the_wire(item, named=named) for item in thing]
    return str(thing) if isinstance(thing, Decimal) else thing


def read(value: Value, kind: type[A], form: Format, nulls: Nulls, *, pretty: bool = True) -> A:
    return decode_answer(to_bytes(value, form, pretty=pretty, nulls=nulls), kind)


def check(thing: Answer, *, named: frozenset[type] = frozenset({User})) -> Iterator[str]:
    """Read an object back from both formats in all styles; yield what became of each XML."""
    value, kind = on_the_wire(thing, named=named), type(thing)
    for nulls, pretty in STYLES:
        assert read(value, kind, "json", nulls, pretty=pretty) == thing
        origins = could_have_been(kind, seen_in_xml(value, nulls))
        assert len(origins) == 2 or origins == [thing], "the oracle has lost the truth"
        yield check_xml(value, kind, nulls, pretty=pretty)


def check_xml(value: Value, kind: type[Answer], nulls: Nulls, *, pretty: bool) -> str:
    """Read XML, which must give the only object it can have been, or a refusal."""
    origins = could_have_been(kind, seen_in_xml(value, nulls))
    if len(origins) == 1:
        assert read(value, kind, "xml", nulls, pretty=pretty) == origins[0]
        return "equal"
    with pytest.raises(DecodeError, match=SEVERAL if origins else None):
        read(value, kind, "xml", nulls, pretty=pretty)
    return "refused"
