"""Positional XML: defusedxml guards the prolog, lxml parses, msgspec converts (R5-R7, R10)."""

from __future__ import annotations

import threading
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from lxml import etree

from smspartner.decoders.limits import KIB, Limits
from smspartner.decoders.problems import read_fields, require_exact
from smspartner.decoders.slices import Hole
from smspartner.decoders.xml.elements import ENTRY, Element, value_of
from smspartner.decoders.xml.fast_path import ENVELOPE_DEPTH, read_whole
from smspartner.decoders.xml.places import deepest, is_whole, stops_early
from smspartner.decoders.xml.positional import shape
from smspartner.decoders.xml.prolog import guard, plain, with_white_space_as_value
from smspartner.decoders.xml.slices import find, find_usual
from smspartner.errors import Complaint, DecodeError, LimitError, TruncatedError, UnsafeXMLError
from smspartner.models.envelope import (
    A,
    ListAnswer,
    Refusal,
    RentalAnswer,
    as_integer,
    require_success,
)

_TOO_LARGE: Final = {etree.ErrorTypes.ERR_RESOURCE_LIMIT, etree.ErrorTypes.ERR_NAME_TOO_LONG}
_ERROR_NAMES: Final = {
    getattr(etree.ErrorTypes, name): name.partition("_")[2].removeprefix("ERR_")
    for name in dir(etree.ErrorTypes)
    if name.isupper()
}
# What is this small takes no room and no time that matter.
_SMALL: Final = 64 * KIB
# Putting the pieces of a text together, lxml copies it anew for each.
_IN_PIECES: Final = etree.XPath("boolean(//*[not(*) and text()[1001]])")
# What makes a refusal: code, message, complaints.
_REASON_ENTRIES: Final = 3
# An element and a message.
_COMPLAINT: Final = 2

_local: Final = threading.local()


