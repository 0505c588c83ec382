"""The price of a rental: ``location/optin`` with ``op`` ``price`` (facts A6, A7).

Which fields of the targeting may be left out is not documented, nor how many people there are: what
is missing is accepted, but for a place and its volume, and each place has as many people as
``AT_ONE_PLACE`` says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from smspartner.sandbox.refusals import refusal
from smspartner.sandbox.wire import Value

#: How many people there are at each place, and in all.
AT_ONE_PLACE: Final = 10_000
IN_ALL: Final = 50_000

_AGES: Final = range(18, 100)
_PLACES: Final = {
    "zipcode": re.compile(r"\d{5}"),
    "department": re.compile(r"\d{2,3}|2[AB]"),
}
# The one documented price is 2.52 for 20 numbers at 0.09: 0.126 each.
_THOUSANDTHS: Final = 126


class _Complaint(NamedTuple):
    code: int
    field: str
    words: str


def price(fields: Mapping[str, Any]) -> Value:
    """Return the answer for what was posted.

    Raises:
        APIError: with the code of the first field that is wrong, and a complaint for each.
    """
    if complaints := list(_complaints(fields)):
        said = tuple((each.field, each.words) for each in complaints)
        raise refusal(complaints[0].code, details=said)
    volumes: dict[str, int] = fields["volumes"]
    wanted = sum(volumes.values())
    if max(volumes.values()) > AT_ONE_PLACE:
        raise refusal(27, "Le volume demandé pour une localité est trop grand")
    if wanted > IN_ALL:
        raise refusal(28, "Le volume total demandé est trop grand")
    places: list[Value] = [
        {"Type": "CP" if len(place) > 3 else "DEP", "Localite": place, "Volume": volume}  # noqa: PLR2004 - the digits of a department
        for place, volume in volumes.items()
    ]
    return {
        "success": True,
        "op": "price",
        "datas": [*places, {"Type": "total", "Localite": "total", "Volume": wanted}],
        "cost": {"quantity": wanted, "total": wanted * _THOUSANDTHS / 1000, "cost_unity": 0.09},
    }


def _complaints(fields: Mapping[str, Any]) -> Iterator[_Complaint]:
    operation = str(fields.get("op", "")).lower()
    if operation not in {"calcul", "price", "rent"}:
        yield _Complaint(4, "children[op].data", "This value is not valid")
    elif operation != "price":
        yield _Complaint(6, "children[op].data", "This operation is not authorised here")
    url = fields.get("urlNotification")
    if url is not None and not re.fullmatch(r"https?://\S+", str(url)):
        yield _Complaint(5, "children[urlNotification].data", "This value is not a valid URL")
    parameters = fields.get("parameters")
    if not isinstance(parameters, dict):
        yield _Complaint(3, "children[parameters].data", "This value should not be blank")
        return
    yield from _wrong_people(parameters)
    yield from _wrong_places(parameters, fields.get("volumes"))


def _wrong_people(parameters: Mapping[str, Any]) -> Iterator[_Complaint]:
    def wrong(code: int, name: str, *, right: bool) -> Iterator[_Complaint]:
        if name in parameters and not right:
            yield _about(code, name)

    get = parameters.get
    youngest, oldest = _whole(get("minAge", _AGES.start)), _whole(get("maxAge", _AGES.stop - 2))
    yield from wrong(8, "sexe", right=get("sexe") in ("m", "h", "f"))
    yield from wrong(12, "minAge", right=youngest is not None and youngest in _AGES)
    yield from wrong(14, "maxAge", right=oldest in range(youngest or _AGES.start, _AGES.stop - 1))
    yield from wrong(16, "interest", right=_whole(get("interest")) is not None)
    yield from wrong(18, "subInterest", right=_whole(get("subInterest")) is not None)
    yield from wrong(23, "category", right=_whole(get("category")) in {102, 103})


def _wrong_places(parameters: Mapping[str, Any], volumes: object) -> Iterator[_Complaint]:
    given = {name: str(parameters[name]).split(",") for name in _PLACES if parameters.get(name)}
    if not given:
        yield _about(24, "zipcode")
    for name, places in given.items():
        if not all(_PLACES[name].fullmatch(place) for place in places):
            yield _about(25, name)
    known = {place for places in given.values() for place in places}
    if (
        not isinstance(volumes, dict)
        or not volumes
        or not volumes.keys() <= known
        or not all(type(each) is int and each > 0 for each in volumes.values())  # True is no count
    ):
        yield _Complaint(26, "children[volumes].data", "This value is not valid")


def _about(code: int, name: str) -> _Complaint:
    field = f"children[parameters].children[{name}].data"
    return _Complaint(code, field, "This value is not valid")


def _whole(value: object) -> int | None:
    """Return an integer, also one given as text; None for anything else."""
    text = "" if isinstance(value, bool) else str(value)
    return int(text) if re.fullmatch(r"\d{1,9}", text, re.ASCII) else None
