"""The domain, and by its field order the layout of the wire.

Each struct is the one table of wire names: its renames are the JSON keys, its field order is the
order of the positional XML entries (fact A2, A5). Nothing else repeats either.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec

from smspartner.errors import OutputError
from smspartner.models.masks import mask_phone

_INT64: Final = range(-(2**63), 2**63)

#: Each integer up to here has a double of its own.
EXACT: Final = 2**53
#: Decoders look closely at a larger one (rule R7): with a fraction or an exponent in it, msgspec
#: reads an integer as a double, so that 2^53 may have been another number.
Id = Annotated[int, msgspec.Meta(gt=-EXACT, lt=EXACT)]

#: A phone is text that is not empty; the decoders also refuse blank ones (rule R7).
Phone = Annotated[str, msgspec.Meta(min_length=1)]


# gc=False: a record holds an int, a str and a bool and so can never be part of a reference
# cycle; left untracked, a million of them cost the collector nothing.
class RentedNumber(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One rented contact.

    Attributes:
        id: the contact's identifier at SMS Partner.
        phone: the phone as the service sent it, never edited (rule R7).
        stop_sms: True where the person has opted out of SMS: do not write to them.
    """

    id: Id
    phone: Phone
    stop_sms: bool

    def __repr__(self) -> str:
        phone = mask_phone(self.phone)
        return f"RentedNumber(id={self.id}, phone={phone!r}, stop_sms={self.stop_sms})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # rich asks for fields, not for repr
        phone = mask_phone(self.phone)
        return [("id", self.id), ("phone", phone), ("stop_sms", self.stop_sms)]


def require_int64(ids: Sequence[int], first: int) -> None:
    """Refuse ids that a target whose integers have 64 bits cannot hold.

    Args:
        ids: one or more.
        first: the place of the first of them in the rental, counted from 0.

    Raises:
        OutputError: an id has more bits; the message says which record it is.
    """
    if max(ids) not in _INT64 or min(ids) not in _INT64:
        raise not_int64(ids, first)


def not_int64(ids: Sequence[int], first: int) -> OutputError:
    """Return the error for ids of which one has more than 64 bits; arguments as above."""
    found = next(index for index, value in enumerate(ids) if value not in _INT64)
    return OutputError(
        f"the id of record {first + found} (counted from 0) does not fit in 64 bits; "
        "write CSV or JSON Lines instead"
    )


def not_text(phones: Sequence[str], first: int) -> OutputError:
    """Return the error for phones of which one has a lone surrogate; arguments as above."""
    found = next((index for index, phone in enumerate(phones) if has_surrogates(phone)), 0)
    return OutputError(
        f"the phone of record {first + found} (counted from 0) is not text that can be written"
    )


def has_surrogates(text: str) -> bool:
    """Say whether there is a lone surrogate: what Python makes of bytes that are not UTF-8."""
    return any("\ud800" <= character <= "\udfff" for character in text)
