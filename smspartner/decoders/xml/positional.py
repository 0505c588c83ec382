"""From positional XML to what msgspec converts: any element tree, any struct (fact A5).

XML has lost the keys, so the struct's field order gives them back: ``shape`` turns an element
into dicts, lists and texts in the form of the JSON, and msgspec does the rest with the scalar
rules it has for JSON too (rule R7). Elements with names of their own are read by name.

A null may have been dropped, which moves the later entries forward (fact A5.5). Where a
struct has optional fields, the placements of the entries on the fields are searched for those
that suit all types and leave the fewest entries over: there must be exactly one. More than one is
refused rather than guessed (rule R1).
"""

from __future__ import annotations

import types
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import is_dataclass
from functools import cached_property, lru_cache
from typing import Annotated, Any, Final, Literal, NewType, Union, cast, get_args, get_origin

import msgspec
from msgspec.structs import FieldInfo

from smspartner.decoders.xml.elements import ENTRY, XSI, Element, read_table, value_of
from smspartner.decoders.xml.placement import Field, Placed, Plan, cost_of, ignored, place
from smspartner.errors import ConfigurationError, DecodeError
from smspartner.models.envelope import Answer, xml_orders


def shape(root: Element, type_: type[Answer]) -> dict[str, Any]:
    """Return a document in the form that ``msgspec.convert(..., type_, strict=False)`` takes.

    Raises:
        DecodeError: the entries fit the struct's optional fields in no way, or in several.
        ConfigurationError: the struct declares a type that cannot be told in XML.
    """
    exact = XSI in root.nsmap.values() and not type_.told_by_kind
    shaped = plan_of(type_, exact).build(root)
    if not isinstance(shaped, dict):
        raise DecodeError("the XML holds no entries: it is not an answer of this service")
    return shaped


class _Scalar(Plan):
    nested = False

    def __init__(self, type_: Any) -> None:
        self.type = type_

    def build(self, element: Element) -> object:
        return value_of(element)

    def further(self, element: Element, *, deep: bool) -> int | None:  # noqa: ARG002 - no list
        try:
            msgspec.convert(value_of(element), self.type, strict=False)
        except msgspec.ValidationError:
            return None
        return 0


class _Sequence(Plan):
    def __init__(self, item: Plan) -> None:
        self._item = item

    def build(self, element: Element) -> object:
        if not len(element):
            return _unless_empty(element, [])
        table = self._item.table(element)
        return [self._item.build(child) for child in element] if table is None else table

    def further(self, element: Element, *, deep: bool) -> int | None:
        if not len(element):
            return 0 if value_of(element) == "" else None
        if not deep:
            return 0
        if any(child.tag != ENTRY for child in element):
            return None
        return _sum(ignored(self._item, child, deep=deep) for child in element)


class _Mapping(Plan):
    """A map with any names. Its elements must have them: entries have lost theirs."""

    def __init__(self, item: Plan) -> None:
        self._item = item

    def build(self, element: Element) -> object:
        if not len(element):
            return _unless_empty(element, {})
        if any(child.tag == ENTRY for child in element):
            raise DecodeError("the XML has lost the names of a map: ask for JSON, which keeps them")
        return {str(child.tag): self._item.build(child) for child in element}

    def further(self, element: Element, *, deep: bool) -> int | None:  # noqa: ARG002 - no list
        if not len(element):
            return 0 if value_of(element) == "" else None
        return None if any(child.tag == ENTRY for child in element) else 0


