"""Connections are kept and used again, by calls of different deadlines, where that is safe."""

from __future__ import annotations

import gzip
import os
import socket
import ssl
import threading
import time
from contextlib import closing

import posix_only
import pytest
import requests
from rawserver import Peer, RawServer, answer, chunked, dribbles, head, keeps, whole
from requests.adapters import HTTPAdapter
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
from urllib3.connection import HTTPConnection

from smspartner.errors import (
    ConfigurationError,
    DeadlineError,
    SMSPartnerError,
    TransportError,
)
from smspartner.transport import Abort, Request, RequestsTransport
from smspartner.transport import adapter as adapters
from smspartner.transport import requests as module
from smspartner.transport.adapter import Adapter
from smspartner.transport.call import Call
from smspartner.transport.connection import RELIED_ON, guarded

ROW = whole(BODY)


class Broken(HTTPAdapter):
    """An adapter of somebody else that breaks, nobody knows when."""

    def send(self, *_: object, **__: object) -> requests.Response:
        raise requests.ConnectionError


def read(client: RequestsTransport, request: Request = STATUS) -> bytes:
    with get(client, request) as reply:
        return b"".join(reply.chunks)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(ROW, id="content-length"),
        pytest.param(CHUNKED + chunked(BODY[:7], BODY[7:]), id="chunked"),
        pytest.param(whole(gzip.compress(BODY), "Content-Encoding: gzip"), id="gzip"),
        pytest.param(head(status="103 Hints") + ROW, id="interim"),
    ],
)
def test_a_hundred_questions_go_over_one_connection(reply: bytes, scheme: str) -> None:
    with (
        RawServer(keeps(reply), tls=tls_server() if scheme == "https" else None) as server,
        closing(transport(server.url, verify=CERTIFICATE)) as client,
    ):
        for _ in range(100):
            assert read(client) == BODY
        assert server.connections == 1


def test_one_tls_context_serves_all_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[ssl.SSLContext] = []
    real = adapters.tls_context

    def counted(*args: object) -> ssl.SSLContext:
        made.append(real(*args))  # type: ignore[arg-type] # passed on as they are
        return made[-1]

    monkeypatch.setattr(adapters, "tls_context", counted)
    with (
        RawServer(answer(BODY), tls=tls_server()) as server,
        closing(transport(server.url, verify=CERTIFICATE)) as client,
    ):
        for _ in range(3):
            assert read(client) == BODY
        assert server.connections == 3
    assert len(made) == 1


