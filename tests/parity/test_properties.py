"""For any records at all: rendered in any style, cut anywhere, they come back the same."""

from __future__ import annotations

from typing import Any, Final

import oracle_json
import oracle_xml
import pytest
from bodies import STYLES, Named, Style, render, rental, scalar, values_of
from cases import FORMATS, cut, numbers_of, read_fed
from hypothesis import given, settings
from hypothesis import strategies as st
from invariants import window

from smspartner import APIError
from smspartner.errors import SMSPartnerError

ENGINES: Final = {"json": oracle_json.read, "xml": oracle_xml.read}

#: Texts that look like the end of something, or like the beginning.
TRAPS: Final = (
    *("]]>", "]]", "]", ">", "<![CDATA[", "]]]]><![CDATA[>", "</entry>", "<entry>", "-->", "<!--"),
    *(
        "</entry></entry><entry><entry>",
        "</entry>\n      <entry>",
        "<?xml version='1.0'?>",
        "&amp;",
    ),
    *(
        '"',
        "\\",
        '\\"',
        "}",
        "},{",
        '"},{"',
        "]}",
        '"}],"datas":[',
        '{"id":1}',
        '"datas":[',
        "\\u0041",
    ),
    *("/", "null", "true", "1", "é", "\U0001f4f5", "\u2028", "\ufeff", "\x7f", "\x85", "\xa0"),
)
#: Every character that XML can carry unchanged: CR comes back as LF (fact A5.7).
CHARACTERS: Final = st.characters(
    codec="utf-8",
    exclude_categories=["Cs"],
    exclude_characters=[chr(code) for code in range(32) if chr(code) not in "\t\n"]
    + ["\ufffe", "\uffff"],
)
TEXTS: Final = st.lists(
    st.one_of(st.sampled_from(TRAPS), st.text(CHARACTERS, max_size=6), st.sampled_from(" \n\t")),
    max_size=5,
).map("".join)
PHONES: Final = st.one_of(
    st.integers(0, 9999).map("+3363998{:04}".format),
    TEXTS.filter(lambda text: text != "" and not text.isspace()),
)
IDS: Final = st.one_of(st.integers(0, 10**6), st.integers(-(2**63), 2**63 - 1))
SCALARS: Final = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(-1e9, 1e9), TEXTS
)
VALUES: Final = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text("abc", min_size=1), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def records(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Return records, some of them with further values behind the three that count."""
    extras = draw(st.sampled_from((None, SCALARS, VALUES)))
    found = []
    for _ in range(draw(st.integers(0, 9))):
        record = {"id": draw(IDS), "phone": draw(PHONES), "stopSms": draw(st.booleans())}
        if extras is not None:
            record |= {f"extra{i}": draw(extras) for i in range(draw(st.integers(0, 3)))}
        found.append(record)
    return found


@pytest.mark.parametrize("format_", FORMATS)
@settings(max_examples=60)
@given(data=st.data())
def test_rendered_records_come_back_the_same(format_: str, data: st.DataObject) -> None:
    rows = data.draw(records())
    style = data.draw(st.sampled_from(STYLES))
    answer = rental(
        rows,
        count=data.draw(st.sampled_from((len(rows), str(len(rows)), float(len(rows)), None))),
        keyed=data.draw(st.booleans()),
        # Without a count, a text behind an empty list could be the list's own place.
        **({"further": data.draw(VALUES)} if rows else {}),
    )
    body = render(answer, format_, style)
    places = data.draw(st.lists(st.integers(0, len(body)), max_size=6))
    size = data.draw(st.one_of(st.just(65536), st.integers(30, 500)))

    with window(size):
        got = read_fed(cut(body, places), format_)

    assert numbers_of(got) == values_of(rows)
    assert got.declared in {len(rows), None}
    assert ENGINES[format_](body)["numbers"] == values_of(rows)


@settings(max_examples=50)
@given(rows=records(), style=st.sampled_from(STYLES), size=st.integers(30, 500))
def test_both_formats_give_equal_objects(
    rows: list[dict[str, Any]], style: Style, size: int
) -> None:
    answer = rental(rows)

    with window(size):
        json_file = read_fed([render(answer, "json", style)])
        xml_file = read_fed([render(answer, "xml", style)])

    assert json_file == xml_file


@settings(max_examples=50)
@given(rows=records(), style=st.sampled_from(STYLES), named=st.sets(st.sampled_from("eir")))
def test_elements_with_names_are_read_like_entries(
    rows: list[dict[str, Any]], style: Style, named: set[str]
) -> None:
    # Fact A5.2: objects keep their names, and both kinds mix in one document.
    items = [Named(row) if "r" in named else row for row in rows]
    answer = rental(items)
    body = render(Named(answer) if "e" in named else answer, "xml", style)

    for size in (65536, 300):
        with window(size):
            assert numbers_of(read_fed([body])) == values_of(rows)
    assert oracle_xml.read(body)["numbers"] == values_of(rows)


# Positions (rule R6): a shift is an error or the same record, never another one.


@settings(max_examples=60)
@given(data=st.data(), pretty=st.booleans(), size=st.sampled_from((65536, 200)))
def test_moved_positions_never_give_another_record(
    data: st.DataObject, *, pretty: bool, size: int
) -> None:
    rows = data.draw(st.lists(st.tuples(IDS, PHONES, st.booleans()), min_size=1, max_size=5))
    original = [list(row) for row in rows]
    moved = [list(row) for row in rows]
    victim = moved[data.draw(st.integers(0, len(moved) - 1))]
    shuffle(victim, data)
    body = render([True, len(moved), moved], "xml", Style(pretty=pretty))

    with window(size):
        try:
            got = numbers_of(read_fed([body]))
        except SMSPartnerError:
            return

    # Where the types fit, XML cannot tell: a text "1" may be an id, and an id 1 a flag.
    assert got in (original, [as_written(row) for row in moved])


def shuffle(values: list[Any], data: st.DataObject) -> None:
    """Swap, drop, or add positions."""
    match data.draw(st.sampled_from(("swap", "drop", "add", "double"))):
        case "swap":
            one, two = data.draw(st.permutations(range(3)))[:2]
            values[one], values[two] = values[two], values[one]
        case "drop":
            del values[data.draw(st.integers(0, 2))]
        case "add":
            values.insert(data.draw(st.integers(0, 3)), data.draw(VALUES))
        case _:
            place = data.draw(st.integers(0, 2))
            values.insert(place, values[place])


def as_written(values: list[Any]) -> list[Any]:
    """Return a record as its entries say, nothing where their types do not fit (rule R7)."""
    present = [value for value in values if value is not None][:3]
    texts = [value if isinstance(value, str) else scalar(value) for value in present]
    if len(texts) < 3 or any(isinstance(value, list | dict) for value in present):
        return []
    id_, flag = oracle_xml.as_integer(texts[0]), texts[2].lower()
    if id_ is None or not texts[1].strip() or flag not in {"true", "false", "1", "0"}:
        return []
    return [id_, texts[1], flag in {"true", "1"}]


# Refusals (rule R4)


@settings(max_examples=60)
@given(
    code=st.one_of(st.none(), st.integers(-(10**6), 10**20), st.integers(0, 99).map(str)),
    message=st.one_of(
        st.none(), st.booleans(), TEXTS.filter(lambda text: oracle_xml.as_integer(text) is None)
    ),
    style=st.sampled_from(STYLES),
    size=st.sampled_from((64, 65536)),
)
def test_refusals_are_the_same_in_both_formats(
    code: object, message: object, style: Style, size: int
) -> None:
    answer = {"success": False, "code": code, "message": message, "datas": None}

    found = []
    for format_ in FORMATS:
        with window(size), pytest.raises(APIError) as caught:
            read_fed([render(answer, format_, style)])
        error = caught.value
        found.append((type(error), error.code, error.message, error.details))

    said = str(message).lower() if isinstance(message, bool) else message
    text = said.strip() or None if isinstance(said, str) else None
    assert found == [(found[0][0], None if code is None else int(str(code)), text, ())] * 2
