"""Many flat records of a tree at once, where each is a row of leaves (rule R6).

One by one, a record takes 5 µs, most of it for the Python objects that lxml makes of elements.
XPath counts and collects inside libxml2, and makes objects of the texts alone: 1.8 µs (measured).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from lxml import etree

from smspartner.decoders.xml.elements import ENTRY, Element

_ROWS: Final = etree.XPath(f"count({ENTRY})")
_CELLS: Final = etree.XPath(f"count({ENTRY}/{ENTRY})")
_ELEMENTS: Final = etree.XPath("count(descendant::*)")
#: A text that is cut in two is no longer one value: by CDATA, or by the indentation around it.
_PIECES: Final = etree.XPath(f"boolean({ENTRY}/{ENTRY}/text()[2])")


def read_table(element: Element, names: Sequence[str]) -> list[dict[str, str]] | None:
    """Return the records in an element, their texts under the names of the fields.

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
