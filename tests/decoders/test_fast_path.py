"""The fast ways through XML read nothing that the slow way reads differently.

They are the fast path, without a tree, and the table, without an object for each element.
"""

from __future__ import annotations

import re
from itertools import product
from typing import Final

import msgspec
import pytest
from bodies import PHONE, Style, as_xml, cdata, people, render, short, xml_record
from cases import numbers_of
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from smspartner import RentedNumber
from smspartner.decoders.limits import DEFAULT_LIMITS
from smspartner.decoders.xml import decoder as xml_decoder
from smspartner.decoders.xml.elements import Element, read_table
from smspartner.decoders.xml.fast_path import Layout, read_whole
from smspartner.decoders.xml.positional import plan_of
from smspartner.errors import SMSPartnerError
from smspartner.models.envelope import RentalAnswer

NAMES: Final = [field.encode_name for field in msgspec.structs.fields(RentedNumber)]
LAYOUT_TOKENS: Final = (
    *(b"<entry>", b"</entry>", b"<entry/>", b"<![CDATA[", b"]]>", b"<!-- -->", b"<?a?>", b"<a/>"),
    *(
        b"</entry><entry>",
        b"</entry></entry>",
        b"<entry><entry>",
        b"</entry></entry><entry><entry>",
    ),
    *(b"</entry><entry><![CDATA[", b"]]></entry><entry>", b"</entry>\n      <entry>", b"\n      "),
    *(b'"', b"\\", b"&amp;", b"&#49;", b"'", b" ", b"\n", b"\t", b"\r", b"\0", b"\x01", b"\x1f"),
    *(b"\x7f", b"\xc3\xa9", b"\xff", b"{", b"}", b"[", b"]", b",", b":", b"},{", b"]]", b"<", b">"),
    *(
        b"1e5",
        b"-0",
        b"007",
        b"1.0",
        b"1.5",
        b"1E400",
        b"9" * 30,
        b"9" * 4400,
        b"-",
        b"+",
        b".",
        b"e",
    ),
    *(b"true", b"FALSE", b"null", b"1", b"0", b"x", b'<entry a="1">', b"</x>", b"</ entry>"),
)
IDS_AS_WRITTEN: Final = st.one_of(
    st.integers(0, 10**7).map(str),
    st.sampled_from(
        ("-5", "-0", "1.0", "1e3", "1E5", "10e-1", "1e16", "9007199254740993.0", "007")
    ),
    st.sampled_from(("9" * 20, "true", "null", "", "1.5", "0x1", "1_0", "+1", "Infinity", "[1]")),
    st.sampled_from((" 1", "1 ", " ", "1 0")),
)
PHONES_AS_WRITTEN: Final = st.one_of(
    st.integers(0, 9999).map("+3363998{:04}".format),
    st.sampled_from(("06 39 98 00 42", " +33", "+33 ", " ", "   ", " }", " ,", ": ", " 1", "1 ")),
    st.sampled_from(("", "]", "]]", "a]b", "},{", "null", "{}", "'", "/", "\x7f", ":", ",", "1e5")),
)
FLAGS_AS_WRITTEN: Final = st.sampled_from(
    ("true", "false", "1", "0", "TRUE", "2", "1.0", "null", " true", "1 ", " ")
)
WHITE: Final = st.sampled_from(("", " ", "\n", "\n    ", " \n\t", "\r\n"))


@st.composite
def slices(draw: st.DrawFn) -> bytes:
    """Return records in one layout, with values of every kind."""
    spaces = [draw(WHITE) if draw(st.booleans()) else "" for _ in range(11)]
    sections = draw(st.tuples(st.booleans(), st.booleans(), st.booleans()))
    rows = [("1", "+33639980000", "true")]
    rows += draw(
        st.lists(
            st.tuples(IDS_AS_WRITTEN, PHONES_AS_WRITTEN, FLAGS_AS_WRITTEN), min_size=1, max_size=4
        )
    )
    return spaces[10].join(written(row, spaces, sections) for row in rows).encode()


def written(row: tuple[str, str, str], spaces: list[str], sections: tuple[bool, bool, bool]) -> str:
    a, b, c, d, e, f, g, h, i, j = spaces[:10]
    id_, phone, stop = (
        f"<![CDATA[{value}]]>" if section else value
        for value, section in zip(row, sections, strict=True)
    )
    return (
        f"<entry>{a}<entry>{b}{id_}{c}</entry>{d}<entry>{e}{phone}{f}</entry>{g}"
        f"<entry>{h}{stop}{i}</entry>{j}</entry>"
    )


