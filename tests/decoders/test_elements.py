"""The value of an element: what is indentation, and what belongs to it (rule R7)."""

from __future__ import annotations

import pytest
from lxml import etree

from smspartner import DecodeError, decode
from smspartner.decoders.xml.elements import value_of

PARSER = etree.XMLParser(strip_cdata=False)


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("a", "a"),
        (" a ", " a "),
        ("\n a\n ", "a"),
        ("\n a", "a"),
        ("a\n ", "a"),
        ("a \n", "a"),
        ("ab \n", "ab"),
        (" a\n", " a"),
        ("\na ", "a "),
        ("a\nb", "a\nb"),
        ("\na\nb\n", "a\nb"),
        ("<![CDATA[\na\n]]>", "\na\n"),
        ("\n<![CDATA[\na]]>\n", "\na"),
        ("\n", ""),
    ],
)
def test_white_space_with_a_line_break_beside_a_tag_is_indentation(
    content: str, value: str
) -> None:
    assert value_of(etree.fromstring(f"<entry>{content}</entry>", PARSER)) == value


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<result><a:b/></result>", "is well-formed, but the parser does not take it"),
        (b"<result></entry></result>", "is not well-formed"),
    ],
)
def test_what_the_parser_does_not_take_is_told_from_what_is_wrong(body: bytes, words: str) -> None:
    with pytest.raises(DecodeError, match=words):
        decode(body)
