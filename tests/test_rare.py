"""What hardly ever happens, and has to be right all the same."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import click
import msgspec
import pytest
from export_support import batches
from rawserver import Peer, RawServer, head
from transport_tools import timed_failure
from urllib3.connection import HTTPConnection

from smspartner import (
    Client,
    DeadlineError,
    DecodeError,
    LimitError,
    OutputError,
    Sandbox,
    TransportError,
    decode,
)
from smspartner.cli import cli, run
from smspartner.decoders.reader import decode_answer
from smspartner.files import write as export
from smspartner.files.atomic import open_output
from smspartner.files.output import open_file
from smspartner.files.spotting import spot
from smspartner.models import arrow
from smspartner.models.envelope import Answer
from smspartner.models.phones import _library, normalise
from smspartner.transport import Headers, Query
from smspartner.transport.address import peer_shown
from smspartner.transport.deadline import Clock, _ClampedSocket, clamped
from smspartner.transport.failures import Scene, _said, explain

#: Around the depth at which one of the two JSON parsers gives up, and the other does not yet.
DEPTHS = range(700, 1100)


@pytest.mark.parametrize("opening", [b"[", b'{"x":'])
def test_a_body_that_stops_at_any_depth_is_an_error_of_this_library(opening: bytes) -> None:
    for depth in DEPTHS:
        with pytest.raises(LimitError):
            decode(b'{"success":true,"x":' + opening * depth)


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_keyed_records_of_any_depth_give_an_outcome(opening: bytes, closing: bytes) -> None:
    record = b'{"id":1,"phone":"+33639980042","stopSms":false,"x":{"y":%s}}'
    for depth in DEPTHS:
        nested = opening * depth + b"1" + closing * depth
        with pytest.raises(LimitError):
            decode(b'{"success":true,"datas":{"a":%s}}' % (record % nested))


def test_more_text_than_arrow_can_hold_is_an_error_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow", reason="the extra arrow is not installed")
    monkeypatch.setattr(arrow, "_MOST_TEXT", 1000)
    with pytest.raises(OutputError, match="more than 2 GiB of text"):
        export.write(batches(500), tmp_path / "numbers.arrow")


def test_closed_standard_output_takes_no_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(OutputError, match="it is closed; give a file name"), open_output("-"):
        raise AssertionError


def test_a_body_that_has_its_name_already_stays_there(tmp_path: Path) -> None:
    output = open_file(str(tmp_path / "body.json"))
    output.write_through(b"x")
    assert output.commit() == output.commit_aside(".incomplete") == tmp_path / "body.json"
    assert [path.name for path in tmp_path.iterdir()] == ["body.json"]


def test_a_stop_while_a_file_is_being_made_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Path.resolve

    def interrupted(path: Path, *, strict: bool = False) -> Path:
        signal.raise_signal(signal.SIGINT)
        return made(path, strict=strict)

    monkeypatch.setattr(Path, "resolve", interrupted)
    with pytest.raises(KeyboardInterrupt):
        open_file(str(tmp_path / "n.csv"))
    assert list(tmp_path.iterdir()) == []


def test_without_the_library_other_countries_have_no_e164(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "phonenumbers", None)
    _library.cache_clear()
    try:
        assert normalise("+32470123456").e164 is None
        assert normalise("0639980042").e164 == "+33639980042"
    finally:
        _library.cache_clear()


def test_a_number_that_no_territory_has_is_unclear_in_a_list() -> None:
    found = spot("call 07 08 99 99 99, or not")
    assert (found.e164, found.abroad, found.unclear) == (set(), set(), 1)


def test_a_closed_stream_gives_no_more() -> None:
    with Sandbox() as sandbox, Client(sandbox.api_key, base_url=sandbox.url) as client:
        stream = client.stream("n-20000")
        next(stream)
        stream.close()
        with pytest.raises(TransportError, match="closed before its body had ended"):
            list(stream)


def test_headers_and_queries_are_mappings_that_show_no_values() -> None:
    headers, query = Headers({"Content-Type": "x/y"}), Query({"apiKey": "k" * 40, "token": "t"})
    assert (repr(headers), len(headers)) == ("Headers(content-type)", 1)
    assert (repr(query), len(query)) == ("Query(apiKey=***&token=t)", 2)


def test_a_proxy_that_is_no_address_is_not_shown() -> None:
    assert peer_shown("http://[me:secret@") == "(not an address)"


def test_a_failure_that_nobody_foresaw_names_its_kind_and_nothing_else() -> None:
    class OddError(OSError):
        pass

    scene = Scene(peer="host:1", timeout=1)
    error = explain(OddError("apiKey=secret"), scene, Clock(None)).error
    assert str(error) == "the request to host:1 failed (OddError)"
    assert error.retryable


def test_gzip_that_goes_on_without_a_byte_ends_with_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # No read has to wait here, so none notices that its time is over.
    monkeypatch.setattr(Clock, "clamp", lambda _, timeout: timeout)

    def names_without_end(peer: Peer) -> None:
        peer.send(head("Content-Encoding: gzip"))
        peer.send(b"\x1f\x8b\x08\x08" + bytes(6))  # a header, and the name of a file
        for _ in range(10_000):
            peer.send(b"x" * 65536)

    with RawServer(names_without_end) as server:
        error, seconds = timed_failure(server.url, deadline=0.3)
    assert type(error) is DeadlineError
    assert seconds < 5


def test_a_connection_that_is_made_too_late_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(60)
    made = clamped(HTTPConnection, clock)("127.0.0.1", timeout=5)
    near, far = socket.socketpair()

    def connected() -> socket.socket:
        monkeypatch.setattr(clock, "seconds", 0.0)
        return near

    monkeypatch.setattr(made, "_connect", connected)
    with far, pytest.raises(TimeoutError):
        made._new_conn()
    assert near.fileno() == -1


def test_a_socket_with_a_deadline_has_the_number_of_its_own() -> None:
    near, far = socket.socketpair()
    with near, far, _ClampedSocket(near, Clock(None)) as clamped_socket:
        assert clamped_socket.fileno() == near.fileno()


def test_a_command_that_is_not_there_completes_nothing() -> None:
    assert cli.get_command(click.Context(cli), "nothing") is None


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_standard_output_is_one_clear_line(unbuffered: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "smspartner", "completion", "bash"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )
    assert done.returncode == 1
    assert done.stderr == b"smspartner: cannot read or write: No space left on device\n"


def test_a_name_that_is_too_long_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Sandbox(numbers=3) as sandbox:
        monkeypatch.setenv("SMSPARTNER_API_KEY", sandbox.api_key)
        command = ["download", "t", "--base-url", sandbox.url, "--raw", "x" * 300]
        assert run(command) == 1
        assert sandbox.requests == []
    assert capsys.readouterr().err.endswith("the name is too long; choose a shorter one\n")


def test_a_failure_without_words_is_told_by_its_kind() -> None:
    assert _said(ValueError("apiKey=secret")) == "ValueError"


class Counted(msgspec.Struct, frozen=True):
    """What could be taken for a list where only entries are counted."""

    count: int | None = None


class Listing(Answer, frozen=True):
    """Lists and a struct that may all be absent."""

    rows: list[int] | None = None
    counted: Counted | None = None
    more: list[list[int]] | None = None


def test_named_elements_are_no_list() -> None:
    body = b"<r><entry>true</entry><entry><%s>7</%s></entry></r>"
    assert decode_answer(body % (b"count", b"count"), Listing) == Listing(True, None, Counted(7))
    with pytest.raises(DecodeError, match="do not fit"):
        decode_answer(body % (b"other", b"other"), Listing)


@pytest.mark.parametrize("format_name", ["json", "xml"])
def test_decode_writes_a_provenance_and_wants_the_token_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format_name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with Sandbox(numbers=3) as sandbox, Client(sandbox.api_key, base_url=sandbox.url) as client:
        client.save(sandbox.token, "body", format=format_name)
    command = ["decode", "body", "-q", "-o", "n.csv", "--provenance"]
    assert run(command) == 2
    assert run([*command, "--token", "t"]) == 0
    assert '"count": 3' in Path("n.csv.provenance.json").read_text()


@pytest.mark.parametrize("name", ["-", "page.html"])
def test_a_page_is_named_where_it_has_a_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "page.html").write_text("hello")
    done = subprocess.run(
        [sys.executable, "-m", "smspartner", "decode", name, "-q"],
        input=b"hello",
        capture_output=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 7
    assert (b"smspartner inspect page.html" in done.stderr) is (name != "-")


def test_a_name_that_is_none_is_left_to_whoever_opens_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with Sandbox(numbers=3) as sandbox:
        monkeypatch.setenv("SMSPARTNER_API_KEY", sandbox.api_key)
        monkeypatch.setenv("SMSPARTNER_BASE_URL", sandbox.url)
        assert run(["download", sandbox.token, "-o", "n\0.csv"]) == 1
    assert "is not the name of a file" in capsys.readouterr().err
