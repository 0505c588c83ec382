"""Positional XML of any shape gives what the JSON gives, or is refused (rules R1, R5, R7)."""

from __future__ import annotations

import time
import types
import typing
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from oracle_answers import FORMATS, SEVERAL, STYLES, check, check_xml, on_the_wire, read

from smspartner import (
    ConfigurationError,
    DecodeError,
)
from smspartner.decoders.whole import decode_answer
from smspartner.decoders.xml.placement import ignored
from smspartner.decoders.xml.positional import plan_of, shape
from smspartner.models.account import Account
from smspartner.models.envelope import Answer
from smspartner.models.status import RentalStatus
from smspartner.sandbox.wire import Named, Nulls, Value, to_bytes

# --- answers of any shape -------------------------------------------------------------------------

TEXTS: Final = ("", "0", "1", "10", "1.50", "true", "False", "null", "x", "é]]>&<", " a\n b ")
SCALARS: Final[dict[type, st.SearchStrategy[Any]]] = {
    str: st.sampled_from(TEXTS),
    int: st.integers(-2, 12) | st.just(2**40),
    bool: st.booleans(),
    Decimal: st.sampled_from([Decimal(text) for text in ("0", "1", "1.50", "-3.25", "10.0")]),
}


@st.composite
def structs(
    draw: st.DrawFn, kinds: st.SearchStrategy[Any], base: type[msgspec.Struct] | None = None
) -> type[msgspec.Struct]:
    """Draw a struct of up to five fields, each required or optional, in any order."""
    fields: list[Any] = []
    for place, kind in enumerate(draw(st.lists(kinds, min_size=1, max_size=5))):
        optional = draw(st.sampled_from([True, True, False]))
        fields.append((f"f{place}", kind | None, None) if optional else (f"f{place}", kind))
    bases = (base,) if base else None
    return msgspec.defstruct("Drawn", fields, bases=bases, kw_only=True, frozen=True)


KINDS: Final = st.recursive(
    st.sampled_from(list(SCALARS)),
    lambda inner: inner.map(lambda kind: list[kind]) | structs(inner),  # type: ignore[valid-type]
    max_leaves=6,
)


@st.composite
def values(draw: st.DrawFn, kind: Any) -> Any:
    """Draw a value of a type of ``KINDS``."""
    if kind in SCALARS:
        return draw(SCALARS[kind])
    if typing.get_origin(kind) is list:
        return draw(st.lists(values(typing.get_args(kind)[0]), max_size=3))
    return draw_struct(draw, kind)


def draw_struct(draw: st.DrawFn, kind: Any) -> Any:
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        if field.name == "success":
            found["success"] = True
        elif field.required or draw(st.booleans()):
            found[field.name] = draw(values(first_of_union(field.type)))
    return kind(**found)


def first_of_union(kind: Any) -> Any:
    is_one = typing.get_origin(kind) in {typing.Union, types.UnionType}
    return typing.get_args(kind)[0] if is_one else kind


def parts_of(thing: Any) -> Iterator[type]:
    """Yield the types of all structs in a value."""
    if isinstance(thing, msgspec.Struct):
        yield type(thing)
        for name in thing.__struct_fields__:
            yield from parts_of(getattr(thing, name))
    elif isinstance(thing, list):
        for item in thing:
            yield from parts_of(item)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_answers_of_any_shape_are_equal_in_both_formats_or_refused(data: st.DataObject) -> None:
    kind = data.draw(structs(KINDS, base=Answer))
    answer = data.draw(values(kind))
    kinds = list(dict.fromkeys(parts_of(answer)))
    named = data.draw(st.sets(st.sampled_from(kinds)))
    assert len(list(check(answer, named=frozenset(named)))) == len(STYLES)


@pytest.mark.parametrize("kind", [RentalStatus, Account])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_status_and_account_with_any_values_are_equal_in_both_formats_or_refused(
    kind: type[Answer], data: st.DataObject
) -> None:
    assert len(list(check(data.draw(values(kind))))) == len(STYLES)


