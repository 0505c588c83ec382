"""No error, log line or output shows the key or a phone, whatever goes wrong, at any log level.

Every way to fail is driven here: each fault of the service, each kind of wrong body, settings that
cannot work, disks that are full, Ctrl-C; commands: ``test_leaks_cli.py``. Each time all that
can be reached is looked through, see ``support/reach.py``.
"""

from __future__ import annotations

import http.client
import io
import logging
import signal
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final

import posix_only
import pytest
from fault_table import FATES
from leak_bodies import BODIES, SENT
from leaks import (
    KEY,
    PHONE,
    leaks_in_logs,
    leaks_of,
    secrets_in,
    spellings,
    walked,
    without_tests,
)
from number_files import check, disk_that_fills_up
from rawserver import RawServer, answer
from rich.console import Console
from rich.traceback import Traceback
from twin import Connect

from smspartner import (
    APIKeyMissingError,
    AsyncClient,
    Client,
    ConfigurationError,
    DeadlineError,
    DownloadLostError,
    Limits,
    OutputError,
    RentalFailedError,
    RentalPendingError,
    RentedNumber,
    ResponseReader,
    Sandbox,
    SMSPartnerError,
    TokenMissingError,
    TransportError,
    decode,
    iter_decode,
    write,
)
from smspartner.transport import retry

SANDBOX: Final = {
    "numbers": 3000,
    "api_key": KEY,
    "drip": 0.0002,
    "bomb": 4 << 20,
    "retry_after": "0",
}

NOBODY: Final = "http://127.0.0.1:9/v1"
TARGETS: Final = ("n.csv", "n.jsonl", "n.json", "n.parquet", "n.arrow", "n.db", "n.xlsx")


