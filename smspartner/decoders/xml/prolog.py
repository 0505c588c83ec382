"""What stands before the first tag: no DOCTYPE, no other encoding (rule R10).

A document type declaration can only stand before the first start tag. So everything up to that
tag goes through defusedxml's expat parser, which refuses any DOCTYPE, and only then may lxml see
the document: the two parsers share no code, and lxml never meets a DTD.
"""

from __future__ import annotations

import codecs
import re
from typing import Final
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

from defusedxml.common import DefusedXmlException
from defusedxml.expatreader import create_parser

from smspartner.decoders.detect import WHITE
from smspartner.decoders.limits import KIB
from smspartner.errors import (
    DecodeError,
    LimitError,
    TruncatedError,
    UnknownFormatError,
    UnsafeXMLError,
)
from smspartner.models.masks import mask_digits

#: How far the first start tag may be from the beginning.
PROLOG_LIMIT: Final = 64 * KIB

_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UTF32: Final = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_DECLARATION: Final = re.compile(r"<\?xml\s[^>]*")
_ENCODING: Final = re.compile(r"""encoding\s*=\s*(?:"([^"'>]*)"|'([^"'>]*)')""")
_READ: Final = "only UTF-8, UTF-16 with a byte order mark and declared ISO-8859-1 are read"
_LATIN_1: Final = "iso-8859-1"
_ALLOWED: Final = {"utf-8", "us-ascii", _LATIN_1}
_ALLOWED_UTF16: Final = {"utf-16", "utf-16le", "utf-16be"}

_BEGINNING: Final = re.compile(
    rb"""(?P<mark>\xef\xbb\xbf)?(?P<white>[ \t\r\n]*+)(?P<declaration><\?xml\s[^>]*?)(?P<end>\?>)"""
)
_US_ASCII: Final = re.compile(rb"""(encoding\s*=\s*)(["'])us-ascii["']""", re.IGNORECASE)
# What a reference can stand in without being one, or a reference to white space. What is not closed
# goes on to the end: a section made inside an open one would close that.
_REFERENCE: Final = re.compile(
    rb"""<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)|<(?:[^<>"']|"[^"]*"|'[^']*')*+>"""
    rb"""|&\#(?P<code>0*(?:9|10|32)|x0*(?:9|[aA]|20));""",
    re.DOTALL,
)


class _RootReached(Exception):  # noqa: N818 - it ends the guard's work, it is no error
    """The first start tag: no DTD can follow it."""


class _StopAtRoot(ContentHandler):
    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: ARG002, N802 - SAX
        raise _RootReached(name)


def plain(document: bytes) -> bytes:
    """Return a document as parsers take it (rule R10).

    White space before it is dropped, behind a byte order mark it goes into the declaration; and
    declared US-ASCII becomes UTF-8. Without white space before it, it keeps its length.
    """
    document = document.lstrip(WHITE)
    found = _BEGINNING.match(document)
    if found is None or not (found["white"] or _US_ASCII.search(found["declaration"])):
        return document
    declaration = _US_ASCII.sub(rb"\1\2utf-8\2   ", found["declaration"])
    begin = (found["mark"] or b"") + declaration + found["white"] + found["end"]
    return begin + document[found.end() :]


def is_unicode(head: bytes) -> bool:
    """Say whether a document that the guard has passed is in UTF-8."""
    declaration = _DECLARATION.match(head.removeprefix(codecs.BOM_UTF8).decode("latin-1"))
    return declaration is None or _LATIN_1 not in declaration[0].lower()


def with_white_space_as_value(document: bytes) -> bytes:
    """Return a document with its references to white space as CDATA sections.

    A parser gives the same for ``&#10;`` and a line break, but only the second is indentation
    (rule R7).
    """
    return _REFERENCE.sub(_as_section, document) if b"&#" in document else document


def _as_section(found: re.Match[bytes]) -> bytes:
    code = found["code"]
    if code is None:
        return found[0]
    number = int(code[1:], 16) if code.startswith(b"x") else int(code)
    return b"<![CDATA[%c]]>" % number


def guard(document: bytes, *, complete: bool = True) -> bool:
    """Return whether the first element was reached; what stands before it is then harmless.

    Args:
        document: a document, or the beginning of one.
        complete: whether it is all there is, so that it must have an element.

    Raises:
        UnsafeXMLError: a DOCTYPE, or an encoding other than UTF-8, UTF-16 with a byte order mark
            or declared ISO-8859-1 or US-ASCII.
        UnknownFormatError: the root is ``<html>``.
        TruncatedError: the document ends before its first start tag.
        LimitError: no start tag in the first 64 KiB.
        DecodeError: not well-formed up to the first start tag.
    """
    _check_encoding(document)
    name = _root_name(document[:PROLOG_LIMIT])
    if name is None and len(document) >= PROLOG_LIMIT:
        raise LimitError(f"no XML element begins in the first {PROLOG_LIMIT} bytes")
    if name is None and complete:
        raise TruncatedError("the XML body stops before its first element")
    if name is not None and name.lower() == "html":
        raise UnknownFormatError("the answer is an HTML page, not data")
    return name is not None


def _check_encoding(document: bytes) -> None:
    wide = document.startswith(_UTF16)
    if document.startswith(_UTF32) or (not wide and b"\0" in document[:4]):
        raise UnsafeXMLError(f"the XML is neither in UTF-8 nor marked as UTF-16; {_READ}")
    start = document[:PROLOG_LIMIT].removeprefix(codecs.BOM_UTF8)
    declaration = _DECLARATION.match(start.decode("utf-16" if wide else "latin-1", "replace"))
    for name in map("".join, _ENCODING.findall(declaration[0]) if declaration else ()):
        if name.lower() not in (_ALLOWED_UTF16 if wide else _ALLOWED):
            raise UnsafeXMLError(
                f"the XML declares the encoding {mask_digits(name[:40])!r}; {_READ}"
            )


def _root_name(prolog: bytes) -> str | None:
    """Return the name of the first element, None where none begins."""
    parser = create_parser(forbid_dtd=True)
    parser.setContentHandler(_StopAtRoot())
    try:
        parser.feed(prolog)
    except _RootReached as reached:
        return str(reached)
    except DefusedXmlException:
        problem: DecodeError = UnsafeXMLError(
            "the XML has a DOCTYPE, which is never read: it can make a parser fetch files or "
            "fill the memory"
        )
    except Exception as error:  # noqa: BLE001 - whatever the guard cannot pass, it refuses
        problem = DecodeError(f"the XML is not well-formed at its beginning ({_words(error)})")
    else:
        return None
    raise problem


def _words(error: Exception) -> str:
    """Return expat's own words without the address that SAX puts before them."""
    return str(getattr(error, "getMessage", lambda: type(error).__name__)())
