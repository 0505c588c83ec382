"""When a request is made again, and when never."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rawserver import RawServer, Script, answer, dead_port, resets, sends, stalls
from transport_faults import FAULTS, LENGTH
from transport_tools import BODY, DOWNLOAD, SLACK, STATUS, failure, fetch, timed_failure

from smspartner.errors import TransportError
from smspartner.transport import Headers
from smspartner.transport.head import asked_wait
from smspartner.transport.retry import LONGEST_BACKOFF, backoff


@pytest.mark.parametrize(
    "first",
    [
        pytest.param(answer(status="429 Many"), id="429"),
        pytest.param(answer(status="502 Bad"), id="502"),
        pytest.param(answer(status="503 Away"), id="503"),
        pytest.param(answer(status="504 Late"), id="504"),
        pytest.param(resets(), id="reset"),
        pytest.param(sends(), id="closed"),
        pytest.param(sends(LENGTH[:25]), id="headers cut"),
        pytest.param(stalls(), id="stall"),
    ],
)
def test_what_changes_nothing_is_asked_again_after_a_passing_trouble(first: Script) -> None:
    with RawServer(first, first, answer(BODY)) as server:
        assert fetch(server.url, STATUS, retries=2, timeout=0.2) == BODY
        assert server.connections == 3


@pytest.mark.parametrize(
    ("name", "attempts"),
    [(name, 1 if fault.maybe_received else 3) for name, fault in FAULTS.items()],
)
def test_a_download_that_may_have_been_received_is_never_asked_for_again(
    name: str, attempts: int
) -> None:
    with RawServer(FAULTS[name].script) as server:
        failure(server.url, retries=2, timeout=0.2)
        last = "redirect" in name or "for long" in name
        assert server.connections == (1 if last else attempts)


def test_a_download_is_tried_again_while_nobody_listens() -> None:
    error = failure(f"http://127.0.0.1:{dead_port()}", retries=2)
    assert isinstance(error, TransportError)
    assert (error.retryable, error.maybe_received) == (True, False)
    assert "connection refused; tried 3 times in 0 s; check" in str(error)


@pytest.mark.parametrize("status", ["200 OK", "400 Bad", "404 None", "500 Oh"])
def test_an_answer_is_never_asked_for_again(status: str) -> None:
    with RawServer(answer(BODY, status=status)) as server:
        assert fetch(server.url, retries=3) == BODY
        assert server.connections == 1


@pytest.mark.parametrize(
    "name", ["body stalls at 0", "body cut at 0", "body cut at 3", "body reset at 3", "redirect"]
)
def test_nothing_is_tried_again_once_the_service_has_answered(name: str) -> None:
    with RawServer(FAULTS[name].script) as server:
        failure(server.url, STATUS, retries=3, timeout=0.2)
        assert server.connections == 1


def test_when_every_attempt_fails_the_last_word_counts() -> None:
    with RawServer(resets(), answer(status="503 Away")) as server:
        assert "unavailable" in str(failure(server.url, STATUS, retries=2))
        assert server.connections == 3
    with RawServer(answer(status="503 Away"), resets()) as server:
        assert "connection reset" in str(failure(server.url, STATUS, retries=2))
        assert server.connections == 3


def test_retry_after_is_waited_for() -> None:
    busy = answer(status="429 Many", headers=["Retry-After: 1"])
    with RawServer(busy, answer(BODY)) as server:
        start = time.monotonic()
        assert fetch(server.url, retries=1) == BODY
        assert 1.0 <= time.monotonic() - start < 1.0 + SLACK


@pytest.mark.parametrize("deadline", [5.0, None])
def test_a_wait_longer_than_the_call_may_last_is_not_begun(deadline: float | None) -> None:
    busy = answer(status="429 Many", headers=["Retry-After: 7200"])
    with RawServer(busy) as server:
        error, seconds = timed_failure(server.url, retries=3, deadline=deadline)
        assert server.connections == 1
    assert seconds < SLACK
    assert (error.retryable, error.http_status) == (True, 429)
    assert "asks to wait 7200 s" in str(error)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        (" 120 ", 120.0),
        ("999999999", 999999999.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("1.5", None),
        ("-1", None),
        ("²", None),
        ("soon", None),
        ("Wed, 21 Oct 99999999999999999999 07:28:00 GMT", None),
        ("Wed, 21 Oct 2015 99999999999999999999:28:00 GMT", None),
        ("Wed, 21 Oct 2015 07:28:00 -99999999999999", None),
        ("", None),
    ],
)
def test_retry_after_reads_seconds_and_dates(value: str, seconds: float | None) -> None:
    assert asked_wait(Headers({"Retry-After": value})) == seconds


@pytest.mark.parametrize("zone", ["", " GMT", " +0000"])
def test_a_date_to_come_is_a_wait(zone: str) -> None:
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    wait = asked_wait({"retry-after": when.removesuffix(" GMT") + zone})
    assert wait is not None
    assert 85 < wait <= 90


@pytest.mark.parametrize("status", ["429 Many", "503 Away"])
def test_who_asks_once_hears_of_the_wait_that_is_asked_for(status: str) -> None:
    busy = answer(b"not now", status=status, headers=["Retry-After: 72"])
    with RawServer(busy) as server:
        error = failure(server.url, replace(DOWNLOAD, retries=0), retries=3)
        assert server.connections == 1
    assert (error.retry_after, error.retryable) == (72, True)
    assert str(error).endswith("safe to run again, after 72 s")


@pytest.mark.parametrize(
    ("status", "words"), [("429 Many", "asked too often"), ("503 Away", "is unavailable")]
)
def test_a_service_that_stays_away_is_told_in_one_sentence(status: str, words: str) -> None:
    with RawServer(answer(b"<html>", status=status)) as server:
        error = failure(server.url, retries=3)
    assert words in str(error)
    assert str(error).endswith(f"(HTTP {status[:3]}); tried 4 times in 0 s; safe to run again")


def test_each_retry_is_logged_with_its_reason_attempt_and_pause(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with RawServer(answer(status="503 Away"), answer(BODY)) as server:
        fetch(server.url, retries=3)
    (record,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert (record.name, record.getMessage()) == (
        "smspartner",
        "the service is unavailable (HTTP 503); trying again in 0.0 s (attempt 2 of 4)",
    )


@given(st.text() | st.from_regex(r"[A-Z][a-z]{2}, \d{1,20} [A-Z][a-z]{2} \d{1,9} .{0,20}"))
def test_any_retry_after_is_a_wait_or_nothing(value: str) -> None:
    wait = asked_wait({"retry-after": value})
    assert wait is None or wait >= 0


def test_waits_double_up_to_a_cap_and_are_random() -> None:
    assert all(0 <= backoff(n, 1) <= min(LONGEST_BACKOFF, 2**n) for n in range(2000))
    assert len({backoff(3, 1) for _ in range(20)}) > 1
    assert max(backoff(3, 1) for _ in range(200)) > 4