@st.composite
def broken_slices(draw: st.DrawFn) -> bytes:
    """Return a slice with bytes put in, taken out, or moved."""
    found = bytearray(draw(slices()))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(found)))
        end = min(len(found), start + draw(st.integers(0, 60)))
        match draw(st.sampled_from(("put", "replace", "take", "move"))):
            case "put":
                found[start:start] = draw(st.sampled_from(LAYOUT_TOKENS))
            case "replace":
                found[start:end] = draw(st.sampled_from(LAYOUT_TOKENS))
            case "take":
                del found[start:end]
            case _:
                place = draw(st.integers(0, len(found)))
                found[place:place] = found[start:end]
    return bytes(found)


@settings(max_examples=60)
@given(first=slices(), later=st.one_of(slices(), broken_slices()), alone=st.booleans())
def test_the_fast_path_reads_nothing_that_the_tree_reads_differently(
    first: bytes, later: bytes, *, alone: bool
) -> None:
    layout = Layout.learn(later if alone else first)
    got = layout.read(later) if layout else None

    assert got is None or got == by_tree(later)


@settings(max_examples=60)
@given(
    rows=st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 9999), st.booleans()), min_size=1)
)
@pytest.mark.parametrize("pretty", [False, True])
def test_the_fast_path_takes_what_the_serializer_writes(
    rows: list[tuple[int, int, bool]], *, pretty: bool
) -> None:
    # Otherwise the tests above would say nothing about it.
    people = [[id_, f"+3363998{phone:04}", stop] for id_, phone, stop in rows]
    body = render([True, len(people), people], "xml", Style(pretty=pretty)).decode()
    start = body.index("<entry>", body.index("<entry>", body.index(f"{len(people)}</entry>")) + 1)
    end = body.rindex("</entry>", 0, body.rindex("</entry>")) + len("</entry>")
    records_ = body[start:end].encode()

    layout = Layout.learn(records_)

    assert layout is not None
    assert numbers_of(layout.read(records_) or []) == people
    assert read_whole(body.encode()) == RentalAnswer(True, len(people), layout.read(records_))


@pytest.mark.parametrize("phone", ["+33639980042", "06 39 98 00 42", "é", "poste 1", " ", "\xa0"])
@pytest.mark.parametrize("sections", list(product((False, True), repeat=3)), ids=str)
@pytest.mark.parametrize("indent", ["", "\n  "])
def test_values_in_cdata_or_not_are_read_as_the_tree_reads_them(
    phone: str, sections: tuple[bool, bool, bool], indent: str
) -> None:
    row = ("1", phone, "true")
    records_ = written(row, [indent] * 10, sections).encode() * 2
    found = by_tree(records_)

    layout = Layout.learn(records_)
    assert layout is not None

    # Beside a value outside of CDATA, a space may be indentation.
    unclear = indent and " " in phone and not all(sections)
    assert layout.read(records_) == (None if unclear or phone.isspace() else found)


@pytest.mark.parametrize(
    "further", [("x",), ("1", "2"), ("Amélie",), (cdata("Jean <b>")[9:-8],), ("",), ("é", "", "y")]
)
@pytest.mark.parametrize("separator", ["", "\n      "])
@pytest.mark.parametrize("sections", [True, False])
def test_records_with_further_entries_are_read(
    further: tuple[str, ...], separator: str, *, sections: bool
) -> None:
    cells = ["1", cdata(PHONE), "false", *(cdata(text) if sections else text for text in further)]
    inner = separator.join(f"<entry>{cell}</entry>" for cell in cells)
    record = f"<entry>{separator}{inner}{separator[:5]}</entry>{separator[:5]}"
    records_ = (record * 3).rstrip().encode()

    layout = Layout.learn(records_)

    assert layout is not None
    assert layout.read(records_) == by_tree(records_)
    assert layout.read(records_) == [RentedNumber(1, PHONE, False)] * 3


