"""The sandbox starts, stops, and remembers."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from decimal import Decimal
from typing import Any, Final

import pytest
from asking import (
    DOWNLOAD,
    STATUS,
    address,
    ask,
    request_bytes,
)

import smspartner.sandbox
from smspartner.errors import ConfigurationError
from smspartner.sandbox import FAULTS, Sandbox

SANDBOX: Final = {"numbers": 3}


def test_requests_are_remembered_without_the_key() -> None:
    with Sandbox(numbers=1) as sandbox:
        before = time.monotonic()
        ask(sandbox)
        ask(sandbox, STATUS, of="n-5", form="xml")
        ask(sandbox, "/v1/me", of=None)
    seen = sandbox.requests
    assert [(each.path, each.token, each.format) for each in seen] == [
        (DOWNLOAD, sandbox.token, "json"),
        (STATUS, "n-5", "xml"),
        ("/v1/me", "", "json"),
    ]
    assert before <= seen[0].time <= seen[1].time <= seen[2].time <= time.monotonic()
    assert seen[0].headers["accept-encoding"] == "identity"
    assert sandbox.api_key not in repr(seen)


def test_the_package_has_the_names_that_it_states_and_no_other() -> None:
    assert all(hasattr(smspartner.sandbox, name) for name in smspartner.sandbox.__all__)
    assert not hasattr(smspartner.sandbox, "Nothing")


def test_nothing_is_printed_and_no_repr_has_the_key(capfd: pytest.CaptureFixture[str]) -> None:
    with Sandbox(numbers=1) as sandbox:
        ask(sandbox)
        ask(sandbox, "/v1/nowhere")
        ask(sandbox, key="wrong")
        assert sandbox.api_key not in repr(sandbox)
    assert sandbox.api_key not in repr(sandbox)
    assert capfd.readouterr() == ("", "")


def test_the_same_seed_gives_the_same_sandbox() -> None:
    one, same, other = Sandbox(seed=1), Sandbox(seed=1), Sandbox(seed=2)
    assert (one.api_key, one.token) == (same.api_key, same.token)
    assert {one.api_key, one.token}.isdisjoint({other.api_key, other.token})


def test_key_and_token_can_be_chosen() -> None:
    chosen: dict[str, Any] = {"api_key": "a key/with+signs&é", "token": "mine & yours"}
    with Sandbox(numbers=1, **chosen) as sandbox:
        assert json.loads(ask(sandbox).body)["success"] is True


def test_it_listens_on_the_loopback_interface_only(sandbox: Sandbox) -> None:
    assert sandbox.url == f"http://127.0.0.1:{address(sandbox)[1]}/v1"


def test_a_client_that_leaves_is_not_worth_a_word(capfd: pytest.CaptureFixture[str]) -> None:
    with Sandbox() as sandbox:
        with socket.create_connection(address(sandbox)) as connection:
            connection.sendall(request_bytes(sandbox, "n-9000000"))
            assert connection.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")
        assert ask(sandbox).status == 200
    assert capfd.readouterr() == ("", "")


def test_a_bug_in_the_sandbox_is_reported_without_the_key(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_exchange: object) -> None:
        raise ZeroDivisionError("for this test")

    monkeypatch.setitem(FAULTS, "broken", broken)
    with Sandbox(fault="broken") as sandbox:
        with pytest.raises(http.client.RemoteDisconnected):
            ask(sandbox)
        key = sandbox.api_key
    words = capfd.readouterr().err
    assert "ZeroDivisionError: for this test" in words
    assert key not in words


def test_a_stop_does_not_wait_for_a_delay() -> None:
    sandbox = Sandbox(delay=60).start()
    with socket.create_connection(address(sandbox)) as connection:
        connection.sendall(request_bytes(sandbox, "n-1"))
        while not sandbox.requests:
            time.sleep(0.005)
        begun = time.monotonic()
        sandbox.stop()
        assert time.monotonic() - begun < 1


def test_stopping_ends_answers_under_way_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    sandbox = Sandbox().start()
    idle = socket.create_connection(address(sandbox))
    busy = socket.create_connection(address(sandbox))
    busy.sendall(request_bytes(sandbox, "n-9000000"))
    assert busy.recv(8) == b"HTTP/1.1"
    begun = time.monotonic()
    sandbox.stop()
    assert time.monotonic() - begun < 2
    assert set(threading.enumerate()) <= before
    idle.close()
    busy.close()


def test_a_sandbox_can_be_started_again() -> None:
    sandbox = Sandbox(numbers=1)
    for _ in range(2):
        with sandbox:
            assert ask(sandbox).status == 200
            assert len(sandbox.requests) == 1
    sandbox.stop()


def test_starting_twice_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(ConfigurationError, match="already"):
        sandbox.start()


def test_a_sandbox_that_was_never_started_has_no_address() -> None:
    sandbox = Sandbox()
    assert sandbox.requests == []
    assert "not running" in repr(sandbox)
    with pytest.raises(ConfigurationError, match="start"):
        assert sandbox.url


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def wait_for_answer(port: int) -> None:
    give_up = time.monotonic() + 10
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", "/")
            connection.getresponse().close()
        except ConnectionRefusedError:
            assert time.monotonic() < give_up
            time.sleep(0.01)
        else:
            return
        finally:
            connection.close()


@pytest.mark.parametrize("started", [True, False], ids=["started", "not-started"])
def test_serving_for_ever_ends_with_a_stop(*, started: bool) -> None:
    port = free_port()
    sandbox = Sandbox(port=port)
    if started:
        sandbox.start()
    server = threading.Thread(target=sandbox.serve_forever)
    server.start()
    wait_for_answer(port)
    sandbox.stop()
    server.join(5)
    assert not server.is_alive()


def test_ctrl_c_goes_on_to_the_caller_and_leaves_nothing_behind() -> None:
    port = free_port()
    code = f"""