#: Values of the same kind as what they replace: an entry of another kind may be a further one, and
#: what belongs in its place absent (rule R5).
WRONG_SCALARS: Final = (*TEXTS, True, 7)
WRONG_PARTS: Final[tuple[Any, ...]] = (["x"], ["1"], [["x"]])


def with_one_wrong(value: Any, draw: Callable[..., Any]) -> Any:
    """Return a value with something else in one place, at any depth but not the flag."""
    places: list[Any] = []
    if isinstance(value, dict):
        places = [key for key in value if key != "success" and value[key] is not None]
    elif isinstance(value, list):
        places = list(range(len(value)))
    if not places:
        return draw(st.sampled_from(WRONG_SCALARS)) if not isinstance(value, dict | list) else value
    if "success" not in value and draw(st.booleans()):
        return draw(st.sampled_from(WRONG_PARTS))
    place = draw(st.sampled_from(places))
    copy = value.copy()
    copy[place] = with_one_wrong(value[place], draw)
    return copy if isinstance(value, list) else type(value)(copy)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_wrong_value_is_refused_and_never_moves_the_others(data: st.DataObject) -> None:
    kind: Any = data.draw(st.sampled_from([RentalStatus, Account]) | structs(KINDS, base=Answer))
    value = with_one_wrong(on_the_wire(data.draw(values(kind))), data.draw)
    for nulls, pretty in STYLES:
        check_xml(value, kind, nulls, pretty=pretty)


# --- one by one -----------------------------------------------------------------------------------


class Point(msgspec.Struct, frozen=True):
    x: int
    y: int
    label: str


class Inner(msgspec.Struct, frozen=True):
    number: int | None = None


class Tree(msgspec.Struct, frozen=True):
    name: str
    branches: list[Tree] | None = None


class Shapes(Answer, frozen=True):
    inner: Inner | None = None
    text: str | None = None
    grid: list[list[int]] | None = None
    points: tuple[Point, ...] | None = None
    tree: Tree | None = None
    tags: frozenset[str] | None = None
    seen: Annotated[Sequence[int], msgspec.Meta(max_length=3)] | None = None
    by_name: dict[str, Inner] | None = None


SHAPES: Final = Shapes(
    success=True,
    inner=Inner(7),
    text="",
    grid=[[1, 2], [], [3]],
    points=(Point(1, 2, "a"), Point(3, 4, "")),
    tree=Tree("root", [Tree("left"), Tree("right", [Tree("leaf", [])])]),
    tags=frozenset({"red", "blue"}),
    seen=[1, 2, 3],
    by_name={"first": Inner(1), "second": Inner()},
)


def shapes_on_the_wire() -> dict[str, Value]:
    value = msgspec.to_builtins(SHAPES)
    value["byName"] = Named(value["byName"])
    return dict(value)


@pytest.mark.parametrize(("nulls", "pretty"), STYLES)
def test_lists_records_trees_sets_and_named_maps_are_the_same_in_both_formats(
    nulls: Nulls, *, pretty: bool
) -> None:
    for form in FORMATS:
        assert read(shapes_on_the_wire(), Shapes, form, nulls, pretty=pretty) == SHAPES


def answer_of(*entries: str, root: str = "<result>") -> bytes:
    return f"{root}<entry>true</entry>{''.join(entries)}</result>".encode()


class Stock(Answer, frozen=True):
    by_name: dict[str, Inner]
    note: str | None = None


def test_a_map_that_lost_its_names_is_refused_and_none_are_invented() -> None:
    stock: dict[str, Value] = {"success": True, "byName": {"7": {"number": 1}, "8": {}}}
    expected = Stock(success=True, by_name={"7": Inner(1), "8": Inner()})
    assert read(stock, Stock, "json", "dropped") == expected
    with pytest.raises(DecodeError):
        read(stock, Stock, "xml", "dropped")
    with pytest.raises(DecodeError, match="lost the names of a map"):
        read(stock, answer_with([("byName", dict[str, Inner])]), "xml", "dropped")
    for form in FORMATS:
        assert read({**stock, "byName": {}}, Stock, form, "dropped").by_name == {}


