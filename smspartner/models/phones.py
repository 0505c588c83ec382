"""Phones in E.164, beside what the service sent and never in its place (rule R7).

>>> normalise("06 39 98 00 42").e164
'+33639980042'
>>> normalise("0692 00 00 00").e164
'+262692000000'
>>> normalise("call me").reason
'it holds something other than digits'

France has one national plan over seven country codes: ``0692…`` is dialled alike everywhere and
is ``+262692…`` abroad. The prefix alone tells the territory, so one table decides, for ``06…``
and for the frequent mistake ``+336…`` alike. Its source is the national numbering plan of ARCEP
(decision 2018-0881 as amended by 2022-1583, annex 1), read beside the territories of
libphonenumber 9.0 (``0709x``, ``0268x``, ``0598x``, ``0939x``, ``0976x``). libphonenumber itself
does not help here: it takes ``0692…`` for ``+33692…``, and calls that invalid.

``06 39 98 xx xx`` is set apart by the same plan for fiction in metropolitan France: it is ``+33``
in the middle of Mayotte's ``0639``, where no operator has that block.

Numbers of other countries need the extra ``phone`` (phonenumberslite).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

import msgspec

from smspartner.errors import ConfigurationError
from smspartner.models.masks import mask_phone

Kind = Literal["mobile", "fixed", "voip", "special", "other"]


class Normalised(msgspec.Struct, frozen=True, gc=False):
    """What a phone is; ``e164`` or ``reason`` is None, never both.

    Attributes:
        e164: the number in E.164, ``+`` and digits; None where it cannot be told.
        reason: why it cannot, in words that do not repeat the phone.
        country: ISO 3166 code; that of the main island where territories share a prefix.
        kind: what the number is for. ``special`` is ``08…``; ``other`` is not known.
    """

    e164: str | None = None
    reason: str | None = None
    country: str | None = None
    kind: Kind | None = None

    def __repr__(self) -> str:
        e164 = self.e164 and mask_phone(self.e164)
        return (
            f"Normalised(e164={e164!r}, reason={self.reason!r}, "
            f"country={self.country!r}, kind={self.kind!r})"
        )

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # rich asks for fields, not for repr
        e164 = self.e164 and mask_phone(self.e164)
        rest = [(name, getattr(self, name)) for name in ("reason", "country", "kind")]
        return [("e164", e164), *rest]


class Territory(NamedTuple):
    """A part of the French plan: its country and its country code."""

    country: str
    code: str


_METROPOLE: Final = Territory("FR", "33")
_REUNION: Final = Territory("RE", "262")
_MAYOTTE: Final = Territory("YT", "262")
_GUADELOUPE: Final = Territory("GP", "590")  # with Saint-Barthélemy and Saint-Martin
_GUYANE: Final = Territory("GF", "594")
_MARTINIQUE: Final = Territory("MQ", "596")
_SAINT_PIERRE: Final = Territory("PM", "508")

#: National prefixes, without the 0, that are not metropolitan France; the longest one decides.
#: None is a prefix of overseas territories that is not given out beyond the longer ones here.
TERRITORIES: Final[dict[str, Territory | None]] = {
    # fixed; mobile; not tied to a place (VoIP)
    **dict.fromkeys(("262", "263", "268"), _REUNION),
    **dict.fromkeys(("692", "693", "7092"), _REUNION),
    **dict.fromkeys(("9399", "9479", "9762", "9763"), _REUNION),
    **dict.fromkeys(("269", "2689"), _MAYOTTE),
    **dict.fromkeys(("639", "70935", "70936", "70937"), _MAYOTTE),
    **dict.fromkeys(("9398", "9478", "9769"), _MAYOTTE),
    **dict.fromkeys(("590", "5987"), _GUADELOUPE),
    **dict.fromkeys(("690", "691", "7090"), _GUADELOUPE),
    **dict.fromkeys(("9395", "9475", "9760", "9761", "9768"), _GUADELOUPE),
    **dict.fromkeys(("594", "5988"), _GUYANE),
    **dict.fromkeys(("694", "7093"), _GUYANE),
    **dict.fromkeys(("9396", "9476", "9764", "9765"), _GUYANE),
    **dict.fromkeys(("596", "5989"), _MARTINIQUE),
    **dict.fromkeys(("696", "697", "7091"), _MARTINIQUE),
    **dict.fromkeys(("9397", "9477", "9766", "9767"), _MARTINIQUE),
    **dict.fromkeys(("508", "7084", "7085"), _SAINT_PIERRE),
    **dict.fromkeys(("708", "709"), None),
    "63998": _METROPOLE,  # set apart for fiction
}

#: Countries whose national numbers are those of the French plan.
_FRENCH_PLAN: Final = frozenset(
    {"FR", "BL", "MF", "TF"} | {place.country for place in TERRITORIES.values() if place}
)
_LONGEST: Final = max(map(len, TERRITORIES))
_KINDS: Final[dict[str, Kind]] = {
    **dict.fromkeys("12345", "fixed"),
    **dict.fromkeys("67", "mobile"),
    "8": "special",
    "9": "voip",
}

#: What people put between digits: spaces, dots, dashes, brackets, and marks that cannot be seen.
#: As a table for ``str.translate``, where a pattern takes twice the time; characters that stay are
#: in it too: each one that is not costs an exception inside of ``translate``.
_SEPARATORS: Final[dict[int, int | None]] = {
    **{code: code for code in range(0x80)},
    **dict.fromkeys(map(ord, " .-/()")),
    **dict.fromkeys([*range(0x09, 0x0E), *range(0x1C, 0x20), 0x85, 0xA0, 0xAD, 0x1680]),
    **dict.fromkeys([*range(0x2000, 0x2016), *range(0x2028, 0x2030), 0x205F, 0x2060]),
    **dict.fromkeys([*range(0x2066, 0x206A), 0x2212, 0x3000, 0xFEFF]),
}
#: Nine digits after a 0, or after a country code of the plan, also one without its ``+``. A 0
#: after the code, as in ``+33 (0)6``, is a habit that cannot mean anything else.
_FRENCH: Final = re.compile(r"(?:0|(?:\+|00)?(33|262|590|594|596)0?)([1-9][0-9]{8})")
_METROPOLITAN: Final = re.compile(r"\+33[1-9][0-9]{8}")
_SAINT_PIERRE_ABROAD: Final = re.compile(r"\+508(708[0-9]{6}|[2-9][0-9]{5})")
_DIGITS: Final = re.compile(r"\+?[0-9]+")


def normalise(phone: str, *, country: str = "FR") -> Normalised:
    """Tell a phone's E.164 form, or why there is none.

    Args:
        phone: the phone as it was sent or typed; 0.6 µs when it is ``+33`` and nine digits, 0.9
            to 1.5 for other French numbers without anything between their digits, 1.8 with.
        country: ISO 3166 code of the country whose national numbers it may be written as.

    Raises:
        ConfigurationError: there is no such country.
    """
    if _METROPOLITAN.fullmatch(phone) and _PLACES[phone[3:8]] is _METROPOLE:
        return Normalised(phone, None, "FR", _KINDS[phone[3]])
    found = _FRENCH.fullmatch(phone) or _FRENCH.fullmatch(compact(phone))
    if found is None or (country not in _FRENCH_PLAN and found.string[0] != "+"):
        return _cleaned(compact(phone), country)
    return _french(found[1], found[2])


def e164_of_all(phones: Sequence[str]) -> list[str | None]:
    """Return the E.164 form of each phone, None where it has none.

    As the service sends phones, ``+33`` and nine digits, they are in that form already: then only
    the territory of each is looked up, a third of the time.
    """
    if not all_metropolitan(phones):
        return [normalise(phone).e164 for phone in phones]
    places = _PLACES
    return [
        phone if places[phone[3:8]] is _METROPOLE else normalise(phone).e164 for phone in phones
    ]


def all_metropolitan(phones: Sequence[str]) -> bool:
    """Say whether each phone is ``+33`` and nine digits, the first of them no 0.

    All are looked at together, place by place: 40 ns a phone, where a pattern takes 200.
    """
    lines = ("\n" + "\n".join(phones)).encode(errors="replace")
    width, count = len("\n+33639980042"), len(phones)
    return (
        len(lines) == width * count
        and lines.translate(None, b"0123456789") == b"\n+" * count
        and all(lines[at::width] == b"\n+33"[at : at + 1] * count for at in range(4))
        and b"0" not in lines[4::width]
    )


def compact(phone: str) -> str:
    """Return a phone without what stands between its digits."""
    return phone.translate(_SEPARATORS)


def _french(code: str | None, national: str) -> Normalised:
    """Place the nine digits of a French number, written after a 0 or a country code."""
    place = _PLACES[national[:_LONGEST]]
    if place is _METROPOLE and (code is None or code == "33"):
        return Normalised("+33" + national, None, "FR", _KINDS[national[0]])
    if place is None:
        return Normalised(None, "its prefix belongs to no territory yet")
    if code not in (None, "33", place.code):
        return Normalised(None, f"+{code} is not the country code of its prefix")
    if place is _SAINT_PIERRE:
        return _saint_pierre(national.removeprefix("508"))
    return Normalised(f"+{place.code}{national}", None, place.country, _KINDS[national[0]])


def _saint_pierre(digits: str) -> Normalised:
    """Return what is ``+508`` and these digits: six serve mobiles and fixed lines alike."""
    kind: Kind = "mobile" if digits.startswith("708") else "other"
    return Normalised("+508" + digits, None, _SAINT_PIERRE.country, kind)


class _Places(dict[str, Territory | None]):
    """The territory of each first five digits that came by: no more than 90,000 of them."""

    def __missing__(self, digits: str) -> Territory | None:
        longest = (digits[:length] for length in range(_LONGEST, 2, -1))
        known = next((prefix for prefix in longest if prefix in TERRITORIES), None)
        place = _METROPOLE if known is None else TERRITORIES[known]
        self[digits] = place
        return place


_PLACES: Final = _Places()


def _cleaned(text: str, country: str) -> Normalised:
    if not _DIGITS.fullmatch(text):
        return Normalised(None, "it holds something other than digits" if text else "it is empty")
    if country in _FRENCH_PLAN and text.startswith("00"):
        text = "+" + text[2:]
    if text.startswith("+"):
        return _international(text)
    if country in _FRENCH_PLAN:
        return Normalised(None, "it is neither 0 and nine digits nor a country code and a number")
    return _foreign(text, country)


def _international(text: str) -> Normalised:
    if found := _SAINT_PIERRE_ABROAD.fullmatch(text):
        return _saint_pierre(found[1])
    if text.startswith(("+33", "+262", "+590", "+594", "+596", "+508")):
        return Normalised(None, "it has too few or too many digits for its country")
    return _foreign(text, None)


def _foreign(text: str, country: str | None) -> Normalised:
    """Ask libphonenumber about a number that is not French."""
    library = _library()
    if library is None:
        return Normalised(None, "other countries need the extra: pip install 'smspartner[phone]'")
    if country is not None and country not in library.SUPPORTED_REGIONS:
        raise ConfigurationError(f"{country!r} is not the code of a country, such as FR or BE")
    try:
        number = library.parse(text, country)
    except library.NumberParseException:
        return Normalised(None, "no country has such a number")
    e164 = library.format_number(number, library.PhoneNumberFormat.E164)
    if planned := _FRENCH.fullmatch(e164):
        return _french(*planned.groups())
    region = library.region_code_for_number(number)
    if not library.is_valid_number(number):
        return Normalised(None, "its country has no such number")
    return Normalised(e164, None, region, _foreign_kind(library, number))


def _foreign_kind(library: Any, number: Any) -> Kind:
    types = library.PhoneNumberType
    kinds: dict[int, Kind] = {
        types.MOBILE: "mobile",
        types.FIXED_LINE: "fixed",
        types.VOIP: "voip",
        types.TOLL_FREE: "special",
        types.PREMIUM_RATE: "special",
        types.SHARED_COST: "special",
    }
    return kinds.get(library.number_type(number), "other")


@functools.cache
def _library() -> Any:
    """Import libphonenumber once; None where it is not installed."""
    try:
        import phonenumbers  # noqa: PLC0415 - an extra, 30 ms to import
    except ImportError:
        return None
    return phonenumbers
