"""Rule R10: document type declarations in every disguise, and encodings."""

from __future__ import annotations

import codecs
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from bodies import MANY, PHONE, as_xml, cdata, people, xml_body, xml_record
from cases import SetWindow, in_pieces, numbers_of, read_fed

from smspartner import DecodeError, LimitError, UnsafeXMLError, decode
from smspartner.decoders.limits import DEFAULT_LIMITS
from smspartner.decoders.whole import decode_answer
from smspartner.decoders.xml import decoder as xml_decoder
from smspartner.decoders.xml.prolog import plain
from smspartner.models.account import Account
from smspartner.models.envelope import RentalAnswer

DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>'
ROOT: Final = xml_body(as_xml(people(2)), 2).decode()


# DOCTYPE (rule R10)

DOCTYPES: Final = {
    "bare": "<!DOCTYPE result>",
    "tab": "<!DOCTYPE\tresult\n>",
    "empty subset": "<!DOCTYPE result []>",
    "entity": '<!DOCTYPE r [<!ENTITY a "b">]>',
    "bomb": '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]>',
    "quadratic bomb": f'<!DOCTYPE r [<!ENTITY a "{"x" * 50_000}">]>',
    "external entity": '<!DOCTYPE r [<!ENTITY a SYSTEM "{url}">]>',
    "external subset": '<!DOCTYPE r SYSTEM "{url}">',
    "public subset": '<!DOCTYPE r PUBLIC "-//x//y" "{url}">',
    "parameter entity": '<!DOCTYPE r [<!ENTITY % a SYSTEM "{url}"> %a;]>',
    "unparsed entity": '<!DOCTYPE r [<!NOTATION n SYSTEM "x"><!ENTITY a SYSTEM "{url}" NDATA n>]>',
    "attribute default": '<!DOCTYPE r [<!ATTLIST entry a CDATA "b">]>',
    "element": "<!DOCTYPE r [<!ELEMENT r ANY>]>",
    "comment inside": "<!DOCTYPE r [<!-- ]><r/> -->]>",
    "never closed": "<!DOCTYPE r [",
}
DISGUISES: Final[dict[str, Callable[[str], bytes]]] = {
    "first": lambda text: text.encode(),
    "behind declaration": lambda text: f"{DECLARATION}\n{text}".encode(),
    "behind comments": lambda text: f"{DECLARATION}<!-- <r> --><!-- -->\n\n{text}".encode(),
    "behind instructions": lambda text: f"{DECLARATION}<?a <r> ?><?b?>{text}".encode(),
    "behind 60 KB": lambda text: f"{DECLARATION}<!--{' ' * 60_000}-->{text}".encode(),
    "behind mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "behind blanks": lambda text: f" \n\t{text}".encode(),
    "in Latin-1": lambda text: f'<?xml version="1.0" encoding="ISO-8859-1"?>{text}'.encode(),
    "in UTF-16": lambda text: text.encode("utf-16"),
    "in UTF-16, declared": lambda text: f'<?xml version="1.0" encoding="UTF-16"?>{text}'.encode(
        "utf-16"
    ),
    "in UTF-16BE": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    "in UTF-16 without mark": lambda text: text.encode("utf-16-le"),
    "in UTF-32": lambda text: text.encode("utf-32"),
    "in UTF-7": lambda text: b'<?xml version="1.0" encoding="UTF-7"?>' + text.encode("utf-7"),
    "in EBCDIC": lambda text: b'<?xml version="1.0" encoding="cp037"?>' + text.encode("cp037"),
}


@pytest.fixture(scope="module")
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        yield server


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("kind", DOCTYPES)
def test_a_doctype_is_refused_in_every_disguise(
    kind: str, disguise: str, listener: socket.socket
) -> None:
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/evil.dtd"
    text = DOCTYPES[kind].replace("{url}", url) + ROOT.replace(PHONE, "&a;")
    body = DISGUISES[disguise](text)

    for chunks in ([body], in_pieces(body, 1000), [body + b" " * 70_000]):
        with pytest.raises(UnsafeXMLError):
            read_fed(chunks, "xml")
    with pytest.raises(BlockingIOError):
        listener.accept()


