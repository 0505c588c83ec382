"""The client against the stand-in service, over real sockets."""

from __future__ import annotations

import hashlib
import os
import signal
import stat
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import islice
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa  # type: ignore[import-untyped]
import pytest
from rawserver import Peer, RawServer, head
from twin import Connect

import smspartner
from smspartner import (
    APIError,
    APIKeyInvalidError,
    APIKeyMissingError,
    Client,
    ConfigurationError,
    CountMismatchError,
    OutputError,
    RecordError,
    RentalNotFoundError,
    Sandbox,
    TokenMissingError,
    TransportError,
    TruncatedError,
    UnknownFormatError,
)
from smspartner.files.raw_body import RawBody
from smspartner.transport import Reply, Request
from smspartner.transport.secrets import APIKey

SANDBOX: Final = {"numbers": 2_000}

DOCUMENTED_XML = b"""<?xml version='1.0' encoding='UTF-8'?>
<result>
  <entry>true</entry>
  <entry>2</entry>
  <entry>
    <entry>
      <entry>4314</entry>
      <entry>
        <![CDATA[+33639980011]]>
      </entry>
      <entry>false</entry>
    </entry>
    <entry><entry>4315</entry><entry> <![CDATA[+33639980012]]></entry><entry>true</entry></entry>
  </entry>
</result>
"""


@pytest.fixture(params=["json", "xml"])
def format_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


class Canned:
    """A transport that answers every request with the same body."""

    def __init__(
        self, body: bytes, media_type: str = "application/json", status: int = 200
    ) -> None:
        self.body = body
        self.headers = {"Content-Type": media_type}
        self.status = status
        self.params: dict[str, str] = {}

    def send(self, request: Request, key: APIKey) -> Reply:
        assert (request.path, request.repeatable) == ("location/file/download", False)
        self.params = {"apiKey": key.reveal(), **request.query}
        return Reply(self.status, self.headers, [self.body])

    def close(self) -> None:
        pass


def test_download_gives_the_numbers_that_were_rented(
    sandbox: Sandbox, client: Client, format_name: str
) -> None:
    rental = client.download(sandbox.token, format=format_name)
    assert rental.numbers == tuple(sandbox.expected())
    assert rental.declared == len(rental) == 2_000


def test_both_formats_give_equal_objects(sandbox: Sandbox, client: Client) -> None:
    assert client.download(sandbox.token) == client.download(sandbox.token, format="xml")


def test_stream_knows_the_count_before_the_last_record(client: Client, format_name: str) -> None:
    with client.stream("n-20000", format=format_name) as stream:
        assert stream.declared == 20_000
        assert next(stream).id
        assert stream.found < 20_000
        assert sum(1 for _ in stream) == 19_999
        assert stream.format == format_name


def test_batches_and_iteration_share_one_position(client: Client) -> None:
    with client.stream("n-5000") as stream:
        first = next(stream)
        rest = [number for batch in stream.batches() for number in batch]
    assert first not in rest
    assert stream.found == 5_000


def test_numbers_that_were_looked_at_come_once_and_the_others_are_not_lost(
    sandbox: Sandbox, client: Client, format_name: str
) -> None:
    expected = list(sandbox.expected())
    with client.stream(sandbox.token, format=format_name) as stream:
        seen = [next(stream), next(stream)]
        batches = stream.batches()
        seen += next(batches)
        seen.append(next(stream))
        seen += [number for batch in stream.batches() for number in batch]
        assert list(stream) == []
    assert seen == expected


def test_a_stream_that_failed_does_not_look_complete_when_it_is_read_again(client: Client) -> None:
    with client.stream("n-5000.declared-7") as stream:
        with pytest.raises(CountMismatchError):
            deque(stream, maxlen=0)
        reads: list[Callable[[], object]] = [
            stream.__next__,
            stream.to_arrow,
            partial(list, stream.batches()),
        ]
        for read in reads:
            with pytest.raises(CountMismatchError):
                read()


