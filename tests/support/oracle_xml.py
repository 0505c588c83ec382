"""A second, independent reader of XML answers: every XML result is compared with it.

It stands on expat (through defusedxml) instead of libxml2, on Python's own number types instead
of msgspec, reads in one go without slices, and follows rules R3 to R8 from their text. It is slow
and knows no limits. All it says about a refusal is that it is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from itertools import combinations, takewhile
from typing import Any, Final
from xml.sax import SAXException
from xml.sax.handler import ContentHandler, feature_namespaces, property_lexical_handler
from xml.sax.xmlreader import AttributesNSImpl

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import create_parser

XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
ENVELOPE: Final = ("success", "phoneNumbers", "datas")
RECORD: Final = ("id", "phone", "stopSms")

_WHITE: Final = " \t\n"
_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_VERSION: Final = re.compile(rb"<\?xml\s+version\s*=\s*[\"']([^\"']*)")
_WHITE_BEFORE: Final = re.compile(rb"\A(\xef\xbb\xbf)?[ \t\r\n]+(?=<)")
_US_ASCII: Final = re.compile(
    rb"\A((?:\xef\xbb\xbf)?<\?xml\s[^>]*encoding\s*=\s*[\"'])us-ascii", re.IGNORECASE
)
_URI: Final = re.compile(
    r"(?:[A-Za-z][A-Za-z0-9+.-]*:|(?![^/?#]*:))(?:[A-Za-z0-9._~:/?@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*"
    r"(?:#(?:[A-Za-z0-9._~:/?@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)?"
)
_LARGEST_EXACT: Final = 2**53


class RefusedError(Exception):
    """The body is not a success that can be read."""


@dataclass
class Node:
    """An element: its children, and its text in runs that are CDATA or not."""

    tag: str
    says_nil: bool = False
    children: list[Node] = field(default_factory=list)
    runs: list[tuple[str, bool]] = field(default_factory=list)

    def text(self) -> str:
        """Return the text; white space with a line break at the edges is indentation (R7)."""
        text = "".join(text for text, _ in self.runs)
        bare = "".join(takewhile(bool, (_bare(run) for run in self.runs)))
        start = len(bare) - len(bare.lstrip(_WHITE))
        if "\n" in bare[:start]:
            text = text[start:]
        bare = "".join(reversed(list(takewhile(bool, (_bare(run) for run in self.runs[::-1])))))
        end = len(bare.rstrip(_WHITE)) - len(bare) or None
        if end is None or "\n" not in bare[end:]:
            return text
        return text[:end]

    @property
    def nil(self) -> bool:
        """An explicit null: it says so and holds nothing (fact A5.5)."""
        return self.says_nil and not self.children and not self.runs

    @property
    def is_empty(self) -> bool:
        """An empty element, which is how an empty list is written (fact A5.4)."""
        return not self.nil and not self.children and not self.text()

    @property
    def is_list(self) -> bool:
        return bool(self.children) or self.is_empty


def _bare(run: tuple[str, bool]) -> str:
    """Return the text of a run, nothing where it is CDATA and so no indentation."""
    text, is_cdata = run
    return "" if is_cdata else text


class _Builder(ContentHandler):
    """Builds nodes; it is its own lexical handler, so that it knows CDATA."""

    def __init__(self, parser: Any, body: bytes) -> None:
        super().__init__()
        self._parser, self._body = parser, body
        self.root: Node | None = None
        self._open: list[Node] = []
        self._in_cdata = False

    def startDocument(self) -> None:  # noqa: N802 - SAX
        # Then a reference comes alone, and expat says where it stands.
        self._parser._parser.buffer_text = False

    def startPrefixMapping(self, prefix: str | None, uri: str) -> None:  # noqa: ARG002, N802 - SAX
        if uri and not _URI.fullmatch(uri):
            raise RefusedError("a namespace that is no URI")

    def startElementNS(  # noqa: N802 - SAX
        self,
        name: tuple[str | None, str],
        qname: str | None,  # noqa: ARG002 - SAX
        attrs: AttributesNSImpl,
    ) -> None:
        uri, local = name
        nil = attrs.get((XSI, "nil")) in {"true", "1"}
        node = Node(f"{{{uri}}}{local}" if uri else local, says_nil=nil)
        if self._open:
            self._open[-1].children.append(node)
        self.root = self.root or node
        self._open.append(node)

    def endElementNS(  # noqa: N802 - SAX
        self,
        name: tuple[str | None, str],  # noqa: ARG002 - SAX
        qname: str | None,  # noqa: ARG002 - SAX
    ) -> None:
        self._open.pop()

    def characters(self, content: str) -> None:
        # What is written as a reference is value, as CDATA is (rule R7).
        place = self._parser._parser.CurrentByteIndex
        is_reference = self._body[place : place + 1] == b"&"
        self._open[-1].runs.append((content, self._in_cdata or is_reference))

    def startCDATA(self) -> None:  # noqa: N802 - SAX
        self._in_cdata = True
        self.characters("")

    def endCDATA(self) -> None:  # noqa: N802 - SAX
        self._in_cdata = False

    def comment(self, _content: str) -> None:
        """Take no notice: lexical handlers must have this."""

    def startDTD(self, *_about: object) -> None:  # noqa: N802 - SAX
        raise RefusedError("a DOCTYPE")

    def endDTD(self) -> None:  # noqa: N802 - SAX
        """Take no notice: lexical handlers must have this."""


def parse(body: bytes) -> Node:
    """Return the root element."""
    if not body.startswith((b"\xff\xfe", b"\xfe\xff")):
        body = _WHITE_BEFORE.sub(rb"\1", body)  # rule R10
        body = _US_ASCII.sub(rb"\1utf-8", body)
    version = _VERSION.match(body)
    if version is not None and not re.fullmatch(rb"1\.[0-9]*", version[1]):
        raise RefusedError("expat takes no notice of the version, XML 1.0 does")
    parser = create_parser(forbid_dtd=True)
    builder = _Builder(parser, body)
    parser.setFeature(feature_namespaces, True)
    parser.setContentHandler(builder)
    parser.setProperty(property_lexical_handler, builder)
    try:
        parser.feed(body)
        parser.close()
    except (SAXException, DefusedXmlException, ValueError, LookupError) as error:
        raise RefusedError(f"not well-formed: {error}") from None
    if builder.root is None:
        raise RefusedError("no root")
    return builder.root


def read(body: bytes) -> dict[str, Any]:
    """Return a success in the form of ``outcomes.json``.

    Raises:
        RefusedError: the body is an error of the service, or not what the rules allow.
    """
    root = parse(body)
    if not root.children:
        raise RefusedError("the root has no children")
    fields = _place(root)
    _require_success(fields.get("success"))
    declared = _declared(fields.get("phoneNumbers"))
    datas = fields.get("datas")
    if datas is not None and not datas.nil and not datas.is_list:
        raise RefusedError("the numbers are a text")
    records = [] if datas is None or datas.nil else [_record(child) for child in datas.children]
    if declared is None and (datas is None or datas.nil):
        raise RefusedError("neither a count nor numbers")
    if declared is not None and declared != len(records):
        raise RefusedError("another count")
    return {"declared": declared, "numbers": records}


def _require_success(flag: Node | None) -> None:
    if flag is None or flag.nil or flag.children or flag.text().lower() != "true":
        raise RefusedError("no success")


def _declared(count: Node | None) -> int | None:
    return None if count is None or count.nil else _integer(count)


def _place(root: Node) -> dict[str, Node]:
    """Return the envelope's fields: named elements by name, entries by position and kind (R5).

    Raises:
        RefusedError: the entries can be read in no way, or in several that leave as many over.
    """
    named = {child.tag: child for child in root.children if child.tag in ENVELOPE}
    entries = [child for child in root.children if child.tag == "entry"]
    free = [name for name in ENVELOPE if name not in named]
    readings = list(_readings(entries, free))
    best = [reading for reading in readings if len(reading) == max(map(len, readings))]
    if len(best) != 1:
        raise RefusedError(f"{len(best)} readings of the entries")
    return named | best[0]


def _readings(entries: Sequence[Node], free: Sequence[str]) -> Iterator[dict[str, Node]]:
    """Yield every way to read the first entries as fields, in order; a dropped null is a gap."""
    if not entries or not free:
        yield {}
    for size in range(1, min(len(entries), len(free)) + 1):
        for names in combinations(free, size):
            reading = dict(zip(names, entries, strict=False))
            gap = names != tuple(free[:size])
            further = size < len(entries)
            if "success" in free and "success" not in names:
                continue
            if further and names[-1] != free[-1]:
                continue
            if gap and further and "datas" in reading and reading["datas"].is_empty:
                continue  # it may be an empty text, and the numbers may follow
            if all(_suits(name, entry) for name, entry in reading.items()):
                yield reading


def _suits(name: str, entry: Node) -> bool:
    if name == "phoneNumbers" and not entry.nil:
        return not entry.children and as_integer(entry.text()) is not None
    return name != "datas" or entry.nil or entry.is_list


def _record(node: Node) -> list[Any]:
    if node.nil or not node.children:
        raise RefusedError("a record without entries")
    named = {child.tag: child for child in node.children if child.tag in RECORD}
    entries = (child for child in node.children if child.tag == "entry")
    fields = dict(named)
    for name in (name for name in RECORD if name not in named):
        entry = next(entries, None)
        if entry is None:
            raise RefusedError(f"a record without {name}")
        fields[name] = entry
    return [_integer(fields["id"]), _phone(fields["phone"]), _boolean(fields["stopSms"])]


def _leaf(node: Node) -> str:
    if node.nil or node.children:
        raise RefusedError("a value is null or a list")
    return node.text()


def _integer(node: Node) -> int:
    value = as_integer(_leaf(node))
    if value is None:
        raise RefusedError("not an integer")
    return value


def as_integer(text: str) -> int | None:
    """Return text as an integer (rule R7); up to 2**53 where it is written as a float."""
    found = _INTEGER.fullmatch(text)
    if found is None or len(text) > 4000:
        return None
    if found[2] is None and found[3] is None:
        return int(text)
    try:
        value = Decimal(text)
    except InvalidOperation:  # an exponent of 19 digits and more
        return None
    # Not abs(): it rounds, and overflows beyond the exponents of the context.
    exact = value.copy_abs() <= _LARGEST_EXACT and value == value.to_integral_value()
    return int(value) if exact else None


def _phone(node: Node) -> str:
    text = _leaf(node)
    if not text.strip():
        raise RefusedError("a blank phone")
    return text


def _boolean(node: Node) -> bool:
    word = _leaf(node).lower()
    if word not in {"true", "false", "1", "0"}:
        raise RefusedError("not a boolean")
    return word in {"true", "1"}