class _Record(Plan):
    """A struct: named elements by name, entries by position."""

    def __init__(self, struct: type[msgspec.Struct], *, exact: bool) -> None:
        self._struct = struct
        self._exact = exact

    @cached_property
    def _fields(self) -> tuple[Field, ...]:
        # Looked at when first needed: a struct may hold itself.
        return tuple(map(self._field, msgspec.structs.fields(self._struct)))

    @cached_property
    def _orders(self) -> tuple[tuple[Field, ...], ...]:
        return tuple(tuple(map(self._field, order)) for order in xml_orders(self._struct))

    def _field(self, field: FieldInfo) -> Field:
        return Field(field.encode_name, plan_of(field.type, self._exact), field.required)

    @cached_property
    def _rigid(self) -> bool:
        return all(field.required for field in self._fields)

    @cached_property
    def _columns(self) -> tuple[str, ...]:
        flat = all(isinstance(field.plan, _Scalar) for field in self._fields)
        one_way = flat and len(self._orders) == 1
        return tuple(field.name for field in self._fields) if one_way else ()

    def table(self, element: Element) -> list[dict[str, str]] | None:
        table = read_table(element, self._columns) if self._columns else None
        if table is None or self._rigid:
            return table
        # Where each row is full, the one placement without an entry left over is the best one.
        try:
            msgspec.convert(table, self._full, strict=False)
        except msgspec.ValidationError:
            return None
        return table

    @cached_property
    def _full(self) -> Any:
        """A list of the struct with every field required."""
        names = {f"f{at}": field.name for at, field in enumerate(self._fields)}
        types = [cast("_Scalar", field.plan).type for field in self._fields]
        return list[msgspec.defstruct("Full", list(zip(names, types, strict=True)), rename=names)]  # type: ignore[misc]

    def build(self, element: Element) -> object:
        if not len(element):
            return _unless_empty(element, {})
        if any(child.tag != ENTRY for child in element):
            return self._build_named(element)
        placed = self._place(list(element), self._orders)
        return {field.name: field.plan.build(child) for field, child in placed}

    def _build_named(self, element: Element) -> object:
        """Read named elements by name, and entries among them as the fields that are left."""
        named = {str(child.tag): child for child in element if child.tag != ENTRY}
        by_name = [(field, named[field.name]) for field in self._fields if field.name in named]
        for field, child in by_name:
            if not field.required and ignored(field.plan, child, deep=False) is None:
                raise DecodeError(f"{field.name}: the XML element does not hold what it should")
        others = [[field for field in order if field.name not in named] for order in self._orders]
        placed = [*by_name, *self._place(list(element.iterchildren(ENTRY)), others)]
        return {field.name: field.plan.build(child) for field, child in placed}

    def _place(self, entries: list[Element], orders: Sequence[Sequence[Field]]) -> Iterable[Placed]:
        if self._rigid or not entries:
            return zip(orders[0], entries, strict=False)
        found = place(entries, orders, exact=self._exact)
        if found.ways == 0:
            raise DecodeError("the XML entries do not fit the fields of this answer in any way")
        if found.ways > 1:
            raise DecodeError(
                "the XML entries fit the fields of this answer in several ways: ask for JSON, "
                "which keeps the names"
            )
        return found.placed

    def further(self, element: Element, *, deep: bool) -> int | None:
        if not len(element):
            empty = value_of(element) == "" and not any(field.required for field in self._fields)
            return 0 if empty else None
        if any(child.tag != ENTRY for child in element):
            return self._further_named(element, deep=deep)
        return cost_of(list(element), self._orders, exact=self._exact, deep=deep)

    def _further_named(self, element: Element, *, deep: bool) -> int | None:
        fields = {field.name: field for field in self._fields}
        tags = {str(child.tag) for child in element}
        missing = any(field.required and field.name not in tags for field in self._fields)
        if missing and ENTRY not in tags:
            return None
        return _sum(
            ignored(fields[tag].plan, child, deep=deep) if (tag := str(child.tag)) in fields else 1
            for child in element
        )


def _sum(counts: Iterable[int | None]) -> int | None:
    total = 0
    for count in counts:
        if count is None:
            return None
        total += count
    return total


def _unless_empty(element: Element, empty: object) -> object:
    """Return a leaf as ``empty`` if there is nothing in it, else as the scalar that it is."""
    value = value_of(element)
    return empty if value == "" else value


@lru_cache(maxsize=256)
def plan_of(type_: Any, exact: bool) -> Plan:  # noqa: FBT001 - a key of the cache
    """Return how elements become ``type_``, by its shape alone.

    Args:
        type_: the type of an answer or of one of its fields.
        exact: nulls are kept, so entries stand at their own places.

    Raises:
        ConfigurationError: a type whose shape this module does not know.
    """
    kinds = tuple(_kinds(type_))
    for kind in kinds:
        origin = get_origin(kind) or kind
        if isinstance(origin, type) and issubclass(origin, msgspec.Struct):
            return _Record(origin, exact=exact)
    lists = [kind for kind in kinds if get_origin(kind) in _LISTS]
    if lists:
        item, *more = get_args(lists[0])
        if more in ([], [...]):
            return _Sequence(plan_of(item, exact))
    maps = [kind for kind in kinds if get_origin(kind) is dict]
    if maps:
        return _Mapping(plan_of(get_args(maps[0])[1], exact))
    if kinds and all(_is_scalar(kind) for kind in kinds):
        # None is left out: leniency about numbers would take the text "null" for it.
        return _Scalar(Union[kinds])  # noqa: UP007 - the members are known at run time only
    raise ConfigurationError(f"the type {type_} cannot be told in XML: declare a struct or a list")


_LISTS: Final = {list, tuple, set, frozenset, Sequence, Collection, Iterable}


def _kinds(type_: Any) -> Iterator[Any]:
    """Yield the members of a union without null, a single type as it is, without annotations."""
    if get_origin(type_) is Annotated or isinstance(type_, NewType):
        inner = get_args(type_)[0] if get_origin(type_) is Annotated else type_.__supertype__
        yield from _kinds(inner)
    elif get_origin(type_) in {Union, types.UnionType}:
        for member in get_args(type_):
            yield from _kinds(member)
    elif type_ not in {type(None), msgspec.UnsetType}:
        yield type_


def _is_scalar(kind: Any) -> bool:
    if kind is Any or get_origin(kind) is Literal:
        return True
    return isinstance(kind, type) and not (
        issubclass(kind, dict | list | tuple | set | frozenset) or is_dataclass(kind)
    )