def test_a_rental_is_a_sequence(client: Client) -> None:
    rental = client.download("n-5")
    assert rental[0] == rental.numbers[0]
    assert rental[-2:] == rental.numbers[3:]
    assert list(reversed(rental)) == list(reversed(rental.numbers))


@pytest.mark.parametrize("key", [5, b"key"])
def test_a_key_that_is_not_text_is_refused(connect: Connect, key: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"^api_key= must be text, not"):
        connect(key)


@pytest.mark.parametrize("token", [5, b"token", None])
def test_a_token_that_is_not_text_is_refused(client: Client, token: Any) -> None:
    with pytest.raises(ConfigurationError, match="token= must be the token of a rental, as text"):
        client.download(token)


def test_a_page_instead_of_a_body_is_shown_with_its_status(connect: Connect) -> None:
    page = Canned(b"<html><h1>Forbidden</h1></html>", "text/html", 403)
    with (
        connect("k" * 8, transport=page) as client,
        pytest.raises(UnknownFormatError, match=r"Forbidden.*\(HTTP 403\)$"),
    ):
        client.download("t")


Use = Callable[[smspartner.NumberStream], object]


def exported(stream: smspartner.NumberStream) -> object:
    return list(stream.all_batches())


#: What needs all numbers of a stream.
WHOLE: list[Use] = [
    smspartner.NumberStream.to_arrow,
    smspartner.NumberStream.to_pandas,
    smspartner.NumberStream.to_polars,
    smspartner.NumberStream.__arrow_c_stream__,
    pa.table,
    exported,
]


@pytest.mark.parametrize("use", WHOLE)
@pytest.mark.parametrize("size", [5, 20_000])
@pytest.mark.parametrize(
    "before",
    [
        next,
        list,
        lambda stream: next(stream.batches()),
        lambda stream: next(stream.all_batches()),
        lambda stream: list(islice(stream.batches(), 1)),
        pa.table,
    ],
)
def test_what_needs_all_numbers_is_refused_once_some_were_taken(
    client: Client, before: Use, use: Use, size: int
) -> None:
    with client.stream(f"n-{size}") as stream:
        before(stream)
        with pytest.raises(ConfigurationError, match="numbers of this stream have been read"):
            use(stream)


@pytest.mark.parametrize("connect", [Client], indirect=True)
def test_a_table_that_others_read_from_meanwhile_is_refused(client: Client) -> None:
    with client.stream("n-20000") as stream:
        rows = stream.all_batches()
        next(rows)
        next(stream)
        with pytest.raises(ConfigurationError, match=r"^rental n-20000: 1 numbers of this stream"):
            list(rows)


@pytest.mark.parametrize("connect", [Client], indirect=True)
def test_it_is_said_how_many_numbers_were_taken(client: Client) -> None:
    with client.stream("n-20000") as stream:
        for _ in range(3):
            next(stream)
        with pytest.raises(ConfigurationError, match=r"^rental n-20000: 3 numbers of this stream"):
            stream.to_arrow()


@pytest.mark.parametrize("error", [None, ZeroDivisionError, KeyboardInterrupt])
def test_a_stream_that_is_left_is_not_read_on(
    connect: Connect, error: type[BaseException] | None
) -> None:
    left: list[bool] = []

    def script(peer: Peer) -> None:
        begun = b'{"success":true,"phoneNumbers":9999999,"datas":['
        person = b'{"id":1,"phone":"+33639980042","stopSms":false},'
        peer.send(head("Content-Length: 1000000000"), begun + 5_000 * person)
        left.append(peer.left())

    with (
        RawServer(script) as server,
        connect("k" * 8, base_url=server.url, timeout=5) as client,
        pytest.raises(error) if error else nullcontext(),
        client.stream("t"),
    ):
        if error is not None:
            raise error
    assert left == [True]