@pytest.fixture(autouse=True)
def everything_is_logged(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    monkeypatch.setattr(retry, "LONGEST_BACKOFF", 0.0)


class Watch:
    """Looks through all that a failure leaves: the error, the logs, what was printed."""

    def __init__(self, logs: pytest.LogCaptureFixture, printed: pytest.CaptureFixture[str]) -> None:
        self._logs = logs
        self._printed = printed

    def failure(
        self, attempt: Callable[[], object], *, phones: bool = True
    ) -> BaseException | None:
        """Let something fail, and return how; None where it did not."""
        failure: BaseException | None = None
        try:
            attempt()
        except BaseException as error:  # noqa: BLE001 - Ctrl-C is one of them
            failure = error
            leaks = leaks_of(error, phones=phones)
            assert not leaks, "\n".join(leaks)
        assert not leaks_in_logs(self._logs.records)
        self._logs.clear()
        shown = self._printed.readouterr()
        assert not secrets_in(shown.out + shown.err)
        return failure


@pytest.fixture
def watch(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Watch:
    return Watch(caplog, capfd)


@pytest.mark.parametrize("spelling", spellings(KEY))
def test_a_key_in_any_spelling_would_be_found(spelling: str) -> None:
    assert secrets_in(f"GET /?apiKey={spelling}&token=t")


@pytest.mark.parametrize("phone", [PHONE, "0639980042", "06 39 98 00 42", "06.39.98.00.42"])
def test_a_phone_would_be_found_and_a_masked_one_is_none(phone: str) -> None:
    assert secrets_in(phone)
    assert not secrets_in(repr(RentedNumber(1, PHONE, False)))


@pytest.mark.parametrize("place", ["message", "attribute", "note", "cause", "context", "variable"])
def test_a_secret_would_be_found_wherever_it_is(place: str, tmp_path: Path) -> None:
    error = SMSPartnerError(PHONE if place == "message" else "")
    if place == "attribute":
        vars(error)["phone"] = PHONE
    if place == "note":
        error.add_note(PHONE)
    if place == "cause":
        error.__cause__ = ValueError(PHONE)
    if place == "context":
        error.__context__ = ValueError(PHONE)
    if place == "variable":
        code = compile("def fail(phone):\n    raise SMSPartnerError", tmp_path / "x.py", "exec")
        names: dict[str, Any] = {"SMSPartnerError": SMSPartnerError}
        exec(code, names)  # noqa: S102 - a frame that is not of the tests
        with pytest.raises(SMSPartnerError) as caught:
            names["fail"](PHONE)
        error = caught.value
    assert leaks_of(error)


# --- the service and the network ------------------------------------------------------------------


def ways(client: Client, token: str, form: str, folder: Path) -> dict[str, Callable[[], object]]:
    """Return every call that asks the service, by name."""

    def streamed() -> None:
        with client.stream(token, format=form) as stream:
            for _ in stream:
                pass

    def exported(target: str) -> None:
        with client.stream(token, format=form) as stream:
            write(stream.batches(), folder / target, token=token)

    return {
        "download": lambda: client.download(token, format=form),
        "stream": streamed,
        "save": lambda: client.save(token, folder / "body", format=form),
        "status": lambda: client.status(token, format=form),
        "credits": lambda: client.credits(format=form),
        **{target: partial(exported, target) for target in TARGETS},
    }


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize("name", FATES)
def test_no_fault_of_the_network_shows_a_secret(  # noqa: PLR0917 - fixtures, by their names
    connect: Connect, sandbox: Sandbox, watch: Watch, tmp_path: Path, name: str, form: str
) -> None:
    fate = FATES[name]
    token = f"n-{2 if 'dribble' in name else 3000}.fault-{name}.on-all"
    # Where records arrive before the end, each sink is in its middle.
    some = ("download", "save", "n.csv", *(TARGETS if fate.kept == "part" else ("status",)))
    slow = fate.silence < 1 or "dribble" in name or "bomb" in name
    with connect(
        KEY, base_url=sandbox.url, timeout=fate.silence, deadline=fate.deadline, retries=0
    ) as client:
        calls = ways(client, token, form, tmp_path)
        for way in (*some[:2], "status") if slow else some:
            error = watch.failure(calls[way])
            lost = way == "status" and fate.error is DownloadLostError  # only downloads are lost
            expected = TransportError if lost else fate.error
            assert isinstance(error, expected) if expected else error is None


def test_a_rental_that_does_not_come_shows_no_secret(watch: Watch) -> None:
    with Sandbox(api_key=KEY, pace=60) as slow, Client(KEY, base_url=slow.url) as client:
        for token, expected in {
            "n-5": RentalPendingError,
            "fails.pace-0": RentalFailedError,
        }.items():
            error = watch.failure(partial(client.wait, token, deadline=0.2, poll=0.05))
            assert type(error) is expected


# --- bodies ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BODIES)
def test_no_wrong_body_shows_a_secret(
    connect: Connect, watch: Watch, tmp_path: Path, name: str
) -> None:
    expected, body = BODIES[name]
    body = body.encode() if isinstance(body, str) else body
    pieces = [body[start : start + 1000] for start in range(0, len(body), 1000)]
    # Reading alone knows no key, and cannot mask it.
    with_key = bool(secrets_in(body.decode("utf-8", "replace"), phones=False))
    if not with_key:
        for read in (lambda: decode(body), lambda: list(iter_decode(pieces)), lambda: fed(pieces)):
            assert type(watch.failure(read)) is expected
    with RawServer(answer(body)) as server, connect(KEY, base_url=server.url) as client:
        calls = ways(client, "t", "json", tmp_path)
        for way in ("download", "save", "stream", *(TARGETS if len(body) > 1 << 16 else ())):
            assert type(watch.failure(calls[way])) is expected
        for way in ("status", "credits"):
            error = watch.failure(calls[way])
            assert error is None or isinstance(error, SMSPartnerError)


def fed(pieces: list[bytes]) -> None:
    reader = ResponseReader()
    for piece in pieces:
        reader.feed(piece)
    reader.close()


# --- settings, disks, Ctrl-C ----------------------------------------------------------------------

SETTINGS: Final[dict[str, dict[str, Any]]] = {
    "no key": {"api_key": " "},
    "key that is not text": {"api_key": f"{KEY}\ud800"},
    "key in the address": {"base_url": f"https://api.example/v1?apiKey={SENT}"},
    "key as a user": {"base_url": f"https://{SENT}@api.example/v1"},
    "key for an address": {"base_url": KEY},
    "space in the address": {"base_url": f"https://api.example/{KEY}"},
    "http": {"base_url": f"http://api.example/{SENT}"},
    "port": {"base_url": f"https://api.example:99999/{SENT}"},
    "password of a proxy": {"proxies": {"https": f"http://me:{SENT}@[bad"}},
    "scheme of a proxy": {"proxies": {"https": f"gopher://me:{SENT}@proxy.example"}},
    "timeout": {"timeout": -1},
    "deadline": {"deadline": float("nan")},
    "retries": {"retries": -1},
    "certificates": {"verify": "/nowhere"},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_no_setting_that_cannot_work_shows_a_secret(watch: Watch, name: str) -> None:
    settings: dict[str, Any] = {"api_key": KEY, "base_url": NOBODY} | SETTINGS[name]
    error = watch.failure(lambda: Client(**settings))
    assert type(error) in {ConfigurationError, APIKeyMissingError}


CALLS: Final[dict[str, tuple[type[SMSPartnerError], Callable[[Client], object]]]] = {
    "nobody there": (TransportError, lambda client: client.download("t")),
    "nobody to ask": (TransportError, lambda client: client.status("t")),
    "nobody to wait for": (TransportError, lambda client: client.wait("t", deadline=0.1)),
    "no time": (DeadlineError, lambda client: client.with_options(deadline=1e-9).status("t")),
    "format": (ConfigurationError, lambda client: client.download("t", format="yaml")),
    "no token": (TokenMissingError, lambda client: client.download(" ")),
    "token that is not text": (ConfigurationError, lambda client: client.download("\ud800")),
    "no such folder": (OutputError, lambda client: client.save("t", "/nowhere/body")),
    "limits": (ConfigurationError, lambda _: Limits(body=0)),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("proxy", [None, f"http://me:{SENT}@127.0.0.1:9"], ids=["", "proxy"])
def test_no_call_that_fails_shows_a_secret(watch: Watch, name: str, proxy: str | None) -> None:
    expected, call = CALLS[name]
    proxies = {"http": proxy} if proxy else {}
    with Client(KEY, base_url=NOBODY, retries=1, proxies=proxies) as client:
        assert type(watch.failure(lambda: call(client))) is expected


@pytest.mark.parametrize("target", TARGETS)
def test_no_disk_that_is_full_shows_a_secret(
    sandbox: Sandbox, watch: Watch, tmp_path: Path, target: str
) -> None:
    with Client(KEY, base_url=sandbox.url) as client, disk_that_fills_up(8192):
        calls = ways(client, "n-30000", "json", tmp_path)
        assert type(watch.failure(calls[target])) is OutputError
        assert type(watch.failure(calls["save"])) is OutputError


ODD: Final = {
    "an id of 70 bits": RentedNumber(1 << 70, PHONE, stop_sms=False),
    "a phone that is not text": RentedNumber(1, f"{PHONE}\ud800", stop_sms=False),
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("odd", ODD)
def test_no_number_that_cannot_be_written_shows_a_secret(
    watch: Watch, tmp_path: Path, target: str, odd: str
) -> None:
    batches = [[RentedNumber(1, PHONE, stop_sms=False)], [ODD[odd]]]
    error = watch.failure(lambda: write(batches, tmp_path / target, token="t"))
    assert error is None or type(error) is OutputError


def test_no_database_that_cannot_be_reached_shows_its_password(watch: Watch) -> None:
    batches = [[RentedNumber(1, PHONE, stop_sms=False)]]
    address = f"postgresql://me:{SENT}@127.0.0.1:9/x"
    for call in (
        lambda: check(address, token="t"),
        lambda: write(batches, address, token="t"),
    ):
        assert type(watch.failure(call)) is OutputError


@pytest.mark.parametrize("name", ["stall", "stall-headers", "dribble", "dribble-headers"])
@pytest.mark.parametrize("way", ["download", "save", "status", "n.csv"])
def test_ctrl_c_does_not_show_the_key(
    sandbox: Sandbox, watch: Watch, tmp_path: Path, name: str, way: str
) -> None:
    with Client(KEY, base_url=sandbox.url) as client:
        call = ways(client, f"n-3000.fault-{name}.on-all.drip-0.01", "json", tmp_path)[way]
        error = watch.failure(lambda: interrupted(call), phones=False)
    assert type(error) is KeyboardInterrupt


def interrupted(call: Callable[[], object]) -> None:
    """Make a call, and raise KeyboardInterrupt in its middle, as Ctrl-C would."""
    before = signal.signal(posix_only.SIGALRM, signal.default_int_handler)
    posix_only.setitimer(posix_only.ITIMER_REAL, 0.1)
    try:
        call()
    finally:
        posix_only.setitimer(posix_only.ITIMER_REAL, 0)
        signal.signal(posix_only.SIGALRM, before)


# --- what reports errors --------------------------------------------------------------------------


def in_sentry(error: BaseException) -> str:
    """Return what Sentry would send of an error."""
    sentry = pytest.importorskip("sentry_sdk", reason="sentry-sdk is not installed")
    sent: list[object] = []
    client = sentry.Client(
        "http://k@127.0.0.1:9/1",
        before_send=lambda event, _: sent.append(event),
        default_integrations=False,  # those look at http.client, which sees the address
    )
    with sentry.isolation_scope() as scope:
        scope.set_client(client)
        scope.clear_breadcrumbs()  # other tests let sentry-sdk look at http.client
        sentry.capture_exception(error)
    (event,) = sent
    return str(event)


def in_rich(error: BaseException) -> str:
    """Return what rich prints of an error, variables expanded."""
    shown = io.StringIO()
    trace = Traceback.from_exception(
        type(error), error, error.__traceback__, show_locals=True, width=10_000
    )
    Console(file=shown, width=10_000).print(trace)
    return shown.getvalue()


def in_stackprinter(error: BaseException) -> str:
    """Return what stackprinter prints of an error, objects expanded."""
    reporter = pytest.importorskip("stackprinter", reason="stackprinter is not installed")
    return str(reporter.format(error, source_lines=0, show_vals="all", truncate_vals=100_000))


def in_cgitb_style(error: BaseException) -> str:
    """Return what a reporter shows that goes through every attribute of every object."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return " ".join(text for frame in frames for text in walked(frame.f_locals))


REPORTERS: Final = (in_sentry, in_rich, in_stackprinter, in_cgitb_style)


@pytest.mark.parametrize("report", REPORTERS)
def test_a_reporter_would_show_a_key_in_a_frame(
    report: Callable[[BaseException], str], tmp_path: Path
) -> None:
    source = tmp_path / "x.py"
    source.write_text("def fail(query):\n    raise LookupError")
    names: dict[str, Any] = {}
    exec(compile(source.read_text(), source, "exec"), names)  # noqa: S102 - no frame of the tests
    with pytest.raises(LookupError) as caught:
        names["fail"]({"apiKey": KEY})
    assert secrets_in(report(without_tests(caught.value)))


@pytest.mark.parametrize("report", REPORTERS)
@pytest.mark.parametrize("fault", ["fault-cut-headers.on-all", "fault-garbage.on-all", "fault-cut"])
def test_what_reports_errors_finds_no_secret_in_an_error_of_the_client(
    connect: Connect,
    sandbox: Sandbox,
    tmp_path: Path,
    report: Callable[[BaseException], str],
    fault: str,
) -> None:
    token = f"n-5.{fault}"
    with connect(KEY, base_url=sandbox.url, retries=0) as client:
        calls = ways(client, token, "json", tmp_path)
        calls["wait"] = partial(client.wait, token, deadline=0.1)
        for way in ("download", "stream", "save", *("status", "wait") * ("all" in fault)):
            with pytest.raises(SMSPartnerError) as caught:
                calls[way]()
            assert caught.value.token == token
            assert not secrets_in(report(without_tests(caught.value)))


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("report", REPORTERS)
def test_what_reports_errors_finds_no_secret_where_a_client_cannot_be_made(
    report: Callable[[BaseException], str], kind: type[Client | AsyncClient]
) -> None:
    for settings in SETTINGS.values():
        given: dict[str, Any] = {"api_key": KEY, "base_url": NOBODY} | settings
        with pytest.raises(SMSPartnerError) as caught:
            kind(**given)
        assert not secrets_in(report(without_tests(caught.value)))


# --- all of them ----------------------------------------------------------------------------------


def test_every_kind_of_error_is_among_them() -> None:
    driven = {fate.error for fate in FATES.values()} | {kind for kind, _ in BODIES.values()}
    driven |= {kind for kind, _ in CALLS.values()} | {RentalPendingError, RentalFailedError}
    driven |= {DownloadLostError, DeadlineError}
    assert kinds(SMSPartnerError) <= driven


def kinds(kind: type[SMSPartnerError]) -> set[type[SMSPartnerError]]:
    return set(kind.__subclasses__()).union(*map(kinds, kind.__subclasses__()))
