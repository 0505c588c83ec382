"""Everything that turns a body into typed objects, each written as one would well by hand.

A contender is given the body as an open binary file and yields batches of records. One that needs
the whole body yields a single batch, one that streams yields as it goes: the time to the first
batch is the time to the first record. Whoever takes the batches lets each go before the next.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from typing import Any, BinaryIO, Final, NamedTuple
from xml.etree import ElementTree as ET

import defusedxml.ElementTree
import msgspec
from lxml import etree

from benchmarks.bodies import KINDS
from smspartner.decoders.reader import ResponseReader, iter_batches
from smspartner.decoders.whole import decode
from smspartner.models.arrow import to_arrow
from smspartner.models.columns import columns_of
from smspartner.models.number import RentedNumber

#: Bytes that a streaming contender asks for at once.
CHUNK: Final = 64 * 1024

OURS: Final = "smspartner, streaming"
MSGSPEC: Final = "msgspec, whole body"
JSON_LOADS: Final = "json.loads + dataclass"
LXML_PARSING: Final = "lxml, parsing only"
LXML_LOOP: Final = "lxml tree + loop"
PYGIXML_PARSING: Final = "pygixml, parsing only"
KEPT: Final = "smspartner, all kept"
TABLE: Final = "smspartner, Arrow table"
DEFUSED: Final = "defusedxml.ElementTree + loop"

_XML: Final = tuple(kind for kind in KINDS if kind.startswith("xml"))
# Records that an event-driven contender hands over together.
_BATCH: Final = 1000

# What is in a batch has a length and gives records; it differs by contender.
Batches = Iterable[Any]
Read = Callable[[BinaryIO], Batches]


class Contender(NamedTuple):
    """One way to read a body.

    Attributes:
        name: what it is called in the tables.
        kinds: the kinds of bodies it is measured on.
        read: the way itself.
        typed: whether its batches are records; False where it only parses.
    """

    name: str
    kinds: tuple[str, ...]
    read: Read
    typed: bool


@dataclass(frozen=True, slots=True)
class Number:
    """What everybody but msgspec and this library turns a record into."""

    id: int
    phone: str
    stop_sms: bool


#: All that can run here, ours first.
CONTENDERS: Final[list[Contender]] = []
#: Packages that a contender needs and that are not installed.
MISSING: Final[list[str]] = []


def contender(
    name: str, *kinds: str, package: str | None = None, typed: bool = True
) -> Callable[[Read], Read]:
    """Register a way to read bodies of some kinds, if the package that it needs is there."""

    def register(read: Read) -> Read:
        if package is None or find_spec(package):
            CONTENDERS.append(Contender(name, kinds, read, typed))
        else:
            MISSING.append(package)
        return read

    return register


def named(name: str) -> Contender:
    """Return the contender of a name."""
    return next(each for each in CONTENDERS if each.name == name)


def chunks(body: BinaryIO) -> Iterator[bytes]:
    """Return what is left of a file in chunks."""
    return iter(lambda: body.read(CHUNK), b"")


def _batched(numbers: Iterator[Number]) -> Batches:
    """Yield lists of numbers that come one by one, the first alone: it is timed."""
    yield list(islice(numbers, 1))
    while batch := list(islice(numbers, _BATCH)):
        yield batch


@contender(OURS, *KINDS)
def ours(body: BinaryIO) -> Batches:
    return iter_batches(ResponseReader(), chunks(body))


@contender(KEPT, *KINDS)
def ours_kept(body: BinaryIO) -> Batches:
    yield decode(body.read()).numbers


@contender(TABLE, "json", "xml", package="pyarrow", typed=False)
def ours_table(body: BinaryIO) -> Batches:
    yield range(to_arrow(columns_of(ours(body))).num_rows)


class _Envelope(msgspec.Struct, rename="camel"):
    success: bool
    phone_numbers: int
    datas: list[RentedNumber]


@contender(MSGSPEC, "json")
def msgspec_whole(body: BinaryIO) -> Batches:
    yield msgspec.json.decode(body.read(), type=_Envelope).datas


@contender(JSON_LOADS, "json")
def json_loads(body: BinaryIO) -> Batches:
    yield _from_json(json.loads(body.read())["datas"])


@contender("orjson + dataclass", "json", package="orjson")
def orjson_loads(body: BinaryIO) -> Batches:
    yield _from_json(_load("orjson").loads(body.read())["datas"])


@contender("pydantic", "json", package="pydantic")
def pydantic_validate(body: BinaryIO) -> Batches:
    yield _pydantic_envelope().model_validate_json(body.read()).datas


@contender("ijson + dataclass", "json", package="ijson")
def ijson_items(body: BinaryIO) -> Batches:
    # With use_float no integer becomes a Decimal first: half the time.
    rows = _load("ijson.backends.yajl2_c").items(body, "datas.item", use_float=True)
    yield from _batched(Number(row["id"], row["phone"], row["stopSms"]) for row in rows)


@contender(LXML_PARSING, *_XML, typed=False)
def lxml_parsing(body: BinaryIO) -> Batches:
    """Parse the reader's slices with the reader's settings, and look at nothing in them."""
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
    for document in _slices(body):
        yield etree.fromstring(document, parser)[2]


@contender(LXML_LOOP, *_XML)
def lxml_loop(body: BinaryIO) -> Batches:
    yield _from_elements(etree.fromstring(body.read())[2])


@contender("lxml iterparse, clearing", "xml")
def lxml_iterparse(body: BinaryIO) -> Batches:
    yield from _batched(_iterparse(body))


@contender(DEFUSED, "xml")
def defused_loop(body: BinaryIO) -> Batches:
    yield _from_elements(defusedxml.ElementTree.fromstring(body.read())[2])


@contender("xml.etree + loop", "xml")
def etree_loop(body: BinaryIO) -> Batches:
    yield _from_elements(ET.fromstring(body.read())[2])  # noqa: S314 - our own body


@contender("xmltodict + dataclass", "xml", package="xmltodict")
def xmltodict_parse(body: BinaryIO) -> Batches:
    root = _load("xmltodict").parse(body.read(), force_list=("entry",))
    rows = root["result"]["entry"][2]["entry"]
    yield [
        Number(int(number), phone, stop == "true")
        for number, phone, stop in (row["entry"] for row in rows)
    ]


@contender(PYGIXML_PARSING, "xml", package="pygixml", typed=False)
def pygixml_parsing(body: BinaryIO) -> Batches:
    """Parse, and look at nothing but the declared count."""
    document = _load("pygixml").parse_string(body.read().decode())  # its nodes do not keep it
    entries = document.root.children()
    next(entries)
    yield range(int(next(entries).text()))


@contender("pygixml tree + loop", "xml", package="pygixml")
def pygixml_loop(body: BinaryIO) -> Batches:
    document = _load("pygixml").parse_string(body.read().decode())
    _, _, records = document.root.children()
    rows = ([leaf.text() for leaf in record.children()] for record in records.children())
    yield [Number(int(number), phone, stop == "true") for number, phone, stop in rows]


# It loses what stands in CDATA, so there is nothing to make numbers of.
@contender("parshred, parsing only", "xml", package="parshred", typed=False)
def parshred_parsing(body: BinaryIO) -> Batches:
    document = _load("parshred").parse(body.read())
    yield range(document.element_count // 4 - 1)  # looking at its elements ends in a crash


@contender("orxml + dataclass", "xml", package="orxml")
def orxml_parse(body: BinaryIO) -> Batches:
    records = _load("orxml").parse(body.read().decode())["result"]["entry"][2]["entry"]
    if isinstance(records, dict):  # of one record it makes no list
        records = [records]
    rows = (record["entry"] for record in records)
    yield [Number(int(number), phone, stop == "true") for number, phone, stop in rows]


def _load(name: str) -> Any:
    return import_module(name)


def _from_json(rows: list[dict[str, Any]]) -> list[Number]:
    return [Number(row["id"], row["phone"], row["stopSms"]) for row in rows]


def _from_elements(records: Iterable[Any]) -> list[Number]:
    return [
        Number(int(number.text), phone.text, stop.text == "true")
        for number, phone, stop, *_ in records
    ]


@cache
def _pydantic_envelope() -> Any:
    """Return a model around the dataclass: measured, twice as fast as one around a BaseModel."""
    pydantic = _load("pydantic")
    aliases = pydantic.ConfigDict(alias_generator=_load("pydantic.alias_generators").to_camel)
    return pydantic.create_model("Envelope", __config__=aliases, datas=(list[Number], ...))


def _iterparse(body: BinaryIO) -> Iterator[Number]:
    events: Iterator[tuple[str, Any]] = etree.iterparse(body, tag="entry")
    for _, entry in events:
        if len(entry) == 3:
            number, phone, stop = entry
            yield Number(int(number.text), phone.text, stop.text == "true")
            entry.clear()
            while entry.getprevious() is not None:
                del entry.getparent()[0]


def _slices(body: BinaryIO) -> Iterator[bytes]:
    """Cut a body of the sandbox into small documents like the reader, but prove nothing."""
    head, opening, rest = body.read(CHUNK).partition(b"\n  <entry>\n")
    head += opening
    for chunk in chunks(body):
        window = rest + chunk
        cut = window.rfind(b"    <entry>\n")
        yield head + window[:cut] + b"  </entry></result>"
        rest = window[cut:]
    yield head + rest
