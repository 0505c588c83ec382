"""The domain, and by its field order the layout of the wire.

Each struct is the one table of wire names: its renames are the JSON keys, its field order is the
order of the positional XML entries (contract A2, A5). Nothing else repeats either.
"""

from __future__ import annotations

import re
from typing import Annotated, Final

import msgspec

#: A phone is text that is not empty; the decoders also refuse blank ones (rule R7).
Phone = Annotated[str, msgspec.Meta(min_length=1)]

_FRENCH: Final = re.compile(r"\+33[1-9]\d{8}", re.ASCII)


def mask_phone(phone: str) -> str:
    """Return a phone as it may be shown: its kind and its last two characters.

    >>> mask_phone("+33639980042")
    '+33 6 •• •• •• 42'

    Anything but a French number in international form keeps its last two characters only, and
    a text of six characters or fewer none.
    """
    if _FRENCH.fullmatch(phone):
        return f"+33 {phone[3]} •• •• •• {phone[-2:]}"
    shown = 2 if len(phone) > 6 else 0  # noqa: PLR2004 - two of six would be a third of it
    return "•" * (len(phone) - shown) + phone[len(phone) - shown :]


#: Six digits or more, as people write phones: with one blank, dot, dash or slash between them.
_DIGITS: Final = re.compile(r"\d(?:[ ./-]?\d){5,}")


def mask_digits(text: str) -> str:
    """Return a text from outside as it may be shown: what could be a phone in it is hidden."""
    return _DIGITS.sub(lambda run: "•" * len(run[0]), text)


# gc=False: a record holds an int, a str and a bool and so can never be part of a reference
# cycle; left untracked, a million of them cost the collector nothing.
class RentedNumber(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One rented contact.

    Attributes:
        id: the contact's identifier at SMS Partner.
        phone: the phone as the service sent it, never edited (rule R7).
        stop_sms: True where the person has opted out of SMS: do not write to them.
    """

    id: int
    phone: Phone
    stop_sms: bool

    def __repr__(self) -> str:
        phone = mask_phone(self.phone)
        return f"RentedNumber(id={self.id}, phone={phone!r}, stop_sms={self.stop_sms})"
