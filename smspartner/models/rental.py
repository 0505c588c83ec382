"""A rental's numbers, all of them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, overload

import msgspec

from smspartner.models.number import RentedNumber
from smspartner.models.table import Tabular


class Rental(msgspec.Struct, Tabular, frozen=True):
    """The numbers of one rental, complete: it has the methods of a sequence, as ``numbers`` has.

    It is not registered as one: Polars would make a list of objects of it. ``to_pandas()``,
    ``to_polars()``, ``to_arrow()``, and whatever takes an Arrow stream, make a table of it.

    Attributes:
        numbers: the records in the order of the wire.
        declared: the count the service declared, None where it declared none. Where there is
            one, it equals ``len(numbers)`` (rule R8).
    """

    numbers: tuple[RentedNumber, ...]
    declared: int | None = None

    def batches(self) -> tuple[tuple[RentedNumber, ...]]:
        """Return all numbers as one batch, in the form that exports take."""
        return (self.numbers,)

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, place: int) -> RentedNumber: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[RentedNumber, ...]: ...
    def __getitem__(self, place: int | slice) -> RentedNumber | tuple[RentedNumber, ...]:
        return self.numbers[place]

    def __iter__(self) -> Iterator[RentedNumber]:
        return iter(self.numbers)

    def index(self, number: RentedNumber, start: int = 0, stop: int = sys.maxsize) -> int:
        """Return where a number is first; ``ValueError`` if it is not there."""
        return self.numbers.index(number, start, stop)

    def count(self, number: RentedNumber) -> int:
        """Return how often a number is there."""
        return self.numbers.count(number)

    def __repr__(self) -> str:
        return f"Rental({len(self.numbers)} numbers, declared={self.declared})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # rich would print every number
        return [("numbers", len(self.numbers)), ("declared", self.declared)]
