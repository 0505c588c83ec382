"""The deadline holds wherever a server takes its time."""

from __future__ import annotations

import sys
import time

import pytest
import requests
from rawserver import (
    HANDSHAKE,
    Peer,
    RawServer,
    Script,
    answer,
    dribbles,
    full_listener,
    head,
    stalls,
)
from requests.adapters import HTTPAdapter
from transport_faults import CHUNKED, GZIP, LENGTH, MEMBER
from transport_tools import (
    BODY,
    CERTIFICATE,
    SLACK,
    failure,
    fetch,
    get,
    resolve,
    timed_failure,
    tls_server,
    transport,
)

from smspartner.errors import DeadlineError
from smspartner.transport.call import Call

SLOW = {
    "status line": dribbles(b"HTTP/1.1 200 " + b"O" * 500),
    "headers": dribbles(b"A: b\r\n" * 200, b"HTTP/1.1 200 OK\r\n"),
    "interim answers": dribbles(head(status="103 Hints") * 20),
    "before the body": stalls(LENGTH),
    "body": dribbles(b"x" * 100, LENGTH),
    "chunk sizes": dribbles(b"1\r\nx\r\n" * 100, CHUNKED),
    "inside a chunk size": dribbles(b"0" * 500, CHUNKED),
    "trailers": dribbles(b"A: b\r\n" * 200, CHUNKED, b"1\r\nx\r\n0\r\n"),
    "gzip": dribbles(MEMBER, GZIP),
}


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("where", SLOW)
def test_the_deadline_holds_against_a_server_that_sends_a_byte_now_and_then(
    where: str, scheme: str
) -> None:
    with RawServer(SLOW[where], tls=tls_server() if scheme == "https" else None) as server:
        error, seconds = timed_failure(server.url, deadline=0.3, verify=CERTIFICATE, retries=3)
        assert server.connections == 1
    assert type(error) is DeadlineError
    assert (error.retryable, error.maybe_received) == (False, True)
    assert "the 0.3 s allowed for the whole call ran out" in str(error)
    assert "asks to wait" not in str(error)
    assert 0.29 < seconds < 0.3 + SLACK


@pytest.mark.parametrize("script", [stalls(), dribbles(HANDSHAKE)], ids=["silent", "slow"])
def test_the_deadline_holds_in_the_tls_handshake(script: Script) -> None:
    with RawServer(script, greet=False) as server:
        error, seconds = timed_failure(server.url.replace("http:", "https:"), deadline=0.3)
    assert type(error) is DeadlineError
    assert seconds < 0.3 + SLACK


@pytest.mark.skipif(sys.platform != "linux", reason="how a full queue behaves differs by system")
def test_the_deadline_holds_over_all_the_addresses_of_a_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hosts = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
    with (
        full_listener(hosts[0]) as port,
        full_listener(hosts[1], port),
        full_listener(hosts[2], port),
    ):
        resolve(monkeypatch, "many.localhost", *hosts)
        url = f"http://many.localhost:{port}"
        late, seconds = timed_failure(url, deadline=0.3)
        slow, _ = timed_failure(url, timeout=0.05)
    assert type(late) is DeadlineError
    assert seconds < 0.3 + SLACK
    assert "no connection to many.localhost" in str(slow)
    assert "within 0.05 s" in str(slow)


def test_a_name_is_tried_at_its_next_address_when_one_refuses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolve(monkeypatch, "two.localhost", "127.0.0.9", "127.0.0.1")
    with RawServer(answer(BODY)) as server:
        assert fetch(f"http://two.localhost:{server.port}") == BODY
        assert f"Host: two.localhost:{server.port}".encode() in server.heads[0]


def test_the_deadline_counts_the_time_the_caller_takes_between_pieces() -> None:
    with RawServer(stalls(LENGTH, b"abc")) as server:
        client = transport(server.url, deadline=0.2)
        with get(client) as reply:
            assert next(reply.chunks) == b"abc"
            time.sleep(0.25)
            with pytest.raises(DeadlineError, match="after 3 bytes"):
                next(reply.chunks)


def test_the_deadline_covers_all_attempts_together() -> None:
    with RawServer(answer(b"away", status="503 Away")) as server:
        start = time.monotonic()
        assert failure(server.url, deadline=0.4, retries=1000, backoff=0.05).retryable
        assert time.monotonic() - start < 0.4 + SLACK
        assert server.connections > 1


def test_without_a_deadline_only_the_timeout_counts() -> None:
    with RawServer(dribbles(b"x" * 10, head("Content-Length: 10"))) as server:
        assert fetch(server.url, deadline=None, timeout=0.3) == b"x" * 10


def test_a_session_of_its_own_kind_still_has_the_deadline_between_pieces() -> None:
    class Mine(HTTPAdapter):
        pass

    with requests.Session() as session, RawServer(dribbles(b"x" * 99, LENGTH)) as server:
        session.trust_env = False
        session.mount("http://", Mine())
        error, seconds = timed_failure(server.url, session=session, deadline=0.3)
    assert type(error) is DeadlineError
    assert seconds < 0.3 + SLACK


def test_a_plain_session_has_the_whole_deadline() -> None:
    with requests.Session() as session, RawServer(SLOW["headers"]) as server:
        session.trust_env = False
        error, seconds = timed_failure(server.url, session=session, deadline=0.3)
    assert type(error) is DeadlineError
    assert seconds < 0.3 + SLACK


def test_gzip_that_goes_on_without_a_byte_ends_with_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # No read has to wait here, so none notices that its time is over.
    monkeypatch.setattr(Call, "clamp", lambda _, timeout: timeout)

    def names_without_end(peer: Peer) -> None:
        peer.send(head("Content-Encoding: gzip"))
        peer.send(b"\x1f\x8b\x08\x08" + bytes(6))  # a header, and the name of a file
        for _ in range(10_000):
            peer.send(b"x" * 65536)

    with RawServer(names_without_end) as server:
        error, seconds = timed_failure(server.url, deadline=0.3)
    assert type(error) is DeadlineError
    assert seconds < 5