from smspartner.sandbox import Sandbox
sandbox = Sandbox(port={port})
try:
    sandbox.serve_forever()
except KeyboardInterrupt:
    print("stopped", sandbox._thread)
"""
    command = [sys.executable, "-X", "dev", "-c", code]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe) as process:
        wait_for_answer(port)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=10) == (b"stopped None\n", b"")


def test_it_needs_the_standard_library_and_our_models_only() -> None:
    heavy = {"requests", "urllib3", "lxml", "defusedxml", "click", "rich"}
    code = f"import sys, smspartner.sandbox; print({heavy!r} & set(sys.modules))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stdout == b"set()\n"


def test_a_port_that_is_taken_is_said_so(sandbox: Sandbox) -> None:
    port = address(sandbox)[1]
    with pytest.raises(ConfigurationError, match=rf"127\.0\.0\.1:{port} .*another port"):
        Sandbox(port=port).start()
    with pytest.raises(ConfigurationError, match="another port"):
        Sandbox(port=70_000).start()


@pytest.mark.parametrize(
    "options",
    [{"records": ["text"]}, {"records": [5]}, {"records": [(1, b"", False)]},
     {"credits": {"solde": Decimal(1)}}, {"stop_list": ["06"]},
     {"stop_list": ["0639980001", "+33639980001"]}],
    ids=repr,
)  # fmt: skip
def test_what_cannot_be_sent_is_refused_at_once(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"a record is|cannot be sent|stop_list") as caught:
        Sandbox(**options)
    assert "06" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [{"numbers": -1}, {"pace": -0.1}, {"delay": float("nan")}, {"framing": "odd"},
     {"nulls": "odd"}, {"status_style": "odd"}, {"fault": "odd"}],
    ids=lambda options: next(iter(options)),
)  # fmt: skip
def test_an_option_that_cannot_be_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        Sandbox(**options)


def test_an_unknown_token_has_nothing_to_expect() -> None:
    with pytest.raises(ConfigurationError, match="token"):
        Sandbox().expected("unknown")


def test_a_running_sandbox_takes_no_fault_that_it_does_not_know() -> None:
    with Sandbox() as sandbox:
        sandbox.fault = "cut"
        with pytest.raises(ConfigurationError, match="there is no fault 'stal'"):
            sandbox.fault = "stal"
        assert sandbox.fault == "cut"
