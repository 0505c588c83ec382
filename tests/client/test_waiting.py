"""Waiting for a rental's file: patient, polite, and in time."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import pytest
from answering import answering
from twin import Connect

from smspartner import (
    APIError,
    APIKeyInvalidError,
    Client,
    ConfigurationError,
    DeadlineError,
    RentalFailedError,
    RentalNotFoundError,
    RentalPendingError,
    RentalState,
    RentalStatus,
    Sandbox,
    SMSPartnerError,
    TransportError,
)
from smspartner.client.waiting import CEILING, pauses, wait_until_ready
from smspartner.errors import api_error
from smspartner.transport import Abort

#: The random part takes off up to a quarter.
SHORTEST: Final = 0.75


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(numbers=5, fault_on="all") as running:
        yield running


@pytest.fixture
def client(connect: Connect, sandbox: Sandbox) -> Iterator[Client]:
    with connect(sandbox.api_key, base_url=sandbox.url, timeout=5) as made:
        yield made


def times_asked(sandbox: Sandbox, token: str) -> list[float]:
    return [request.time for request in sandbox.requests if request.token == token]


def states_of(seen: list[RentalStatus]) -> list[str]:
    return [status.state.name for status in seen]


# --- pauses ---------------------------------------------------------------------------------------


def test_pauses_grow_by_half_up_to_a_ceiling() -> None:
    found = list(itertools.islice(pauses(2.0), 200))
    longest = [min(2.0 * 1.5**turn, CEILING) for turn in range(200)]
    assert all(SHORTEST * most <= pause <= most for pause, most in zip(found, longest, strict=True))
    assert max(found) <= CEILING == 60.0
    assert min(found[100:]) >= SHORTEST * CEILING


def test_pauses_have_jitter_so_that_many_do_not_ask_together() -> None:
    firsts = [next(pauses(2.0)) for _ in range(200)]
    assert len(set(firsts)) > 150
    assert max(firsts) - min(firsts) > 0.25


def test_a_first_pause_above_the_ceiling_is_cut_to_it() -> None:
    assert all(pause <= CEILING for pause in itertools.islice(pauses(1000.0), 5))


# --- waiting --------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "xml"])
def test_wait_returns_the_status_once_the_file_is_ready(
    sandbox: Sandbox, client: Client, form: str
) -> None:
    seen: list[RentalStatus] = []
    found = client.wait("pace-0.25", deadline=10, poll=0.05, format=form, on_status=seen.append)
    assert (found.state, found.numbers) == (RentalState.READY, 5)
    assert states_of(seen)[0] == "REQUESTED"
    assert set(states_of(seen)) <= {"REQUESTED", "GENERATING"}
    assert {request.format for request in sandbox.requests} == {form}
    assert {request.path for request in sandbox.requests} == {"/v1/location/status"}


@pytest.mark.parametrize("style", ["code", "text"])
def test_a_file_that_is_ready_needs_one_question_and_no_pause(connect: Connect, style: Any) -> None:
    with (
        Sandbox(numbers=5, status_style=style) as sandbox,
        connect(sandbox.api_key, base_url=sandbox.url) as client,
    ):
        started = time.monotonic()
        ready = client.wait(sandbox.token, deadline=60, poll=30)
        client.download(sandbox.token)
        downloaded = client.wait(sandbox.token, deadline=60, poll=30)
        assert time.monotonic() - started < 5
    assert [ready.state, downloaded.state] == [RentalState.READY, RentalState.DOWNLOADED]
    assert len(sandbox.requests) == 3


def test_there_is_at_most_one_request_per_pause_and_no_busy_loop(
    sandbox: Sandbox, client: Client
) -> None:
    seen: list[RentalStatus] = []
    work = time.thread_time()
    client.wait("pace-0.3", deadline=10, poll=0.05, on_status=seen.append)
    work = time.thread_time() - work

    asked = times_asked(sandbox, "pace-0.3")
    assert len(asked) == len(seen) + 1
    # The shortest seven pauses there can be last 1.2 seconds, twice the time the file takes.
    assert 3 <= len(asked) <= 8
    for turn, (before, after) in enumerate(pairwise(asked)):
        assert after - before >= SHORTEST * 0.05 * 1.5**turn
    assert work < 0.1 + 0.02 * len(asked)


def test_a_status_nobody_knows_is_waited_for_like_the_ones_before_ready(connect: Connect) -> None:
    with answering(*(b'"status":4', b'"status":"En cours"', b'"status":2')) as url:
        seen: list[RentalStatus] = []
        with connect("key", base_url=url) as client:
            found = client.wait("t", deadline=5, poll=0.01, on_status=seen.append)
    assert [status.status for status in seen] == ["4", "En cours"]
    assert found.state is RentalState.READY


# --- failed, refused, too late --------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "xml"])
def test_a_rental_that_fails_ends_the_wait(client: Client, form: str) -> None:
    seen: list[RentalStatus] = []
    with pytest.raises(RentalFailedError) as caught:
        client.wait("fails.pace-0.1", deadline=10, poll=0.05, format=form, on_status=seen.append)
    assert not caught.value.retryable
    assert "REQUESTED" in states_of(seen)
    assert "FAILED" not in states_of(seen)


def test_a_refusal_ends_the_wait_at_once(
    connect: Connect, sandbox: Sandbox, client: Client
) -> None:
    with pytest.raises(RentalNotFoundError):
        client.wait("unknown", deadline=60, poll=30)
    with (
        connect("not-this-key", base_url=sandbox.url) as stranger,
        pytest.raises(APIKeyInvalidError),
    ):
        stranger.wait("n-1", deadline=60, poll=30)
    assert len(sandbox.requests) == 2


def test_a_refusal_later_on_ends_the_wait_too(sandbox: Sandbox, client: Client) -> None:
    def lock_out(_: RentalStatus) -> None:
        sandbox.api_key = "another key"

    with pytest.raises(APIKeyInvalidError):
        client.wait("pace-60", deadline=60, poll=0.05, on_status=lock_out)
    assert len(sandbox.requests) == 2


def test_a_deadline_is_an_error_that_is_safe_to_run_again(client: Client) -> None:
    started = time.monotonic()
    with pytest.raises(RentalPendingError, match=r"not ready after 0\.5 s.*'0'") as caught:
        client.wait("pace-60", deadline=0.5, poll=0.1)
    assert 0.4 <= time.monotonic() - started < 2
    assert caught.value.retryable


@pytest.mark.parametrize("poll", [0.05, 2.0, 3600.0])
def test_the_whole_deadline_is_used_however_long_the_pauses(client: Client, poll: float) -> None:
    found = client.wait(f"pace-0.2.as-{poll:.0f}", deadline=0.8, poll=poll)
    assert found.state is RentalState.READY


def test_no_time_means_one_question(sandbox: Sandbox, client: Client) -> None:
    with pytest.raises(RentalPendingError):
        client.wait("pace-60", deadline=0, poll=0.01)
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize("setting", ["deadline", "poll"])
@pytest.mark.parametrize("value", [-1, -0.001, float("nan"), float("inf"), "5", True, None])
def test_what_is_no_number_of_seconds_is_refused_before_anything_is_asked(
    sandbox: Sandbox, client: Client, setting: str, value: Any
) -> None:
    seconds: dict[str, Any] = {"deadline": 5.0, "poll": 0.1, setting: value}
    with pytest.raises(ConfigurationError, match=rf"\b{setting}="):
        client.wait("pace-60", deadline=seconds["deadline"], poll=seconds["poll"])
    with pytest.raises(ConfigurationError, match="poll="):
        client.wait("pace-60", deadline=5, poll=0)
    assert sandbox.requests == []


@pytest.mark.parametrize("fault", ["stall-headers"])
def test_a_service_that_stalls_does_not_hold_the_wait_beyond_its_deadline(
    connect: Connect, sandbox: Sandbox, fault: str
) -> None:
    started = time.monotonic()
    with (
        connect(sandbox.api_key, base_url=sandbox.url, timeout=8) as client,
        pytest.raises(TransportError) as caught,
    ):
        client.wait(f"fault-{fault}.on-all.drip-0.2", deadline=0.6, poll=0.1)
    assert time.monotonic() - started < 3
    assert caught.value.retryable


def test_a_wait_that_is_ended_by_abort_asks_no_more(sandbox: Sandbox) -> None:
    abort = Abort()

    def seen(_: RentalStatus) -> None:
        abort()

    began = time.monotonic()
    with (
        Client(sandbox.api_key, base_url=sandbox.url) as client,
        abort,
        pytest.raises(TransportError, match="ended by abort"),
    ):
        client.wait("pace-60.as-ended", deadline=30, poll=0.01, on_status=seen)
    assert time.monotonic() - began < 5
    assert len(times_asked(sandbox, "pace-60.as-ended")) == 1


# --- blips ----------------------------------------------------------------------------------------


def test_a_service_that_is_away_for_a_while_is_waited_for(sandbox: Sandbox, client: Client) -> None:
    sandbox.port = int(sandbox.url.rpartition(":")[2].partition("/")[0])
    seen: list[RentalStatus] = []

    def away(status: RentalStatus) -> None:
        seen.append(status)
        if len(seen) == 1:
            sandbox.stop()
            threading.Timer(0.4, sandbox.start).start()

    found = client.wait("pace-0.3", deadline=20, poll=0.1, on_status=away)
    assert found.state is RentalState.READY
    assert states_of(seen)[0] == "REQUESTED"


@pytest.mark.parametrize(
    "fault", ["cut", "reset", "reset-early", "cut-headers", "empty", "html", "503", "garbage"]
)
def test_a_bad_answer_in_between_is_survived(sandbox: Sandbox, client: Client, fault: str) -> None:
    sandbox.pace, sandbox.times = 0.12, 1

    def strike(_: RentalStatus) -> None:
        sandbox.fault = fault

    found = client.wait(sandbox.token, deadline=20, poll=0.05, on_status=strike)
    assert found.state is RentalState.READY


def test_while_the_service_is_busy_there_is_still_one_request_per_pause(
    sandbox: Sandbox, client: Client
) -> None:
    sandbox.pace, sandbox.retry_after = 60, "0"

    def busy(_: RentalStatus) -> None:
        sandbox.fault = "503"

    with pytest.raises(DeadlineError, match="503") as caught:
        client.wait(sandbox.token, deadline=0.8, poll=0.1, on_status=busy)
    assert caught.value.retryable
    asked = times_asked(sandbox, sandbox.token)
    assert 3 <= len(asked) <= 7
    assert all(after - before > 0.07 for before, after in pairwise(asked[:-1]))


def test_a_wait_that_the_service_asks_for_is_longer_than_a_pause(
    sandbox: Sandbox, client: Client
) -> None:
    sandbox.pace, sandbox.retry_after = 0.1, "1"

    def busy(_: RentalStatus) -> None:
        sandbox.fault, sandbox.times = "429", 1

    found = client.wait(sandbox.token, deadline=20, poll=0.02, on_status=busy)
    assert found.state is RentalState.READY
    asked = times_asked(sandbox, sandbox.token)
    assert max(after - before for before, after in pairwise(asked)) >= 1


def test_a_service_that_never_answered_is_known_at_once(connect: Connect, sandbox: Sandbox) -> None:
    url = sandbox.url
    sandbox.stop()
    started = time.monotonic()
    with (
        connect(sandbox.api_key, base_url=url, retries=0) as client,
        pytest.raises(TransportError, match="connection refused") as caught,
    ):
        client.wait("n-1", deadline=3600, poll=60)
    assert time.monotonic() - started < 5
    assert caught.value.retryable


def test_the_key_is_in_no_error_of_a_wait(connect: Connect, sandbox: Sandbox) -> None:
    for token in ("fails", "unknown", "fault-html.on-all", "fault-cut.on-all", "pace-60"):
        with (
            connect(sandbox.api_key, base_url=sandbox.url, retries=0) as client,
            pytest.raises(SMSPartnerError) as caught,
        ):
            client.wait(token, deadline=0, poll=0.1)
        assert sandbox.api_key not in f"{caught.value} {caught.value!r}"


# --- download(wait=...) ---------------------------------------------------------------------------


def test_download_can_wait_for_the_file(sandbox: Sandbox, client: Client) -> None:
    with pytest.raises(APIError) as caught:
        client.download("pace-0.2", format="xml")
    assert caught.value.code == 33
    rental = client.download("pace-0.2", wait=5, format="xml")
    assert rental.numbers == tuple(sandbox.expected())
    assert {request.format for request in sandbox.requests} == {"xml"}


def test_download_does_not_ask_for_a_file_that_is_not_ready(
    sandbox: Sandbox, client: Client
) -> None:
    with pytest.raises(RentalPendingError):
        client.download("pace-60", wait=0.3)
    with pytest.raises(RentalFailedError):
        client.download("fails", wait=0.3)
    assert {request.path for request in sandbox.requests} == {"/v1/location/status"}


# --- Ctrl-C ---------------------------------------------------------------------------------------

SCRIPT: Final = """
import sys
from smspartner import Client
with Client() as client:
    try:
        client.wait("pace-60", poll=30, on_status=lambda _: print("waiting", flush=True))
    except KeyboardInterrupt as error:
        print(type(error).__name__, error.__context__)