class EmptyOrText(Answer, frozen=True):
    inner: Inner | None = None
    text: str | None = None


def test_an_empty_record_is_never_taken_for_the_empty_text_of_a_later_field() -> None:
    value: dict[str, Value] = {"success": True, "inner": {"number": None}, "text": None}
    assert read(value, EmptyOrText, "json", "dropped") == EmptyOrText(success=True, inner=Inner())
    with pytest.raises(DecodeError, match=SEVERAL):
        read(value, EmptyOrText, "xml", "dropped")


XSI: Final = '<result xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
NIL: Final = '<entry xsi:nil="true"/>'


class Price(Answer, frozen=True):
    quantity: int | None = None
    total: Decimal | None = None
    unit: Decimal | None = None
    note: str | None = None


def test_where_nulls_are_kept_each_entry_stands_at_its_own_place() -> None:
    body = answer_of("<entry>10</entry>", NIL, "<entry>0.09</entry>", NIL, root=XSI)
    assert decode_answer(body, Price) == Price(
        success=True, quantity=10, total=None, unit=Decimal("0.09")
    )


def test_an_entry_that_is_missing_although_nulls_are_kept_is_not_guessed_at() -> None:
    body = answer_of("<entry>10</entry>", "<entry>0.09</entry>", NIL, root=XSI)
    with pytest.raises(DecodeError, match=SEVERAL):
        decode_answer(body, Price)


def test_further_entries_are_ignored() -> None:
    body = answer_of(*(f"<entry>{text}</entry>" for text in ("10", "0.9", "0.09", "n", "new", "2")))
    expected = Price(
        success=True, quantity=10, total=Decimal("0.9"), unit=Decimal("0.09"), note="n"
    )
    assert decode_answer(body, Price) == expected


def test_names_are_read_by_name_in_any_order_and_unknown_ones_are_ignored() -> None:
    named = b"<result><new><a/></new><unit>2</unit><quantity>1</quantity><success>true</success>"
    expected = Price(success=True, quantity=1, unit=Decimal(2))
    assert decode_answer(named + b"</result>", Price) == expected
    assert (
        decode_answer(b'{"unit":2,"new":{"a":[]},"quantity":1,"success":true}', Price) == expected
    )


def test_a_named_value_of_the_wrong_type_is_an_error_and_never_none() -> None:
    with pytest.raises(DecodeError, match="unit"):
        decode_answer(b"<result><success>true</success><unit>free</unit></result>", Price)
    with pytest.raises(DecodeError):
        decode_answer(b'{"success":true,"unit":"free"}', Price)


def test_a_named_record_without_what_it_must_have_is_an_error_and_never_none() -> None:
    kind = answer_with([("point", Point | None, None), ("note", str | None, None)])
    whole = "<entry><y>2</y><x>1</x><label>a</label></entry>"
    found: Any = decode_answer(answer_of(whole), kind)
    assert found.point == Point(1, 2, "a")
    with pytest.raises(DecodeError):
        decode_answer(answer_of("<entry><y>2</y><x>1</x></entry>"), kind)


class Strict(Answer, frozen=True):
    number: int
    point: Point
    flag: bool


STRICT: Final = [
    "<entry>1</entry>",
    "<entry><entry>2</entry><entry>3</entry><entry>p</entry></entry>",
]
FLAG: Final = "<entry>false</entry>"


def test_required_fields_are_read_by_position() -> None:
    expected = Strict(success=True, number=1, point=Point(2, 3, "p"), flag=False)
    assert decode_answer(answer_of(*STRICT, FLAG), Strict) == expected