def test_threads_share_connections_and_each_gets_its_own_answer() -> None:
    def echo(peer: Peer) -> None:
        while True:
            peer.send(whole(peer.head.split(b" ")[1].rpartition(b"=")[2]))
            if not peer.read_head():
                return

    wrong: list[tuple[bytes, bytes]] = []
    with RawServer(echo) as server, closing(transport(server.url)) as client:

        def work(thread: int) -> None:
            for number in range(25):
                name = f"t{thread}-{number}"
                request = Request(path="x", query={"token": name}, repeatable=bool(number % 2))
                got = read(client, request)
                if got != name.encode():
                    wrong.append((got, name.encode()))

        threads = [threading.Thread(target=work, args=(thread,)) for thread in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.connections <= 6
    assert not wrong


def test_each_call_on_a_connection_has_the_deadline_of_its_own() -> None:
    with RawServer(keeps(ROW, ROW, LENGTH + b"abc")) as server:
        client = transport(server.url)
        assert read(client, Request(path="a", deadline=0.5, repeatable=True)) == BODY
        time.sleep(0.6)
        assert read(client, Request(path="b", repeatable=True)) == BODY
        start = time.monotonic()
        with pytest.raises(DeadlineError, match=r"the 0\.3 s"):
            read(client, Request(path="c", deadline=0.3, repeatable=True))
        assert time.monotonic() - start < 0.3 + SLACK
        assert server.connections == 1
        client.close()


def leave_early(client: RequestsTransport) -> None:
    with get(client, STATUS) as reply:
        next(reply.chunks)


def read_through(client: RequestsTransport) -> None:
    with pytest.raises(SMSPartnerError):
        read(client)


NOT_WHOLE = {
    "left early": (keeps(LENGTH + b"abc"), leave_early),
    "cut": (keeps(head("Transfer-Encoding: chunked") + b"3\r\nabc\r\nzz\r\n"), read_through),
    "refused": (keeps(head("Content-Length: 1", status="302 Go") + b"x"), read_through),
    "turned away": (keeps(head("Content-Length: 1", status="503 Go") + b"x"), read_through),
    "too large": (keeps(whole(bytes(99))), read_through),
}


@pytest.mark.parametrize("name", NOT_WHOLE)
def test_a_connection_whose_body_was_not_read_to_its_end_is_not_used_again(name: str) -> None:
    script, use = NOT_WHOLE[name]
    with RawServer(script, keeps(ROW)) as server:
        client = transport(server.url, max_body=90)
        use(client)
        assert read(client) == BODY
        assert server.connections == 2
        client.close()


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("more", [b"x", ROW], ids=["a byte", "an answer"])
def test_a_connection_with_more_than_the_answer_is_not_used_again(more: bytes, scheme: str) -> None:
    tls = tls_server() if scheme == "https" else None
    with RawServer(keeps(ROW + more), keeps(ROW), tls=tls) as server:
        client = transport(server.url, verify=CERTIFICATE)
        assert read(client) == BODY
        assert read(client) == BODY
        assert server.connections == 2
        client.close()


@pytest.mark.parametrize("request_", [STATUS, DOWNLOAD], ids=["status", "download"])
def test_a_connection_the_server_has_closed_is_not_used_again(request_: Request) -> None:
    # Without a word: it says that it keeps connections, and does not.
    with RawServer(answer(BODY)) as server, closing(transport(server.url)) as client:
        for expected in range(1, 6):
            assert read(client, request_) == BODY
            assert server.connections == expected
            if request_ is STATUS:
                time.sleep(0.05)


def test_what_must_not_be_sent_twice_goes_over_no_connection_that_was_idle_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_FRESH", 0.2)
    with RawServer(keeps(ROW)) as server, closing(transport(server.url)) as client:
        for _ in range(3):
            read(client, DOWNLOAD)
        assert server.connections == 1
        time.sleep(0.25)
        read(client, STATUS)
        assert server.connections == 1
        time.sleep(0.25)
        read(client, DOWNLOAD)
        assert server.connections == 2


def test_a_connection_is_not_used_by_another_process() -> None:
    with RawServer(keeps(ROW)) as server, closing(transport(server.url)) as client:
        assert read(client) == BODY
        child = posix_only.fork()
        if child == 0:
            os._exit(read(client) != BODY)
        assert os.waitpid(child, 0)[1] == 0
        assert read(client) == BODY
        assert server.connections == 2


def test_closing_closes_idle_connections_and_refuses_requests() -> None:
    left: list[bool] = []

    def script(peer: Peer) -> None:
        peer.send(ROW)
        left.append(peer.left())

    with RawServer(script) as server:
        client = transport(server.url)
        assert read(client) == BODY
        client.close()
        with pytest.raises(ConfigurationError, match="was closed: make another one"):
            read(client)
        client.close()
    assert left == [True]


def test_an_open_reply_outlives_the_transport_and_its_connection_does_not() -> None:
    left: list[bool] = []

    def script(peer: Peer) -> None:
        peer.send(head("Content-Length: 6"), b"abc")
        time.sleep(0.1)
        peer.send(b"def")
        left.append(peer.left())

    with RawServer(script) as server:
        client = transport(server.url)
        reply = get(client)
        client.close()
        assert b"".join(reply.chunks) == b"abcdef"
    assert left == [True]


def test_every_name_that_is_relied_on_without_being_documented_is_there() -> None:
    gone = [
        f"{kind.__module__}.{kind.__name__}.{name} is gone: smspartner/transport/connection.py "
        "overrides or uses it, and has to find another way with this version"
        for kind, names in RELIED_ON.items()
        for name in names
        if not hasattr(kind("h") if name == "socket_options" else kind, name)
    ]
    assert not gone


def test_two_transports_on_one_session_close_only_what_is_their_own() -> None:
    with RawServer(keeps(ROW)) as server, requests.Session() as session:
        session.trust_env = False
        one, two = (transport(server.url, session=session) for _ in range(2))
        two.close()
        assert read(one) == BODY
        one.close()
        with closing(transport(server.url, session=session)) as three:
            one.close()
            assert read(three) == BODY
            assert type(session.get_adapter(f"{server.url}/x")) is Adapter


def test_a_transport_keeps_its_deadline_when_another_one_on_its_session_is_closed() -> None:
    script = dribbles(b"A: b\r\n" * 100, b"HTTP/1.1 200 OK\r\n")
    with RawServer(script) as server, requests.Session() as session:
        one, two = (transport(server.url, session=session, deadline=0.2) for _ in range(2))
        one.close()
        began = time.monotonic()
        with pytest.raises(DeadlineError):
            read(two)
        assert time.monotonic() - began < 0.2 + SLACK
        two.close()


def test_a_client_that_is_closed_in_a_pause_asks_for_nothing_more(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = transport("http://127.0.0.1:9", retries=3)
    monkeypatch.setattr(Abort, "pause", lambda *_: client.close())
    with pytest.raises(ConfigurationError, match="was closed"):
        read(client, DOWNLOAD)
    assert [record.levelname for record in caplog.records].count("WARNING") == 1


def test_a_request_may_have_been_received_unless_our_adapter_says_otherwise() -> None:
    with requests.Session() as session:
        client = transport("http://127.0.0.1:9", session=session, retries=1)
        made = iter([session.get_adapter("http://127.0.0.1:9/"), Broken()])
        session.get_adapter = lambda url: next(made)  # type: ignore[method-assign] # noqa: ARG005
        with pytest.raises(TransportError) as caught:
            read(client, DOWNLOAD)
    assert (caught.value.maybe_received, caught.value.retryable) == (True, False)


def test_a_session_used_for_something_else_has_no_deadline_of_ours() -> None:
    with RawServer(keeps(ROW)) as server, requests.Session() as session:
        session.trust_env = False
        client = transport(server.url, session=session)
        assert session.get(f"{server.url}/x").content == BODY
        assert read(client) == BODY
        assert server.connections == 1
        client.close()
        assert session.get(f"{server.url}/x").content == BODY
        assert server.connections == 2


def test_a_connection_that_is_made_too_late_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    made = guarded(HTTPConnection)("127.0.0.1", timeout=5)
    near, far = socket.socketpair()
    monkeypatch.setattr(made, "_connected", lambda: near)
    call = Call(1e-9)
    with far, call.current(), pytest.raises(TimeoutError):
        made._new_conn()
    call.release()
    assert near.fileno() == -1


def test_the_reader_of_an_answer_may_be_closed_twice() -> None:
    near, far = socket.socketpair()
    owner = guarded(HTTPConnection)("127.0.0.1")
    with near, far:
        answered = owner.response_class(near)
        lines = answered.fp
        answered.close()
        lines.close()
    assert lines.closed
