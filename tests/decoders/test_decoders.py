"""Decoders of other people, and what the decoders here rely on."""

from __future__ import annotations

import json

import pytest
from bodies import PHONE, rental
from cases import in_pieces, numbers_of, read_fed
from lxml import etree

from smspartner import ConfigurationError, Limits, ResponseReader, decode, register_decoder
from smspartner import decoders as registry
from smspartner.decoders import decoder_named, format_names
from smspartner.decoders.detect import decoder_for
from smspartner.decoders.slices import Hole
from smspartner.models.envelope import A

# The general reader of positions


def test_lxml_keeps_what_stands_in_cdata_apart() -> None:
    # The rule about indentation stands on this.
    parser = etree.XMLParser(strip_cdata=False)
    root = etree.fromstring(b"<r>\n<![CDATA[\nx]]></r>", parser)

    assert etree.tostring(root) == b"<r>\n<![CDATA[\nx]]></r>"


# Other people's decoders


class CommaDecoder:
    """A decoder of somebody else: lines of ``id,phone,stop`` below ``#count``."""

    name = "lines"
    media_types = frozenset({"text/x-lines"})
    first_bytes = b"#"

    def decode(self, document: bytes, answer: type[A], limits: Limits) -> A:  # noqa: ARG002 - a protocol
        count, *lines = document.decode().splitlines()
        names = ["id", "phone", "stopSms"]
        rows = [dict(zip(names, line.split(","), strict=True)) for line in lines]
        return decoder_named("json").decode(
            json.dumps(rental(rows, count=count[1:])).encode(), answer, Limits()
        )

    def find_hole(self, window: bytes, limits: Limits) -> Hole | None:  # noqa: ARG002 - a protocol
        return None


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_loaders", dict(registry._loaders))
    register_decoder(CommaDecoder())


@pytest.mark.usefixtures("lines")
@pytest.mark.parametrize("amount", [2, 5000])
def test_a_registered_decoder_reads_bodies_of_any_size(amount: int) -> None:
    body = f"#{amount}\n".encode() + b"1,+33639980042,true\n" * amount

    assert format_names() == ("json", "xml", "lines")
    for format_ in ("lines", None):
        for chunks in ([body], in_pieces(body, 1000)):
            assert numbers_of(read_fed(chunks, format_)) == [[1, PHONE, True]] * amount


@pytest.mark.usefixtures("lines")
def test_a_registered_decoder_is_known_by_its_media_type() -> None:
    reader = ResponseReader(media_type="text/x-lines")
    reader.feed(b"#0\n")

    assert reader.close() == []
    assert reader.format == "lines"


def test_a_decoder_that_is_not_registered_is_unknown() -> None:
    assert format_names() == ("json", "xml")
    with pytest.raises(ConfigurationError, match="lines"):
        decode(b"#0\n", "lines")


@pytest.mark.usefixtures("lines")
def test_a_decoder_can_take_the_place_of_a_built_in_one() -> None:
    class Mine(CommaDecoder):
        name = "json"
        first_bytes = b"{"

    register_decoder(Mine())

    assert isinstance(decoder_named("json"), Mine)


def test_a_decoder_needs_a_name() -> None:
    class Nameless(CommaDecoder):
        name = ""

    with pytest.raises(ConfigurationError, match="name"):
        register_decoder(Nameless())


class AnyDecoder(CommaDecoder):
    """A decoder that its media type alone is known by."""

    name = "any"
    media_types = frozenset({"text/x-any"})
    first_bytes = b""


@pytest.mark.usefixtures("lines")
def test_a_media_type_wins_over_the_first_byte_where_its_decoder_can_read_anything() -> None:
    register_decoder(AnyDecoder())

    assert decoder_for(b'{"id": 1}', media_type="text/x-any").name == "any"
    assert decoder_for(b'{"id": 1}', media_type="application/xml").name == "json"


JSON_RECORD = b'{"id":1,"phone":"+33639980042","stopSms":true},'
XML_RECORD = b"<entry><entry>1</entry><entry>+33639980042</entry><entry>true</entry></entry>"


@pytest.mark.parametrize(
    ("name", "head", "records"),
    [
        ("json", b'{"success":true,"datas":[', 3 * JSON_RECORD),
        (
            "json",
            b'{"success":true,"datas":{',
            b"".join(b'"%d":' % n + JSON_RECORD for n in range(3)),
        ),
        ("xml", b"<result><!-- --><entry>true</entry><entry>2</entry><entry>", 3 * XML_RECORD),
    ],
)
def test_the_records_of_a_large_body_begin_behind_its_head(
    name: str, head: bytes, records: bytes
) -> None:
    hole = decoder_named(name).find_hole(head + records, Limits())

    assert hole is not None
    assert hole.head == head
