"""What happens to a rental: its states, and its downloads."""

from __future__ import annotations

import json
import socket

import pytest
from asking import (
    CODE,
    FORMATS,
    STATUS,
    address,
    ask,
    plan,
    request_bytes,
)

from smspartner.errors import APIError
from smspartner.models.status import RentalState
from smspartner.sandbox import Sandbox
from smspartner.sandbox.ledger import Ledger
from smspartner.sandbox.wire import Format


def test_a_rental_moves_on_at_its_pace() -> None:
    ledger = Ledger(clock=iter([100.0, 109.9, 110.0, 119.9, 120.0]).__next__)
    slow = plan("n-5.pace-10")
    seen = [ledger.state(slow).name for _ in range(5)]
    assert seen == ["REQUESTED", "REQUESTED", "GENERATING", "GENERATING", "READY"]


def test_a_rental_can_fail() -> None:
    now = 0.0
    ledger = Ledger(clock=lambda: now)
    failing = plan("fails", pace=1)
    assert ledger.state(failing) is RentalState.REQUESTED
    now = 2.0
    assert ledger.state(failing) is RentalState.FAILED
    with pytest.raises(APIError) as caught:
        ledger.begin_download(failing, once=False)
    assert caught.value.code == 36


def test_a_file_that_is_not_ready_is_refused_and_not_counted() -> None:
    with Sandbox(pace=60) as sandbox:
        assert json.loads(ask(sandbox).body)["code"] == 33
        assert sandbox.downloads() == 0
        assert sandbox.state() is RentalState.REQUESTED
        assert json.loads(ask(sandbox, STATUS).body)["status"] == 0


def test_downloads_are_counted() -> None:
    with Sandbox(numbers=1) as sandbox:
        for each in range(3):
            assert sandbox.downloads() == each
            ask(sandbox)
            ask(sandbox, STATUS)
        assert sandbox.downloads("n-1") == 0


def test_the_first_download_is_recorded() -> None:
    with Sandbox(numbers=1) as sandbox:
        assert sandbox.state() is RentalState.READY
        first = ask(sandbox)
        assert sandbox.state() is RentalState.DOWNLOADED
        assert json.loads(ask(sandbox, STATUS).body)["status"] == 5
        assert ask(sandbox) == first


def test_a_second_download_can_be_refused() -> None:
    with Sandbox(numbers=1, once=True) as sandbox:
        assert json.loads(ask(sandbox).body)["success"] is True
        assert json.loads(ask(sandbox).body)["code"] == 34
        assert json.loads(ask(sandbox, of="n-1").body)["success"] is True
        assert (sandbox.downloads(), sandbox.downloads("n-1")) == (1, 1)


@pytest.mark.parametrize("form", FORMATS)
def test_a_second_download_is_told_of_one_that_runs(form: Format) -> None:
    once = "n-10.fault-stall.times-1"
    with Sandbox(once=True, pretty=False) as sandbox:
        with socket.create_connection(address(sandbox), timeout=10) as running:
            running.sendall(request_bytes(sandbox, once))
            assert running.recv(8) == b"HTTP/1.1"
            assert sandbox.state(once) is RentalState.DOWNLOADED
            assert CODE[form](ask(sandbox, of=once, form=form).body) == 35
        assert CODE[form](ask(sandbox, of=once, form=form).body) == 34
        assert sandbox.downloads(once) == 1
