"""What arrives through the transport, and how it lets go of a connection."""

from __future__ import annotations

import gzip
import json
import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import FrameType

import posix_only
import pytest
from rawserver import Peer, RawServer, Script, answer, chunked, head, sends
from transport_faults import CHUNKED, FAULTS, LENGTH, LOCATION
from transport_tools import (
    BODY,
    KEY,
    PHONE,
    SENT_KEY,
    failure,
    fetch,
    get,
    leaks,
    transport,
)

from smspartner.errors import TransportError
from smspartner.transport import Reply, Request


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(answer(BODY), id="content-length"),
        pytest.param(sends(CHUNKED + chunked(BODY[:7], BODY[7:])), id="chunked"),
        pytest.param(sends(head("Connection: close") + BODY), id="close-delimited"),
        pytest.param(answer(gzip.compress(BODY), headers=["Content-Encoding: gzip"]), id="gzip"),
        pytest.param(
            answer(
                gzip.compress(BODY[:9]) + gzip.compress(BODY[9:]),
                headers=["Content-Encoding: x-gzip"],
            ),
            id="gzip in two members",
        ),
        pytest.param(answer(BODY, headers=["Content-Encoding: gzip"]), id="called gzip, and none"),
        *(
            pytest.param(
                sends(
                    head("Content-Encoding: gzip", "Transfer-Encoding: chunked")
                    + chunked(BODY[:first], BODY[first:])
                ),
                id=f"called gzip, and none, {first} bytes first",
            )
            for first in (1, 2, 3)
        ),
        pytest.param(answer(BODY, headers=["Content-Encoding: x-odd"]), id="of unknown coding"),
        *(
            pytest.param(
                sends(
                    *(head("Link: </x>", status=f"{status} So far") for status in interim),
                    head(f"Content-Length: {len(BODY)}") + BODY,
                ),
                id=f"after HTTP {interim}",
            )
            for interim in ((100,), (102,), (103,), (103, 100, 102, 103))
        ),
    ],
)
def test_a_body_arrives_as_it_was_sent(script: Script) -> None:
    with RawServer(script) as server:
        assert fetch(server.url) == BODY


def test_a_body_ends_once_and_for_all_without_an_empty_piece() -> None:
    with RawServer(answer(BODY)) as server, closing(transport(server.url)) as client:
        reply = get(client)
        assert all(reply.chunks)
        assert list(reply.chunks) == []


def test_the_request_is_a_get_of_the_path_with_the_query_and_asks_for_no_compression() -> None:
    with RawServer(answer(BODY)) as server:
        fetch(f"{server.url}/v1/", user_agent="test/1")
        (request,) = server.heads
    line, *headers = request.decode().split("\r\n")
    assert line == (
        f"GET /v1/location/file/download?apiKey={SENT_KEY}&token=tok&_format=json HTTP/1.1"
    )
    assert "Accept-Encoding: identity" in headers
    assert "User-Agent: test/1" in headers


def test_a_request_with_a_body_is_a_post_of_json_with_the_key_in_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    asked = Request(path="stop-sms/add", query={"_format": "xml"}, body={"phoneNumber": PHONE})
    requests: list[bytes] = []

    def script(peer: Peer) -> None:
        request = peer.head
        while not request.endswith(b"}"):
            request += peer.sock.recv(65536)
        requests.append(request)
        peer.send(head(f"Content-Length: {len(BODY)}") + BODY)

    with RawServer(script) as server:
        assert fetch(f"{server.url}/v1", asked) == BODY
    (request,) = requests
    top, _, sent = request.partition(b"\r\n\r\n")
    line, *headers = top.decode().split("\r\n")
    assert line == "POST /v1/stop-sms/add?_format=xml HTTP/1.1"
    assert {"Content-Type: application/json", f"Content-Length: {len(sent)}"} <= set(headers)
    assert json.loads(sent) == {"apiKey": KEY, "phoneNumber": PHONE}
    logged = str([vars(record) for record in caplog.records]) + caplog.text + repr(asked)
    assert not leaks(logged)
    assert PHONE not in logged


@pytest.mark.parametrize("name", ["no answer", "HTTP 502", "closed at once"])
def test_a_post_that_may_have_been_received_is_not_sent_again(name: str) -> None:
    with RawServer(FAULTS[name].script) as server:
        error = failure(server.url, Request(path="x", body={}), retries=3, timeout=0.2)
        assert server.connections == 1
    assert isinstance(error, TransportError)
    assert (error.retryable, error.maybe_received) == (False, True)