@pytest.mark.parametrize("window", [64, 200, 65536])
@pytest.mark.parametrize("kind", DOCTYPES)
def test_a_doctype_is_refused_byte_by_byte(kind: str, window: int, set_window: SetWindow) -> None:
    set_window(window)
    body = (DOCTYPES[kind] + ROOT).encode()

    with pytest.raises(UnsafeXMLError):
        read_fed([*in_pieces(body[:2000], 1), body[2000:]])


@pytest.mark.parametrize("kind", ["bare", "entity", "external subset"])
def test_behind_the_guard_there_is_a_second_lock(kind: str) -> None:
    # What the tree builder would do if the guard before it ever let a DOCTYPE pass.
    with pytest.raises(UnsafeXMLError):
        xml_decoder.read((DOCTYPES[kind] + ROOT).encode(), RentalAnswer, DEFAULT_LIMITS)


@pytest.mark.parametrize("place", ["inside the root", "in a record", "behind the root"])
@pytest.mark.parametrize("kind", ["bare", "entity", "external subset"])
@pytest.mark.parametrize("amount", [2, MANY])
def test_a_doctype_can_stand_nowhere_else(kind: str, place: str, amount: int) -> None:
    root = xml_body(as_xml(people(amount)), amount).decode()
    where = {
        "inside the root": "<entry>",
        "in a record": "<![CDATA[",
        "behind the root": "</result>",
    }
    head, tag, tail = root.rpartition(where[place])
    parts = (
        (head, tag, DOCTYPES[kind], tail)
        if tag == "</result>"
        else (head, DOCTYPES[kind], tag, tail)
    )

    with pytest.raises(DecodeError):
        decode("".join(parts).encode())


def test_a_file_is_never_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("+33639980077")
    uri = secret.as_uri()
    by_entity = xml_body(xml_record(1, "&a;", "true")).decode()

    for markup in (
        f'<!DOCTYPE r [<!ENTITY a SYSTEM "{uri}">]>{by_entity}',
        f'<r xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="{uri}" parse="text"/></r>',
        xml_body(
            xml_record(
                1,
                f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{uri}" parse="text"/>',
                "true",
            )
        ).decode(),
    ):
        with pytest.raises(DecodeError) as caught:
            decode(markup.encode())
        assert "0077" not in str(caught.value)


@pytest.mark.parametrize(
    "extra",
    [
        '<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{url}" parse="text"/>',
        '<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{url}"/>',
        '<?xml-stylesheet href="{url}"?>',
        '<x xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="u {url}"/>',
        '<x xml:base="{url}"/>',
        '<x xmlns="{url}"/>',
    ],
)
def test_nothing_that_points_elsewhere_is_followed(extra: str, listener: socket.socket) -> None:
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"

    body = ROOT.replace("</result>", extra.replace("{url}", url) + "</result>")

    assert len(decode(body.encode())) == 2
    with pytest.raises(BlockingIOError):
        listener.accept()


# Encodings (rule R10)


def declared(name: str, codec: str, mark: bytes = b"", padding: str = " ") -> bytes:
    phone = "é" if codec != "utf-7" else "x"
    root = xml_body(xml_record(1, phone, "true")).decode()
    return mark + f'<?xml version="1.0"{padding}encoding="{name}"?>{root}'.encode(codec)


