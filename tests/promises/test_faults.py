"""Each fault between service and caller: what the caller gets, and what is on disk afterwards."""

from __future__ import annotations

import re
import stat
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest
from fault_table import FATES, PAGE, ROOT, Fate, made, table
from twin import Connect

from smspartner import Client, RentalState, RentedNumber, Sandbox, SMSPartnerError
from smspartner.cli import run
from smspartner.sandbox import FAULTS, render
from smspartner.transport import retry

OLD: Final = b"what was there before"
MIB: Final = 1 << 20
SANDBOX: Final = {"numbers": 3000, "drip": 0.0002, "bomb": 8 * MIB, "retry_after": "0"}

every_fault = pytest.mark.parametrize(
    ("name", "form"),
    [pytest.param(name, form, id=f"{form}:{name}") for name in FATES for form in ("json", "xml")],
)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    # How long the pauses between attempts are is a matter of transport/test_retry.py.
    monkeypatch.setattr(retry, "LONGEST_BACKOFF", 0.0)


def client(connect: Connect, sandbox: Sandbox, fate: Fate, retries: int = 0) -> Client:
    return connect(
        sandbox.api_key,
        base_url=sandbox.url,
        timeout=fate.silence,
        deadline=fate.deadline,
        retries=retries,
    )


def token(name: str, label: str, more: str = "") -> str:
    """Return the token of a rental of its own: 3,000 numbers, few where bytes come one by one."""
    count = 2 if "dribble" in name else 3000
    return f"n-{count}.fault-{name}{more}.as-{label}"


def body_of(rental: str, form: str) -> bytes:
    count = int(rental.removeprefix("n-").partition(".")[0])
    return b"".join(render(count, form))


def assert_told(error: SMSPartnerError, fate: Fate) -> None:
    seen = (type(error), error.retryable, error.http_status)
    assert seen == (fate.error, fate.retryable, fate.status)
    assert fate.words in str(error)
    assert "\n" not in str(error)


def assert_kept(path: Path, rental: str, form: str, kept: str) -> None:
    """Check that what was kept of a body is private and, from its first byte on, the body."""
    body, whole = path.read_bytes(), body_of(rental, form)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    if kept == "all":
        assert body == whole
    else:
        if body.startswith(b"\x1f\x8b"):  # gzip without a good end is kept as it came
            body = zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(body, len(whole) + MIB)
        # A bomb is the whole body and white space without end.
        assert body.rstrip() == whole[: len(body)].rstrip()
        assert 0 < len(body) < len(whole) + 2 * MIB


def files_in(folder: Path) -> dict[str, Path]:
    return {path.name: path for path in folder.iterdir()}


def test_every_fault_of_the_sandbox_has_a_fate() -> None:
    assert {name.partition(".")[0] for name in FATES} == set(FAULTS)


@every_fault
def test_download_gives_all_numbers_or_one_clear_error(
    connect: Connect, sandbox: Sandbox, name: str, form: str
) -> None:
    fate, rental = FATES[name], token(name, f"download-{form}-{connect.__name__}")
    with client(connect, sandbox, fate) as service:
        if fate.error is None:
            found = service.download(rental, format=form)
            assert found.numbers == tuple(sandbox.expected(rental))
            return
        with pytest.raises(SMSPartnerError) as caught:
            service.download(rental, format=form)
    assert_told(caught.value, fate)
    assert (sandbox.state(rental) is RentalState.DOWNLOADED) is fate.recorded


@every_fault
def test_a_stream_hands_out_right_numbers_up_to_the_error(
    connect: Connect, sandbox: Sandbox, name: str, form: str
) -> None:
    fate, rental = FATES[name], token(name, f"stream-{form}-{connect.__name__}")
    expected = list(sandbox.expected(rental))
    found: list[RentedNumber] = []
    failure: SMSPartnerError | None = None
    try:
        with (
            client(connect, sandbox, fate) as service,
            service.stream(rental, format=form) as stream,
        ):
            found += [number for batch in stream.batches() for number in batch]
    except SMSPartnerError as error:
        failure = error
    assert found == expected[: len(found)]
    if failure is None:
        assert fate.error is None
        assert len(found) == len(expected)
    else:
        assert_told(failure, fate)


