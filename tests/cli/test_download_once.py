"""``download --once``: a rental is asked for once, however often the command runs."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import posix_only
import pytest

from smspartner import ConfigurationError, OutputError, Sandbox
from smspartner.cli import run
from smspartner.cli.before import missing
from smspartner.cli.left_out import left_in
from smspartner.cli.options import Output
from smspartner.files.journal import NAME, Journal, asked, done, identity
from smspartner.files.many import SavedBodies
from smspartner.files.rows import WriteOptions

ONCE = ["download", "n-10", "-o", "n.csv", "--once"]


pytestmark = pytest.mark.usefixtures("sandbox")


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.chdir(tmp_path)
    with Sandbox(once=True) as running:
        monkeypatch.setenv("SMSPARTNER_API_KEY", running.api_key)
        monkeypatch.setenv("SMSPARTNER_BASE_URL", running.url)
        yield running


def states() -> list[str]:
    return [json.loads(line)["state"] for line in Path(NAME).read_text().splitlines()]


def left_unfinished() -> None:
    """Write the line of a run that was killed long ago."""
    target = Path("n.csv").absolute()
    line = asked(token="n-10", target=str(target), place=True, before=identity(target))
    with Journal(Path()) as journal:
        journal.add(msgspec.structs.replace(line, time=datetime(2001, 1, 1, tzinfo=UTC)))


def test_what_was_downloaded_is_not_asked_for_again(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(ONCE) == 0
    before = len(sandbox.requests)
    assert run(ONCE) == 0
    assert "was downloaded before" in capsys.readouterr().err
    assert run([*ONCE, "-q"]) == 0
    assert capsys.readouterr().err == ""
    assert (len(sandbox.requests), sandbox.downloads("n-10")) == (before, 1)
    assert states() == ["asked", "done"]


@pytest.mark.parametrize("how", ["touched", "added to"])
def test_a_file_that_others_have_changed_since_is_not_the_download_that_was_stopped(
    how: str,
) -> None:
    Path("n.csv").write_text("of last month\n")
    assert run(["download", "n-10", "-q", "-o", "elsewhere.csv"]) == 0
    left_unfinished()
    if how == "touched":
        os.utime("n.csv", (2e9, 2e9))
    else:
        with Path("n.csv").open("a") as file:
            file.write("more\n")

    assert run(ONCE) == 5
    assert states() == ["asked", "failed"]


def test_a_database_that_is_none_any_more_says_nothing_of_a_rental() -> None:
    Path("n.db").write_text("something else, of more than a hundred bytes " * 3)
    entry = done(asked(token="n-10", target="n.db"))
    out = cast("Output", SimpleNamespace(output="n.db"))
    with pytest.raises(ConfigurationError, match=r"cannot read 'n\.db': SQLite says "):
        missing(entry, out, None, {})


def test_the_database_of_a_server_is_not_searched_for_people() -> None:
    assert left_in("", "n-10", ["list.txt"], WriteOptions()) == (
        "without list.txt as it is now: people who must not be written to may be in it "
        "(the database of a server is not read)"
    )


def test_what_was_downloaded_needs_no_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert run(ONCE) == 0
    monkeypatch.delenv("SMSPARTNER_API_KEY")
    assert run(ONCE) == 0


def phones_in(name: str) -> list[str]:
    return [line.split(",")[1] for line in Path(name).read_text().splitlines()[1:]]


@pytest.mark.parametrize("output", ["n.csv", "n.db", "n.xlsx", "n.jsonl", "n.parquet"])
@pytest.mark.parametrize("first", [[], ["--opt-outs", "list.txt"]], ids=["no list", "a list"])
def test_a_file_with_more_people_in_it_than_are_wanted_now_is_not_called_done(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str], output: str, first: list[str]
) -> None:
    sandbox.once = False
    assert run(["download", "n-10", "-o", "all.csv", "-q"]) == 0
    Path("list.txt").write_text("0639989999\n")
    command = ["download", "n-10", "-o", output, "--once", "-q"]
    assert run([*command, *first]) == 0
    Path("list.txt").write_text(f"0639989999\n{phones_in('all.csv')[3]}\n")
    requests = len(sandbox.requests)

    for _ in range(2):
        assert run([*command, "--opt-outs", "list.txt"]) == 4
        said = capsys.readouterr().err
        assert (
            "before, without list.txt as it is now: 1 number in it must not be written to" in said
        )
        assert phones_in("all.csv")[3] not in said

    assert run(command) == 0  # with fewer lists, as before
    assert len(sandbox.requests) == requests


def test_an_export_that_does_not_say_who_has_opted_out_is_not_called_done_without_them(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("n.csv").write_text("id,phone\n1,+33639980001\n")
    line = asked(token="n-10", target=str(Path("n.csv").absolute()), place=True)
    with Journal(Path()) as journal:
        journal.add(done(line))
    assert run([*ONCE, "-q", "--exclude-stop"]) == 4
    said = capsys.readouterr().err
    assert "without --exclude-stop: people who must not be written to may be in it" in said
    assert "it has no column stop_sms" in said
    Path("n.csv").write_text("not an export")
    assert run([*ONCE, "-q", "--exclude-stop"]) == 4
    assert sandbox.requests == []


def test_the_same_list_under_another_name_is_the_same(tmp_path: Path) -> None:
    Path("list.txt").write_text("0639980001\n")
    assert run([*ONCE, "-q", "--opt-outs", "list.txt"]) == 0
    Path("n.csv").write_text("with nothing to look into")
    assert run([*ONCE, "-q", "--opt-outs", f"{tmp_path}/list.txt"]) == 0
    Path("list.txt").rename("moved.txt")
    assert run([*ONCE, "-q", "--opt-outs", "moved.txt"]) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="no named pipes there")
def test_a_list_of_which_nothing_is_known_is_looked_for_in_the_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("list.txt").write_text("0639989999\n")
    assert run([*ONCE, "-q", "--opt-outs", "list.txt"]) == 0
    lines = Path(NAME).read_text()  # of an older version, without digests
    Path(NAME).write_text(re.sub(" sha256:[0-9a-f]+", "", lines))
    assert run([*ONCE, "-q", "--opt-outs", "list.txt"]) == 0
    assert states() == ["asked", "done", "done"]

    for phone, code in (("0639989999", 0), (phones_in("n.csv")[0], 4)):
        posix_only.mkfifo("pipe")
        with ThreadPoolExecutor(1) as other:
            other.submit(Path("pipe").write_text, f"{phone}\n")
            assert run([*ONCE, "-q", "--opt-outs", "pipe"]) == code
        Path("pipe").unlink()
    assert "without pipe as it is now: 1 number" in capsys.readouterr().err


def test_a_file_with_people_to_leave_out_is_written_anew_from_a_kept_body(
    sandbox: Sandbox,
) -> None:
    assert run([*ONCE, "-q", "--raw", "body.json"]) == 0
    first, *others = phones_in("n.csv")
    Path("list.txt").write_text(f"{first}\n")
    assert run([*ONCE, "-q", "--opt-outs", "list.txt"]) == 0
    assert phones_in("n.csv") == others
    assert sandbox.downloads("n-10") == 1


@pytest.mark.parametrize(
    ("token", "code"), [("unknown", 5), ("n-10.declared-7", 7)], ids=["refused", "count"]
)
def test_what_failed_for_good_fails_again_with_the_same_words(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str], token: str, code: int
) -> None:
    command = ["download", token, "-o", "n.csv", "--once"]
    assert run(command) == code
    first = capsys.readouterr().err.splitlines()
    before = len(sandbox.requests)
    assert run(command) == code
    again = capsys.readouterr().err.splitlines()
    (more,) = [line for line in again if line not in first]
    assert [line for line in again if line != more] == first
    assert "nothing was asked now (--once)" in more
    assert len(sandbox.requests) == before


@pytest.mark.parametrize("quiet", [True, False])
def test_what_is_not_ready_is_asked_for_again(
    sandbox: Sandbox,
    capsys: pytest.CaptureFixture[str],
    quiet: bool,  # noqa: FBT001 - a case
) -> None:
    command = ["download", "n-10.pace-60", "-o", "n.csv", "--once", "--wait", "--deadline=0.2"]
    command += ["-q"] if quiet else []
    for _ in range(2):
        before = len(sandbox.requests)
        assert run(command) == 8
        assert len(sandbox.requests) > before
    assert (capsys.readouterr().err == "") is quiet


def test_a_wrong_key_is_no_end(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMSPARTNER_API_KEY", "wrong")
    assert run(ONCE) == 4
    monkeypatch.setenv("SMSPARTNER_API_KEY", sandbox.api_key)
    assert run(ONCE) == 0
    assert states() == ["asked", "failed", "asked", "done"]


def test_a_stopped_run_that_was_not_counted_asks(sandbox: Sandbox) -> None:
    left_unfinished()
    assert run(ONCE) == 0
    assert sandbox.downloads("n-10") == 1
    assert states() == ["asked", "asked", "done"]


def test_a_stopped_run_that_was_counted_is_lost(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["download", "n-10", "-q", "-o", "elsewhere.csv"]) == 0
    left_unfinished()
    for _ in range(2):
        assert run(ONCE) == 5
        assert "rental n-10: its download of 2001-" in capsys.readouterr().err
    assert sandbox.downloads("n-10") == 1
    assert states() == ["asked", "failed"]


def test_a_stopped_run_whose_numbers_are_there_is_done(sandbox: Sandbox) -> None:
    Path("n.csv").write_text("an older one")
    left_unfinished()
    assert run(["download", "n-10", "-q", "-o", "n.csv"]) == 0
    assert run(ONCE) == 0
    assert sandbox.downloads("n-10") == 1
    assert states() == ["asked", "done"]


def test_a_file_that_another_rental_has_written_since_does_not_count() -> None:
    left_unfinished()
    assert run(["download", "n-10", "-q", "-o", "elsewhere.csv"]) == 0
    assert run(["download", "n-20", "-q", "-o", "n.csv", "--once"]) == 0
    assert run(ONCE) == 5


def test_a_database_proves_nothing() -> None:
    assert run(["download", "n-10", "-q", "-o", "n.db", "--once"]) == 0
    line = Path(NAME).read_text().splitlines()[0]
    Path(NAME).write_text(line + "\n")
    assert run(["download", "n-10", "-q", "-o", "n.db", "--once", "--timeout", "0.1"]) == 5


def test_the_first_request_gets_time_to_be_counted() -> None:
    started = time.monotonic()  # before the line, whose time the pause is counted from
    with Journal(Path()) as journal:
        journal.add(asked(token="n-10"))
    assert run([*ONCE, "--timeout", "0.5"]) == 0
    assert time.monotonic() - started >= 0.5


def test_two_runs_at_once_ask_once(sandbox: Sandbox, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "smspartner", "download", "n-20000", "-q", "--once"]
    both = [subprocess.Popen([*command, "-o", "n.csv"], cwd=tmp_path) for _ in range(2)]
    codes = sorted(process.wait(timeout=60) for process in both)
    assert codes in ([0, 0], [0, 8])
    assert sandbox.downloads("n-20000") == 1


def test_the_journal_is_not_written_over(sandbox: Sandbox) -> None:
    assert run(["download", "n-10", "-q", "--to", "csv", "-o", NAME, "--once"]) == 4
    assert sandbox.requests == []


@pytest.mark.parametrize("output", [[], ["-o", "-"], ["-o", "/dev/stdout"], ["-o", "/dev/null"]])
def test_what_the_next_run_could_not_find_is_refused_before_anything_is_asked(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str], output: list[str]
) -> None:
    more = ["--to", "csv", "--once", "--opt-outs-account", "-q"]
    assert run(["download", "n-10", *output, *more]) == 4
    assert "--once needs a place where the next run finds the numbers" in capsys.readouterr().err
    assert sandbox.requests == []


def test_a_file_that_another_rental_is_in_by_now_is_not_called_done(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*ONCE, "-q"]) == 0
    assert run(["download", "unknown", "-o", "n.csv", "--once", "-q"]) == 5
    assert run([*ONCE, "-q"]) == 0  # a failure has changed nothing
    assert run(["download", "n-20", "-o", "n.csv", "--once", "-q"]) == 0
    capsys.readouterr()

    assert run([*ONCE, "-q"]) == 4

    said = capsys.readouterr().err
    assert "rental n-10: it was downloaded before and written to" in said
    assert "which the rental n-20 was written to since" in said
    assert "nothing was asked for again" in said
    assert run(["download", "n-20", "-o", "n.csv", "--once", "-q"]) == 0
    assert sandbox.downloads("n-10") == 1


@pytest.mark.parametrize("first", ["n.csv", "n.db", "sqlite:///n.db"])
@pytest.mark.parametrize("then", ["the same", "o.parquet", "o.db"])
def test_a_rental_that_is_not_where_it_is_wanted_is_not_called_done(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str], first: str, then: str
) -> None:
    assert run(["download", "n-10", "-o", first, "--once", "-q"]) == 0
    if then == "the same":
        Path(first.removeprefix("sqlite:///")).unlink()
    requests = len(sandbox.requests)

    assert run(["download", "n-10", "-o", first if then == "the same" else then, "--once"]) == 4

    said = capsys.readouterr().err
    assert ("which is not there any more" if then == "the same" else f"not to '{then}'") in said
    assert len(sandbox.requests) == requests
    assert not Path(then).exists()


def test_a_database_without_the_rental_is_not_called_done() -> None:
    command = ["download", "n-10", "-o", "n.db", "--once", "-q"]
    assert run(command) == 0
    assert run(command) == 0
    Path("n.db").unlink()
    assert run(["download", "n-0", "-o", "n.db", "-q"]) == 0
    assert run(command) == 4
    Path("n.db").write_text("something else, longer than the head of a database" * 20)
    assert run(command) == 1


def test_the_same_place_by_another_name_is_the_same(tmp_path: Path) -> None:
    assert run(["download", "n-10", "-o", "n.db", "--once", "-q"]) == 0
    assert run(["download", "n-10", "-o", f"sqlite:///{tmp_path}/n.db", "--once", "-q"]) == 0
    assert run([*ONCE, "-q"]) == 4
    assert run(["download", "n-20", "-o", "m.csv", "--once", "-q"]) == 0
    assert run(["download", "n-20", "-o", f"{tmp_path}/m.csv", "--once", "-q"]) == 0


def test_a_body_that_was_kept_gives_the_numbers_again(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*ONCE, "-q", "--raw", "body.json"]) == 0
    first = Path("n.csv").read_bytes()
    Path("n.csv").unlink()
    requests = len(sandbox.requests)

    assert run([*ONCE, "--provenance"]) == 0
    assert "10 numbers written to n.csv" in capsys.readouterr().err
    assert Path("n.csv").read_bytes() == first
    assert json.loads(Path("n.csv.provenance.json").read_text())["count"] == 10
    for output in ("o.jsonl", "o.db"):
        assert run(["download", "n-10", "-o", output, "--once", "-q"]) == 0
        assert Path(output).exists()
        assert run(["download", "n-10", "-o", output, "--once"]) == 0
        assert "was downloaded before" in capsys.readouterr().err

    assert Path("body.json").exists()
    assert len(sandbox.requests) == requests


@pytest.mark.parametrize("change", ["another", "cut"])
def test_a_body_that_is_not_the_one_of_then_is_not_taken_for_it(
    capsys: pytest.CaptureFixture[str], change: str
) -> None:
    assert run([*ONCE, "-q", "--raw", "body.json"]) == 0
    Path("n.csv").unlink()
    body = Path("body.json").read_bytes()
    Path("body.json").write_bytes(body + b" " if change == "another" else b"{")
    assert run([*ONCE, "-q"]) == 4
    assert "which is not there any more" in capsys.readouterr().err
    assert not Path("n.csv").exists()


def test_a_file_in_which_another_rental_is_is_not_written_over_from_a_kept_body() -> None:
    assert run([*ONCE, "-q", "--raw", "body.json"]) == 0
    assert run(["download", "n-20", "-o", "n.csv", "--once", "-q"]) == 0
    before = Path("n.csv").read_bytes()
    assert run([*ONCE, "-q"]) == 4
    assert Path("n.csv").read_bytes() == before


def locked(numbers: Any, *_: object, **__: object) -> None:
    if not isinstance(numbers, SavedBodies):
        deque(numbers, maxlen=0)
    raise OutputError("the database is locked")


@pytest.mark.parametrize("output", ["n.csv", "n.db"])
@pytest.mark.parametrize("raw", [[], ["--raw", "body.json"]], ids=["copy", "raw"])
def test_a_body_whose_numbers_could_not_be_written_is_finished_with_by_the_next_run(
    sandbox: Sandbox,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    output: str,
    raw: list[str],
) -> None:
    command = ["download", "n-10", "-o", output, "--once", "-q", "--exclude-stop", *raw]
    with monkeypatch.context() as patch:
        patch.setattr("smspartner.cli.transfer.write_rows", locked)
        patch.setattr("smspartner.cli.download_once.write_rows", locked)
        for _ in range(2):
            assert run(command) == 1
            assert "the database is locked" in capsys.readouterr().err
    body = Path(raw[1] if raw else f"{output}.body.json")
    assert body.exists()
    requests = len(sandbox.requests)

    for _ in range(2):
        assert run(command) == 0

    assert body.exists() == bool(raw)
    assert run(["inspect", output, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["opted_out"] == 0
    assert len(sandbox.requests) == requests
    assert states() == ["asked", "failed", "done"]


@pytest.mark.parametrize("once", [[], ["--once"]])
def test_the_command_that_writes_a_kept_body_is_named_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, once: list[str]
) -> None:
    Path("a list.txt").write_text("0639989999\n")
    options = ["--columns", "id,phone,stop_sms", "--e164", "--opt-outs", "a list.txt"]
    options += ["--opt-outs-account"]
    with monkeypatch.context() as patch:
        patch.setattr("smspartner.cli.transfer.write_rows", locked)
        assert run(["download", "n-10", "-o", "n.db", "-q", *options, *once]) == 1
    said = capsys.readouterr().err
    assert ("run this again" in said) is bool(once)
    (command,) = re.findall("to read it later: smspartner (.*)", said)

    assert run(shlex.split(command)) == 0

    assert run(["inspect", "n.db", "--json", "--token", "n-10"]) == 0
    assert json.loads(capsys.readouterr().out)["numbers"] == 10


def test_numbers_that_another_rental_was_written_over_are_not_written_over_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("smspartner.cli.transfer.write_rows", locked)
        assert run([*ONCE, "-q"]) == 1
    assert run(["download", "n-20", "-o", "n.csv", "--once", "-q"]) == 0
    capsys.readouterr()
    assert run([*ONCE, "-q"]) == 1
    assert "the database is locked" in capsys.readouterr().err
    assert len(phones_in("n.csv")) == 20
