"""Rule R1 for every endpoint: whatever is absent, both formats give equal objects, or XML refuses.

What is declared is found by itself: an answer without a sample fails here.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any, Final, TypeAlias

import pytest
from endpoints import SAMPLES, declared_answers
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracle_answers import FORMATS, could_have_been, read, seen_in_xml

from smspartner import APIError, DecodeError
from smspartner.models.account import Account
from smspartner.models.envelope import Answer
from smspartner.sandbox.wire import Format, Named, Nulls, Value, to_json, to_xml
from smspartner.sandbox.wire_names import require_wire_names

#: Where a key of a sample stands: names, and places in lists.
Path: TypeAlias = tuple[str | int, ...]
NULLS: Final[tuple[Nulls, ...]] = ("dropped", "kept")
FLAG: Final[Path] = ("success",)

every_answer = pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.__name__)


def test_every_declared_answer_has_a_sample() -> None:
    assert set(SAMPLES) == declared_answers()


@every_answer
def test_every_struct_declares_the_names_of_its_sample_in_their_order(kind: type[Answer]) -> None:
    require_wire_names(kind, to_json(SAMPLES[kind]))


def as_documented(value: Any) -> Any:
    return value


def with_numbers_as_text(value: Any) -> Any:
    """Fact A4: the same field is a number here and a text there."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def without_names(value: Any) -> Any:
    """Fact A5.2: whether an object keeps its names depends on how PHP holds it."""
    return dict(value) if isinstance(value, Named) else value


def changed(value: Any, change: Any, absent: frozenset[Path] = frozenset(), at: Path = ()) -> Any:
    """Return a sample with its scalars and maps changed, and null where it is ``absent``."""
    if isinstance(value, dict):
        children = {
            name: None if (*at, name) in absent else changed(item, change, absent, (*at, name))
            for name, item in value.items()
        }
        return change(type(value)(children))
    if isinstance(value, list):
        return [changed(item, change, absent, (*at, place)) for place, item in enumerate(value)]
    return change(value)


def maps_in(value: Any, at: Path = ()) -> Iterator[tuple[Path, list[Path]]]:
    """Yield each map of a sample: where it stands, and where its keys do, but for the flag."""
    items = value.items() if isinstance(value, dict) else ()
    if items:
        yield at, [(*at, name) for name in value if (*at, name) != FLAG]
    for name, item in items or enumerate(value if isinstance(value, list) else ()):
        yield from maps_in(item, (*at, name))


CHANGES: Final = (as_documented, with_numbers_as_text, without_names)
#: The samples as they are, and changed where that changes anything.
BODIES: Final = [
    (kind, change)
    for kind, sample in SAMPLES.items()
    for change in CHANGES
    if change is as_documented or to_xml(changed(sample, change)) != to_xml(sample)
]
LEVELS: Final = [
    pytest.param(kind, keys, change, id=".".join(map(str, (kind.__name__, *at, change.__name__))))
    for kind, change in BODIES
    for at, keys in maps_in(SAMPLES[kind])
]


@pytest.mark.parametrize(("kind", "change"), BODIES)
@pytest.mark.parametrize("nulls", NULLS)
def test_a_complete_answer_is_the_same_in_both_formats(
    kind: type[Answer], change: Any, nulls: Nulls
) -> None:
    value = changed(SAMPLES[kind], change)
    in_json, in_xml = (outcome(value, kind, form, nulls) for form in FORMATS)
    assert in_xml == in_json
    assert isinstance(in_json, kind)


@pytest.mark.parametrize(("kind", "keys", "change"), LEVELS)
def test_every_set_of_absent_fields_is_equal_in_both_formats_or_refused(
    kind: type[Answer], keys: list[Path], change: Any
) -> None:
    for size in range(len(keys) + 1):
        for absent in combinations(keys, size):
            require_parity(changed(SAMPLES[kind], change, frozenset(absent)), kind)


@settings(max_examples=150)
@given(data=st.data())
def test_fields_that_are_absent_at_several_places_are_equal_or_refused(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(list(SAMPLES)))
    keys = [key for _, keys in maps_in(SAMPLES[kind]) for key in keys]
    absent = data.draw(st.sets(st.sampled_from(keys)))
    change = data.draw(st.sampled_from(CHANGES))
    value = changed(SAMPLES[kind], change, frozenset(absent))
    assume(not isinstance(outcome(value, kind, "json", "dropped"), DecodeError))
    require_parity(value, kind)


