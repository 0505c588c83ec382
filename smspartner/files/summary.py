"""What is in a file of numbers: how many, for whom, and what is wrong with them.

Memory: 16 bytes for each number, 8 for its phone and 8 for its id, to find out what comes twice;
a million numbers take 16 MB, ten million 160 MB. Everything else is counts.
"""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Any, Final

from smspartner.files.columns import Columns
from smspartner.files.opt_outs import OptOuts
from smspartner.files.read import NumbersFile
from smspartner.models.phones import TERRITORIES, Normalised, compact, normalise

#: The parts of the French plan outside Europe, by their ISO 3166 codes.
OVERSEAS: Final = frozenset(place.country for place in TERRITORIES.values() if place) - {"FR"}
#: The country of phones that belong to none, such as +800.
NO_COUNTRY: Final = "-"

_BUCKETS: Final = 64
#: A phone without an E.164 form, as those of other countries are without the extra ``phone``.
_DIGITS: Final = re.compile(r"(?:\+|00)?([0-9]{1,40})")
_NOT_GIVEN: Final = Normalised(None, "the file has neither its phone nor an E.164 form")
_COUNTED: Final = attrgetter("country", "kind")


class Summary:
    """What is in a file; ``add`` takes in its batches, and the rest can be asked at any time.

    Attributes:
        numbers: how many records.
        opted_out: how many of them have opted out of SMS; None where the file does not say.
        countries: how many phones for each ISO 3166 code; see ``NO_COUNTRY``.
        kinds: how many phones for each kind: mobile, fixed, voip, special, other.
        without_e164: why phones have no E.164 form, and how many for each reason.
        on_lists: how many records are on each opt-out list, by its name.
    """

    def __init__(self, columns: Iterable[str], opt_outs: OptOuts | None = None) -> None:
        self._opt_outs = opt_outs
        self.on_lists: Counter[str] = Counter(dict.fromkeys(opt_outs.names if opt_outs else (), 0))
        self._columns = frozenset(columns)
        self.numbers: int = 0
        self.opted_out: int | None = 0 if "stop_sms" in self._columns else None
        self.countries: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.without_e164: Counter[str] = Counter()
        self._phones = _Distinct()
        self._ids = _Distinct()

    @property
    def repeated_phones(self) -> int:
        """How many records have a phone that an earlier one has, however it is written."""
        return self._phones.repeated

    @property
    def both_flags(self) -> int | None:
        """How many people are opted out in one record and not in another; None as above."""
        return None if self.opted_out is None else self._phones.variants

    @property
    def repeated_ids(self) -> int | None:
        """How many records have an id that an earlier one has; None where there are no ids."""
        return self._ids.repeated if "id" in self._columns else None

    @property
    def overseas(self) -> int:
        """How many phones are French ones outside Europe."""
        return sum(self.countries[country] for country in OVERSEAS)

    def add(self, batch: Columns) -> None:
        """Take in a batch."""
        phones = _normalised(batch)
        self.numbers += len(phones)
        if self.opted_out is not None:
            self.opted_out += batch["stop_sms"].count(True)
        if "id" in self._columns:
            self._ids.add([2 * identifier for identifier in batch["id"]])
        self._phones.add(_keys(batch, phones))
        self._count(phones)
        if self._opt_outs is not None:
            for phone in batch["phone"] if "phone" in batch else batch["e164"]:
                self.on_lists.update(self._opt_outs.lists_with(phone or ""))

    def include(self, other: Summary) -> None:
        """Take in what another summary, with the same opt-out lists, has taken in."""
        self._columns &= other._columns
        self.numbers += other.numbers
        if self.opted_out is not None:
            stops = other.opted_out
            self.opted_out = None if stops is None else self.opted_out + stops
        for mine, its in (
            (self.countries, other.countries),
            (self.kinds, other.kinds),
            (self.without_e164, other.without_e164),
            (self.on_lists, other.on_lists),
        ):
            mine.update(its)
        self._phones.include(other._phones)
        self._ids.include(other._ids)

    def _count(self, phones: list[Normalised]) -> None:
        for (country, kind), count in Counter(map(_COUNTED, phones)).items():
            if kind is not None:
                self.countries[country or NO_COUNTRY] += count
                self.kinds[kind] += count
        self.without_e164.update(phone.reason for phone in phones if phone.reason)

    def as_dict(self) -> dict[str, Any]:
        """Return all of it under fixed names; None is what the file does not say."""
        return {
            "numbers": self.numbers,
            "opted_out": self.opted_out,
            "repeated_phones": self.repeated_phones,
            "both_flags": self.both_flags,
            "repeated_ids": self.repeated_ids,
            "countries": dict(self.countries.most_common()),
            "overseas": self.overseas,
            "kinds": dict(self.kinds.most_common()),
            "without_e164": dict(self.without_e164.most_common()),
            **({} if self._opt_outs is None else {"on_lists": dict(self.on_lists)}),
        }


def summarise(source: NumbersFile, found: Summary | None = None) -> Summary:
    """Read a file to its end and return what is in it.

    Args:
        source: the file.
        found: is filled: it tells what was there before an error.

    Raises:
        DecodeError, ConfigurationError: as for ``NumbersFile.batches``.
    """
    result = Summary(source.columns) if found is None else found
    for batch in source.batches():
        result.add(batch)
    return result


def _normalised(batch: Columns) -> list[Normalised]:
    if "phone" in batch:
        return list(map(normalise, batch["phone"]))
    return [_NOT_GIVEN if e164 is None else normalise(e164) for e164 in batch["e164"]]


def _keys(batch: Columns, phones: list[Normalised]) -> Iterator[int]:
    """Yield twice the digits of each phone, one more where the person has opted out."""
    column = "phone" if "phone" in batch else "e164"
    stops = batch.get("stop_sms") or [False] * len(phones)
    for written, phone, stop in zip(batch[column], phones, stops, strict=True):
        if phone.e164:
            yield 2 * int(phone.e164[1:]) + stop
        elif digits := _DIGITS.fullmatch(compact(written or "")):
            yield 2 * -int(digits[1]) + stop


class _Distinct:
    """Counts how many of many integers are repetitions, with 8 bytes for each.

    The last bit of an integer is a flag and no part of its value. They are dealt into buckets, and
    one bucket at a time becomes a set. One large set would be faster by a third, and take 10 times
    the memory.
    """

    def __init__(self) -> None:
        self._buckets = [array("q") for _ in range(_BUCKETS)]
        self._large: list[int] = []  # more than 64 bits: no id of the service, but an integer

    def add(self, values: Iterable[int]) -> None:
        """Take in integers of any size."""
        buckets = self._buckets
        for value in values:
            try:
                buckets[(value >> 1) % _BUCKETS].append(value)
            except OverflowError:
                self._large.append(value)

    def include(self, other: _Distinct) -> None:
        """Take in the integers of another one."""
        for bucket, more in zip(self._buckets, other._buckets, strict=True):
            bucket.extend(more)
        self._large += other._large

    @property
    def repeated(self) -> int:
        """How many values were there before."""
        return sum(len(some) - len({value >> 1 for value in some}) for some in self._all())

    @property
    def variants(self) -> int:
        """How many values are there with both flags."""
        return sum(
            len(found) - len({value >> 1 for value in found}) for found in map(set, self._all())
        )

    def _all(self) -> list[Sequence[int]]:
        return [*self._buckets, self._large]
