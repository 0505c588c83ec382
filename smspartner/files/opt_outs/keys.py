"""What a rented phone is looked up by in opt-out lists."""

from __future__ import annotations

import re
from typing import Final

from smspartner.files.opt_outs.readings import RefusedError, lookalikes, other_readings, plain
from smspartner.files.opt_outs.windows import NINE, number, windows_of
from smspartner.models.phones import compact, normalise

#: Nearly all that a rental holds.
_METROPOLITAN: Final = re.compile(r"\+33([1-9][0-9]{8})")
_FRENCH: Final = re.compile(r"(?:33|262|590|594|596)[1-9][0-9]{8}")
#: A phone with a country code: with ``+``, ``00``, or with nothing else than that before it.
_ABROAD: Final = re.compile(r"(?:\+|00)?([1-9][0-9]{6,14})")
#: Country codes, of one digit, of two, and all others of three (ITU-T E.164).
_COUNTRY: Final = re.compile(
    r"^(?:[17]|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|[0-9]{3})"
)


def keys_of(phone: str) -> set[int]:
    """Return what a phone is found by: one of them is enough. Empty if it has nothing to compare.

    A French phone has one key: the last nine digits of its E.164.
    """
    if found := _METROPOLITAN.fullmatch(phone):
        return {int(found[1])}
    e164 = normalise(phone).e164
    digits = e164[1:] if e164 else _international(phone)
    if digits is None:
        return _as_a_line(phone)
    if _FRENCH.fullmatch(digits):
        return {number(digits[-NINE:].encode())}
    national = _COUNTRY.sub("", digits, count=1)
    # The last nine, and what is written at home: all of it if that is short, else its beginning.
    return {number(part[-NINE:].encode()) for part in (digits, national[:NINE])}


def _international(phone: str) -> str | None:
    found = _ABROAD.fullmatch(compact(phone))
    return found[1] if found else None


def _as_a_line(phone: str) -> set[int]:
    line = plain(phone).replace("\n", " ")
    if list(lookalikes(line)):  # a key of what is left would be another's
        return set()
    try:
        readings = [line, *(reading for _, reading in other_readings(line))]
    except RefusedError:
        return set()
    return {key for reading in readings for key in windows_of(f"\n{plain(reading)}\n")}