@pytest.mark.parametrize("pretty", [True, False])
def test_a_longer_record_among_short_ones_is_left_alone(*, pretty: bool) -> None:
    plain = as_xml(people(2), "\n" if pretty else "")
    layout = Layout.learn(plain.encode())
    assert layout is not None
    assert len(layout.read(plain.encode()) or []) == 2

    # A text and a boolean behind the three entries look like a phone and a flag again.
    longer = xml_record(3, cdata(PHONE), "false", cdata("+33639980099"), "true")
    separator = "\n" if pretty else ""
    assert layout.read((plain + separator + longer).encode()) is None
    assert layout.read((longer + separator + plain).encode()) is None


@pytest.mark.parametrize(
    "record",
    [
        xml_record(f"1{' ' * 3}", cdata(PHONE), "true"),
        xml_record("1<!-- -->", cdata(PHONE), "true"),
        xml_record(1, cdata('"'), "true"),
        xml_record(1, cdata("\\u0041"), "true"),
        xml_record(1, cdata('1","2'), "true"),
        xml_record(1, cdata("  "), "true"),
        xml_record(1, cdata("\xa0"), "true"),
        xml_record(1, cdata(""), "true"),
        xml_record(1, cdata("a]]>b"), "true"),
        xml_record(1, cdata("a\tb"), "true"),
        xml_record(1, cdata("a>b"), "true"),
        xml_record(1, cdata("a<b"), "true"),
        xml_record(1, cdata("\x01"), "true"),
        xml_record(1, cdata("\0"), "true"),
        xml_record(1, cdata("\ufffe"), "true"),
        xml_record(1, cdata("a&amp;b"), "true"),
        xml_record(1, PHONE, "true"),
        xml_record(cdata("1"), cdata(PHONE), "true"),
        xml_record(1, cdata(PHONE), cdata("true")),
        xml_record("007", cdata(PHONE), "true"),
        xml_record(2**53, cdata(PHONE), "true"),
        xml_record("9007199254740993.0", cdata(PHONE), "true"),
        xml_record(1, cdata(PHONE), "TRUE"),
        xml_record(1, cdata(PHONE), "1"),
        xml_record(1, cdata(PHONE), "-0"),
        xml_record(1, cdata(PHONE)),
        xml_record(1, "false", cdata(PHONE)),
        xml_record(1, cdata(PHONE), "true", ""),
        "<entry/>",
        "<entry>1</entry>",
        "<entry a='1'>" + xml_record(1, cdata(PHONE), "true")[7:],
        xml_record(1, cdata(PHONE), "true").replace("<entry>", "<netry>"),
        xml_record(1, cdata(PHONE), "true").replace("entry", "entery"),
    ],
    ids=short,
)
@pytest.mark.parametrize("pretty", [True, False])
def test_everything_else_is_left_to_the_parser(record: str, *, pretty: bool) -> None:
    separator = "\n" if pretty else ""
    plain = as_xml(people(2), separator).replace("><", f">{separator}<")
    record = record.replace("><", f">{separator}<")
    layout = Layout.learn(plain.encode())
    assert layout is not None
    assert layout.read(plain.encode()) == by_tree(plain.encode())

    for parts in ((record,), (plain, record), (record, plain), (plain, record, plain)):
        assert layout.read(separator.join(parts).encode()) is None


@pytest.mark.parametrize("id_", ["0", "7", "12345", "9" * 15, "9007199254740991", "-7"])
@pytest.mark.parametrize("phone", [PHONE, "0639980042", "+", "+33 6 39 98 00 42", "+3363998004x"])
@pytest.mark.parametrize("separator", ["", "\n    "])
def test_a_record_that_is_alone_is_read_as_among_others(
    id_: str, phone: str, separator: str
) -> None:
    record = xml_record(id_, cdata(phone), "true").replace("><", f">{separator}<").encode()
    layout = Layout.learn(record + separator.encode() + record)
    assert layout is not None

    assert (layout.read(record) or []) * 2 == layout.read(record + separator.encode() + record)
    assert layout.read(record) == [RentedNumber(int(id_), phone, True)]


def test_what_is_not_utf_8_is_left_to_the_parser() -> None:
    latin = xml_record(1, cdata("é"), "true").encode("latin-1") * 2
    layout = Layout.learn(latin)

    assert layout is not None
    assert layout.read(latin) is None
    twin = latin.decode("latin-1").encode()
    assert layout.read(twin, is_unicode=False) is None
    assert layout.read(twin) == by_tree(twin)


RECORDS: Final = as_xml(people(2))
ENVELOPE: Final = "<result><entry>true</entry><entry>2</entry><entry>%s</entry></result>"