def test_cookies_are_left_alone_however_odd() -> None:
    odd = f"Set-Cookie: a=b; max-age={'9' * 400}"
    with RawServer(answer(BODY, headers=[odd])) as server:
        assert fetch(server.url) == BODY


def test_the_head_of_a_reply_can_be_read_in_any_case() -> None:
    kind = "Content-Type: Application/JSON; charset=UTF-8"
    with RawServer(answer(BODY, headers=[kind, "X-One: 1"])) as server:
        client = transport(server.url)
        with get(client) as reply:
            assert (reply.status, reply.media_type) == (200, "application/json")
            assert reply.headers["x-ONE"] == "1"
            assert repr(reply) == "Reply(200, application/json)"


@pytest.mark.parametrize("headers", [{}, {"Content-Type": ""}, {"Content-Type": " ;a=b"}])
def test_no_media_type_is_none(headers: dict[str, str]) -> None:
    assert Reply(200, headers, []).media_type is None


@pytest.mark.parametrize("status", ["400 Bad", "401 No", "404 None", "418 Tea", "500 Oh"])
def test_what_the_service_says_with_an_error_status_is_handed_on(status: str) -> None:
    with RawServer(answer(b'{"success":false,"code":10}', status=status)) as server:
        client = transport(server.url)
        with get(client) as reply:
            assert reply.status == int(status[:3])
            assert b"".join(reply.chunks) == b'{"success":false,"code":10}'


def test_the_first_bytes_are_handed_out_before_the_rest_has_been_sent() -> None:
    seen = threading.Event()

    def script(peer: Peer) -> None:
        peer.send(head("Content-Length: 10"), b"first")
        assert seen.wait(5)
        peer.send(b" last")

    with RawServer(script) as server:
        client = transport(server.url)
        with get(client) as reply:
            assert next(reply.chunks) == b"first"
            seen.set()
            assert b"".join(reply.chunks) == b" last"
            assert list(reply.chunks) == []


def test_one_transport_serves_several_threads() -> None:
    got: list[bytes] = []
    with RawServer(answer(BODY * 1000)) as server:
        client = transport(server.url)

        def work() -> None:
            with get(client) as reply:
                got.append(b"".join(reply.chunks))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert got == [BODY * 1000] * 8


@pytest.mark.parametrize("how", ["close", "with", "error"])
def test_leaving_early_drops_the_connection_and_does_not_read_on(how: str) -> None:
    left: list[bool] = []

    def script(peer: Peer) -> None:
        peer.send(head("Content-Length: 1000000000"), bytes(100))
        left.append(peer.left())

    with RawServer(script) as server:
        reply = get(transport(server.url))
        if how == "close":
            next(reply.chunks)
            reply.close()
            reply.close()
        elif how == "with":
            with reply:
                pass
        else:
            with pytest.raises(ZeroDivisionError), reply:
                raise ZeroDivisionError
        with pytest.raises(TransportError, match="closed before its body had ended"):
            next(reply.chunks)
    assert left == [True]


def test_the_body_of_a_redirect_is_not_read() -> None:
    left: list[bool] = []

    def script(peer: Peer) -> None:
        peer.send(head(LOCATION, "Content-Length: 1000000000", status="302 Go"), bytes(100))
        left.append(peer.left())

    with RawServer(script) as server:
        failure(server.url)
    assert left == [True]


@contextmanager
def interrupted(after: float, kind: type[BaseException]) -> Iterator[None]:
    """Ctrl-C or its like, some seconds from now."""

    def interrupt(_: int, __: FrameType | None) -> None:
        raise kind

    before = signal.signal(posix_only.SIGALRM, interrupt)
    posix_only.setitimer(posix_only.ITIMER_REAL, after)
    try:
        yield
    finally:
        posix_only.setitimer(posix_only.ITIMER_REAL, 0)
        signal.signal(posix_only.SIGALRM, before)


class TimeLimitError(Exception):
    """What a task queue raises in a handler of a signal."""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs SIGALRM")
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, TimeLimitError])
@pytest.mark.parametrize("sent", [(), (LENGTH, b"abc")], ids=["before the answer", "in the body"])
def test_a_stop_drops_the_connection(sent: tuple[bytes, ...], kind: type[BaseException]) -> None:
    left: list[bool] = []

    def script(peer: Peer) -> None:
        peer.send(*sent)
        left.append(peer.left())

    with RawServer(script) as server:  # noqa: SIM117 - the server outlives the interrupt
        with pytest.raises(kind), interrupted(0.2, kind):
            fetch(server.url)
    assert left == [True]
