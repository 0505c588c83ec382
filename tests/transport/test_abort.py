"""A call can be ended from another thread, whatever it waits for."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing

import pytest
from rawserver import (
    HANDSHAKE,
    Peer,
    RawServer,
    Script,
    answer,
    dribbles,
    full_listener,
    keeps,
    stalls,
    whole,
)
from transport_faults import CHUNKED, LENGTH
from transport_tools import (
    BODY,
    CERTIFICATE,
    DOWNLOAD,
    SLACK,
    STATUS,
    get,
    tls_server,
    transport,
)

from smspartner.errors import TransportError
from smspartner.transport import Abort, Request
from smspartner.transport.requests import RequestsTransport


def ended(
    client: RequestsTransport, after: float = 0.15, request: Request = DOWNLOAD
) -> tuple[TransportError, float]:
    """End a call that would wait for ever, and return its error and how long it went on."""
    abort = Abort()
    called: list[float] = []

    def end() -> None:
        called.append(time.monotonic())
        abort()

    timer = threading.Timer(after, end)
    timer.start()
    with (
        closing(client),
        abort as entered,
        pytest.raises(TransportError, match="ended by abort") as caught,
        get(client, request) as reply,
    ):
        list(reply.chunks)
    late = time.monotonic() - called[0]
    timer.join()
    assert entered is abort
    return caught.value, late


WAITS: dict[str, tuple[Script, bool]] = {
    "status line": (stalls(), True),
    "headers": (stalls(LENGTH[:25]), True),
    "drip of headers": (dribbles(b"A: b\r\n" * 500, b"HTTP/1.1 200 OK\r\n"), True),
    "body": (stalls(LENGTH, b"abc"), True),
    "body that ends by closing": (stalls(b"HTTP/1.0 200 OK\r\n\r\nabc"), True),
    "chunk": (stalls(CHUNKED, b"5\r\na"), True),
}


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("name", WAITS)
def test_a_wait_for_an_answer_ends_at_once(name: str, scheme: str) -> None:
    script, maybe_received = WAITS[name]
    with RawServer(script, tls=tls_server() if scheme == "https" else None) as server:
        error, late = ended(transport(server.url, verify=CERTIFICATE, timeout=30))
    assert late < SLACK
    assert (error.maybe_received, error.retryable) == (maybe_received, False)


def test_a_wait_on_a_connection_in_use_ends_at_once() -> None:
    with RawServer(keeps(whole(BODY), LENGTH)) as server:
        client = transport(server.url, timeout=30)
        with get(client, STATUS) as reply:
            list(reply.chunks)
        _, late = ended(client, request=STATUS)
        assert server.connections == 1
    assert late < SLACK


@pytest.mark.parametrize("script", [stalls(), dribbles(HANDSHAKE)], ids=["silent", "slow"])
def test_a_tls_handshake_ends_at_once(script: Script) -> None:
    with RawServer(script, greet=False) as server:
        error, late = ended(transport(server.url.replace("http:", "https:"), timeout=30))
    assert late < SLACK
    assert (error.maybe_received, error.retryable) == (False, True)


def test_a_wait_for_a_connection_ends_at_once() -> None:
    with full_listener("127.0.0.1") as port:
        error, late = ended(transport(f"http://127.0.0.1:{port}", timeout=30))
    assert late < SLACK
    assert not error.maybe_received


def test_a_pause_between_two_attempts_ends_at_once() -> None:
    with RawServer(answer(status="503 Away", headers=["Retry-After: 30"])) as server:
        error, late = ended(transport(server.url, retries=3))
        assert server.connections == 1
    assert late < SLACK
    assert not error.maybe_received


def test_a_reply_is_ended_from_another_thread() -> None:
    with (
        RawServer(stalls(LENGTH, b"abc")) as server,
        closing(transport(server.url)) as client,
        get(client) as reply,
    ):
        assert next(reply.chunks) == b"abc"
        timer = threading.Timer(0.1, reply.abort)
        timer.start()
        with pytest.raises(TransportError, match="ended by abort"):
            next(reply.chunks)
        timer.join()


def test_what_was_ended_stays_so_and_nothing_is_sent_for_it() -> None:
    with RawServer(answer(BODY)) as server, closing(transport(server.url)) as client:
        abort = Abort()
        abort()
        with abort, pytest.raises(TransportError, match="ended by abort") as caught:
            get(client)
        assert not caught.value.maybe_received
        assert server.connections == 0
        with get(client) as reply:  # outside of its block
            assert b"".join(reply.chunks) == BODY


def test_ending_a_call_that_is_over_leaves_its_connection_to_others() -> None:
    def twice(peer: Peer) -> None:
        peer.send(whole(BODY))
        peer.read_head()
        time.sleep(0.1)
        peer.send(whole(BODY))
        peer.read_head()

    with RawServer(twice) as server, closing(transport(server.url)) as client:
        with get(client, STATUS) as first:
            list(first.chunks)
        threading.Timer(0.05, first.abort).start()
        with get(client, STATUS) as second:
            assert b"".join(second.chunks) == BODY
        assert server.connections == 1


def test_an_abort_that_many_calls_are_made_under_holds_none_of_their_connections() -> None:
    abort = Abort()
    with RawServer(keeps(whole(BODY))) as server, closing(transport(server.url)) as client, abort:
        for _ in range(3):
            with get(client, STATUS) as reply:
                list(reply.chunks)
    assert not abort._sockets


def test_an_abort_covers_calls_within_its_block_and_can_be_nested() -> None:
    outer, inner = Abort(), Abort()
    found: list[Callable[[], None]] = []
    with RawServer(keeps(whole(BODY))) as server, closing(transport(server.url)) as client:
        for block in (outer, inner, outer):
            with block, get(client, STATUS) as reply:
                found.append(reply.abort)
                list(reply.chunks)
        with outer:
            with inner, get(client, STATUS) as reply:
                found.append(reply.abort)
                list(reply.chunks)
            with get(client, STATUS) as reply:  # the outer one goes on where the inner one ends
                found.append(reply.abort)
                list(reply.chunks)
    assert found == [outer, inner, outer, inner, outer]


def test_a_connection_that_comes_too_late_is_shut_down_at_once() -> None:
    near, far = socket.socketpair()
    abort = Abort()
    with near, far:
        abort()
        abort.watch(near)
        assert far.recv(1) == b""
