"""A rental has the methods of a sequence, and is a table to what takes Arrow."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from number_files import numbers

from smspartner import Rental, RentedNumber

SOME = tuple(numbers(5))
OTHER = RentedNumber(99, "+33639980099", stop_sms=False)


def test_a_rental_has_the_methods_of_a_sequence() -> None:
    rental = Rental((*SOME, SOME[1]))
    assert all(hasattr(rental, name) for name in dir(Sequence) if not name.startswith("_"))
    assert (len(rental), rental[1], rental[-1]) == (6, SOME[1], SOME[1])
    assert rental[1:3] == SOME[1:3]
    assert list(reversed(rental)) == [SOME[1], *reversed(SOME)]
    assert SOME[4] in rental
    assert OTHER not in rental
    assert (rental.index(SOME[1]), rental.index(SOME[1], 2), rental.index(SOME[1], 0, 2)) == (
        1,
        5,
        1,
    )
    assert (rental.count(SOME[1]), rental.count(OTHER)) == (2, 0)
    with pytest.raises(ValueError, match="not in tuple"):
        rental.index(OTHER)


def test_it_is_not_registered_as_one_so_that_polars_sees_a_table() -> None:
    assert not isinstance(Rental(SOME), Sequence)
    polars = pytest.importorskip("polars", reason="the extra polars is not installed")
    assert polars.DataFrame(Rental(SOME)).columns == ["id", "phone", "stop_sms"]
