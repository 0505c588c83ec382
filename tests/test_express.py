"""The express lane of XML reads nothing that the tree reads differently."""

from __future__ import annotations

from typing import Final

import pytest
from cases import numbers_of
from hypothesis import given, settings
from hypothesis import strategies as st
from render import Style, render

from smspartner import RentedNumber
from smspartner.answers import RentalAnswer
from smspartner.decoders import xml as xml_decoder
from smspartner.decoders._rows import Rows
from smspartner.errors import SMSPartnerError
from smspartner.limits import DEFAULT_LIMITS

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
)
PHONES_AS_WRITTEN: Final = st.one_of(
    st.integers(0, 9999).map("+3363998{:04}".format),
    st.sampled_from(("", "]", "]]", "a]b", "},{", "null", "{}", "'", "/", "\x7f", ":", ",", "1e5")),
)
FLAGS_AS_WRITTEN: Final = st.sampled_from(("true", "false", "1", "0", "TRUE", "2", "1.0", "null"))
WHITE: Final = st.sampled_from(("", " ", "\n", "\n    ", " \n\t", "\r\n"))


@st.composite
def slices(draw: st.DrawFn) -> bytes:
    """Return records in one layout, with values of every kind."""
    spaces = [draw(WHITE) if draw(st.booleans()) else "" for _ in range(11)]
    rows = [("1", "+33639980000", "true")]
    rows += draw(
        st.lists(
            st.tuples(IDS_AS_WRITTEN, PHONES_AS_WRITTEN, FLAGS_AS_WRITTEN), min_size=1, max_size=4
        )
    )
    return spaces[10].join(written(row, spaces) for row in rows).encode()


def written(row: tuple[str, str, str], spaces: list[str]) -> str:
    a, b, c, d, e, f, g, h, i, j = spaces[:10]
    id_, phone, stop = row
    return (
        f"<entry>{a}<entry>{b}{id_}{c}</entry>{d}<entry>{e}<![CDATA[{phone}]]>{f}</entry>{g}"
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


@settings(max_examples=150)
@given(first=slices(), later=st.one_of(slices(), broken_slices()), alone=st.booleans())
def test_the_express_lane_reads_nothing_that_the_tree_reads_differently(
    first: bytes, later: bytes, *, alone: bool
) -> None:
    rows = Rows.learn(later if alone else first)
    got = rows.read(later) if rows else None

    assert got is None or got == by_tree(later)


@settings(max_examples=150)
@given(
    rows=st.lists(st.tuples(st.integers(0, 10**7), st.integers(0, 9999), st.booleans()), min_size=2)
)
@pytest.mark.parametrize("pretty", [False, True])
def test_the_express_lane_takes_what_the_serializer_writes(
    rows: list[tuple[int, int, bool]], *, pretty: bool
) -> None:
    # Otherwise the tests above would say nothing about it.
    people = [[id_, f"+3363998{phone:04}", stop] for id_, phone, stop in rows]
    body = render([True, len(people), people], "xml", Style(pretty=pretty)).decode()
    start = body.index("<entry>", body.index("<entry>", body.index(f"{len(people)}</entry>")) + 1)
    end = body.rindex("</entry>", 0, body.rindex("</entry>")) + len("</entry>")
    records_ = body[start:end].encode()

    express = Rows.learn(records_)

    assert express is not None
    assert numbers_of(express.read(records_) or []) == people


def by_tree(records_: bytes) -> list[RentedNumber] | SMSPartnerError:
    """Return what the ordinary way makes of a slice."""
    head = b"<result><entry>true</entry><entry>"
    document = head + records_ + b"</entry></result>"
    try:
        return xml_decoder.read(document, RentalAnswer, DEFAULT_LIMITS).records
    except SMSPartnerError as error:
        return error
