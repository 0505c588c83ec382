"""No body is larger than the cap, compressed or not."""

from __future__ import annotations

import contextlib
import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rawserver import RawServer, answer, chunked, head, sends
from transport_tools import BODY, failure, fetch, get, transport

from smspartner.errors import LimitError, TransportError
from smspartner.transport.gunzip import Gunzip


@pytest.mark.parametrize("cap", [1, 70, len(BODY) - 1])
def test_a_body_larger_than_the_cap_is_refused(cap: int) -> None:
    with RawServer(answer(BODY)) as server:
        error = failure(server.url, max_body=cap)
    assert type(error) is LimitError
    assert error.http_status == 200
    assert f"larger than {cap} bytes" in str(error)


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_a_body_as_large_as_the_cap_is_whole(coding: str) -> None:
    sent = gzip.compress(BODY) if coding == "gzip" else BODY
    with RawServer(answer(sent, headers=[f"Content-Encoding: {coding}"])) as server:
        assert fetch(server.url, max_body=len(BODY)) == BODY


def test_gzip_that_comes_byte_by_byte_is_refused_for_its_size_as_well() -> None:
    sent = gzip.compress(BODY)
    begun = head("Transfer-Encoding: chunked", "Content-Encoding: gzip")
    with RawServer(sends(begun + chunked(sent[:1], sent[1:2], sent[2:]))) as server:
        assert type(failure(server.url, max_body=1)) is LimitError


def test_a_gzip_bomb_never_expands_beyond_the_cap() -> None:
    bomb = gzip.compress(bytes(200_000_000), 9)
    sizes: list[int] = []
    with RawServer(answer(bomb, headers=["Content-Encoding: gzip"])) as server:
        client = transport(server.url, max_body=1_000_000)
        with get(client) as reply, pytest.raises(LimitError):
            sizes.extend(len(piece) for piece in reply.chunks)
    assert max(sizes) <= 65536
    assert 900_000 < sum(sizes) <= 1_000_000


def test_no_step_of_decoding_may_go_beyond_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    class Watched(Gunzip):
        def __call__(self, most: int) -> bytes:
            asked.append(most)
            return super().__call__(most)

    monkeypatch.setattr("smspartner.transport.body.Gunzip", Watched)
    with RawServer(
        answer(gzip.compress(bytes(9999)), headers=["Content-Encoding: gzip"])
    ) as server:
        assert type(failure(server.url, max_body=1000)) is LimitError
    assert max(asked) == 1001


def test_what_comes_with_an_error_status_is_capped_at_a_mebibyte() -> None:
    with RawServer(answer(bytes(2**20 + 1), status="500 Oh")) as server:
        error = failure(server.url)
    assert (type(error), error.http_status) == (LimitError, 500)


@given(
    members=st.lists(st.binary(max_size=300), min_size=1, max_size=3),
    wire=st.integers(1, 50),
    most=st.integers(1, 500),
    cut=st.integers(0, 5),
)
def test_gzip_decodes_alike_however_it_is_cut_and_never_ends_early(
    members: list[bytes], wire: int, most: int, cut: int
) -> None:
    stream = b"".join(map(gzip.compress, members))
    data = iter([stream[i : i + wire] for i in range(0, len(stream) - cut, wire)])
    if cut:
        data = iter([piece for piece in [stream[: len(stream) - cut]] if piece])
    gunzip = Gunzip(lambda _: next(data, b""))
    decoded = []
    with pytest.raises(EOFError) if cut else contextlib.nullcontext():
        while piece := gunzip(most):
            assert len(piece) <= most
            decoded.append(piece)
    if not cut:
        assert b"".join(decoded) == b"".join(members)


@given(st.binary(max_size=200))
def test_gzip_of_any_bytes_ends_in_one_of_two_errors(data: bytes) -> None:
    pieces = iter([data] if data else [])
    gunzip = Gunzip(lambda _: next(pieces, b""))
    with contextlib.suppress(EOFError, zlib.error):
        while gunzip(64):
            continue


def test_the_rest_of_a_damaged_body_is_read_where_its_bytes_are_kept() -> None:
    damaged = gzip.compress(b"x")[:-8] + bytes(8) + bytes(200_000)
    kept: list[bytes] = []
    with RawServer(answer(damaged, headers=["Content-Encoding: gzip"])) as server:
        client = transport(server.url)
        with get(client) as reply:
            assert reply.keep_coded is not None
            reply.keep_coded(kept.append)
            with pytest.raises(TransportError, match="gzip coding"):
                list(reply.chunks)
        client.close()
    assert b"".join(kept) == damaged
