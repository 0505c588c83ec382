"""Where the records of a body are found, whatever stands around them."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import pytest
from bodies import (
    MANY,
    STYLES,
    as_json,
    as_xml,
    cdata,
    json_body,
    people,
    render,
    rental,
    xml_body,
    xml_record,
)
from cases import FORMATS, SetWindow, in_pieces, numbers_of, read_fed

from smspartner import DecodeError, decode
from smspartner.decoders.slices import Slicer
from smspartner.models.envelope import RentalAnswer

TRAP_JSON: Final = '},{"id":1,"phone":"x","stopSms":true},{"id":'
TRAP_XML: Final = "</entry></entry><entry><entry>1</entry>"
ROWS: Final = people(MANY)
J: Final = as_json(ROWS)
X: Final = as_xml(ROWS)

FOUND: Final[dict[str, bytes]] = {
    "json pretty": json.dumps(rental(ROWS), indent=2).encode(),
    "json with much white space": json.dumps(
        rental(ROWS), indent="\r\n \t", separators=(" ,\n", "\t: ")
    ).encode(),
    "json keyed and pretty": json.dumps(rental(ROWS, keyed=True), indent=1).encode(),
    "json array after the records": json_body(J, MANY, f',"more":[{J}],"x":{{"datas":[{J}]}}'),
    "json array before the records": f'{{"success":true,"more":[{J}],"datas":[{J}]}}'.encode(),
    "json datas nested before": f'{{"success":true,"x":{{"datas":[1,2]}},"datas":[{J}]}}'.encode(),
    "json datas in a text": f'{{"success":true,"x":"\\"datas\\":[{{","datas":[{J}]}}'.encode(),
    "json datas as a text": f'{{"success":true,"x":["datas",{{"a":[]}}],"datas":[{J}]}}'.encode(),
    "json forty false heads": (
        '{"success":true,"x":[' + ",".join(['{"datas":[]}'] * 40) + f'],"datas":[{J}]}}'
    ).encode(),
    "json flag after the records": f'{{"datas":[{J}],"success":true}}'.encode(),
    "json key in escapes": f'{{"success":true,"d\\u0061tas":[{J}]}}'.encode(),
    "json datas empty, then right": f'{{"success":true,"datas":[],"datas":[{J}]}}'.encode(),
    "json datas null, then right": f'{{"success":true,"datas":null,"datas":[{J}]}}'.encode(),
    "json with mark": b"\xef\xbb\xbf" + json_body(J, MANY),
    "json records with traps": json_body(
        as_json([row | {"x": TRAP_JSON * 3, "y": [{"a": {}}, {"b": [{}]}]} for row in ROWS])
    ),
    "json nested records": json_body(as_json([row | {"x": ROWS[:3]} for row in ROWS])),
    "json nested datas": json_body(as_json([row | {"datas": ROWS[:2]} for row in ROWS])),
    "json keyed with keys like ends": json.dumps(
        {"success": True, "datas": {f'}},{{"{i}":{{': row for i, row in enumerate(ROWS)}}
    ).encode(),
    "json keyed with long keys": json.dumps(
        {"success": True, "datas": {f"{'k' * 200}{i}": row for i, row in enumerate(ROWS)}}
    ).encode(),
    "xml plain": xml_body(X, MANY),
    "xml with comments between": xml_body(
        as_xml(ROWS, "<!-- </entry></entry><entry><entry> -->"), MANY
    ),
    "xml with instructions between": xml_body(as_xml(ROWS, "<?x </entry><entry><entry> ?>"), MANY),
    "xml with comments inside": xml_body(X.replace("<![CDATA[", "<!-- > --><![CDATA["), MANY),
    "xml with text between": xml_body(as_xml(ROWS, " noise "), MANY),
    "xml with attributes": xml_body(X.replace("<entry>", "<entry a='&lt;/entry>' b='>'>"), MANY),
    "xml with white space in tags": xml_body(X.replace("</entry>", "</entry\n >"), MANY),
    "xml array after the records": xml_body(
        X, MANY, f"<entry>{X}</entry><x><datas>{X}</datas></x>"
    ),
    "xml named array before": (
        f"<result><x>{X}</x><entry>true</entry><entry>{MANY}</entry><entry>{X}</entry></result>"
    ).encode(),
    "xml named": (
        f"<result><success>true</success><phoneNumbers>{MANY}</phoneNumbers>"
        f"<datas>{X}</datas></result>"
    ).encode(),
    "xml named, flag last": f"<r><datas>{X}</datas><success>true</success></r>".encode(),
    "xml head in a comment": (
        f"<!-- <result><entry><entry> -->{xml_body(X, MANY).decode()}<!-- end -->"
    ).encode(),
    "xml forty false heads": (
        "<result><x>" + "<entry><entry/></entry>" * 40 + "</x>" + xml_body(X).decode()[8:]
    ).encode(),
    "xml text records with traps": xml_body(
        "".join(
            xml_record(row["id"], cdata(row["phone"]), str(row["stopSms"]), cdata(TRAP_XML * 3))
            for row in ROWS
        ),
        MANY,
    ),
    "xml nested records": xml_body(
        "".join(
            xml_record(row["id"], cdata(row["phone"]), str(row["stopSms"]), as_xml(ROWS[:3]))
            for row in ROWS
        ),
        MANY,
    ),
    "xml with a prefix on the root": (
        b"<p:r xmlns:p='urn:x'>" + xml_body(X, MANY)[8:-9] + b"</p:r>"
    ),
    "xml with mark": b"\xef\xbb\xbf" + xml_body(X, MANY),
    "xml with a long comment before": xml_body(f"<!--{'x' * 90_000}-->{X}", MANY),
    "xml with a long comment behind": xml_body(f"{X}<!--{'x' * 90_000}-->", MANY),
    "xml with blanks before": xml_body(" " * 90_000 + X, MANY),
    "json with blanks before": json_body(" " * 90_000 + J, MANY),
    "json with blanks behind": json_body(J + " " * 90_000, MANY),
    "xml in Latin-1": b"<?xml version='1.0' encoding='iso-8859-1'?>" + xml_body(X, MANY),
    "xml in UTF-16": xml_body(X, MANY).decode().encode("utf-16"),
}


@pytest.mark.parametrize("name", FOUND)
@pytest.mark.parametrize("window", [150, pytest.param(1000, marks=pytest.mark.slow), 65536])
def test_records_are_found_whatever_stands_around_them(
    name: str, window: int, set_window: SetWindow
) -> None:
    set_window(window)
    body = FOUND[name]
    expected = [[row["id"], row["phone"], row["stopSms"]] for row in ROWS]

    for size in (997, len(body)) if window > 1000 else (997,):
        assert numbers_of(read_fed(in_pieces(body, size))) == expected


def test_a_phone_full_of_traps_never_moves_a_record() -> None:
    rows = [
        {"id": place, "phone": trap * (1 + place % 9), "stopSms": place % 2 == 0}
        for place, trap in enumerate([TRAP_JSON, TRAP_XML, "}]}", "]]>", "-->", '"},{"'] * 300)
    ]
    expected = [[row["id"], row["phone"], row["stopSms"]] for row in rows]

    for format_ in FORMATS:
        for style in STYLES:
            assert numbers_of(decode(render(rental(rows), format_, style))) == expected


#: Bodies that give the numbers in two places: the last wins in a small one, and in a large one,
#: where the first are handed out already, it is an error; never a mixture.
TWICE: Final = {
    "json": (lambda a, b: f'{{"success":true,"datas":[{as_json(a)}],"datas":[{as_json(b)}]}}'),
    "json with escapes": (
        lambda a, b: f'{{"success":true,"datas":[{as_json(a)}],"d\\u0061tas":[{as_json(b)}]}}'
    ),
    "json array, object": (
        lambda a, b: f'{{"success":true,"datas":[{as_json(a)}],"datas":{{{keyed(b)}}}}}'
    ),
    "json object, array": (
        lambda a, b: f'{{"success":true,"datas":{{{keyed(a)}}},"datas":[{as_json(b)}]}}'
    ),
    "json objects": (
        lambda a, b: f'{{"success":true,"datas":{{{keyed(a)}}},"datas":{{{keyed(b)}}}}}'
    ),
    "xml": (
        lambda a, b: (
            f"<r><success>true</success><datas>{as_xml(a)}</datas><datas>{as_xml(b)}</datas></r>"
        )
    ),
    "xml entry, name": (
        lambda a, b: (
            f"<r><entry>true</entry><entry>{as_xml(a)}</entry><datas>{as_xml(b)}</datas></r>"
        )
    ),
}


def keyed(rows: list[dict[str, Any]]) -> str:
    return ",".join(f'"{place}":{json.dumps(row)}' for place, row in enumerate(rows))


@pytest.mark.parametrize("name", TWICE)
@pytest.mark.parametrize(
    ("first", "second"), [(1400, 1400), (1400, 3), (3, 1400), (3, 3), (1400, 0)]
)
@pytest.mark.parametrize("window", [200, 65536])
def test_numbers_given_twice_are_never_mixed(
    name: str, first: int, second: int, window: int, set_window: SetWindow
) -> None:
    set_window(window)
    one, two = people(first), [row | {"id": -row["id"]} for row in people(second)]
    body = TWICE[name](one, two).encode()
    last = [[row["id"], row["phone"], row["stopSms"]] for row in two]

    for size in (997, len(body)):
        assert numbers_or_none(in_pieces(body, size)) in (last, None)


@pytest.mark.parametrize("name", [name for name in TWICE if name != "xml entry, name"])
def test_the_last_of_two_wins_in_a_small_body(name: str) -> None:
    one, two = people(3), people(2)

    assert len(decode(TWICE[name](one, two).encode())) == 2


def numbers_or_none(chunks: list[bytes]) -> list[list[Any]] | None:
    """Return the records of a body, None where it is refused."""
    try:
        return numbers_of(read_fed(chunks))
    except DecodeError:
        return None


@pytest.mark.parametrize("window", [200, 65536])
def test_records_under_one_key_are_not_lost(window: int, set_window: SetWindow) -> None:
    set_window(window)
    for amount in (6, 1800):
        rows = people(amount)
        keys = [str(place % (amount - 1)) for place in range(amount)]
        pairs = zip(keys, rows, strict=True)
        entries = ",".join(f'"{key}":{json.dumps(row)}' for key, row in pairs)

        got = numbers_or_none([f'{{"success":true,"datas":{{{entries}}}}}'.encode()])

        assert got is None or len(got) == amount


@pytest.mark.parametrize("byte", [0x0B, 0x0C, 0x1C, 0x1F, 0x85, 0xA0, 0x00, 0x7F])
@pytest.mark.parametrize("traps", [False, True], ids=["guessed cuts", "walked cuts"])
@pytest.mark.parametrize("window", [333, 2000])
def test_no_byte_is_lost_where_a_body_is_cut(
    byte: int, window: int, set_window: SetWindow, *, traps: bool
) -> None:
    # Cuts fall between records: a byte that may not stand there must be seen at each of them.
    set_window(window)
    rows = [row | ({"x": "},{" * 20} if traps else {}) for row in people(60)]
    body = json_body(as_json(rows))
    assert len(decode(body)) == 60
    commas = [found.start() for found in re.finditer(rb'(?<=\}),(?=\{"id")', body)]
    assert len(commas) == 59

    for place in commas:
        for there in (place, place + 1):
            with pytest.raises(DecodeError):
                decode(body[:there] + bytes([byte]) + body[there:])


@pytest.mark.parametrize("format_", FORMATS)
def test_a_record_that_looks_like_the_probe_is_a_record(format_: str) -> None:
    rows = people(MANY)
    rows[700] = {
        "id": RentalAnswer.probe.id,
        "phone": "0" * len(RentalAnswer.probe.phone),
        "stopSms": RentalAnswer.probe.stop_sms,
    }

    assert len(decode(render(rental(rows), format_))) == MANY


def test_the_probe_is_another_in_each_process() -> None:
    assert len(RentalAnswer.probe.phone) == 24
    assert set(RentalAnswer.probe.phone) <= set("0123456789abcdef")


def test_what_is_left_is_given_out_once() -> None:
    slicer = Slicer(4, 8)
    slicer.buffer += b"123456"

    assert (slicer.rest(), slicer.rest()) == (b"123456", b"")
