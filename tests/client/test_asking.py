"""A download that may have been counted is never asked for a second time blindly."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from twin import Connect

from smspartner import (
    APIError,
    Client,
    DownloadLostError,
    RentalFailedError,
    RentalNotFoundError,
    RentalPendingError,
    RentalStatus,
    RentalUsedError,
    Sandbox,
    SMSPartnerError,
    TransportError,
    TruncatedError,
    UnknownFormatError,
)
from smspartner.client import asking
from smspartner.client.asking import lost
from smspartner.transport import Reply, Request

TIMEOUT = 0.2


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(numbers=5, once=True) as running:
        yield running


@pytest.fixture
def client(connect: Connect, sandbox: Sandbox) -> Iterator[Client]:
    with connect(sandbox.api_key, base_url=sandbox.url, timeout=TIMEOUT) as made:
        yield made


def asked(sandbox: Sandbox, token: str) -> list[str]:
    return [each.path.rpartition("/")[2] for each in sandbox.requests if each.token == token]


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize(
    "fault", ["stall-recorded", "reset-recorded", "504-recorded", "cut-headers"]
)
def test_a_download_that_was_counted_and_lost_is_told_and_not_repeated(
    sandbox: Sandbox, client: Client, fault: str, form: str
) -> None:
    token = f"fault-{fault}.as-{form}"
    with pytest.raises(DownloadLostError, match="its status is downloaded") as caught:
        client.download(token, format=form)
    assert (caught.value.retryable, caught.value.token) == (False, token)
    assert "ask SMS Partner to allow the download once more" in str(caught.value)
    assert "try again" not in str(caught.value)
    assert sandbox.downloads(token) == 1
    assert asked(sandbox, token) == ["download", "status"]


@pytest.mark.parametrize("fault", ["stall-headers", "reset-early", "504", "html"])
def test_a_download_that_did_not_arrive_is_asked_for_once_more_after_a_timeout(
    sandbox: Sandbox, client: Client, fault: str
) -> None:
    token = f"fault-{fault}.times-1"
    begun = time.monotonic()
    assert len(client.download(token)) == 5
    assert time.monotonic() - begun >= TIMEOUT
    assert sandbox.downloads(token) == 1
    assert asked(sandbox, token) == ["download", "status", "status", "download"]


def test_a_download_is_asked_for_twice_at_most(sandbox: Sandbox, client: Client) -> None:
    with pytest.raises(DownloadLostError, match="it was asked for twice"):
        client.download("fault-reset-early.as-always")
    assert asked(sandbox, "fault-reset-early.as-always") == [
        "download",
        "status",
        "status",
        "download",
    ]


@pytest.mark.parametrize("fault", ["garbage", "cut.at-0", "stall.at-0", "reset.at-0", "stall"])
def test_an_answer_that_began_and_cannot_be_used_is_lost_without_asking(
    sandbox: Sandbox, client: Client, tmp_path: Path, fault: str
) -> None:
    token = f"n-3000.fault-{fault}"
    with pytest.raises(DownloadLostError) as caught:
        client.save(token, tmp_path / "body")
    assert asked(sandbox, token) == ["download"]
    kept = caught.value.kept
    assert (kept is not None) is (fault == "stall")
    assert kept is None or kept.stat().st_size > 0


def test_a_body_that_is_cut_is_kept_and_not_asked_for_again(
    sandbox: Sandbox, client: Client, tmp_path: Path
) -> None:
    with pytest.raises(TruncatedError) as caught:
        client.save("n-3000.fault-cut", tmp_path / "body")
    assert not caught.value.retryable
    assert caught.value.kept is not None
    assert "ask SMS Partner to allow the download once more" in str(caught.value)
    assert asked(sandbox, "n-3000.fault-cut") == ["download"]


@pytest.mark.parametrize("fault", ["429", "503"])
def test_a_service_that_was_busy_is_asked_again(connect: Connect, fault: str) -> None:
    with (
        Sandbox(once=True, retry_after="0") as own,
        connect(own.api_key, base_url=own.url) as client,
    ):
        assert len(client.download(f"n-5.fault-{fault}.times-2")) == 5
        assert own.downloads(f"n-5.fault-{fault}.times-2") == 1
        with pytest.raises(TransportError) as caught:
            client.with_options(retries=1).download(f"n-5.fault-{fault}")
        assert caught.value.retryable


def test_a_service_that_is_not_there_is_safe_to_ask_again(connect: Connect) -> None:
    with connect("k" * 8, base_url="http://127.0.0.1:9/v1", retries=0) as client:
        with pytest.raises(TransportError) as caught:
            client.download("t")
        assert caught.value.retryable


def test_a_second_download_is_used(client: Client) -> None:
    client.download("n-5.as-twice")
    with pytest.raises(RentalUsedError):
        client.download("n-5.as-twice")


def test_a_file_that_is_not_made_yet_is_pending_while_the_status_says_so(connect: Connect) -> None:
    with (
        Sandbox(pace=60) as slow,
        connect(slow.api_key, base_url=slow.url) as client,
        pytest.raises(RentalPendingError, match="wait= waits until it is") as caught,
    ):
        client.download("n-5")
    assert (caught.value.code, caught.value.retryable) == (33, True)


# --- answers that no sandbox gives ----------------------------------------------------------------

Outcome = tuple[int, str] | SMSPartnerError
NO_ANSWER = TransportError("no answer", maybe_received=True)
NUMBERS = (200, '{"success":true,"phoneNumbers":0,"datas":[]}')


class Script:
    """A transport that answers as it is told: downloads and questions for the status in turn."""

    def __init__(self, downloads: list[Outcome], statuses: list[Outcome]) -> None:
        self.left = {"location/file/download": downloads, "location/status": statuses}
        self.requests: list[Request] = []

    def send(self, request: Request, key: object) -> Reply:  # noqa: ARG002 - protocol
        self.requests.append(request)
        outcome = self.left[request.path].pop(0)
        if isinstance(outcome, SMSPartnerError):
            raise outcome
        status, body = outcome
        return Reply(status, {"Content-Type": "application/json"}, [body.encode()])

    def close(self) -> None:
        pass


def says(state: object) -> Outcome:
    return 200, f'{{"success":true,"token":"t","status":{state}}}'


def refused(code: int) -> Outcome:
    return 200, f'{{"success":false,"code":{code},"message":"no"}}'


def ended(downloads: list[Outcome], statuses: list[Outcome], **options: Any) -> SMSPartnerError:
    """Return the error that a download ends in; everything that was scripted must be asked for."""
    script = Script(downloads, statuses)
    client = Client("k" * 8, transport=script, timeout=0.01)
    with pytest.raises(SMSPartnerError) as caught:
        client.with_options(**options).download("t")
    assert script.left == {"location/file/download": [], "location/status": []}
    return caught.value


@pytest.mark.parametrize("state", [0, 1])
def test_a_rental_that_is_being_made_after_all_is_pending(state: int) -> None:
    error = ended([NO_ANSWER], [says(state)])
    assert isinstance(error, RentalPendingError)
    assert "the rental is not ready (status" in str(error)


def test_a_rental_that_failed_after_all_has_failed() -> None:
    assert isinstance(ended([NO_ANSWER], [says(3)]), RentalFailedError)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (says(5), "its status is downloaded (5)"),
        (says(4), "its status is unknown (4)"),
        (refused(32), "its status could not be asked: "),
        (TransportError("nobody there"), "its status could not be asked: nobody there"),
        ((500, "<html>oops"), "its status could not be asked: "),
    ],
)
@pytest.mark.parametrize("before", [[], [says(2)]], ids=["at once", "later"])
def test_a_status_that_says_anything_else_means_lost(
    before: list[Outcome], said: Outcome, words: str
) -> None:
    error = ended([NO_ANSWER], [*before, said])
    assert isinstance(error, DownloadLostError)
    assert words in str(error)


@pytest.mark.parametrize("page", [(500, "<html>oops"), (500, '{"code":500,"message":"oops"}')])
def test_the_500_of_a_gateway_or_a_framework_may_have_been_counted(page: Outcome) -> None:
    error = ended([page], [says(5)])
    assert isinstance(error, DownloadLostError)
    assert error.http_status == 500
    assert dict(error.headers or {}) == {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((404, "<html>no such page"), UnknownFormatError),
        ((500, '{"success":false,"code":36,"message":"no"}'), APIError),
        ((404, '{"code":404,"message":"no"}'), APIError),
    ],
)
def test_what_the_service_refuses_was_not_counted(answer: Outcome, kind: type[Exception]) -> None:
    error = ended([answer], [])
    assert isinstance(error, kind)
    assert not isinstance(error, DownloadLostError)


def test_what_happened_is_told_between_what_is_lost_and_what_to_do() -> None:
    for more, said in (("", "it broke"), ("its status is x", "it broke; its status is x")):
        words = f"its answer is lost: {said}; it is not asked for again by itself: "
        assert words in str(lost(TransportError("it broke"), *filter(None, [more])))


def test_a_500_that_breaks_off_is_asked_about_like_one_that_is_whole(connect: Connect) -> None:
    def breaks() -> Iterator[bytes]:
        yield b'{"code":500,'
        raise TransportError("the connection broke", maybe_received=True)

    class Breaks(Script):
        def send(self, request: Request, key: object) -> Reply:
            reply = super().send(request, key)
            return Reply(500, {}, breaks()) if reply.status == 500 else reply

    script = Breaks([(500, ""), NUMBERS], [says(2), says(2)])
    assert connect("k" * 8, transport=script, timeout=0.01).download("t").declared == 0
    assert script.left == {"location/file/download": [], "location/status": []}


def test_the_page_of_a_gateway_is_not_the_body(connect: Connect, tmp_path: Path) -> None:
    script = Script([(500, "<html>oops"), NUMBERS], [says(2), says(2)])
    saved = connect("k" * 8, transport=script, timeout=0.01).save("t", tmp_path / "body")
    assert saved.path.read_text() == NUMBERS[1]


def test_a_second_attempt_that_is_refused_as_used_means_that_the_first_was_counted() -> None:
    error = ended([NO_ANSWER, refused(34)], [says(2), says(2)])
    assert isinstance(error, DownloadLostError)
    assert "the service says that it was" in str(error)


def test_a_second_attempt_fails_as_it_does() -> None:
    error = ended([NO_ANSWER, refused(35)], [says(2), says(2)])
    assert isinstance(error, RentalPendingError)


@pytest.mark.parametrize("option", [{"deadline": 0.001}, {"retries": 0}], ids=str)
def test_without_time_or_leave_to_ask_again_a_download_is_lost(option: dict[str, Any]) -> None:
    error = ended([NO_ANSWER], [says(2)], **option)
    assert isinstance(error, DownloadLostError)
    assert "its status is ready, but the request may still be on its way" in str(error)


def test_a_second_attempt_has_the_time_that_any_request_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [0.0]

    def move(seconds: float) -> None:
        clock[0] += seconds

    def attempt(seconds: float | None) -> float:
        if clock[0] == 0:
            raise NO_ANSWER
        return seconds or 0.0

    def status() -> RentalStatus:
        move(4)
        return RentalStatus(success=True, token="t", status=2)

    monkeypatch.setattr(asking, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(asking, "pause", move)

    def left(deadline: float) -> float:
        clock[0] = 0
        return asking.ask_once(attempt, status, deadline=deadline, patience=10, again=True)

    assert left(29) == 11  # two questions and a pause of 10 have passed
    with pytest.raises(DownloadLostError, match="too little time is left to ask once more"):
        left(28)
    with pytest.raises(DownloadLostError, match="may still be on its way"):
        left(24)


def test_the_status_is_asked_with_a_small_share_of_the_deadline(connect: Connect) -> None:
    for deadline, share in {None: 30.0, 3600: 30.0, 100: 10.0, 5: 2.0, 1: 1.0}.items():
        script = Script([NO_ANSWER], [says(5)])
        client = connect("k" * 8, transport=script).with_options(deadline=deadline)
        with pytest.raises(DownloadLostError):
            client.download("t")
        assert script.requests[1].deadline == pytest.approx(share)


def test_the_second_attempt_has_what_is_left_of_the_deadline(connect: Connect) -> None:
    def left(**options: Any) -> float | None:
        script = Script([NO_ANSWER, NUMBERS], [says(2), says(2)])
        connect("k" * 8, transport=script, timeout=0.01).with_options(**options).download("t")
        return script.requests[-1].deadline

    assert left() is None
    assert 3500 < (left(deadline=3600) or 0) < 3600


def test_33_is_plain_unless_the_status_says_that_it_is_being_made() -> None:
    error = ended([refused(33)], [says(5)])
    assert type(error) is APIError
    assert error.__notes__ == ["the rental's status is downloaded (5)"]
    error = ended([refused(33)], [NO_ANSWER])
    assert (type(error), hasattr(error, "__notes__")) == (APIError, False)


def test_32_says_what_the_status_says() -> None:
    error = ended([refused(32)], [says(1)])
    assert type(error) is RentalNotFoundError
    (note,) = error.__notes__
    assert note.startswith("the rental is not ready (status generating (1)); wait= waits")


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.credits(),
        lambda client: client.stop_list(),
        lambda client: client.remove_stop(1),
    ],
)
@pytest.mark.parametrize("code", [31, 32, 33, 34, 35, 36])
def test_outside_of_rentals_only_codes_about_the_account_have_classes(
    connect: Connect, call: Callable[[Client], object], code: int
) -> None:
    script = Script([], [])
    script.left.update(
        {path: [refused(code)] for path in ("me", "stop-sms/list", "stop-sms/delete")}
    )
    with pytest.raises(APIError) as caught:
        call(connect("k" * 8, transport=script))
    assert (type(caught.value), caught.value.code) == (APIError, code)