def test_an_interrupt_while_a_body_is_read_drops_the_connection() -> None:
    closed: list[bool] = []

    def chunks() -> Iterator[bytes]:
        person = b'{"id":1,"phone":"+33639980042","stopSms":false},'
        yield b'{"success":true,"phoneNumbers":9999,"datas":[' + 5_000 * person
        raise KeyboardInterrupt

    class Interrupted:
        def send(self, request: Request, key: APIKey) -> Reply:  # noqa: ARG002 - protocol
            head = {"Content-Type": "application/json"}
            return Reply(200, head, chunks(), lambda: closed.append(True))

        def close(self) -> None:
            pass

    numbers = Client("k" * 8, transport=Interrupted()).stream("t")
    with pytest.raises(KeyboardInterrupt):
        list(numbers)
    assert closed == [True]
    with pytest.raises(TransportError, match="reading this stream was interrupted"):
        list(numbers)


def test_an_empty_rental_is_a_table_as_often_as_one_asks(client: Client) -> None:
    with client.stream("n-0") as stream:
        assert [stream.to_arrow().num_rows, pa.table(stream).num_rows] == [0, 0]


@pytest.mark.parametrize("connect", [Client], indirect=True)
def test_duckdb_fetches_a_relation_whole_or_not_at_all(client: Client) -> None:
    with client.stream("n-20000") as stream:
        relation = duckdb.from_arrow(stream)
        relation.limit(10).fetchall()  # as printing it does
        with pytest.raises((ConfigurationError, duckdb.Error)):
            relation.fetchall()
    with client.stream("n-20000") as stream:
        assert len(duckdb.from_arrow(stream).fetchall()) == 20_000


@pytest.mark.parametrize("size", [0, 5, 2_500, 20_000])
@pytest.mark.parametrize("read", [list, next, deque, *WHOLE])
def test_a_stream_outside_its_with_fails_alike_at_every_size(
    client: Client, size: int, read: Use
) -> None:
    with client.stream(f"n-{size}") as stream:
        pass
    with pytest.raises(TransportError, match="this stream is closed: read it inside"):
        read(stream)


@pytest.mark.parametrize("leave", [next, lambda batches: list(islice(batches, 2))])
def test_batches_that_were_left_early_go_on(
    sandbox: Sandbox, client: Client, leave: Callable[[Iterator[Any]], Any]
) -> None:
    with client.stream("n-20000") as stream:
        leave(stream.batches())
        taken = stream._taken
        rest = [number for batch in stream.batches() for number in batch]
    assert 0 < taken < 20_000
    assert rest == list(sandbox.expected("n-20000"))[taken:]


@pytest.mark.parametrize(
    "read",
    [
        lambda stream: deque(stream, maxlen=0),
        lambda stream: deque(stream.batches(), maxlen=0),
        lambda stream: [next(stream), *stream.batches()],
        *WHOLE[:3],
        exported,
    ],
)
@pytest.mark.parametrize("size", [5, 20_000])
def test_the_count_is_checked_whoever_comes_to_the_end(
    client: Client, read: Use, size: int
) -> None:
    with client.stream(f"n-{size}.declared-7") as stream, pytest.raises(CountMismatchError):
        read(stream)


@pytest.mark.parametrize("connect", [Client], indirect=True)
def test_a_stream_whose_reading_was_interrupted_does_not_end(client: Client) -> None:
    with client.stream("n-20000") as stream:
        interrupted: Any = map(signal.raise_signal, [signal.SIGINT])
        stream._source = interrupted
        with pytest.raises(KeyboardInterrupt):
            deque(stream, maxlen=0)
        with pytest.raises(TransportError, match="was interrupted"):
            next(stream)


