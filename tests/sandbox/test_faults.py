"""Each fault of the sandbox does to the wire what its name says, and ends when it should."""

from __future__ import annotations

import gzip
import re
import socket
import time
import zlib
from collections.abc import Callable
from typing import Final, NamedTuple
from urllib.parse import urlencode

import pytest

from smspartner.models.status import RentalState
from smspartner.sandbox import FAULTS, Sandbox, body_size, faults, render
from smspartner.sandbox.wire import Format

DOWNLOAD: Final = "/v1/location/file/download"
STATUS: Final = "/v1/location/status"
HEADERS: Final = "Host: localhost\r\nConnection: close\r\n"
WHOLE: Final = b"".join(render(50, "json"))


#: Seconds after which a silence is taken for one.
SILENCE: Final = 0.4
BOMB: Final = 64 << 20
SANDBOX: Final = {"numbers": 50, "drip": 0.0005, "bomb": BOMB, "retry_after": "7"}


class Wire(NamedTuple):
    """What came over a connection.

    Attributes:
        head: status line and headers, with their final empty line.
        body: everything after them, framing included.
        end: "end" of the connection, "reset", or "silence" while it stays open.
    """

    head: bytes
    body: bytes
    end: str

    @property
    def status(self) -> int:
        return int(self.head.split()[1])


def open_request(
    sandbox: Sandbox, token: str, form: Format = "json", path: str = DOWNLOAD
) -> socket.socket:
    connection = socket.create_connection(
        ("127.0.0.1", int(sandbox.url.rpartition(":")[2].removesuffix("/v1"))), timeout=10
    )
    query = urlencode({"apiKey": sandbox.api_key, "token": token, "_format": form})
    connection.sendall(f"GET {path}?{query} HTTP/1.1\r\n{HEADERS}\r\n".encode())
    return connection


def raw(
    sandbox: Sandbox,
    token: str,
    form: Format = "json",
    patience: float = 5,
    path: str = DOWNLOAD,
) -> Wire:
    """Return what comes over the wire until it ends, or is silent for longer than patience."""
    received, end = b"", "end"
    with open_request(sandbox, token, form, path) as connection:
        connection.settimeout(patience)
        try:
            while piece := connection.recv(1 << 16):
                received += piece
        except ConnectionResetError:
            end = "reset"
        except TimeoutError:
            end = "silence"
    head, gap, body = received.partition(b"\r\n\r\n")
    return Wire(head + gap, body, end)


# --- the body stops early -------------------------------------------------------------------------