class XMLDecoder:
    """The decoder of ``application/xml``; see ``smspartner.decoders``."""

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
            DecodeError: not well-formed, or against a reading rule.
        """
        if answer is RentalAnswer and limits.depth >= ENVELOPE_DEPTH:
            found = read_whole(document)
            if found is not None:
                return found  # type: ignore[return-value] # answer is RentalAnswer
        document = plain(document)
        guard(document)
        _require_room(document, limits.document)
        return read(document, answer, limits)

    def find_hole(self, window: bytes, limits: Limits) -> Hole | None:
        """Return where the entry that holds the records opens."""
        return self.find_list(window, RentalAnswer, limits)

    def find_list(self, window: bytes, answer: type[ListAnswer], limits: Limits) -> Hole | None:
        """Return where the entry that holds the list of an answer opens."""

        def parse(document: bytes) -> ListAnswer:
            return read(plain(document), answer, limits)

        numbers = answer is RentalAnswer and limits.depth >= ENVELOPE_DEPTH
        if numbers and (hole := find_usual(window, parse)):
            return hole
        return find(window, answer, parse) if guard(plain(window), complete=False) else None


def read(document: bytes, answer: type[A], limits: Limits) -> A:
    """Return a document whose prolog the guard has passed as ``answer``; errors as ``decode``."""
    root = _parse(with_white_space_as_value(document), limits.depth)
    if _deeper_than(limits.depth)(root):
        raise LimitError(f"the XML is nested deeper than {limits.depth} levels")
    if len(document) > _SMALL and _IN_PIECES(root):
        raise LimitError("the XML has a text in more than 1000 pieces")
    require_success(_refusal(root))
    fields = shape(root, answer)
    found = read_fields(fields, answer)
    if isinstance(found, RentalAnswer):  # its records have been looked at
        require_exact(str(fields.get("phoneNumbers")), "phoneNumbers")
    else:
        require_exact("\n".join(map(str, root.itertext())))
    return found


def _require_room(document: bytes, limit: int) -> None:
    """Refuse a document whose tree takes more memory than ``limit`` stands for (rule R10).

    Measured, what begins with one ``<`` or ``=`` takes up to 300 bytes: an element, a text behind
    it, and its name. Records on one line have one such byte in ten.
    """
    if 10 * (document.count(b"<") + document.count(b"=")) > max(limit, _SMALL):
        raise LimitError(
            "the XML has more elements than can be read in one piece with a limit of "
            f"{limit} bytes (Limits.document)"
        )


def _parse(document: bytes, depth: int) -> Element:
    """Return the root of a document that the guard has passed."""
    try:
        root = etree.fromstring(document, _parser())
    except etree.XMLSyntaxError as error:
        raise _syntax_error(document, error, depth) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise UnsafeXMLError("the XML has a DOCTYPE, which is never read")
    return root


def _parser() -> etree.XMLParser:
    """Return the parser of this thread: making one takes as long as parsing 20 records.

    Comments and processing instructions are removed, a comment would count as an entry. CDATA
    sections are kept, what stands in them is value and never indentation. ``collect_ids`` stays
    at its default: switched off, lxml 6.1.3 opens external DTDs whatever else is set.
    """
    parser: etree.XMLParser | None = getattr(_local, "parser", None)
    if parser is None:
        parser = _local.parser = etree.XMLParser(
            resolve_entities="internal",
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            recover=False,
            remove_comments=True,
            remove_pis=True,
            strip_cdata=False,
        )
    return parser


def _syntax_error(document: bytes, error: etree.XMLSyntaxError, depth: int) -> DecodeError:
    """Return what a document that lxml refuses suffers from: size, an early end, or its form."""
    if error.code in _TOO_LARGE:
        return LimitError(f"the XML is larger or deeper than the parser allows ({_words(error)})")
    if stops_early(document):
        if deepest(document) > depth:
            return LimitError(f"the XML is nested deeper than {depth} levels")
        return TruncatedError("the XML body stops before its end")
    if is_whole(document):
        return DecodeError(
            f"the XML is well-formed, but the parser does not take it ({_words(error)}): it has a "
            "version, an xml:id or a namespace that no answer of this service has"
        )
    return DecodeError(f"the XML is not well-formed ({_words(error)})")


def _words(error: etree.XMLSyntaxError) -> str:
    """Return what is wrong by the name of the error's code, such as "tag name mismatch".

    The parser's own sentence repeats pieces of the body, where phones are.
    """
    return _ERROR_NAMES.get(error.code, "unknown error").replace("_", " ").lower()


@lru_cache(maxsize=8)
def _deeper_than(depth: int) -> etree.XPath:
    """Return what finds a list or map nested deeper: with children, or empty and no null."""
    return etree.XPath("boolean(/" + "*/" * depth + "*[* or not(node() or @*)])")


def _refusal(root: Element) -> Refusal:
    """Return a document read as a refusal: its flag, and its reason if it has one (R3, R4).

    A flag that is an explicit null, or that is missing among entries, stays what it is: no flag.
    """
    named = {str(child.tag): child for child in root.iterchildren(*Refusal.__struct_fields__)}
    values: dict[str, Any] = {
        name: _complaints(child) if name in {"errors", "error"} else value_of(child)
        for name, child in named.items()
    }
    entries = list(islice(root.iterchildren(ENTRY), 1 + _REASON_ENTRIES))
    if entries and "success" not in values:
        flag = value_of(entries.pop(0))
        values["success"] = "" if flag is None else flag
    complaints = [_complaints(entry) for entry in entries]
    others = [
        value_of(entry) for entry, found in zip(entries, complaints, strict=True) if not found
    ]
    listed = next(filter(None, complaints), [])
    return Refusal(**{"errors": listed, **_reason(others[:2]), **values})


def _complaints(element: Element) -> list[Complaint]:
    """Return a list of complaints, [] where it is anything else (fact A6)."""
    found: list[Complaint] = []
    for item in element:
        texts = [value_of(leaf) for leaf in islice(item, _COMPLAINT)]
        match texts if len(item) == _COMPLAINT else ():
            case [str(field), str(message)]:
                found.append((field, message))
            case _:
                return []
    return found


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
