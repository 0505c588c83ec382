"""Which entry belongs to which field, where nulls were dropped and keys are lost.

Every placement that keeps both orders is a candidate. The one with the fewest entries left over or
at a wrong place is taken, if all its entries suit; if there are several, none is: refused rather
than guessed (rule R1).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final, NamedTuple, TypeAlias

from smspartner.decoders.xml.elements import Element, value_of


class Plan(ABC):
    """How an element becomes one type.

    Attributes:
        nested: whether the element has children, unless it is empty.
    """

    nested = True

    def table(self, element: Element) -> list[dict[str, str]] | None:  # noqa: ARG002 - of records
        """Return all children of an element at once, None where each has to be looked at."""
        return None

    @abstractmethod
    def build(self, element: Element) -> object:
        """Return the element in this type's form; msgspec checks what is in it."""

    @abstractmethod
    def further(self, element: Element, *, deep: bool) -> int | None:
        """Return how many entries would be ignored if it were of this type; None if it is not.

        Args:
            element: not a null.
            deep: look into lists; they may be long, and it is seldom needed.
        """


class Field(NamedTuple):
    """A field of a struct: its name, how an entry becomes it, whether it must be there."""

    name: str
    plan: Plan
    required: bool


Placed: TypeAlias = tuple[Field, Element]


class Found(NamedTuple):
    """The best placements of entries on fields.

    Attributes:
        cost: how many entries they leave over or put where they do not suit, those of nested
            records included.
        ways: how many of them there are: 0, 1, or 2 for several.
        clean: whether every entry suits its field.
        placed: one of them.
    """

    cost: int
    ways: int
    clean: bool
    placed: tuple[Placed, ...]


NOWHERE: Final = Found(0, 0, False, ())


def place(entries: Sequence[Element], orders: Sequence[Sequence[Field]], *, exact: bool) -> Found:
    """Return the best placements on the fields, in one of the orders that they may have."""
    return _best_of(_place(entries, fields, exact=exact) for fields in orders)


def cost_of(
    entries: Sequence[Element], orders: Sequence[Sequence[Field]], *, exact: bool, deep: bool
) -> int | None:
    """Return what the best placements cost, None where there are none."""
    found = _best_of(search(entries, fields, exact=exact, deep=deep) for fields in orders)
    return found.cost if found.ways else None


def _best_of(each: Iterable[Found]) -> Found:
    best = NOWHERE
    for found in each:
        if found.placed != best.placed:
            best = _better(best, found)
    # Only now: an order with a wrong value may cost no more than one with an entry left over.
    return best if best.clean or best.ways > 1 else NOWHERE


def _place(entries: Sequence[Element], fields: Sequence[Field], *, exact: bool) -> Found:
    """Return the best placements; lists are looked into only if it is needed to decide."""
    if len(entries) == len(fields) and all(
        ignored(field.plan, entry, deep=False) == 0
        for field, entry in zip(fields, entries, strict=True)
    ):
        # The one that costs nothing: any other leaves an entry over. The search takes 20 µs more.
        return Found(0, 1, True, tuple(zip(fields, entries, strict=True)))
    found = search(entries, fields, exact=exact, deep=False)
    if found.ways > 1:
        found = search(entries, fields, exact=exact, deep=True)
    return NOWHERE if _hides(entries, fields, found.placed) else found


def search(
    entries: Sequence[Element], fields: Sequence[Field], *, exact: bool, deep: bool
) -> Found:
    """Return the placements that keep both orders and cost the least, suitable or not.

    An answer without further entries costs nothing in its true placement, so that one is found,
    or refused where it is not the only one. A value of the wrong type costs as much as an entry
    left over: otherwise a wrong value in a full record would be ignored, and its neighbours moved.
    Entries may be left over (rule R5) only where the last field has one: otherwise they may
    belong there. Where nulls are kept and no entry is missing (``exact``), every entry stands at
    its own place.
    """
    rigid = exact and len(entries) >= len(fields)

    @cache
    def best(at: int, field_at: int) -> Found:
        if field_at == len(fields):
            return Found(len(entries) - at, 1, True, ())
        if at == len(entries):
            optional = not any(field.required for field in fields[field_at:])
            return Found(0, 1, True, ()) if optional else NOWHERE
        field, entry = fields[field_at], entries[at]
        further = ignored(field.plan, entry, deep=deep)
        rest = best(at + 1, field_at + 1)
        found = Found(
            rest.cost + (_misfit(field.plan, entry) if further is None else further),
            rest.ways,
            rest.clean and further is not None,
            ((field, entry), *rest.placed),
        )
        if not rigid and not field.required and field_at + 1 < len(fields):
            found = _better(found, best(at, field_at + 1))
        return found

    return best(0, 0)


def ignored(plan: Plan, element: Element, *, deep: bool) -> int | None:
    """Return how many entries a field ignores in an element, None if it cannot be its own."""
    return 0 if value_of(element) is None else plan.further(element, deep=deep)


def _misfit(plan: Plan, element: Element) -> int:
    """Return what an unsuitable entry costs: 1 for a wrong value, 2 for another kind of thing.

    Entries are told apart by kind (rule R5): a list where a number belongs is a field too late.
    """
    return 1 if plan.nested == bool(len(element)) else 2


def _better(one: Found, other: Found) -> Found:
    """Return what costs less; of placements that cost as much, those that suit are counted."""
    if not one.ways or not other.ways:
        return one if one.ways else other
    if one.cost != other.cost:
        return min(one, other, key=lambda found: found.cost)
    if not one.clean and not other.clean:
        return one
    return one._replace(ways=2, clean=False)


def _hides(entries: Sequence[Element], fields: Sequence[Field], placed: Sequence[Placed]) -> bool:
    """Say whether an empty entry was taken for an empty list although entries follow it.

    It may be the empty text of a field that was left empty, and the list the one that follows:
    ignoring that one could lose every number.
    """
    left_over = len(placed) < len(entries) and len(placed) < len(fields)
    return left_over and any(value_of(element) == "" for _, element in placed)
