"""Phones in text that people, programs and spreadsheets have written, for opt-out lists.

An opt-out that is passed over means a message to somebody who has said no. One phone too many
costs a number that is not written to. So where text can be read in two ways, both count, and what
looks like a phone and cannot be read is counted too, for somebody to look at.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, NamedTuple

from smspartner.models.phones import compact, normalise

#: What stands between cells: the delimiters in use, and the quotes and ``=`` around them.
_BETWEEN: Final = re.compile(r"[;,|\t\r\n\"'=]+")
#: Marks that people write instead of a dot, dashes of all lengths, and what cannot be seen.
_PLAIN: Final = (
    dict.fromkeys(map(ord, "·•∙‧"), ".")
    | dict.fromkeys([*range(0x2010, 0x2016), 0x2212], "-")
    | dict.fromkeys([0xAD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), 0x2060, 0xFEFF])
    | dict.fromkeys(range(0x2066, 0x206A))
)
_DATE: Final = re.compile(
    r"(?<!\d)(?:(?:19|20)\d\d([-/.])[01]?\d\1[0-3]?\d|[0-3]?\d([-/.])[01]?\d\2(?:19|20)\d\d)(?!\d)",
    re.ASCII,
)
#: A phone in groups of two behind commas would be cut into five cells.
_BY_COMMAS: Final = re.compile(r"(?<!\d)0[67](?:,\d\d){4}(?!\d)", re.ASCII)
_BRACKETS: Final = re.compile(r"\((0[1-9])\)")
#: A number as programs and spreadsheets write large ones: digit, rest, sign and exponent. What
#: stands around it must not be a word: parts of identifiers look like this too.
_POWER: Final = re.compile(
    r"(?<![\w.\-])(\d)(?:[.,](\d*))?E(\+?)0?([89]|1\d)(?![\w.\-])", re.ASCII | re.IGNORECASE
)
#: Zeros that Java leaves off ``6.3998E8``; of more, nobody knows whether they were zeros.
_ZEROS_LEFT_OFF: Final = 2

_S: Final = r"[\s.\-/()_:]"
#: Digits, and what people put between them.
_STRETCH: Final = re.compile(rf"[+(]?\d(?:{_S}|\d)*\d", re.ASCII)
_NATIONAL: Final = rf"0[1-9](?:{_S}?\d\d){{4}}(?!\d)"


def _eight(name: str) -> str:
    """Return the pattern of eight more digits, with the same between them wherever anything is.

    Else in ``12 06 39 98 00 42`` and ``2-06 39 98 00 42`` more would be taken for phones.
    """
    return rf"(?=\d*(?P<{name}>{_S}?))(?:(?P={name})?\d){{8}}"


_OURS: Final = "(?:33|262|590|594|596)"
_NUMBER: Final = re.compile(
    rf"""
      (?<![\d+]) (?:(?:\+|00){_S}?)? {_OURS} {_S}? \(?0?\)? {_S}? [1-9]{_eight("a")} (?!\d)
    | (?P<abroad> (?:\+|(?<!\d)(?<!\d{_S})00) (?!{_S}?{_OURS}) {_S}? [1-9] (?:{_S}{{0,3}}\d){{5}}
          (?:(?!{_S}+{_NATIONAL}){_S}{{0,3}}\d){{0,9}} (?!\d))
    | (?<!\d) 0{_S}?[1-9]{_eight("b")} (?!\d)
    | (?<!\w)(?<!\d{_S}) [67]{_eight("c")} (?!{_S}?\d)
    """,
    re.ASCII | re.VERBOSE,
)
#: A spreadsheet drops the ``+`` or the 0 of a phone that it takes for a number, and adds ``.0``.
_BARE_MOBILE: Final = re.compile(r"[67]\d{8}", re.ASCII)
_DECIMALS: Final = re.compile(r"(?<=[0-9]{9})\.0+$")
#: Between digits of opt-out lists only: ``normalise`` takes no phone for one with these.
_FURTHER: Final = dict.fromkeys(map(ord, "_:"))
_HABIT: Final = re.compile(r"\(0\)")
_PREFIX: Final = re.compile(r"\+|00")
_FOUR_DIGITS: Final = re.compile(r"(?:\D*\d){4}", re.ASCII)
#: Digits from which on text looks like a phone.
_ENOUGH: Final = 9


class SpoiledError(ValueError):
    """A phone was turned into something like 3.36E+10, and its digits are lost."""


class Spotted(NamedTuple):
    """What is in one line.

    Attributes:
        e164: phones in E.164.
        abroad: keys of phones with a country code that have no E.164 form here; see ``text_keys``.
        texts: keys of the other cells with digits.
        unclear: how many pieces look like a phone and could not be read as one.
    """

    e164: set[str]
    abroad: set[str]
    texts: set[str]
    unclear: int


def spot(line: str) -> Spotted:
    """Find the phones in a line of any text file.

    Raises:
        SpoiledError: there is a number whose digits are lost.
    """
    found = Spotted(set(), set(), set(), 0)
    left: list[str] = []
    for cell in filter(_FOUR_DIGITS.match, _BETWEEN.split(_repaired(line))):
        if e164 := phone_in(cell):
            found.e164.add(e164)
        else:
            found.texts.update(text_keys(cell))
            left.extend(_searched(cell, found))
    if found.e164 or found.abroad:
        # Beside a phone, a bare number is something else: an identifier, a time, a tax number.
        left = [text for text in left if text.startswith(("+", "0", "(0", "(+"))]
    return found._replace(unclear=len(left))


def phone_in(text: str) -> str | None:
    """Return the E.164 form of text that is one phone, however it was spoiled, else None."""
    if e164 := normalise(text).e164:
        return e164
    plain = compact(_DECIMALS.sub("", _tidy(text).strip())).translate(_FURTHER)
    return normalise("0" + plain if _BARE_MOBILE.fullmatch(plain) else plain).e164


def text_keys(text: str) -> set[str]:
    """Return what phones without an E.164 form are compared by: equal where one key is.

    ``+32``, ``0032`` and ``32`` are alike. A bracketed 0 counts in one key and not in the other:
    it depends on the country.
    """
    tidy = _DECIMALS.sub("", _tidy(text).strip())
    return {_key(tidy), _key(_HABIT.sub("", tidy))}


def _key(text: str) -> str:
    plain = compact(text)
    prefix = _PREFIX.match(plain)
    return plain[prefix.end() :] if prefix else plain


def _searched(cell: str, found: Spotted) -> Iterator[str]:
    """Add the phones that stand in a cell between other text; yield what looks like one."""
    for stretch in _STRETCH.findall(cell):
        if e164 := phone_in(stretch):
            found.e164.add(e164)
            continue
        there, left = _read(stretch, again=False)
        if left:  # it may not be right where the phones begin
            there, left = _read(stretch, again=True)
        found.e164.update(there.e164)
        found.abroad.update(there.abroad)
        if left >= _ENOUGH:
            yield stretch


def _read(stretch: str, *, again: bool) -> tuple[Spotted, int]:
    """Return the phones in a stretch, and how many digits belong to none.

    In ``06 06 39 98 00 42`` a phone begins at each 06; ``again`` looks for those that begin in
    the middle of others too.
    """
    found = Spotted(set(), set(), set(), 0)
    at, covered, rest = 0, 0, ""
    while number := _NUMBER.search(stretch, at):
        start, end = number.span()
        at = start + 1
        if e164 := phone_in(number[0]):
            found.e164.add(e164)
        elif number["abroad"]:
            found.abroad.update(text_keys(number[0]))
        else:
            continue
        rest += stretch[covered:start]
        covered = max(covered, end)
        if number["abroad"] or not again:
            at = end  # a national number in one from abroad would be somebody else's
    return found, sum(map(str.isdigit, rest + stretch[covered:]))


def _repaired(line: str) -> str:
    """Return a line without dates, and its numbers as they were before a program wrote them."""
    text = _BRACKETS.sub(r"\1", _POWER.sub(_written_out, _tidy(line)))
    return _DATE.sub("|", _BY_COMMAS.sub(lambda phone: phone[0].replace(",", " "), text))


def _written_out(number: re.Match[str]) -> str:
    first, rest, plus, exponent = number[1], number[2] or "", number[3], int(number[4])
    if not plus and not rest:
        return number[0]  # a staircase or an article: programs write 3.0E10
    missing = exponent - len(rest)
    # Excel and LibreOffice write the plus, and round; Java writes none, and is exact.
    if missing < 0 or missing > (0 if plus else _ZEROS_LEFT_OFF):
        raise SpoiledError
    return first + rest + "0" * missing


def _tidy(text: str) -> str:
    """Return text with plain digits, spaces, dots and dashes for all that look like them."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text).translate(_PLAIN)