@pytest.mark.parametrize(
    "body",
    [
        "<!DOCTYPE result>" + ENVELOPE,
        "<!-- -->" + ENVELOPE,
        '<?xml version="1.0" encoding="UTF-7"?>' + ENVELOPE,
        '<?xml version="1.0" encoding="ISO-8859-1"?>' + ENVELOPE,
        ENVELOPE.replace("true", "TRUE"),
        ENVELOPE.replace("true", "false"),
        ENVELOPE.replace("true", "1"),
        ENVELOPE.replace(">2<", ">02<"),
        ENVELOPE.replace(">2<", "> 2<"),
        ENVELOPE.replace(">2<", "><![CDATA[2]]><"),
        ENVELOPE.replace("<result>", "<result a='1'>"),
        ENVELOPE.replace("result>", "response>"),
        ENVELOPE.replace("</entry></result>", "</entry><entry>more</entry></result>"),
        ENVELOPE.replace("</entry></result>", "text</entry></result>"),
        ENVELOPE + "<!-- -->",
        ENVELOPE.removesuffix("</result>"),
        ENVELOPE.removesuffix(">"),
        ENVELOPE + ENVELOPE,
        ENVELOPE.replace("%s", "<entry/>%s"),
        ENVELOPE.replace("%s", ""),
    ],
    ids=short,
)
def test_any_other_envelope_is_left_to_the_parser(body: str) -> None:
    assert read_whole((ENVELOPE % RECORDS).encode()) is not None
    assert read_whole(body.replace("%s", RECORDS).encode()) is None


# The table


@st.composite
def longer_slices(draw: st.DrawFn) -> bytes:
    """Return rows with more entries, accents, references, nulls, comments and names in them."""
    found = draw(st.one_of(slices(), broken_slices()))
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.sampled_from([match.end() for match in TAGS.finditer(found)] or [0]))
        found = found[:place] + draw(st.sampled_from(INSERTED)) + found[place:]
    return found


TAGS: Final = re.compile(rb"</?entry>|\]\]>|<!\[CDATA\[")
INSERTED: Final = (
    *(b"<entry>x</entry>", b"<entry/>", b"<entry><![CDATA[]]></entry>", b"<a>1</a>", b"<!-- -->"),
    *(b"<entry><entry>1</entry></entry>", b"\xc3\xa9", b"&#233;", b"&amp;", b" ", b"\n ", b"]]"),
    *(b"<![CDATA[]]]]><![CDATA[>]]>", b'<entry xsi:nil="true"/>', b"<?a?>", b"text"),
)


@settings(max_examples=60)
@given(records_=longer_slices())
def test_the_table_reads_nothing_that_one_by_one_reads_differently(records_: bytes) -> None:
    element = element_of(records_)
    assume(element is not None and len(element))
    assert element is not None

    table = read_table(element, NAMES)

    assert table is None or table == [plan_of(RentedNumber, False).build(row) for row in element]


@pytest.mark.parametrize("further", [b"", b"<entry>more</entry>", b"<entry/>"])
@pytest.mark.parametrize("phone", ["+33639980042", "06 39 98", "é", "&amp;1"])
def test_the_table_takes_rows_of_leaves(phone: str, further: bytes) -> None:
    row = written(("1", phone, "0"), [""] * 10, (False, False, False)).encode()
    longer = row.removesuffix(b"</entry>") + further + b"</entry>"

    element = element_of(row + longer)
    assert element is not None

    found = {"id": "1", "phone": phone.replace("&amp;", "&"), "stopSms": "0"}
    assert read_table(element, NAMES) == [found, found]


def element_of(records_: bytes) -> Element | None:
    """Return the element around records as the decoder parses it, None if it cannot be parsed."""
    opening = b'<entry xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    try:
        return xml_decoder._parse(opening + records_ + b"</entry>", DEFAULT_LIMITS.depth)
    except SMSPartnerError:
        return None


def by_tree(records_: bytes) -> list[RentedNumber] | SMSPartnerError:
    """Return what the ordinary way makes of a slice."""
    head = b"<result><entry>true</entry><entry>"
    document = head + records_ + b"</entry></result>"
    try:
        return xml_decoder.read(document, RentalAnswer, DEFAULT_LIMITS).records
    except SMSPartnerError as error:
        return error