"""


def test_ctrl_c_ends_a_wait_at_once_as_in_any_python_program(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMSPARTNER_API_KEY", sandbox.api_key)
    monkeypatch.setenv("SMSPARTNER_BASE_URL", sandbox.url)
    command = [sys.executable, "-c", SCRIPT]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert time.monotonic() - sent < 5
    assert (out, err, process.returncode) == ("KeyboardInterrupt None\n", "", 0)
    assert len(sandbox.requests) == 1


# --- refusals that say "not yet" ------------------------------------------------------------------


@pytest.mark.parametrize("code", [33, 35])
def test_a_refusal_that_says_not_yet_is_waited_for(code: int) -> None:
    ready = RentalStatus(success=True, token="t", status=2)
    answers: list[RentalStatus | APIError] = [api_error(code, "no"), api_error(code, "no"), ready]

    def ask(**_: object) -> RentalStatus:
        answer = answers.pop(0)
        if isinstance(answer, APIError):
            raise answer
        return answer

    assert wait_until_ready(ask, deadline=5, poll=0.01) is ready
    assert answers == []


@pytest.mark.parametrize("code", [33, 35])
def test_a_wait_that_ends_with_such_a_refusal_is_pending(code: int) -> None:
    def ask(**_: object) -> RentalStatus:
        raise api_error(code, "pas encore")

    with pytest.raises(RentalPendingError, match="pas encore") as caught:
        wait_until_ready(ask, deadline=0, poll=0.01)
    assert (caught.value.code, caught.value.retryable) == (code, True)


def test_no_question_may_take_longer_than_what_is_left_and_each_may_take_two_seconds() -> None:
    given: list[float] = []

    def ask(*, within: float, once: bool) -> RentalStatus:
        given.append(within)
        return RentalStatus(success=True, token="t", status=2 if once else 1)

    wait_until_ready(ask, deadline=30, poll=0.01)
    wait_until_ready(ask, deadline=0.5, poll=0.01)

    first, later, *at_the_end = given
    assert first == 30
    assert 29 < later < 30
    assert at_the_end == [2, 2]
