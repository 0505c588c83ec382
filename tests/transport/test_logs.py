"""The key is in no error and in no log line, and other log lines are left alone."""

from __future__ import annotations

import http.client
import logging
import pickle
import subprocess
import sys
from typing import Any

import pytest
from msgspec.structs import replace
from rawserver import RawServer, answer
from transport_faults import FAULTS, meet
from transport_tools import (
    BODY,
    CERTIFICATE,
    DOWNLOAD,
    PHONE,
    SENT_KEY,
    failure,
    fetch,
    leaks,
    tls_server,
    transport,
)

from smspartner.models.masks import mask_address
from smspartner.transport.logs import LOGGERS, OwnCalls


@pytest.mark.parametrize("name", FAULTS)
def test_no_fault_shows_the_key_in_words_or_logs(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    error = meet(name)
    logged = [record.getMessage() + str(vars(record)) for record in caplog.records]
    reached = [str(error), repr(error), str(pickle.dumps(error)), *logged]
    assert not leaks("\n".join([*reached, caplog.text]))
    assert any("GET http://127.0.0.1" in line for line in logged)


def test_the_logs_of_urllib3_show_the_request_without_the_key(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with RawServer(answer(status="503 Away"), answer(BODY)) as server:
        fetch(server.url, retries=1)
    lines = [f"{record.name}: {record.getMessage()}" for record in caplog.records]
    assert any(line.startswith("urllib3.") and "apiKey=***&token=tok" in line for line in lines)
    assert any(line.startswith("smspartner: GET http://127") for line in lines)
    assert any(line.startswith(f"smspartner: HTTP 200, {len(BODY)} bytes in") for line in lines)
    assert not leaks(str([vars(record) for record in caplog.records]))


@pytest.mark.parametrize("name", LOGGERS)
def test_what_others_log_through_urllib3_is_left_as_it_is(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(address: str) -> None:
        raise ValueError(address)

    client = transport("https://host.example")
    try:
        fail("https://h/?apiKey=of-another-service")
    except ValueError:
        logging.getLogger(name).exception("GET %s", "https://h/?apiKey=of-another-service")
    client.close()
    (record,) = caplog.records
    assert record.args == ("https://h/?apiKey=of-another-service",)
    assert "Traceback" in caplog.text
    assert "ValueError: https://h/?apiKey=of-another-service" in caplog.text


def test_the_filter_is_there_once() -> None:
    for _ in range(3):
        transport("https://host.example").close()
    for name in LOGGERS:
        filters = [f for f in logging.getLogger(name).filters if isinstance(f, OwnCalls)]
        assert len(filters) == 1


def test_a_line_among_the_headers_that_is_none_is_shown_without_secrets(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    odd = [f"garbage {SENT_KEY}", f"phone {PHONE} \x1b[2J\x9b"]
    with RawServer(answer(BODY, headers=odd)) as server:
        fetch(server.url)
    assert "Failed to parse headers" in caplog.text
    logged = str([vars(record) for record in caplog.records]) + caplog.text
    assert not leaks(logged)
    assert PHONE not in logged
    assert all(record.getMessage().isprintable() for record in caplog.records)


def test_no_record_shows_what_a_terminal_obeys(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    reason = answer(BODY, status="200 \x1b[2J\x9b", headers=["X: \x1b]0;x", "Y\x9b: 1"])
    location = answer(headers=["Location: https://\x1b[2J.example"], status="302 \x1b[2J")
    with RawServer(reason, location) as server:
        fetch(server.url, replace(DOWNLOAD, query={"token": "\x1b[2J\x9b"}))
        assert str(failure(server.url)).isprintable()
    assert all(record.getMessage().isprintable() for record in caplog.records)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_the_debug_output_of_the_standard_library_does_not_print_the_key(
    scheme: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    with RawServer(answer(BODY), tls=tls_server() if scheme == "https" else None) as server:
        fetch(server.url, verify=CERTIFICATE)
    assert not leaks("".join(capfd.readouterr()))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("/x?apiKey=abc&token=t", "/x?apiKey=***&token=t"),
        ("/x?token=t&APIKEY=a%2Fb HTTP/1.1", "/x?token=t&APIKEY=*** HTTP/1.1"),
        ("?next=https%3A%2F%2Fh%2F%3FapiKey%3Dabc%26t", "?next=https%3A%2F%2Fh%2F%3FapiKey%3D***"),
        ("(url=https://h/?apiKey=abc): bad", "(url=https://h/?apiKey=***): bad"),
        ('{"apiKey":"abc","op":"price"}', '{"apiKey":"***","op":"price"}'),
        ('{"apiKey": "abc"}', '{"apiKey": "***"}'),
        ("no key here", "no key here"),
    ],
)
def test_a_key_is_masked_wherever_an_address_shows_it(text: str, masked: str) -> None:
    assert mask_address(text) == masked


def test_importing_the_package_of_transports_loads_no_network_library() -> None:
    code = """
import sys, smspartner.transport
print(sorted({"requests", "urllib3", "ssl"} & set(sys.modules)))
smspartner.transport.RequestsTransport
print("requests" in sys.modules)
"""
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["[]", "True"]


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    module: Any = sys.modules["smspartner.transport"]
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = module.Nothing
