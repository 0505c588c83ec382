"""What an XML element holds: a text, a null, or more elements (fact A5, rule R7)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, TypeAlias

from lxml import etree

XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
ENTRY: Final = "entry"

_NIL: Final = f"{{{XSI}}}nil"
_WHITE: Final = " \t\n"

_ROWS: Final = etree.XPath(f"count({ENTRY})")
_CELLS: Final = etree.XPath(f"count({ENTRY}/{ENTRY})")
_ELEMENTS: Final = etree.XPath("count(descendant::*)")
#: A text that is cut in two is no longer one value: by CDATA, or by the indentation around it.
_PIECES: Final = etree.XPath(f"boolean({ENTRY}/{ENTRY}/text()[2])")

Element: TypeAlias = etree._Element  # noqa: SLF001 - lxml has no public name for it


def value_of(element: Element) -> object:
    """Return a leaf's text, None for an explicit null, [] for an element with children."""
    if len(element):
        return []
    if element.text is None:
        return None if element.get(_NIL) in {"true", "1"} else ""
    return text_of(element)


def text_of(element: Element) -> str:
    """Return the text of a leaf without indentation (rule R7).

    White space between tag and value is dropped when it holds a line break. Inside a CDATA
    section it belongs to the value, as it does inside the quotes of JSON.
    """
    text = element.text or ""
    if "\n" not in text or (text[0] not in _WHITE and text[-1] not in _WHITE):
        return text
    markup = etree.tostring(element, encoding="unicode", with_tail=False)
    inner = markup[markup.index(">") + 1 : markup.rindex("</")]
    before = len(inner) - len(inner.lstrip(_WHITE))
    if "\n" in inner[:before]:
        text, inner = text[before:], inner[before:]
    after = len(inner.rstrip(_WHITE))
    return text[: after - len(inner)] if "\n" in inner[after:] else text


def read_table(element: Element, names: Sequence[str]) -> list[dict[str, str]] | None:
    """Return the flat records in an element, their texts under the names of the fields (rule R6).

    One by one, a record takes 5 µs, most of it for the Python objects that lxml makes of elements.
    XPath counts and collects inside libxml2, and makes objects of the texts alone: 1.8 µs.

    None where the records are anything but rows of entries, each at least as long as ``names``,
    or where a text is missing or in pieces: what that means has to be looked at one by one.
    """
    rows = len(element)
    # As many rows, and entries in them, as there are elements: none is deeper, none has a name.
    if _ROWS(element) != rows or _CELLS(element) + rows != _ELEMENTS(element) or _PIECES(element):
        return None
    columns = [column(element) for column in _columns(len(names))]
    if any(len(column) != rows or "\n" in "".join(column) for column in columns):
        return None
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


@lru_cache(maxsize=8)
def _columns(count: int) -> list[etree.XPath]:
    return [
        etree.XPath(f"{ENTRY}/{ENTRY}[{at}]/text()", smart_strings=False)
        for at in range(1, count + 1)
    ]
