"""What one XML element holds: a text, a null, or more elements (fact A5, rule R7)."""

from __future__ import annotations

from typing import Final, TypeAlias

from lxml import etree

XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
ENTRY: Final = "entry"

_NIL: Final = f"{{{XSI}}}nil"
_WHITE: Final = " \t\n"

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