def test_a_body_can_stop_before_its_content_length(sandbox: Sandbox) -> None:
    got = raw(sandbox, "fault-short-length")
    assert b"Content-Length: %d\r\n" % len(WHOLE) in got.head
    assert got == Wire(got.head, WHOLE[: len(WHOLE) // 2], "end")


def test_a_content_length_can_be_too_small(sandbox: Sandbox) -> None:
    got = raw(sandbox, "fault-small-length.at-100")
    assert b"Content-Length: 100\r\n" in got.head
    assert (got.body, got.end) == (WHOLE, "end")


def test_a_chunk_can_be_cut(sandbox: Sandbox) -> None:
    got = raw(sandbox, "fault-cut-chunk")
    assert b"Transfer-Encoding: chunked\r\n" in got.head
    *_, size, left = got.body.split(b"\r\n")
    assert int(size, 16) > len(left) > 0
    assert got.end == "end"


def test_the_last_chunk_can_be_missing(sandbox: Sandbox) -> None:
    got = raw(sandbox, "fault-no-last-chunk")
    assert unchunked(got.body) == WHOLE
    assert not got.body.endswith(b"0\r\n\r\n")
    assert got.end == "end"


def test_a_body_without_length_can_be_cut(sandbox: Sandbox) -> None:
    got = raw(sandbox, "fault-cut-close")
    assert b"Connection: close\r\n" in got.head
    assert b"Content-Length" not in got.head
    assert (got.body, got.end) == (WHOLE[: len(WHOLE) // 2], "end")


def unchunked(wire: bytes) -> bytes:
    body = b""
    while wire:
        size, _, wire = wire.partition(b"\r\n")
        body += wire[: int(size, 16)]
        wire = wire[int(size, 16) + 2 :]
    return body


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_body_can_be_cut_at_every_byte(sandbox: Sandbox, form: Format, framing: str) -> None:
    body = b"".join(render(1, form))
    for at in range(len(body)):
        got = raw(sandbox, f"n-1.fault-cut.at-{at}.framing-{framing}", form)
        seen = unchunked(got.body) if framing == "chunked" else got.body
        assert (seen, got.end) == (body[:at], "end")


def test_headers_can_be_cut(sandbox: Sandbox) -> None:
    got = raw(sandbox, "fault-cut-headers")
    assert got.head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert (got.body, got.end) == (b"", "end")
    assert b"Content-Length" not in got.head


def test_a_connection_can_be_reset_in_the_body(sandbox: Sandbox) -> None:
    got = raw(sandbox, "fault-reset.at-60")
    assert got.end == "reset"
    assert got.body == WHOLE[:60]


def test_a_connection_can_be_reset_before_any_byte(sandbox: Sandbox) -> None:
    assert raw(sandbox, "fault-reset-early") == Wire(b"", b"", "reset")


def test_a_gzip_stream_can_be_cut_where_http_sees_nothing(sandbox: Sandbox) -> None:
    got = raw(sandbox, "fault-gzip-cut.framing-length")
    assert b"Content-Encoding: gzip\r\n" in got.head
    assert b"Content-Length: %d\r\n" % len(got.body) in got.head
    with pytest.raises(EOFError):
        gzip.decompress(got.body)


# --- time passes ----------------------------------------------------------------------------------


def test_a_body_can_stall(sandbox: Sandbox) -> None:
    got = raw(sandbox, "fault-stall.at-60", patience=SILENCE)
    assert (got.body, got.end) == (WHOLE[:60], "silence")


def test_an_answer_can_stall_before_its_first_byte(sandbox: Sandbox) -> None:
    assert raw(sandbox, "fault-stall-headers", patience=SILENCE) == Wire(b"", b"", "silence")


def test_a_body_can_dribble(sandbox: Sandbox) -> None:
    begun = time.monotonic()
    got = raw(sandbox, "n-1.fault-dribble.framing-close.drip-0.002")
    body = b"".join(render(1, "json"))
    assert (got.body, got.end) == (body, "end")
    assert time.monotonic() - begun > 0.002 * len(body)


def test_headers_can_dribble(sandbox: Sandbox) -> None:
    begun = time.monotonic()
    got = raw(sandbox, "n-1.fault-dribble-headers.framing-close.drip-0.001")
    assert (got.body, got.end) == (b"".join(render(1, "json")), "end")
    assert time.monotonic() - begun > 0.001 * len(got.head + got.body)


SLOW: Final = ["stall", "stall-headers", "dribble", "dribble-headers", "gzip-bomb"]


@pytest.mark.parametrize("fault", SLOW)
def test_a_stop_does_not_wait_for_a_fault(fault: str) -> None:
    slow = Sandbox(fault=fault, drip=60, bomb=100 << 30).start()
    with open_request(slow, "n-1000"):
        wait_until(lambda: bool(slow.requests))
        begun = time.monotonic()
        slow.stop()
        assert time.monotonic() - begun < 1


def wait_until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.005)


def test_a_stall_ends_when_its_client_leaves() -> None:
    with Sandbox(fault="stall-headers") as stalling:
        server = stalling._running()
        with open_request(stalling, "n-1") as connection:
            wait_until(lambda: bool(stalling.requests))
            assert len(server._live) == 1
            connection.sendall(b"an impatient client")
        wait_until(lambda: not server._live)


# --- something else arrives -----------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 503, 504])
def test_a_busy_service_says_when_to_come_back_and_then_works(
    sandbox: Sandbox, status: int
) -> None:
    token = f"fault-{status}.times-2.framing-close"
    for _ in range(2):
        got = raw(sandbox, token)
        assert got.status == status
        assert b"Retry-After: 7\r\n" in got.head
    assert raw(sandbox, token).body == WHOLE


def test_too_many_requests_is_an_error_of_the_framework(sandbox: Sandbox) -> None:
    assert raw(sandbox, "fault-429").body == b'{"code":429,"message":"Too Many Requests"}'


def test_a_proxy_can_answer_in_html(sandbox: Sandbox) -> None:
    got = raw(sandbox, "fault-html")
    assert got.status == 502
    assert b"Content-Type: text/html\r\n" in got.head
    assert got.body.startswith(b"<!DOCTYPE html>\n<html>\n<head><title>502 Bad Gateway</title>")


def test_a_redirect_leads_elsewhere_with_the_key(sandbox: Sandbox) -> None:
    got = raw(sandbox, "fault-redirect")
    assert got.status == 302
    where = f"http://elsewhere.invalid{DOWNLOAD}?apiKey={sandbox.api_key}&token=fault-redirect"
    assert f"\r\nLocation: {where}".encode() in got.head


def test_a_redirect_can_lead_to_any_host() -> None:
    with Sandbox(fault="redirect", redirect_to="http://127.0.0.1:1") as pointing:
        assert b"\r\nLocation: http://127.0.0.1:1/v1/" in raw(pointing, "n-1").head


def test_what_arrives_can_be_no_http(sandbox: Sandbox) -> None:
    assert not raw(sandbox, "fault-garbage").head.startswith(b"HTTP/")


# --- the answer is dressed up ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "media"),
    [("wrong-type", b"text/html; charset=UTF-8"), ("other-type", b"application/xml")],
)
def test_the_media_type_can_be_wrong(sandbox: Sandbox, fault: str, media: bytes) -> None:
    got = raw(sandbox, f"fault-{fault}")
    assert b"Content-Type: %s\r\n" % media in got.head
    assert got.body == WHOLE


def test_a_body_can_be_empty(sandbox: Sandbox) -> None:
    got = raw(sandbox, "fault-empty")
    assert (got.status, got.body) == (200, b"")
    assert b"Content-Length: 0\r\n" in got.head


def test_a_body_can_be_compressed(sandbox: Sandbox) -> None:
    got = raw(sandbox, "n-9000.fault-gzip")
    assert b"Content-Encoding: gzip\r\n" in got.head
    assert gzip.decompress(unchunked(got.body)) == b"".join(render(9000, "json"))


@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_bomb_is_small_on_the_wire_huge_in_memory_and_sound(
    sandbox: Sandbox, form: Format
) -> None:
    packed = unchunked(raw(sandbox, "fault-gzip-bomb", form).body)
    assert len(packed) < BOMB / 500
    unpack = zlib.decompressobj(wbits=31)
    assert unpack.decompress(packed, body_size(50, form)) == b"".join(render(50, form))
    size = 0
    while not unpack.eof:
        piece = unpack.decompress(unpack.unconsumed_tail, 1 << 20)
        assert not piece.strip()
        size += len(piece)
    assert size >= BOMB


def test_a_redirect_can_have_a_bomb_for_a_body(sandbox: Sandbox) -> None:
    got = raw(sandbox, "fault-redirect-bomb")
    assert got.status == 302
    assert b"Location: http://elsewhere.invalid/" in got.head
    assert len(got.body) < BOMB / 500
    assert len(gzip.decompress(unchunked(got.body))) >= BOMB


# --- all of them ----------------------------------------------------------------------------------

#: The faults where the service never made an answer: it cannot have recorded a download.
NOT_RECORDED: Final = {
    "429", "503", "504", "html", "redirect", "redirect-bomb", "garbage", "reset-early",
    "stall-headers",
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_download_is_recorded_where_the_service_made_an_answer(
    sandbox: Sandbox, fault: str
) -> None:
    token = f"n-1.fault-{fault}.as-recorded"
    raw(sandbox, token, patience=SILENCE if "stall" in fault else 5)
    recorded = sandbox.state(token) is RentalState.DOWNLOADED
    assert recorded == (fault not in NOT_RECORDED)


def test_every_fault_is_explained() -> None:
    assert set(re.findall(r"``([a-z0-9-]+)``", faults.__doc__ or "")) >= set(FAULTS)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_that_has_passed_leaves_all_well(sandbox: Sandbox, fault: str) -> None:
    token = f"n-2.fault-{fault}.times-0.framing-close"
    assert raw(sandbox, token).body == b"".join(render(2, "json"))


def test_an_option_makes_every_download_faulty() -> None:
    with Sandbox(fault="short-length", at=5) as faulty:
        assert raw(faulty, faulty.token).body == b'{"suc'
        assert raw(faulty, "unknown").body == b'{"suc'
        assert raw(faulty, faulty.token, path=STATUS).body.endswith(b"}")


def test_a_fault_can_strike_every_answer(sandbox: Sandbox) -> None:
    assert raw(sandbox, "fault-empty", path=STATUS).body
    assert not raw(sandbox, "fault-empty.on-all", path=STATUS).body
    with Sandbox(fault="empty", fault_on="all") as faulty:
        assert not raw(faulty, faulty.token, path=STATUS).body
        assert not raw(faulty, "", path="/v1/me").body


@pytest.mark.parametrize("fault", ["stall-recorded", "reset-recorded", "504-recorded"])
def test_a_lost_answer_is_counted_and_a_refusal_gets_through(fault: str) -> None:
    with Sandbox(once=True, fault=fault, numbers=1) as losing:
        lost = raw(losing, losing.token, patience=SILENCE)
        assert (losing.downloads(), losing.state()) == (1, RentalState.DOWNLOADED)
        assert b"success" not in lost.body
        assert b'"code":34,' in raw(losing, losing.token).body
        assert losing.downloads() == 1
        assert b'"code":32,' in raw(losing, "unknown").body


@pytest.mark.parametrize(
    ("fault", "statuses"), [("102", [102]), ("103", [103]), ("interim", [102, 103, 103, 102])]
)
def test_interim_answers_can_come_first(sandbox: Sandbox, fault: str, statuses: list[int]) -> None:
    got = raw(sandbox, f"fault-{fault}.framing-length")
    *interim, head, body = (got.head + got.body).split(b"\r\n\r\n")
    assert [int(each.split()[1]) for each in interim] == statuses
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert body == WHOLE


def test_a_token_can_have_another_fault_than_the_option() -> None:
    with Sandbox(fault="stall") as faulty:
        assert raw(faulty, "fault-empty").body == b""
