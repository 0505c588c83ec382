"""A download that is killed, or told to stop, at any moment: the old file, or the whole new one.

Each round is a process of its own that is really killed, beside a service in another process. Old
files stand under both names, of the numbers and of the raw body; a body replaces none.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import posix_only
import pytest
from killing import Ended, Forks

from smspartner import RentedNumber
from smspartner.sandbox import render
from smspartner.sandbox.people import numbers_of

COUNT: Final = 20_000
OLD: Final = b"what was there before"
DOWNLOAD: Final = ["download", f"n-{COUNT}", "-o", "n.csv", "--raw", "body.json"]
#: More steps on files than a download makes.
MOST: Final = 40

STOPS: Final = {signal.SIGINT: 130, signal.SIGTERM: 143, posix_only.SIGHUP: 129}


def line(number: RentedNumber) -> str:
    return f"{number.id},{number.phone},{str(number.stop_sms).lower()}\n"


@pytest.fixture(scope="module")
def whole() -> dict[str, bytes]:
    """Return the content of each file once it is complete."""
    lines = ["id,phone,stop_sms\n", *map(line, numbers_of(0, COUNT))]
    return {"n.csv": "".join(lines).encode(), "body-2.json": b"".join(render(COUNT, "json"))}


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    """Return what runs command lines that know a service in a process of its own."""
    command = [sys.executable, "-m", "smspartner", "sandbox"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout
        lines = [service.stdout.readline() for _ in range(3)]
        settings = dict(each.removeprefix("export ").strip().split("=") for each in lines[:2])
        with Forks({**os.environ, **settings}) as running:
            yield running
        service.terminate()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return renewed(tmp_path)


def renewed(folder: Path) -> Path:
    """Return a folder with nothing in it but the two old files."""
    for path in folder.iterdir():
        path.unlink()
    for name in ("n.csv", "body.json"):
        (folder / name).write_bytes(OLD)
    return folder


def moments(forks: Forks, folder: Path, rounds: int) -> Iterator[float]:
    """Yield random moments in the life of a download, or shortly after it."""
    chance = random.Random(rounds)
    life = min(forks.run(DOWNLOAD, folder).seconds for _ in range(3))
    for _ in range(rounds):
        yield chance.uniform(0, 1.1) * life


def assert_old_or_whole(folder: Path, whole: dict[str, bytes]) -> dict[str, bool]:
    """Check both files, and return which of them is new."""
    assert (folder / "body.json").read_bytes() == OLD
    numbers = (folder / "n.csv").read_bytes()
    assert numbers in {OLD, whole["n.csv"]}
    return {"n.csv": numbers != OLD, "body-2.json": (folder / "body-2.json").exists()}


def other_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name not in {"n.csv", "body.json"})


def assert_killed_cleanly(folder: Path, whole: dict[str, bytes]) -> dict[str, bool]:
    """Check that nothing but hidden, private, unfinished files stands beside the two."""
    new = assert_old_or_whole(folder, whole)
    others = other_names(folder)
    if new["body-2.json"]:
        # The body is on disk before the numbers, and is given its name after them.
        assert new["n.csv"]
        others.remove("body-2.json")
        # A name is claimed by an empty file that is replaced.
        assert (folder / "body-2.json").read_bytes() in {b"", whole["body-2.json"]}
    for name in others:
        assert name.startswith(".smspartner-")
        assert name.endswith(".part")
        assert (folder / name).stat().st_mode & 0o777 == 0o600
    return new


def assert_stopped_cleanly(folder: Path, whole: dict[str, bytes], ended: Ended, code: int) -> None:
    """Check that a stop says how it ended and leaves no hidden file."""
    others = other_names(folder)
    new = assert_old_or_whole(folder, whole)
    assert "Traceback" not in ended.words
    if ended.code == 0:
        assert all(new.values())
        assert others == ["body-2.json"]
    else:
        assert ended.code == code
        # What arrived of the body is kept: a download may not be repeatable (fact A4).
        assert set(others) <= {"body.json.incomplete", "body-2.json"}
        for name in others:
            assert whole["body-2.json"].startswith((folder / name).read_bytes())
            assert f"is kept in {name}" in ended.words


@pytest.mark.parametrize(
    "rounds",
    [20, pytest.param(200, marks=pytest.mark.slow), pytest.param(300, marks=pytest.mark.soak)],
    ids=lambda rounds: f"{rounds} times",
)
def test_kill_9_at_any_moment_leaves_the_old_file_or_the_whole_new_one(
    forks: Forks, folder: Path, whole: dict[str, bytes], rounds: int
) -> None:
    ends = []
    for moment in moments(forks, folder, rounds):
        ended = forks.run(DOWNLOAD, renewed(folder), posix_only.SIGKILL, after=moment)
        assert ended.code in {0, -posix_only.SIGKILL}
        assert_killed_cleanly(folder, whole)
        ends.append(ended.code)
    # Or the moments were all too late.
    assert ends.count(-posix_only.SIGKILL) > rounds // 2


@pytest.mark.parametrize("number", [posix_only.SIGKILL, *STOPS], ids=lambda number: number.name)
def test_a_download_can_end_before_each_of_its_steps_on_files(
    forks: Forks, folder: Path, whole: dict[str, bytes], number: signal.Signals
) -> None:
    seen = []
    for step in range(1, MOST):
        ended = forks.run(DOWNLOAD, renewed(folder), number, before=step)
        if ended.code == 0:
            break
        if number is posix_only.SIGKILL:
            assert ended.code == -number
            seen.append(assert_killed_cleanly(folder, whole))
        else:
            assert_stopped_cleanly(folder, whole, ended, STOPS[number])
            seen.append(assert_old_or_whole(folder, whole))
    else:
        pytest.fail("the download has more steps than it should")
    # It is killed in all three: before the numbers are there, between them and the body, after.
    assert [sum(new.values()) for new in seen] == sorted(sum(new.values()) for new in seen)
    assert {sum(new.values()) for new in seen} >= {0, 1}


@pytest.mark.parametrize(
    "times", [1, pytest.param(5, marks=pytest.mark.slow)], ids=["once", "with impatience"]
)
@pytest.mark.parametrize("number", STOPS, ids=lambda number: number.name)
def test_a_stop_at_any_moment_leaves_no_half_file_and_no_hidden_one(
    forks: Forks, folder: Path, whole: dict[str, bytes], number: signal.Signals, times: int
) -> None:
    for moment in moments(forks, folder, 15 if times > 1 else 8):
        ended = forks.run(DOWNLOAD, renewed(folder), number, after=moment, times=times)
        if ended.code == -number:  # it came before the command line had begun, or when it had ended
            ended = ended._replace(code=STOPS[number])  # as a shell reports it
        assert_stopped_cleanly(folder, whole, ended, STOPS[number])


def test_what_a_kill_9_has_left_is_named_by_the_next_run(forks: Forks, folder: Path) -> None:
    for step in range(1, MOST):
        forks.run(DOWNLOAD, renewed(folder), posix_only.SIGKILL, before=step)
        hidden = [name for name in other_names(folder) if name.endswith(".part")]
        said = forks.run(["download", "n-3", "-q", "-o", "n.csv"], folder).words
        assert len(said.splitlines()) == len(hidden)
        for name in hidden:
            body = name.endswith(".body.part")
            assert (f"inspect {name}" if body else f"delete it: rm {name}") in said
        if len(hidden) == 2:
            return
    pytest.fail("there is never an unfinished body and an unfinished export")


def test_a_save_that_is_stopped_says_where_its_body_is(forks: Forks, folder: Path) -> None:
    for step in range(1, MOST):
        command = ["save", f"n-{COUNT}", "-o", "new.json"]
        ended = forks.run(command, renewed(folder), signal.SIGTERM, before=step)
        if ended.code == 0:
            break
        assert ended.code == 143
        assert all(f"is kept in {name}" in ended.words for name in other_names(folder))
    assert (folder / "new.json").exists()


@pytest.mark.slow
@pytest.mark.parametrize("number", [posix_only.SIGKILL, *STOPS], ids=lambda number: number.name)
def test_a_workbook_that_is_stopped_leaves_the_old_one_and_no_folder(
    forks: Forks, tmp_path: Path, number: signal.Signals
) -> None:
    """Its temporary files are many: each thirteenth step on files is enough."""
    pytest.importorskip("xlsxwriter", reason="the extra excel is not installed")
    left = set()
    for step in range(4, 200, 13):
        for path in tmp_path.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        (tmp_path / "n.xlsx").write_bytes(OLD)
        ended = forks.run(["download", "n-3", "-o", "n.xlsx"], tmp_path, number, before=step)
        if ended.code == 0:
            break
        assert ended.code == (STOPS.get(number, -number))
        content = (tmp_path / "n.xlsx").read_bytes()
        assert content == OLD or content.startswith(b"PK")
        hidden = sorted(path.name for path in tmp_path.glob(".*") if path.is_dir())
        left.update(hidden)
        if number is posix_only.SIGKILL and hidden:
            said = forks.run(["download", "n-3", "-q", "-o", "n.xlsx"], tmp_path).words
            assert f"delete it: rm -r {hidden[0]}" in said
        elif number is not posix_only.SIGKILL:
            assert not list(tmp_path.glob(".*"))
    else:
        pytest.fail("the download has more steps than it should")
    assert bool(left) == (number is posix_only.SIGKILL)