@every_fault
def test_save_leaves_the_file_that_was_there_and_keeps_what_came_beside_it(
    connect: Connect, sandbox: Sandbox, tmp_path: Path, name: str, form: str
) -> None:
    fate, rental = FATES[name], token(name, f"save-{form}-{connect.__name__}")
    path = tmp_path / "body"
    path.write_bytes(OLD)
    with client(connect, sandbox, fate) as service:
        if fate.error is None:
            service.save(rental, path, format=form)
        else:
            with pytest.raises(fate.error) as caught:
                service.save(rental, path, format=form)
            assert_told(caught.value, fate)
    assert path.read_bytes() == OLD
    left = files_in(tmp_path)
    names = {"nothing": ["body"], "part": ["body", "body.incomplete"], "all": ["body", "body-2"]}
    assert sorted(left) == names[fate.kept]
    if fate.kept != "nothing":
        assert_kept(left[names[fate.kept][-1]], rental, form, fate.kept)


@every_fault
def test_the_command_line_says_one_line_and_names_what_it_kept(
    sandbox: Sandbox, service: Path, capsys: pytest.CaptureFixture[str], name: str, form: str
) -> None:
    fate, rental = FATES[name], token(name, f"cli-{form}")
    Path("n.csv").write_bytes(OLD)
    limits = ["--timeout", str(fate.silence), "--deadline", str(fate.deadline)]

    code = run(["download", rental, "--format", form, "-o", "n.csv", *limits])

    assert code == fate.exit
    shown = capsys.readouterr()
    assert shown.out == ""
    left = files_in(service)
    target = left.pop("n.csv")
    if fate.error is None:
        assert target.read_bytes().count(b"\n") == 1 + sum(1 for _ in sandbox.expected(rental))
        assert not left
        return
    said, *kept = [line for line in shown.err.splitlines() if "trying again" not in line]
    assert fate.words in said
    assert target.read_bytes() == OLD
    if fate.kept == "nothing":
        assert (kept, left) == ([], {})
        return
    (body,) = left.values()
    assert body.name == f"n.csv.body.{form}.incomplete"
    assert kept == [f"smspartner: what came of the body is kept in {body.name}"]
    assert_kept(body, rental, form, fate.kept)


@every_fault
def test_the_client_asks_again_by_itself_only_for_what_was_not_counted(
    connect: Connect, sandbox: Sandbox, name: str, form: str
) -> None:
    fate, rental = FATES[name], token(name, f"again-{form}-{connect.__name__}", more=".times-1")
    with client(connect, sandbox, fate, retries=1) as service:
        if fate.healed or fate.error is None:
            assert len(service.download(rental, format=form)) == len(list(sandbox.expected(rental)))
        else:
            with pytest.raises(fate.error):
                service.download(rental, format=form)
    asked = [
        request
        for request in sandbox.requests
        if request.token == rental and request.path.endswith("download")
    ]
    assert len(asked) == 1 + fate.healed
    assert sandbox.downloads(rental) <= 1


@every_fault
def test_no_fault_makes_the_client_download_a_rental_twice(
    connect: Connect, sandbox: Sandbox, name: str, form: str
) -> None:
    fate, rental = FATES[name], token(name, f"twice-{form}-{connect.__name__}")
    with client(connect, sandbox, fate, retries=3) as service, suppress(SMSPartnerError):
        service.download(rental, format=form)
    assert sandbox.downloads(rental) <= 1


def test_what_is_safe_to_run_again_had_no_byte_of_a_body() -> None:
    for fate in FATES.values():
        if fate.retryable:
            assert (fate.kept, fate.exit, fate.recorded) == ("nothing", 6, False)
        else:
            assert fate.exit != 6


def test_the_docs_show_this_table() -> None:
    page = PAGE.read_text()
    assert table() in page, "python tests/support/fault_table.py"
    assert made(page) == page


@pytest.mark.parametrize("page", ["docs/faults.md", "docs/promises.md", "SECURITY.md"])
def test_every_test_that_a_page_names_is_there(page: str) -> None:
    named = re.findall(r"((?:[\w]+/)*test_\w+\.py)(?:::(\w+))?", (ROOT / page).read_text())
    missing = [
        f"{file}::{test}"
        for file, test in named
        if not (ROOT / "tests" / file).exists()
        or f"def {test}" not in (ROOT / "tests" / file).read_text()
    ]
    assert not missing
    assert named or page == "SECURITY.md"
