"""What the caller is told when the network fails."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from rawserver import RawServer, answer, chunked, dead_port, head, sends
from transport_faults import CHUNKED, FAULTS, meet
from transport_tools import BODY, CERTIFICATE, STATUS, failure, fetch, resolve, tls_server

from smspartner.errors import RedirectError, TransportError
from smspartner.transport.address import peer_shown
from smspartner.transport.call import Call
from smspartner.transport.failures import Scene, _said, explain


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_the_network_is_one_clear_error(name: str) -> None:
    error, expected = meet(name), FAULTS[name]
    assert type(error) is expected.error
    assert expected.words in str(error)
    assert str(error).isprintable()


@pytest.mark.parametrize("name", FAULTS)
def test_an_error_says_whether_the_request_may_have_been_received(name: str) -> None:
    error, expected = meet(name), FAULTS[name]
    if isinstance(error, TransportError):
        assert error.maybe_received is expected.maybe_received
    redirect = isinstance(error, RedirectError)
    assert error.retryable is (not expected.maybe_received and not redirect)


@pytest.mark.parametrize("name", FAULTS)
def test_what_changes_nothing_at_the_service_may_be_asked_again(name: str) -> None:
    error = meet(name, STATUS)
    assert error.retryable is not (isinstance(error, RedirectError) or error.http_status == 101)


@pytest.mark.parametrize(
    "framing",
    [
        pytest.param(head(f"Content-Length: {len(BODY)}") + BODY, id="content-length"),
        pytest.param(CHUNKED + chunked(BODY[:30], BODY[30:]), id="chunked"),
        pytest.param(head("Content-Encoding: gzip") + gzip.compress(BODY), id="gzip"),
    ],
)
def test_an_answer_cut_at_any_byte_is_an_error(framing: bytes) -> None:
    # The line break that ends the trailer of a chunked body may be missing: the body is whole.
    last = len(framing) - 4 if framing.startswith(CHUNKED) else len(framing)
    cuts = [sends(framing[:end]) for end in range(last)]
    with RawServer(*cuts, sends(framing)) as server:
        for _ in cuts:
            failure(server.url)
        assert fetch(server.url) == BODY


def test_a_name_that_does_not_resolve_is_said() -> None:
    error = failure("https://nothing.invalid")
    assert "the name nothing.invalid could not be resolved" in str(error)
    assert error.retryable


def test_a_refused_connection_names_host_and_port() -> None:
    port = dead_port()
    error = failure(f"http://127.0.0.1:{port}")
    assert f"no connection to 127.0.0.1:{port}: connection refused" in str(error)
    assert error.retryable


def test_a_certificate_nobody_vouches_for_is_refused_and_the_way_out_named() -> None:
    with RawServer(answer(BODY), tls=tls_server()) as server:
        error = failure(server.url, retries=3)
        assert server.connections == 1
        assert not server.heads
    assert type(error) is TransportError
    assert "could not be verified: self-signed certificate; nothing was sent" in str(error)
    assert "pass that certificate file as verify=" in str(error)


def test_a_certificate_that_was_given_is_trusted() -> None:
    with RawServer(answer(BODY), tls=tls_server()) as server:
        assert fetch(server.url, verify=CERTIFICATE) == BODY
        assert fetch(server.url, verify=Path(CERTIFICATE)) == BODY


def test_a_certificate_for_another_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve(monkeypatch, "sub.localhost", "127.0.0.1")
    with RawServer(answer(BODY), tls=tls_server()) as server:
        url = server.url.replace("127.0.0.1", "sub.localhost")
        assert "could not be verified" in str(failure(url, verify=CERTIFICATE))


def test_verification_can_be_switched_off_and_urllib3_warns() -> None:
    with (
        RawServer(answer(BODY), tls=tls_server()) as server,
        pytest.warns(match="Unverified HTTPS request"),
    ):
        assert fetch(server.url, verify=False) == BODY


def test_https_to_a_port_that_speaks_http_is_said() -> None:
    with RawServer(sends(head(status="400 Bad")), greet=False) as server:
        error = failure(server.url.replace("http:", "https:"))
    assert "failed: wrong version number; check that its port" in str(error)


def test_a_proxy_that_is_no_address_is_not_shown() -> None:
    assert peer_shown("http://[me:secret@") == "(not an address)"


def test_a_failure_that_nobody_foresaw_names_its_kind_and_nothing_else() -> None:
    class OddError(OSError):
        pass

    scene = Scene(peer="host:1", timeout=1)
    failed = explain(OddError("apiKey=secret"), scene, Call())
    assert failed.what == "the request to host:1 failed (OddError)"
    assert failed.maybe_received


def test_a_failure_without_words_is_told_by_its_kind() -> None:
    assert _said(ValueError("apiKey=secret")) == "ValueError"