def test_without_pandas_nothing_of_a_stream_is_used_up(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with client.stream("n-5") as stream:
        monkeypatch.setitem(sys.modules, "pandas", None)
        with pytest.raises(ConfigurationError, match="pandas is not installed"):
            stream.to_pandas()
        assert stream.to_arrow().num_rows == 5


@pytest.mark.parametrize("connect", [Client], indirect=True)
def test_a_stream_says_how_far_it_is(client: Client) -> None:
    with client.stream("n-5") as stream:
        assert repr(stream) == "NumberStream(5 numbers so far, declared=5)"


def test_leaving_a_stream_early_is_allowed(client: Client, format_name: str) -> None:
    with client.stream("n-1000000", format=format_name) as stream:
        next(stream)
    assert stream.found < 20_000


def test_save_writes_the_body_byte_for_byte(
    sandbox: Sandbox, client: Client, tmp_path: Path, format_name: str
) -> None:
    path = tmp_path / "body"
    saved = client.save(sandbox.token, path, format=format_name)
    body = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (saved.bytes, saved.sha256) == (len(body), hashlib.sha256(body).hexdigest())
    assert (saved.format, saved.numbers, saved.declared) == (format_name, 2_000, 2_000)
    assert smspartner.decode(body).numbers == tuple(sandbox.expected())
    assert list(tmp_path.iterdir()) == [path]


def test_a_refusal_never_becomes_a_file(client: Client, tmp_path: Path, format_name: str) -> None:
    path = tmp_path / "body"
    path.write_bytes(b"old")
    with pytest.raises(RentalNotFoundError):
        client.save("no such rental", path, format=format_name)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_body_that_cannot_be_understood_is_kept_whole(connect: Connect, tmp_path: Path) -> None:
    body = b'{"success":true,"phoneNumbers":1,"datas":[{"id":"x","phone":"+33639980001"}]}'
    path = tmp_path / "body.json"
    with connect("k", transport=Canned(body)) as client, pytest.raises(RecordError) as caught:
        client.save("t", path)
    assert path.read_bytes() == body
    assert caught.value.http_status == 200


def test_the_rest_of_a_body_is_kept_when_a_record_in_its_middle_is_wrong(
    connect: Connect, tmp_path: Path
) -> None:
    record = b'{"id":1,"phone":"+33639980001","stopSms":false},'
    body = b'{"success":true,"datas":[' + record * 5_000 + b'{"id":null},' + record * 5_000
    pieces = [body[start : start + 10_000] for start in range(0, len(body), 10_000)]
    transport = Canned(b"")
    transport.send = lambda *_: Reply(200, transport.headers, pieces)  # type: ignore[method-assign]
    path = tmp_path / "body.json"
    with connect("k", transport=transport) as client, pytest.raises(RecordError) as caught:
        client.save("t", path)
    assert (caught.value.index, caught.value.field) == (5_000, "id")
    assert path.read_bytes() == body


@pytest.mark.parametrize(
    ("token", "error"),
    [("no such rental", RentalNotFoundError), ("", TokenMissingError), (" ", TokenMissingError)],
)
def test_refusals_have_classes_of_their_own(
    client: Client, format_name: str, token: str, error: type[APIError]
) -> None:
    with pytest.raises(error) as caught:
        client.stream(token, format=format_name)
    assert caught.value.message


def test_a_wrong_key_is_refused_by_the_service(
    connect: Connect, sandbox: Sandbox, format_name: str
) -> None:
    with (
        connect("wrong", base_url=sandbox.url) as client,
        pytest.raises(APIKeyInvalidError) as caught,
    ):
        client.download(sandbox.token, format=format_name)
    assert (caught.value.code, caught.value.message) == (10, "Clé API incorrecte")
    assert caught.value.http_status == 200


def test_a_refusal_with_an_http_error_status_is_read_the_same(
    connect: Connect, format_name: str
) -> None:
    with (
        Sandbox(http_errors=True) as sandbox,
        connect(sandbox.api_key, base_url=sandbox.url) as client,
        pytest.raises(RentalNotFoundError) as caught,
    ):
        client.download("no such rental", format=format_name)
    assert (caught.value.code, caught.value.http_status) == (32, 404)


def test_a_missing_key_says_where_to_put_it(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SMSPARTNER_API_KEY", raising=False)
    with pytest.raises(APIKeyMissingError, match="SMSPARTNER_API_KEY"):
        connect()


def test_key_and_address_come_from_the_environment(
    connect: Connect, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMSPARTNER_API_KEY", f" {sandbox.api_key}\n")
    monkeypatch.setenv("SMSPARTNER_BASE_URL", sandbox.url)
    with connect() as client:
        assert len(client.download(sandbox.token)) == 2_000


def test_an_unknown_format_is_refused_before_anything_is_sent(
    sandbox: Sandbox, client: Client
) -> None:
    before = len(sandbox.requests)
    with pytest.raises(ConfigurationError, match="json, xml"):
        client.download(sandbox.token, format="yaml")
    assert len(sandbox.requests) == before


def test_a_path_that_cannot_be_written_is_refused_before_anything_is_sent(
    sandbox: Sandbox, client: Client, tmp_path: Path
) -> None:
    before = len(sandbox.requests)
    with pytest.raises(OutputError, match="folder does not exist"):
        client.save(sandbox.token, tmp_path / "missing" / "body.json")
    assert len(sandbox.requests) == before


def test_a_server_that_is_not_there_is_safe_to_try_again(connect: Connect) -> None:
    with (
        connect("k", base_url="http://127.0.0.1:1/v1", retries=0) as client,
        pytest.raises(smspartner.TransportError) as caught,
    ):
        client.download("t")
    assert caught.value.retryable


def test_the_body_decides_when_the_content_type_lies(connect: Connect) -> None:
    with connect("k", transport=Canned(DOCUMENTED_XML, "application/json")) as client:
        assert [number.id for number in client.download("t", format="xml")] == [4314, 4315]


def test_html_is_an_unknown_format_and_carries_the_status(connect: Connect) -> None:
    page = b"<!DOCTYPE html><html><body>Bad gateway</body></html>"
    with (
        connect("k", transport=Canned(page, "text/html", 404)) as client,
        pytest.raises(UnknownFormatError) as caught,
    ):
        client.download("t")
    assert caught.value.http_status == 404
    assert "Bad gateway" in str(caught.value)


def test_a_key_repeated_by_the_service_is_masked(connect: Connect) -> None:
    body = b'{"success":false,"code":10,"message":"unknown key s3cr/t, s3cr%2Ft"}'
    with connect("s3cr/t", transport=Canned(body)) as client, pytest.raises(APIError) as caught:
        client.download("t")
    assert caught.value.message == "unknown key ***, ***"
    assert "s3cr" not in repr(caught.value) + str(caught.value)


def test_repr_shows_no_key(connect: Connect) -> None:
    assert "s3cret" not in repr(connect("s3cret", transport=Canned(b"")))


def test_documented_xml_from_a_plain_server_is_read_right(connect: Connect) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(DOCUMENTED_XML)))
            self.end_headers()
            self.wfile.write(DOCUMENTED_XML)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/v1"
        with connect("k", base_url=address) as client:
            rental = client.download("t", format="xml")
        thread.join()
    assert [(n.id, n.phone, n.stop_sms) for n in rental] == [
        (4314, "+33639980011", False),
        (4315, " +33639980012", True),
    ]


def test_a_raw_body_gets_every_byte_while_numbers_are_streamed(
    client: Client, tmp_path: Path, format_name: str
) -> None:
    with (
        RawBody(tmp_path / "raw") as raw,
        client.stream("n-3000", format=format_name, raw=raw) as stream,
    ):
        numbers = tuple(stream)
    assert smspartner.decode((tmp_path / "raw").read_bytes()).numbers == numbers


def test_a_cut_body_is_truncated_and_what_came_is_kept_aside(
    connect: Connect, tmp_path: Path
) -> None:
    path = tmp_path / "body.json"
    path.write_bytes(b"old")
    body = b'{"success":true,"phoneNumbers":2,"datas":[{"id":1,'
    with connect("k", transport=Canned(body)) as client, pytest.raises(TruncatedError):
        client.save("t", path)
    kept = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert body in kept.values()


def test_a_client_reads_nothing_from_a_netrc_or_proxy_environment(
    connect: Connect, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    assert os.environ["HTTP_PROXY"]
    with connect(sandbox.api_key, base_url=sandbox.url) as client:
        assert len(client.download(sandbox.token)) == 2_000


def test_a_raw_body_that_is_not_open_is_noticed_before_a_download_is_spent(
    connect: Connect, tmp_path: Path
) -> None:
    with Sandbox(numbers=3) as own, connect(own.api_key, base_url=own.url) as client:
        with pytest.raises(OutputError, match="open the body first"):
            client.stream(own.token, raw=RawBody(tmp_path / "body.json"))
        assert own.requests == []


@pytest.mark.parametrize("error", [ConfigurationError("no such place"), ValueError("a bug")])
def test_the_rest_of_a_body_is_kept_when_its_numbers_cannot_be_used(
    connect: Connect, sandbox: Sandbox, tmp_path: Path, error: Exception
) -> None:
    path = tmp_path / "body.json"

    def fail(client: Client) -> None:
        with RawBody(path) as raw, client.stream("n-20000", raw=raw) as stream:
            next(stream)
            raise error

    with connect(sandbox.api_key, base_url=sandbox.url) as client, pytest.raises(type(error)):
        fail(client)
    assert len(smspartner.decode(path.read_bytes())) == 20_000


def test_what_the_service_asked_to_wait_is_in_the_error(connect: Connect) -> None:
    def asked(client: Client, token: str) -> float | None:
        with pytest.raises(smspartner.SMSPartnerError) as caught:
            client.download(token)
        assert caught.value.retryable
        return caught.value.retry_after

    with Sandbox(retry_after="7") as own, connect(own.api_key, base_url=own.url, retries=0) as one:
        assert asked(one, "n-1.fault-503") == 7
        assert asked(one, "n-1.fault-429") == 7
    with Sandbox(retry_after="7200") as own, connect(own.api_key, base_url=own.url) as four:
        assert asked(four, "n-1.fault-503") == 7200
        with pytest.raises(smspartner.TransportError) as caught:
            four.status("n-1.fault-503.on-all")
        assert caught.value.retry_after == 7200


def test_an_answer_that_is_too_large_says_which_limit_and_status(
    connect: Connect, sandbox: Sandbox
) -> None:
    limits = smspartner.Limits(document=100)
    with (
        connect(sandbox.api_key, base_url=sandbox.url, limits=limits) as client,
        pytest.raises(smspartner.LimitError, match=r"Limits\.document") as caught,
    ):
        client.status(sandbox.token)
    assert caught.value.http_status == 200


@pytest.mark.parametrize("body", [b'{"success":true,"datas":[]}', b'{"success":true,"datas":[{}]}'])
def test_a_stream_at_its_end_leaves_its_connection_to_others(connect: Connect, body: bytes) -> None:
    closed: list[bool] = []

    class Once:
        def send(self, request: Request, key: object) -> Reply:  # noqa: ARG002 - protocol
            return Reply(200, {}, [body], on_close=lambda: closed.append(True))

        def close(self) -> None:
            pass

    with connect("k" * 8, transport=Once()) as client, suppress(RecordError):
        list(client.stream("t"))
    assert closed == [True]


def test_a_closed_stream_gives_no_more(connect: Connect) -> None:
    with Sandbox() as sandbox, connect(sandbox.api_key, base_url=sandbox.url) as client:
        stream = client.stream("n-20000")
        next(stream)
        stream.close()
        with pytest.raises(TransportError, match="this stream is closed"):
            list(stream)
