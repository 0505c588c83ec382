"""What may be shown of a phone and of the API key: in a repr, an error, a log line."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final

import msgspec

#: What stands for an API key.
MASK: Final = "***"

#: The key in an address, also where that address is itself quoted inside another one, and in JSON.
_IN_ADDRESS: Final = r"""(?i)(apikey(?:=|%3d|%253d|\\?"\s*:\s*\\?"))[^&\s"'<>)]*"""

_FRENCH: Final = r"\+33[1-9][0-9]{8}"


#: An address as it should be: a password, if any, without the characters that end it.
_ADDRESS: Final = (
    r"(\w+://)(?:([\w.-]+)(?::[^@/?#]*)?(@))?([\w.-]*(?::\d*)?|\[[\d:a-f]*\](?::\d*)?)(/[^?#@]*)?"
    r"(?:\?[^@]*)?"
)


def mask_phone(phone: str) -> str:
    """Return a phone as it may be shown: its kind and its last two characters.

    >>> mask_phone("+33639980042")
    '+33 6 •• •• •• 42'

    Anything but a French number in international form keeps its last two characters only, and
    a text of six characters or fewer none.
    """
    if re.fullmatch(_FRENCH, phone):
        return f"+33 {phone[3]} •• •• •• {phone[-2:]}"
    shown = 2 if len(phone) > 6 else 0  # noqa: PLR2004 - two of six would be a third of it
    return "•" * (len(phone) - shown) + phone[len(phone) - shown :]


#: Six digits or more, with up to three marks between them, as in ``(06) - 39``.
_DIGITS: Final = r"\d(?:[\W_]{0,3}\d){5,}"


def mask_digits(text: str) -> str:
    """Return a text from outside as it may be shown: what could be a phone in it is hidden."""
    return re.sub(_DIGITS, lambda run: "•" * len(run[0]), text)


def mask_address(text: str) -> str:
    """Return a text with the value of every ``apiKey=`` in it hidden.

    >>> mask_address("GET /v1/location/status?apiKey=a%2Fb&token=t")
    'GET /v1/location/status?apiKey=***&token=t'
    """
    return re.sub(_IN_ADDRESS, rf"\g<1>{MASK}", text)


def mask_target(target: str) -> str:
    """Return a target as it may be shown: an address without its password and parameters.

    >>> mask_target("postgresql://me:secret@db.example/rentals?sslmode=require")
    'postgresql://me@db.example/rentals'

    Where it cannot be told what is password and what is not, only the scheme is left.
    """
    scheme, colon, _ = target.partition("://")
    if not colon or target.startswith("sqlite:///"):
        return target
    found = re.fullmatch(_ADDRESS, target)
    return "".join(part or "" for part in found.groups()) if found else f"{scheme}://…"


class Hidden(msgspec.Struct, frozen=True):
    """A struct that shows nobody what is in it, such as the password of a proxy, but ``shown``."""

    shown: ClassVar[tuple[str, ...]] = ()

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({shown})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # rich asks for fields, not for repr
        return [(name, getattr(self, name)) for name in self.shown]