READ: Final = {
    "UTF-8": declared("UTF-8", "utf-8"),
    "utf-8": declared("utf-8", "utf-8"),
    "UTF-8 with mark": declared("UTF-8", "utf-8", codecs.BOM_UTF8),
    "undeclared": xml_body(xml_record(1, "é", "true")),
    "UTF-16LE with mark": declared("UTF-16", "utf-16-le", codecs.BOM_UTF16_LE),
    "UTF-16BE with mark": declared("UTF-16", "utf-16-be", codecs.BOM_UTF16_BE),
    "UTF-16 with mark, undeclared": xml_body(xml_record(1, "é", "true")).decode().encode("utf-16"),
    "ISO-8859-1": declared("ISO-8859-1", "latin-1"),
    "iso-8859-1": declared("iso-8859-1", "latin-1"),
    "single quotes": declared("UTF-8", "utf-8").replace(b'"', b"'"),
    "declared far away": declared("UTF-8", "utf-8", padding=" \n" * 3000),
    "another one in a comment": b'<!-- <?xml version="1.0" encoding="UTF-7"?> -->'
    + xml_body(xml_record(1, "é", "true")),
}
_NOT_READ: Final = (
    *(
        "utf-7",
        "windows-1252",
        "cp1252",
        "iso-8859-15",
        "koi8-r",
        "shift_jis",
        "gb18030",
    ),
    *("utf8", "latin1", "utf-32", "ucs-4", "cp037", "utf-16", "x-user-defined", "no-such-thing"),
)
REFUSED: Final = {
    **{name: declared(name, "utf-8").replace("é".encode(), b"x") for name in _NOT_READ},
    **{
        f"{name} far away": declared(name, "utf-8", padding=" " * 5000).replace("é".encode(), b"x")
        for name in _NOT_READ
    },
    "UTF-7 in UTF-7": declared("utf-7", "utf-7"),
    "UTF-16LE without mark": declared("UTF-16", "utf-16-le"),
    "UTF-16BE without mark": declared("UTF-16", "utf-16-be"),
    "UTF-16LE without mark, undeclared": ROOT.encode("utf-16-le"),
    "UTF-16BE without mark, undeclared": ROOT.encode("utf-16-be"),
    "UTF-32LE with mark": declared("UTF-32", "utf-32-le", codecs.BOM_UTF32_LE),
    "UTF-32LE without mark": declared("UTF-32", "utf-32-le"),
    "UTF-32BE without mark": declared("UTF-32", "utf-32-be"),
    "UTF-16 declared as UTF-8": declared("UTF-8", "utf-16-le", codecs.BOM_UTF16_LE),
    "UTF-8 declared as UTF-16": declared("UTF-16", "utf-8", codecs.BOM_UTF8),
}


@pytest.mark.parametrize("name", READ)
def test_an_allowed_encoding_is_read_right(name: str) -> None:
    for size in (1, 3, 100_000):
        assert numbers_of(read_fed(in_pieces(READ[name], size), "xml")) == [[1, "é", True]]


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("behind", [0, 70_000], ids=["small", "large"])
def test_another_encoding_is_refused(name: str, behind: int) -> None:
    body = REFUSED[name] + b" " * behind

    for size in (1000, len(body)):
        with pytest.raises(UnsafeXMLError):
            read_fed(in_pieces(body, size), "xml")


def test_utf_32_is_not_even_taken_for_xml() -> None:
    with pytest.raises(DecodeError):
        decode(declared("UTF-32", "utf-32-be", codecs.BOM_UTF32_BE))


@pytest.mark.parametrize("amount", [1, MANY])
def test_bytes_that_are_not_what_they_say_are_refused(amount: int) -> None:
    records = xml_record(1, cdata("é"), "true") * amount

    with pytest.raises(DecodeError):
        decode(xml_body(records).decode().encode("latin-1"))
    for wrong in (b"\xed\xa0\x80", b"\xc0\xaf", b"\xf5\x80\x80\x80", b"\x80", b"\xc3"):
        with pytest.raises(DecodeError):
            decode(xml_body(records).replace("é".encode(), wrong))


@pytest.mark.parametrize("size", [60_000, 70_000])
def test_the_first_element_begins_in_the_first_64_kib(size: int) -> None:
    body = f"<!--{'x' * size}-->{ROOT}{' ' * 70_000}".encode()
    if size < 64 * 1024:
        assert len(decode(body)) == 2
    else:
        for read in (decode, lambda document: decode_answer(document, Account)):
            with pytest.raises(LimitError, match="no XML element"):
                read(body)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (b" \n<r/>", b"<r/>"),
        (
            b"<?xml version='1.0' encoding='us-ascii'?><r/>",
            b"<?xml version='1.0' encoding='utf-8'   ?><r/>",
        ),
        (b"\xef\xbb\xbf \n<?xml version='1.0'?><r/>", b"\xef\xbb\xbf<?xml version='1.0' \n?><r/>"),
    ],
)
def test_a_document_becomes_what_parsers_take(document: bytes, expected: bytes) -> None:
    assert plain(document) == expected
