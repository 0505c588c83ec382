"""The decoders in ``docs/adding-a-format.md`` read every recorded body as its JSON twin is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import msgspec
import pytest
from cases import CHUNKINGS, Case, corpus, in_pieces, outcome_of, read_fed, read_whole
from docs_blocks import blocks_of

from smspartner import LimitError, Limits, SMSPartnerError, decode, decoders

PAGE: Final = "docs/adding-a-format.md"
#: The decoder classes of the page, in its order; each is registered under ``msgpack``.
DECODERS: Final = ("MessagePackDecoder", "TypedMessagePackDecoder")
CASES: Final = [case for case in corpus() if case.format == "json"]


@pytest.fixture(params=DECODERS)
def twin(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Case], bytes]:
    """Register a decoder of the page, and return what renders a JSON body in its format."""
    monkeypatch.setattr(decoders, "_loaders", dict(decoders._loaders))
    names: dict[str, Any] = {"__name__": "docs"}
    for block in blocks_of(PAGE):
        if block.kind == "python":
            code = compile(block.text, str(block), "exec", dont_inherit=True)
            exec(code, names)  # noqa: S102 - the docs' own code
    decoders.register_decoder(names[request.param]())
    return lambda case: msgspec.msgpack.encode(json.loads(case.body))


def test_the_page_shows_these_decoders() -> None:
    text = "".join(block.text for block in blocks_of(PAGE))

    assert [name for name in DECODERS if f"class {name}" in text] == list(DECODERS)
    assert len(CASES) == 301


@pytest.mark.parametrize("chunking", ["whole", "random", "pairs"])
def test_each_body_gives_what_its_json_twin_gives(
    twin: Callable[[Case], bytes], chunking: str
) -> None:
    for case in CASES:
        for chunks in CHUNKINGS[chunking](twin(case))[:3]:
            assert outcome_of(read_fed, chunks, "msgpack") == case.expected, case
            assert outcome_of(read_fed, chunks) == case.expected, case


def test_a_body_that_is_cut_or_goes_on_is_refused(twin: Callable[[Case], bytes]) -> None:
    for case in (case for case in CASES if case.name.endswith(("ok_n3", "err_10", "datas_empty"))):
        body = twin(case)
        wrong = [body[:end] for end in range(len(body))] + [body + b"\xc0", body + body]

        for each in wrong:
            assert outcome_of(read_whole, [each], "msgpack") == {"error": "decode"}, case


@pytest.mark.parametrize(
    "value",
    [
        {"success": True, "phoneNumbers": 2**64 - 1, "datas": []},
        {"success": True, "datas": [{"id": 1, "phone": b"+33639980042", "stopSms": False}]},
        {"success": True, "phoneNumbers": float("nan")},
        {"success": True, "phoneNumbers": 1, "datas": [None]},
        {"success": True, "datas": [{"id": 1, "phone": " \u00a0", "stopSms": False}]},
        {"success": True, 7: 7},
        [True, 0, []],
    ],
    ids=["count", "bytes", "nan", "null-record", "blank-phone", "odd-key", "array"],
)
@pytest.mark.usefixtures("twin")
def test_what_json_cannot_say_is_an_error_of_this_library(value: object) -> None:
    with pytest.raises(SMSPartnerError):
        decode(msgspec.msgpack.encode(value), "msgpack")


@pytest.mark.usefixtures("twin")
def test_deep_nesting_is_an_error_of_this_library() -> None:
    body = b"\x82\xa7success\xc3\xa1x" + b"\x91" * 100_000 + b"\xc0"

    with pytest.raises(SMSPartnerError):
        decode(body, "msgpack")


@pytest.mark.usefixtures("twin")
def test_any_bytes_give_an_outcome() -> None:
    for seed in range(256):
        for chunks in (
            in_pieces(bytes((seed * step) % 256 for step in range(40)), 7),
            [b"\x81" * seed],
        ):
            outcome_of(read_fed, chunks, "msgpack")


@pytest.mark.parametrize("twin", DECODERS[:1], indirect=True)
@pytest.mark.usefixtures("twin")
def test_the_limit_of_depth_holds_by_way_of_json() -> None:
    body = msgspec.msgpack.encode({"success": True, "phoneNumbers": 0, "x": [[[[[[]]]]]]})

    with pytest.raises(LimitError):
        decode(body, "msgpack", limits=Limits(depth=4))
