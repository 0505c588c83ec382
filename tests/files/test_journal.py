"""The journal: one line before a request and one after it, for several processes, never misread."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import pytest
from number_files import mode_of

from smspartner.errors import (
    AccountError,
    APIError,
    APIKeyInvalidError,
    ConfigurationError,
    DecodeError,
    DownloadLostError,
    OutputError,
    RedirectError,
    RentalFailedError,
    RentalNotFoundError,
    RentalPendingError,
    RentalUsedError,
    SMSPartnerError,
    TransportError,
    TruncatedError,
)
from smspartner.files.journal import NAME, Journal, asked


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / NAME).read_bytes().splitlines()]


def failing(error: BaseException) -> Callable[[], NoReturn]:
    """Return what asks for a rental, and fails."""

    def fetch() -> NoReturn:
        raise error

    return fetch


def test_a_download_is_a_line_before_and_a_line_after(tmp_path: Path) -> None:
    target = tmp_path / "n.csv"
    facts = {"rows": 3, "sha256": "ab", "size": 10, "format": "json", "declared": 3}
    seen: list[dict[str, object]] = []
    with Journal(tmp_path) as journal:

        def fetch() -> dict[str, Any]:
            seen.extend(lines(tmp_path))
            return facts

        entry = journal.asking("T", str(target), target, fetch)
        assert entry == journal.last("T")
    _, after = lines(tmp_path)
    (before,) = seen
    assert mode_of(tmp_path / NAME) == 0o600
    assert before.pop("time")
    shared = {"schema": 1, "token": "T", "target": str(target), "place": True}
    assert before == {"state": "asked", **shared}
    assert after.pop("time")
    assert after == {"state": "done", **shared, **facts}


def test_the_file_is_closed_with_the_journal(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        descriptor = journal._descriptor
        assert os.fstat(descriptor).st_size == 0
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        os.fstat(descriptor)


def test_the_file_is_closed_where_a_line_of_it_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / NAME).write_text("{}\n")
    closed: list[int] = []
    monkeypatch.setattr("smspartner.files.journal.os.close", closed.append)
    journal = Journal(tmp_path)
    with pytest.raises(OutputError):
        journal.__enter__()
    monkeypatch.undo()
    (descriptor,) = closed
    assert os.fstat(descriptor).st_size == 3
    os.close(descriptor)


def test_a_body_of_any_name_can_be_taken(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.json")  # no UTF-8: the system allows it
    with Journal(tmp_path) as journal, journal.taken(name) as entry:
        assert entry is None


def test_a_line_that_is_still_being_written_is_read_once_it_is_whole(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal, (tmp_path / NAME).open("ab") as other:
        journal.add(asked(token="A", target="t"))
        line = (tmp_path / NAME).read_bytes().replace(b'"A"', b'"B"')
        for part in (line[:20], line[20:]):
            assert list(journal.entries()) == ["A"]
            other.write(part)
            other.flush()
        assert list(journal.entries()) == ["A", "B"]


def test_a_journal_that_is_not_open_writes_nowhere(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(OutputError):
        Journal(tmp_path).add(asked(token="A", target="t"))
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


def test_each_line_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    unmeasured = os.read

    def measured(descriptor: int, size: int) -> bytes:
        read.append(size)
        return unmeasured(descriptor, size)

    with Journal(tmp_path) as journal:
        for token in ("A", "B"):
            journal.add(asked(token=token, target="t"))
        assert list(journal.entries()) == ["A", "B"]
        monkeypatch.setattr(os, "read", measured)
        assert list(journal.entries()) == ["A", "B"]
    assert sum(read) == 0


def test_what_is_known_does_not_change_under_who_looks_at_it(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.add(asked(token="A"))
        for _ in journal.entries().values():  # another thread adds a line, and looks for it
            journal.add(asked(token="B"))
            assert journal.last("B")


def test_a_line_outlasts_a_power_cut_before_anything_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr("smspartner.files.journal.sync", synced.append)
    with Journal(tmp_path) as journal:
        journal.asking("T", "n.csv", None, lambda: {"rows": len(synced)})
        assert journal.entries()["T"].rows == 1
        assert len(synced) == 2
        journal.add_all([asked(token="U")], durable=False)
        assert len(synced) == 2
        assert list(journal.entries()) == ["T", "U"]


@pytest.mark.parametrize(
    "time", ["2026-01-01T12:00:00.125+00:00", "2026-01-01T12:00:00Z", "2026-01-01 13:00:00+01:00"]
)
def test_times_with_a_zone_are_read(tmp_path: Path, time: str) -> None:
    (tmp_path / NAME).write_text(f'{{"schema":1,"time":"{time}","state":"done","token":"T"}}\n')
    with Journal(tmp_path) as journal:
        entry = journal.entries()["T"]
    assert entry.time.replace(microsecond=0) == datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_a_line_is_not_changed(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        entry = journal.add(asked(token="T"))
    with pytest.raises(AttributeError):
        entry.state = "done"  # type: ignore[misc]


def test_the_password_of_a_database_is_not_in_it(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.asking("T", "postgresql://me:secret@host/d", None, dict)
    assert "secret" not in (tmp_path / NAME).read_text()


@pytest.mark.parametrize(
    ("error", "final"),
    [
        (RentalNotFoundError(32), True),
        (RentalUsedError(34), True),
        (RentalFailedError(36), True),
        (DownloadLostError("lost"), True),
        (TransportError("stalled", maybe_received=True), True),
        (RedirectError("elsewhere"), False),
        (TruncatedError("cut"), True),
        (DecodeError("not understood"), True),
        (OutputError("full"), True),
        (APIKeyInvalidError(10), False),
        (AccountError(11), False),
        (AccountError(96), False),
        (RentalPendingError(35), False),
        (APIError(90), False),
        (TransportError("not connected", retryable=True), False),
        (ConfigurationError("wrong"), False),
    ],
    ids=lambda value: f"{type(value).__name__}",
)
def test_which_errors_are_final(tmp_path: Path, error: SMSPartnerError, final: bool) -> None:  # noqa: FBT001 - a case of the test
    error.add_note("the body is kept")
    error.kept = tmp_path / "body"
    with Journal(tmp_path) as journal, pytest.raises(type(error)):
        journal.asking("T", "-", None, failing(error))
    with Journal(tmp_path) as journal:
        entry = journal.entries()["T"]
    assert (entry.state, entry.closed) == ("failed", final)
    assert entry.error == type(error).__name__
    assert entry.text == f"{error}\nthe body is kept"
    assert entry.kept == str(tmp_path / "body")
    assert entry.retryable == error.retryable


def test_what_stops_a_download_leaves_its_line_without_an_end(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal, pytest.raises(KeyboardInterrupt):
        journal.asking("T", "-", None, failing(KeyboardInterrupt()))
    assert [line["state"] for line in lines(tmp_path)] == ["asked"]


def test_lines_of_other_processes_are_read(tmp_path: Path) -> None:
    with Journal(tmp_path) as one, Journal(tmp_path) as other:
        one.add(asked(token="A"))
        assert list(other.entries()) == ["A"]
        one.add(asked(token="B"))
        assert list(other.entries()) == ["A", "B"]


def test_what_is_taken_by_one_process_is_not_taken_by_another(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from smspartner.files.journal import Journal\n"
        "with Journal(Path()) as journal, journal.taken(sys.argv[1]): print('taken')"
    )

    def other(token: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", program, token],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    with Journal(tmp_path) as journal:
        with journal.taken("T") as entry:
            assert entry is None
            assert other("another").stdout == "taken\n"
            assert "another run is at this rental" in other("T").stderr
            with Journal(tmp_path) as second, pytest.raises(RentalPendingError), second.taken("T"):
                raise AssertionError
            assert "another run is at this rental" in other("T").stderr
        assert other("T").stdout == "taken\n"


def test_a_line_that_was_not_finished_is_none_and_the_next_one_begins_anew(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.add(asked(token="A"))
    whole = (tmp_path / NAME).read_bytes()
    for cut in range(1, len(whole)):
        (tmp_path / NAME).write_bytes(whole + whole[:-cut])
        with Journal(tmp_path) as journal:
            journal.add(asked(token="B"))
            assert list(journal.entries()) == ["A", "B"]


def test_a_journal_of_another_version_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text('{"schema":2,"state":"paid","token":"T"}\n')
    with pytest.raises(
        ConfigurationError, match=r"another version of smspartner \(schema 2, not 1"
    ):
        Journal(tmp_path).__enter__()


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        '{"schema":1}',
        "[1}",
        '{"schema":1,"time":"2026-01-01T00:00:00Z","state":"x"}',
        '{"schema":1,"time":"yesterday","state":"asked"}',
        '{"schema":1,"time":"2026-01-01T00:00:00","state":"asked"}',
    ],
)
def test_a_line_that_cannot_be_read_is_refused_in_words(tmp_path: Path, line: str) -> None:
    (tmp_path / NAME).write_text(line + "\n")
    with pytest.raises(OutputError, match=r"a line of the journal .* cannot be read"):
        Journal(tmp_path).__enter__()


def test_a_place_without_a_journal_or_locks_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OutputError, match="its folder does not exist"):
        Journal(tmp_path / "missing").__enter__()

    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    with Journal(tmp_path) as journal:
        monkeypatch.setattr("fcntl.fcntl", no_locks)
        with pytest.raises(OutputError, match="No locks available"), journal.taken("T"):
            raise AssertionError


def test_names_that_are_not_utf_8_can_be_written(tmp_path: Path) -> None:
    target = tmp_path / os.fsdecode(b"num\xe9ros.csv")
    with Journal(tmp_path) as journal:
        journal.asking("T", str(target), target, dict)
    assert lines(tmp_path)[1]["target"] == f"{tmp_path}/num\N{REPLACEMENT CHARACTER}ros.csv"


def test_whatever_is_in_the_words_of_a_failure_can_be_written(tmp_path: Path) -> None:
    error = APIError(90, "caf\udce9")
    error.add_note("the body is kept in caf\udce9, \ud800")
    error.kept = Path("caf\udce9")
    with Journal(tmp_path) as journal, pytest.raises(APIError):
        journal.asking("T", "-", None, failing(error), ("caf\udce9",))
    with Journal(tmp_path) as journal:
        entry = journal.entries()["T"]
    assert entry.text == "caf� (code 90)\nthe body is kept in caf�, �"
    assert (entry.kept, entry.left_out) == (str(Path("caf�").absolute()), ("caf�",))
    assert entry.carried == {"message": "caf�"}


def test_a_thread_that_outlives_the_journal_writes_to_no_other_file(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        pass
    (tmp_path / "other").write_bytes(b"")
    # The file has the number that the journal had.
    with (tmp_path / "other").open("ab"), pytest.raises(OutputError):
        journal.add(asked(token="T"))
    assert (tmp_path / "other").read_bytes() == b""
