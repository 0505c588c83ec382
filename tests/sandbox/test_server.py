"""Connections: framings, keep-alive, threads, memory."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import threading
import time
import tracemalloc
from threading import Event
from typing import Final, NamedTuple, cast, get_args

import pytest
import requests
from asking import (
    FORMATS,
    STATUS,
    address,
    ask,
    ask_on,
    plan,
    target,
)
from transport_tools import CERTIFICATE

from smspartner.sandbox import Sandbox, body_size, render
from smspartner.sandbox.bodies import BLOCK
from smspartner.sandbox.endpoints import Endpoints
from smspartner.sandbox.exchange import Exchange
from smspartner.sandbox.ledger import Ledger
from smspartner.sandbox.messages import ParsedRequest
from smspartner.sandbox.settings import Framing
from smspartner.sandbox.stops import StopList
from smspartner.sandbox.wire import Format

SANDBOX: Final = {"numbers": 3}


@pytest.mark.parametrize("framing", get_args(Framing))
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("numbers", [0, 5, BLOCK + 5])
def test_every_framing_carries_the_same_body(
    sandbox: Sandbox, framing: Framing, form: Format, numbers: int
) -> None:
    got = ask(sandbox, of=f"n-{numbers}.framing-{framing}", form=form)
    assert got.body == b"".join(render(numbers, form))


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_connection_serves_many_requests(sandbox: Sandbox, framing: Framing) -> None:
    connection = http.client.HTTPConnection(*address(sandbox), timeout=10)
    where = target(sandbox, of=f"n-2.framing-{framing}")
    connection.connect()
    used = connection.sock
    bodies = {ask_on(connection, where).body for _ in range(3)}
    errors = {ask_on(connection, "/v1/nowhere").status for _ in range(3)}
    assert connection.sock is used
    connection.close()
    assert bodies == {b"".join(render(2, "json"))}
    assert errors == {404}


def test_a_large_rental_is_never_in_memory_while_it_is_served(sandbox: Sandbox) -> None:
    ask(sandbox, of="n-20000", form="xml")
    buffer = bytearray(1 << 16)
    with socket.create_connection(address(sandbox), timeout=10) as connection:
        tracemalloc.start()
        where = target(sandbox, of="n-500000", form="xml")
        connection.sendall(f"GET {where} HTTP/1.1\r\nConnection: close\r\n\r\n".encode())
        received = sum(iter(lambda: connection.recv_into(buffer), 0))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert received > body_size(500_000, "xml") > 60_000_000
    assert peak < 4_000_000


def test_many_clients_are_served_at_once(sandbox: Sandbox) -> None:
    bodies: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: bodies.append(ask(sandbox, of="n-3000").body))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(bodies) == 20
    assert set(bodies) == {b"".join(render(3000, "json"))}


def test_an_answer_can_be_delayed() -> None:
    with Sandbox(delay=0.1) as sandbox:
        begun = time.monotonic()
        ask(sandbox)
        assert time.monotonic() - begun >= 0.1


# --- requests with a body -------------------------------------------------------------------------

BODIES: Final = {
    "length": b"Content-Length: 5\r\n\r\n{...}",
    "chunked": b"Transfer-Encoding: chunked\r\n\r\n3;x=y\r\n{..\r\n2\r\n.}\r\n0\r\nA: b\r\n\r\n",
}


@pytest.mark.parametrize("framing", BODIES)
def test_a_request_may_have_a_body_that_nobody_reads(sandbox: Sandbox, framing: str) -> None:
    first = f"GET {target(sandbox, STATUS)} HTTP/1.1\r\nHost: here\r\n".encode()
    second = first + b"Connection: close\r\n\r\n"
    with socket.create_connection(address(sandbox), timeout=10) as connection:
        connection.sendall(first + BODIES[framing] + second)
        answers = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    assert answers.count(b"HTTP/1.1 200 OK\r\n") == 2
    assert answers.count(b"HTTP/1.1") == 2


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ("Content-Length: x", 400),
        ("Content-Length: 99999999999", 413),
        ("Content-Length: 9", 400),
        ("Content-Length: -5", 400),
        ("Content-Length: 1_0", 400),
        ("Transfer-Encoding: chunked", 400),
    ],
)
def test_a_body_that_cannot_be_read_ends_the_connection(
    sandbox: Sandbox, headers: str, status: int
) -> None:
    with socket.create_connection(address(sandbox), timeout=10) as connection:
        connection.sendall(f"GET /v1/me HTTP/1.1\r\n{headers}\r\n\r\nhello".encode())
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())


@pytest.mark.parametrize("request_line", ["BREW /v1/me HTTP/1.1", "GET", "\x00 \x01 HTTP/9.9"])
def test_what_is_no_request_is_refused_without_repeating_it(
    sandbox: Sandbox, request_line: str
) -> None:
    with socket.create_connection(address(sandbox), timeout=10) as connection:
        connection.sendall(f"{request_line}\r\nX-Secret: secret\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert re.match(rb"HTTP/1\.1 (400|501|505) ", answer)
    assert b"\x01" not in answer
    assert b"secret" not in answer


def test_a_session_of_requests_can_send_json_with_each_get(sandbox: Sandbox) -> None:
    with requests.Session() as session:
        for _ in range(5):
            found = session.get(f"{sandbox.url}/me", params={"apiKey": sandbox.api_key}, json={})
            assert found.json()["success"]


class Connection(NamedTuple):
    """Stands for a socket and keeps what is sent with each call."""

    sent: list[bytes]

    def sendall(self, data: bytearray) -> None:
        self.sent.append(bytes(data))


@pytest.mark.parametrize("framing", get_args(Framing))
def test_a_small_answer_is_sent_with_one_call(framing: Framing) -> None:
    sandbox, connection = Sandbox(), Connection([])
    token = f"n-100.framing-{framing}"
    request = ParsedRequest.of("GET", target(sandbox, of=token))
    endpoints = Endpoints(sandbox, Ledger(), StopList())
    exchange = Exchange(cast("socket.socket", connection), request, endpoints, plan(token), Event())
    exchange.send(exchange.answer())
    (sent,) = connection.sent
    assert len(sent) > body_size(100, "json")


# --- TLS, and other addresses ---------------------------------------------------------------------


def test_a_connection_over_tls_serves_many_requests() -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(CERTIFICATE)
    with Sandbox(numbers=3000, tls=server) as sandbox:
        assert sandbox.url.startswith("https://127.0.0.1:")
        host, port = address(sandbox)
        trusted = ssl.create_default_context(cafile=CERTIFICATE)
        trusted.check_hostname = False
        connection = http.client.HTTPSConnection(host, port, timeout=10, context=trusted)
        connection.connect()
        used = connection.sock
        bodies = {ask_on(connection, target(sandbox)).body for _ in range(3)}
        assert bodies == {b"".join(render(3000, "json"))}
        assert connection.sock is used
        plain = socket.create_connection((host, port), timeout=10)
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert not plain.recv(100).startswith(b"HTTP")
        plain.close()
        idle = connection
    idle.close()


def test_it_can_listen_on_every_address() -> None:
    with Sandbox(host="0.0.0.0", numbers=1) as sandbox:  # noqa: S104 - it is what containers need
        assert sandbox.url.startswith("http://127.0.0.1:")
        assert ask(sandbox).status == 200
