"""Whom a rental is for, and what it would cost: ``POST location/optin``, ``op`` price (fact A7).

The answers of the other two operations, ``calcul`` and ``rent``, are not public, so neither is
offered: the page does not say how the token of a new rental is named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import msgspec

from smspartner.errors import ConfigurationError, DecodeError
from smspartner.models.envelope import Answer, Key
from smspartner.models.status import Cost

#: Fact A6: the field of a request that the service complains about, by its code.
FIELDS: Final = {
    3: "parameters",
    4: "op",
    5: "urlNotification",
    6: "op: it is not allowed",
    7: "sexe",
    8: "sexe",
    9: "minAge",
    12: "minAge",
    13: "maxAge",
    14: "maxAge",
    **dict.fromkeys(range(15, 20), "interest or subInterest"),
    22: "category",
    23: "category",
    24: "zipcode or department",
    25: "zipcode or department",
    26: "volumes",
    27: "volumes: more numbers than there are at one place",
    28: "volumes: more numbers than there are in all",
}

_SEXES: Final = {"all": "m", "men": "h", "women": "f", "m": "m", "h": "h", "f": "f"}
#: 01 to 95 are at home, 97 and 98 overseas; no postcode begins with 00, 96 or 99.
_ZIPCODE: Final = re.compile(r"(?:0[1-9]|[1-8]\d|9[0-578])\d{3}", re.ASCII)
_DEPARTMENT: Final = re.compile(r"0[1-9]|[1-8]\d|9[0-5]|2[AB]|9[78]\d", re.ASCII)
_CATEGORIES: Final = (102, 103)
_AGES: Final = range(18, 99)

#: One place, or several: as a list, or as one text with commas between them.
Places = str | Iterable[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Targeting:
    """Whom to rent the numbers of.

    Args:
        zipcode: postcodes of five digits, as text: ``"60200"``, ``"02200,60200"`` or a list.
        department: departments, as text: ``"02,60"`` or a list.
        sex: ``all``, ``men`` or ``women``; the service's own ``m`` (all), ``h`` and ``f`` too.
        min_age: in years, from 18.
        max_age: in years, below 99.
        interest: the service's number of an interest, such as 14 for Habitation.
        sub_interest: the service's number of a narrower one; instead of ``interest``.
        category: 102 (CSP+) or 103 (CSP-); None for both.

    Raises:
        ConfigurationError: what the service would refuse; the message names the argument.
    """

    zipcode: Places = ()
    department: Places = ()
    sex: str = "all"
    min_age: int = _AGES[0]
    max_age: int = _AGES[-1]
    interest: int | None = None
    sub_interest: int | None = None
    category: int | None = None

    def __post_init__(self) -> None:
        for name, form in (("zipcode", _ZIPCODE), ("department", _DEPARTMENT)):
            object.__setattr__(self, name, _places(name, getattr(self, name), form))
        if not self.places:
            raise ConfigurationError("a targeting needs a place: give zipcode= or department=")
        if self.sex not in tuple(_SEXES):  # what has no hash is refused too
            raise ConfigurationError(f"sex= must be all, men or women, not {self.sex!r}")
        for name in ("min_age", "max_age"):
            _require_integer(name, getattr(self, name), _AGES)
        if self.min_age > self.max_age:
            raise ConfigurationError("min_age= is above max_age=")
        for name in ("interest", "sub_interest"):
            if getattr(self, name) is not None:
                _require_integer(name, getattr(self, name), range(1, 10**9))
        if self.interest is not None and self.sub_interest is not None:
            raise ConfigurationError("give interest= or sub_interest=, not both")
        category: object = self.category
        if category is not None and not (isinstance(category, int) and category in _CATEGORIES):
            raise ConfigurationError("category= must be 102 (CSP+) or 103 (CSP-)")

    @property
    def places(self) -> tuple[str, ...]:
        """All its places: postcodes, then departments."""
        return (*self.zipcode, *self.department)  # texts were taken apart when it was made

    def parameters(self) -> dict[str, object]:
        """Return it as the service takes it."""
        found = {
            "sexe": _SEXES[self.sex],
            "minAge": self.min_age,
            "maxAge": self.max_age,
            "interest": self.interest,
            "subInterest": self.sub_interest,
            "category": self.category,
            "department": ",".join(self.department) or None,
            "zipcode": ",".join(self.zipcode) or None,
        }
        return {name: value for name, value in found.items() if value is not None}


def require_volumes(targeting: object, volumes: object) -> dict[str, int]:
    """Return how many numbers are wanted at each place, checked against the targeting.

    Raises:
        ConfigurationError: not a map, a place that is not of the targeting, or no number above 0.
    """
    if not isinstance(targeting, Targeting):
        raise ConfigurationError(
            f"targeting= must be a Targeting(…), not {type(targeting).__name__}"
        )
    if not isinstance(volumes, Mapping) or not volumes:
        raise ConfigurationError('volumes= maps places to how many numbers: {"60200": 20}')
    for place, volume in volumes.items():
        if place not in targeting.places:
            raise ConfigurationError(f"volumes= names {place!r}, no place of the targeting")
        _require_integer(f"volumes[{place!r}]", volume, range(1, 10**9))
    return dict(volumes)


def _places(name: str, given: object, form: re.Pattern[str]) -> tuple[str, ...]:
    parts = given.split(",") if isinstance(given, str) else given
    texts: tuple[Any, ...] = tuple(parts) if isinstance(parts, Iterable) else (parts,)
    for text in texts:
        if not isinstance(text, str):
            raise ConfigurationError(f"{name}= takes text, as a number would lose its first 0")
        if not form.fullmatch(text.strip()) and given:
            raise ConfigurationError(f"{name}= has {text!r}, which is none")
    return tuple(dict.fromkeys(text.strip() for text in texts)) if given else ()


def _require_integer(name: str, value: object, right: range) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value not in right:
        raise ConfigurationError(f"{name}= must be a whole number from {right[0]} to {right[-1]}")


class QuotedPlace(msgspec.Struct, frozen=True, rename="pascal"):
    """What one place would give.

    Attributes:
        type: what kind of place, such as ``CP`` for a postcode.
        place: the postcode or department.
        volume: how many numbers.
    """

    type: str | None = None
    place: str | None = msgspec.field(name="Localite", default=None)
    volume: int | None = None

    @property
    def is_sum(self) -> bool:
        """Whether it is the record that adds up the others, and no place."""
        return "total" in {(self.type or "").strip().lower(), (self.place or "").strip().lower()}


class Quote(Answer, frozen=True):
    """What a rental would cost; nothing is rented, and nothing paid.

    Attributes:
        op: the operation that was answered, ``price``.
        datas: places as they were sent, the sum among them; ``places`` has no sum.
        cost: what it would cost, exact decimals. The total need not be quantity times unit.
    """

    op: str | None = None
    datas: list[QuotedPlace] | dict[Key, QuotedPlace] | None = None
    cost: Cost | None = None

    def __post_init__(self) -> None:
        if isinstance(self.datas, dict):  # fact A5.6
            msgspec.structs.force_setattr(self, "datas", list(self.datas.values()))

    @property
    def places(self) -> tuple[QuotedPlace, ...]:
        """What each place would give."""
        return tuple(place for place in self._records if not place.is_sum)

    @property
    def volume(self) -> int | None:
        """How many numbers it would be in all, as the service adds them up."""
        return next((place.volume for place in self._records if place.is_sum), None)

    @property
    def _records(self) -> list[QuotedPlace]:
        return cast("list[QuotedPlace]", self.datas) or []

    def check(self) -> None:
        """Check what no type can say.

        Raises:
            DecodeError: the answer is that of another operation, or names no price.
        """
        if self.op is not None and self.op.lower() != "price":
            raise DecodeError(f"op: a price was asked for, and the answer is one to {self.op!r}")
        if self.cost is None or self.cost.total is None:
            raise DecodeError("cost: the answer names no price")
