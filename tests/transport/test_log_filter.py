"""The key is in no error, log line, repr or traceback."""

from __future__ import annotations

import http.client
import logging
import pickle
import subprocess
import sys
from typing import Any

import pytest
from rawserver import RawServer, answer
from transport_faults import FAULTS, meet
from transport_tools import (
    BODY,
    CERTIFICATE,
    KEY,
    PARAMS,
    PHONE,
    SENT_KEY,
    fetch,
    leaks,
    tls_server,
    trace_of,
    transport,
)

from smspartner.models.masks import mask_address
from smspartner.transport import Query
from smspartner.transport.log_filter import LOGGERS, KeyFilter


@pytest.mark.parametrize("name", FAULTS)
def test_no_fault_shows_the_key_anywhere(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    error = meet(name)
    assert error.__cause__ is None
    assert error.__context__ is None
    trace = trace_of(error)
    logged = [record.getMessage() + str(vars(record)) for record in caplog.records]
    reached = [str(error), repr(error), str(pickle.dumps(error)), trace, *logged]
    assert not leaks("\n".join([*reached, caplog.text]))
    assert PHONE not in trace
    assert any("apiKey=***" in line for line in logged)


def test_the_logs_of_urllib3_show_the_request_without_the_key(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    with RawServer(answer(status="503 Away"), answer(BODY)) as server:
        fetch(server.url, retries=1)
    lines = [f"{record.name}: {record.getMessage()}" for record in caplog.records]
    assert any(line.startswith("urllib3.") and "apiKey=***&token=tok" in line for line in lines)
    assert any(line.startswith("smspartner: trying again in 0.0") for line in lines)
    assert any(line.startswith(f"smspartner: HTTP 200, {len(BODY)} bytes in") for line in lines)
    assert not leaks(str([vars(record) for record in caplog.records]))


def test_every_logger_of_urllib3_has_the_filter() -> None:
    transport("https://host.example").close()
    known = {name for name in logging.root.manager.loggerDict if name.startswith("urllib3")}
    assert "urllib3.connectionpool" in known
    assert known <= {*LOGGERS, "urllib3.util", "urllib3.contrib", "urllib3.http2"}
    for name in LOGGERS:
        filters = [f for f in logging.getLogger(name).filters if isinstance(f, KeyFilter)]
        assert len(filters) == 1


def test_a_logged_exception_is_shown_without_the_key_and_the_variables_of_its_frames() -> None:
    def fail(address: str) -> None:
        raise ValueError(address)

    with pytest.raises(ValueError, match="apiKey") as caught:
        fail(f"https://h/?apiKey={KEY}")
    info = (caught.type, caught.value, caught.tb)
    record = logging.LogRecord("urllib3", 30, "f", 1, "failed", None, info)
    assert KeyFilter().filter(record)
    assert "ValueError: https://h/?apiKey=***" in str(record.exc_text)
    assert record.exc_info is None


def test_a_line_among_the_headers_that_is_none_is_not_repeated(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    odd = [f"garbage {SENT_KEY}", f"phone {PHONE} x"]
    with RawServer(answer(BODY, headers=odd)) as server:
        fetch(server.url)
    assert "Failed to parse headers of the answer" in caplog.text
    logged = str([vars(record) for record in caplog.records]) + caplog.text
    assert not leaks(logged)
    assert PHONE not in logged


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
        ("no key here", "no key here"),
    ],
)
def test_a_key_is_masked_wherever_an_address_shows_it(text: str, masked: str) -> None:
    assert mask_address(text) == masked


def test_a_query_can_be_read_and_is_shown_without_the_key() -> None:
    query = Query(PARAMS)
    assert dict(query) == PARAMS
    assert str(query) == repr(query) == "Query(apiKey=***&token=tok&_format=json)"
    assert not leaks(repr({"params": query}))


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