@pytest.mark.parametrize(
    "entries",
    [STRICT, [*STRICT[1:], FLAG], [STRICT[0], FLAG], [STRICT[1], STRICT[0], FLAG], []],
    ids=["no flag", "no number", "no point", "swapped", "nothing"],
)
def test_required_fields_that_are_missing_or_moved_are_an_error(entries: list[str]) -> None:
    with pytest.raises(DecodeError):
        decode_answer(answer_of(*entries), Strict)


def answer_with(fields: list[Any]) -> type[Answer]:
    made: type[Any] = msgspec.defstruct("Made", fields, bases=(Answer,), frozen=True)
    return made


def test_many_optional_fields_cost_no_time() -> None:
    """One placement after the other would take hours: there are 10^11 for these 20 entries."""
    kind = answer_with([(f"f{place}", int | None, None) for place in range(40)])
    started = time.process_time()
    with pytest.raises(DecodeError):
        decode_answer(answer_of("<entry>5</entry>" * 19, "<entry>x</entry>"), kind)
    assert time.process_time() - started < 1


class Pair(typing.NamedTuple):
    left: int
    right: int


@pytest.mark.parametrize(
    "kind", [Pair, tuple[int, str], list, dict[str, Pair], list[Pair] | None], ids=str
)
def test_a_declaration_that_xml_cannot_serve_is_refused_and_never_read_as_empty(kind: Any) -> None:
    body = answer_of("<entry><entry>1</entry><entry>2</entry></entry>")
    with pytest.raises(ConfigurationError, match="cannot be told in XML"):
        decode_answer(body, answer_with([("odd", kind)]))


def test_a_document_without_entries_is_no_answer() -> None:
    for body in (b"<result/>", b"<result>true</result>", b"<result><other>1</other></result>"):
        with pytest.raises(DecodeError):
            decode_answer(body, RentalStatus)
    with pytest.raises(DecodeError, match="no entries"):
        shape(etree.fromstring(b"<result>text</result>"), RentalStatus)


class Counted(msgspec.Struct, frozen=True):
    """What could be taken for a list where only entries are counted."""

    count: int | None = None


class Listing(Answer, frozen=True):
    """Lists and a struct that may all be absent."""

    rows: list[int] | None = None
    counted: Counted | None = None
    more: list[list[int]] | None = None


def test_named_elements_are_no_list() -> None:
    body = b"<r><entry>true</entry><entry><%s>7</%s></entry></r>"
    assert decode_answer(body % (b"count", b"count"), Listing) == Listing(True, None, Counted(7))
    with pytest.raises(DecodeError, match="do not fit"):
        decode_answer(body % (b"other", b"other"), Listing)


class Loose(Answer, frozen=True):
    anything: Any


@pytest.mark.parametrize("value", ["x", 7, True, ""])
def test_a_field_of_any_scalar_takes_each(value: Value) -> None:
    found = decode_answer(to_bytes({"success": True, "anything": value}, "xml"), Loose)

    assert found.anything == (str(value).lower() if isinstance(value, bool) else str(value))


class Couple(msgspec.Struct):
    a: int
    b: int | None = None


@pytest.mark.parametrize(
    ("content", "further"),
    [
        ("<a>1</a>", 0),
        ("<a>1</a><c>2</c>", 1),
        ("<b>1</b>", None),  # what must be there is not, and no entry can be it
        ("<b>1</b><entry>2</entry>", 1),
    ],
)
def test_names_decide_whether_an_element_can_be_a_record(content: str, further: int | None) -> None:
    element = etree.fromstring(f"<entry>{content}</entry>")

    assert plan_of(Couple, exact=False).further(element, deep=False) == further


def test_a_null_leaves_nothing_over() -> None:
    nil = etree.fromstring(
        '<entry xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:nil="true"/>'
    )

    assert ignored(plan_of(Couple, exact=False), nil, deep=True) == 0
