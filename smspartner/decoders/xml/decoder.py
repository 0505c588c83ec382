"""Positional XML: defusedxml guards the prolog, lxml parses, msgspec converts (R5-R7, R10)."""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import Final

import msgspec
from lxml import etree

from smspartner.decoders.limits import Limits
from smspartner.decoders.problems import answer_error
from smspartner.decoders.slices import Hole
from smspartner.decoders.xml.elements import ENTRY, value_of
from smspartner.decoders.xml.positional import shape
from smspartner.decoders.xml.positions import stops_early
from smspartner.decoders.xml.prolog import guard
from smspartner.decoders.xml.slices import find
from smspartner.errors import (
    DecodeError,
    LimitError,
    RecordError,
    TruncatedError,
    UnsafeXMLError,
)
from smspartner.models.envelope import (
    A,
    Failure,
    RentalAnswer,
    as_integer,
    require_phones,
    require_success,
)

_TOO_LARGE: Final = {etree.ErrorTypes.ERR_RESOURCE_LIMIT, etree.ErrorTypes.ERR_NAME_TOO_LONG}
_ERROR_NAMES: Final = {
    getattr(etree.ErrorTypes, name): name.removeprefix("ERR_").removeprefix("WAR_")
    for name in dir(etree.ErrorTypes)
    if name.startswith(("ERR_", "WAR_", "NS_"))
}
# What libxml2 allows by itself.
_PARSER_DEPTH: Final = 256
# Code and message.
_REASON_ENTRIES: Final = 2


class XMLDecoder:
    """The decoder of ``application/xml``; the contract is in ``smspartner.decoders``."""

    name = "xml"
    media_types = frozenset({"application/xml", "text/xml", "application/problem+xml"})
    first_bytes = b"<"

    def decode(self, document: bytes, answer: type[A], limits: Limits) -> A:
        """Return a complete XML document as ``answer``.

        Raises:
            APIError: the document says no (rule R4).
            RecordError: a record is wrong (rule R6).
            UnsafeXMLError: a DOCTYPE, or an encoding that is not allowed (rule R10).
            TruncatedError: the document stops early.
            LimitError: deeper or larger than the limits.
            DecodeError: not well-formed, or not as the rules say.
        """
        guard(document)
        return read(document, answer, limits)

    def find_hole(self, window: bytes, limits: Limits) -> Hole | None:
        """Return where the entry that holds the records opens."""
        if not guard(window, complete=False):
            return None
        return find(window, lambda document: read(document, RentalAnswer, limits))


def read(document: bytes, answer: type[A], limits: Limits) -> A:
    """Return a document whose prolog the guard has passed as ``answer``; errors as ``decode``."""
    root = _parse(document)
    if limits.depth < _PARSER_DEPTH and _deeper_than(limits.depth)(root):
        raise LimitError(f"the XML is nested deeper than {limits.depth} levels")
    require_success(_failure(root))
    shaped = {**shape(root, answer), "success": True}
    try:
        result = msgspec.convert(shaped, answer, strict=False)
    except msgspec.ValidationError as error:
        problem = answer_error(error)
    else:
        if isinstance(result, RentalAnswer):
            result.check()
        return result
    if isinstance(problem, RecordError):
        require_phones(record["phone"] for record in shaped["datas"][: problem.index])
    raise problem


def _parse(document: bytes) -> etree._Element:
    """Return the root of a document that the guard has passed.

    Comments and processing instructions are removed, a comment would count as an entry. CDATA
    sections are kept, what stands in them is value and never indentation. ``collect_ids`` stays
    at its default: switched off, lxml 6.1.3 opens external DTDs whatever else is set.
    """
    parser = etree.XMLParser(
        resolve_entities="internal",
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        recover=False,
        remove_comments=True,
        remove_pis=True,
        strip_cdata=False,
    )
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        problem = _syntax_error(document, error)
    else:
        if root.getroottree().docinfo.internalDTD is None:
            return root
        problem = UnsafeXMLError("the XML has a DOCTYPE, which is never read")
    raise problem


def _syntax_error(document: bytes, error: etree.XMLSyntaxError) -> DecodeError:
    """Return what a document that lxml refuses suffers from: size, an early end, or its form."""
    if error.code in _TOO_LARGE:
        return LimitError(f"the XML is larger or deeper than the parser allows ({_words(error)})")
    if stops_early(document):
        return TruncatedError("the XML body stops before its end")
    return DecodeError(f"the XML is not well-formed ({_words(error)})")


def _words(error: etree.XMLSyntaxError) -> str:
    """Return what is wrong by the name of the error's code, such as "tag name mismatch".

    The parser's own sentence repeats pieces of the body, where phones are.
    """
    return _ERROR_NAMES.get(error.code, "unknown error").replace("_", " ").lower()


@lru_cache(maxsize=8)
def _deeper_than(depth: int) -> etree.XPath:
    return etree.XPath("boolean(/" + "*/" * depth + "*)")


def _failure(root: etree._Element) -> Failure:
    """Return a document read as a refusal: its flag, and its reason if it has one (R3, R4).

    A flag that is an explicit null, or that is missing among entries, stays what it is: no flag.
    """
    values = {child.tag: value_of(child) for child in root if child.tag != ENTRY}
    entries = [value_of(child) for child in islice(root.iterchildren(ENTRY), 1 + _REASON_ENTRIES)]
    if entries and "success" not in values:
        flag = entries.pop(0)
        values["success"] = "" if flag is None else flag
    known = {name: values[name] for name in Failure.__struct_fields__ if name in values}
    return Failure(**{**_reason(entries), **known})


def _reason(entries: list[object]) -> dict[str, object]:
    """Return code and message of a refusal from the entries after its flag.

    A dropped null shifts the two, so the code is the one that reads as an integer (rule R4);
    where a null is kept, both stand at their places.
    """
    names = ("code", "message")
    shifted = bool(entries) and as_integer(entries[0]) is None and entries[0] is not None
    if shifted and (len(entries) == 1 or as_integer(entries[1]) is not None):
        names = ("message", "code")
    return dict(zip(names, entries, strict=False))


DECODER: Final = XMLDecoder()