def require_parity(value: Value, kind: type[Answer]) -> None:
    for nulls in NULLS:
        in_json, in_xml = (outcome(value, kind, form, nulls) for form in FORMATS)
        if isinstance(in_json, DecodeError):
            assert isinstance(in_xml, DecodeError), (value, in_xml)
        elif len(could_have_been(kind, seen_in_xml(value, nulls))) == 1:
            assert in_xml == in_json
        else:
            assert isinstance(in_xml, DecodeError), (value, in_xml)
            assert "ask for JSON" in str(in_xml)


def outcome(value: Value, kind: type[Answer], form: Format, nulls: Nulls) -> Any:
    """Return what a client gets: an answer that is checked, or the error."""
    try:
        found: Any = read(value, kind, form, nulls, pretty=False)
        if hasattr(found, "check"):
            found.check()
    except DecodeError as error:
        return error
    return found


# --- refusals -------------------------------------------------------------------------------------

COMPLAINTS: Final = [{"elementId": "children[a].data", "message": "not valid"}]
#: The service's own (facts A3, A6), the framework's and RFC 7807 (fact A5.9).
ENVELOPES: Final[dict[str, dict[str, Any]]] = {
    "errors": {"success": False, "code": 9, "message": "wrong", "errors": COMPLAINTS},
    "error": {"success": False, "code": 9, "message": "wrong", "error": COMPLAINTS},
    "framework": Named(code=404, message="Not Found"),
    "problem": Named(type="about:blank", title="Not Found", status=404, detail="No route"),
}


@pytest.mark.parametrize("envelope", ENVELOPES)
@every_answer
def test_every_set_of_absent_fields_of_a_refusal_is_the_same_in_both_formats(
    kind: type[Answer], envelope: str
) -> None:
    full = ENVELOPES[envelope]
    keys = [name for name in full if name != "success"]
    for size in range(len(keys)):
        for absent in combinations(keys, size):
            value = type(full)({**full, **dict.fromkeys(absent)})
            found = {refusal(value, kind, form, nulls) for form in FORMATS for nulls in NULLS}
            assert len(found) == 1, value


def refusal(value: Value, kind: type[Answer], form: Format, nulls: Nulls) -> tuple[Any, ...]:
    with pytest.raises((APIError, DecodeError)) as caught:
        read(value, kind, form, nulls)
    error = caught.value
    if isinstance(error, APIError):
        return type(error), error.code, error.message, error.details
    return (type(error),)


# --- older shapes (fact A9) -----------------------------------------------------------------------

OLDER: Final[dict[str, tuple[dict[str, Value], bool]]] = {
    "another name": (
        {
            "creditSms": 1,
            "creditSmsLowCost": 2,
            "creditHlr": 3,
            "toSend": 4,
            "solde": "5.5",
            "currency": "EUR",
            "balance": "5.5",
        },
        True,
    ),
    "no solde": (
        {
            "creditSms": 1,
            "creditSmsECO": 2,
            "creditHlr": 3,
            "toSend": 4,
            "balance": "5.5",
            "currency": "EUR",
        },
        False,
    ),
    "money only": ({"toSend": 4, "balance": "5.5", "currency": "EUR"}, False),
}


@pytest.mark.parametrize("shape", OLDER)
def test_older_credits_are_told_by_json_and_never_moved_by_xml(shape: str) -> None:
    credits_, told = OLDER[shape]
    value = {**SAMPLES[Account], "credits": credits_}
    in_json = read(value, Account, "json", "dropped").credits
    assert in_json is not None
    said = {
        "creditSms": in_json.sms,
        "creditSmsECO": in_json.sms_eco,
        "creditSmsLowCost": in_json.sms_eco,
        "creditHlr": in_json.hlr,
        "toSend": in_json.to_send,
        "solde": in_json.solde,
        "balance": in_json.balance,
        "currency": in_json.currency,
    }
    assert {name: str(said[name]) for name in credits_} == {
        name: str(each) for name, each in credits_.items()
    }
    assert (in_json.solde is None) == ("solde" not in credits_)
    if told:
        assert read(value, Account, "xml", "dropped").credits == in_json
        return
    with pytest.raises(DecodeError, match=r"several ways.*ask for JSON"):
        read(value, Account, "xml", "dropped")
    named = {**SAMPLES[Account], "credits": Named(credits_)}
    assert read(named, Account, "xml", "dropped").credits == in_json
