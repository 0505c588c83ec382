"""Bodies by writers that share no code: lxml, ElementTree, and one by hand with an odd layout.

Each has habits of its own (no CDATA, single quotes, self-closed elements, blank lines between
entries), so a layout that only one writer makes is read as well as the serializer's. The sizes are
those at which the reader changes its way: one record, a slice, several slices; an odd record stands
anywhere.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, Final
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import oracle_xml
import pytest
from cases import cut_at_random, numbers_of, read_fed
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from smspartner import RecordError

Row = list[Any]
Writer = Callable[[list[Row], random.Random], bytes]

SIZES: Final = (1, 2, 3, 10, 100, 999, 1500, 3000)


def texts(row: Row) -> list[str]:
    return [str(value).lower() if isinstance(value, bool) else str(value) for value in row]


def by_lxml(rows: list[Row], chance: random.Random) -> bytes:
    root = etree.Element("result")
    etree.SubElement(root, "entry").text = "true"
    etree.SubElement(root, "entry").text = str(len(rows))
    numbers = etree.SubElement(root, "entry")
    for row in rows:
        record = etree.SubElement(numbers, "entry")
        for place, text in enumerate(texts(row)):
            leaf = etree.SubElement(record, "entry")
            in_cdata = place == 1 and text.isascii() and chance.random() < 0.5
            leaf.text = etree.CDATA(text) if in_cdata else text
    written: bytes = etree.tostring(
        root,
        xml_declaration=True,
        encoding=chance.choice(("UTF-8", "ISO-8859-1")),
        pretty_print=chance.random() < 0.5,
    )
    return written


def by_element_tree(rows: list[Row], chance: random.Random) -> bytes:
    root = ET.Element("result")
    ET.SubElement(root, "entry").text = "True"
    ET.SubElement(root, "entry").text = f" {len(rows)}\n".strip()
    numbers = ET.SubElement(root, "entry")
    for row in rows:
        record = ET.SubElement(numbers, "entry")
        for text in texts(row):
            ET.SubElement(record, "entry").text = text
    if chance.random() < 0.5:
        ET.indent(root, "\t")
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=chance.random() < 0.5)
    return written


def by_hand(rows: list[Row], chance: random.Random) -> bytes:
    """Write what no library would: comments, blank lines, references, white space inside tags."""
    gap = chance.choice(("", "\n", "\n\n   ", "<!-- a comment -->", "\r\n\t"))
    around = chance.choice(("", "\n    "))
    lines = ["<?xml version='1.0'?>", gap, "<result >", gap, "<entry>true</entry>", gap]
    lines += [f"<entry>{around}{len(rows)}{around}</entry>", gap, "<entry >", gap]
    for row in rows:
        lines += ["<entry>", gap]
        for text in texts(row):
            written = escape(text).replace("+", chance.choice(("+", "&#43;", "&#x2B;")))
            lines += [f"<entry>{around}{written}{around}</entry>", gap]
        lines += ["</entry >", gap]
    lines += ["</entry>", gap, "</result>", gap]
    return "".join(lines).encode()


WRITERS: Final[tuple[Writer, ...]] = (by_lxml, by_element_tree, by_hand)

#: Phones that leave the way of the usual ones: blanks, accents, markup, digits of other scripts.
ODD: Final = (
    "06 39 98 00 42",
    "+33é",
    "<+33>&",
    '"',
    "\\",
    "]]>",
    "+٣٣",
    "0639980042\u2028x",
    "=1",
)


def people(count: int, chance: random.Random) -> list[Row]:
    return [
        [chance.randrange(10**6), f"+3363998{chance.randrange(10**4):04}", chance.random() < 0.1]
        for _ in range(count)
    ]


@pytest.mark.parametrize("write", WRITERS)
@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32),
    count=st.sampled_from(SIZES),
    odd=st.sampled_from(ODD),
    further=st.sampled_from((0, 1, 3)),
)
def test_a_body_of_any_writer_is_read_as_the_second_reader_reads_it(
    write: Writer, seed: int, count: int, odd: str, further: int
) -> None:
    chance = random.Random(seed)
    rows = people(count, chance)
    strange = chance.randrange(count)
    rows[strange][1] = odd
    body = write([[*row, *["more"] * further] for row in rows], chance)

    got = read_fed(cut_at_random(body, seed), "xml")

    assert numbers_of(got) == rows == oracle_xml.read(body)["numbers"]


@pytest.mark.parametrize("write", WRITERS)
@settings(max_examples=25)
@given(seed=st.integers(0, 2**32), count=st.sampled_from(SIZES), place=st.integers(0, 2))
def test_a_wrong_record_is_found_at_its_place_wherever_it_stands(
    write: Writer, seed: int, count: int, place: int
) -> None:
    chance = random.Random(seed)
    rows = people(count, chance)
    wrong = chance.randrange(count)
    rows[wrong][place] = ("+33639980042", "\u2003", "maybe")[place]
    body = write(rows, chance)

    with pytest.raises(RecordError) as caught:
        read_fed(cut_at_random(body, seed), "xml")

    assert (caught.value.index, caught.value.field) == (wrong, ("id", "phone", "stopSms")[place])
