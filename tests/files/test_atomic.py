"""Files are whole or absent, and private."""

from __future__ import annotations

import errno
import io
import os
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

import posix_only
import pytest
from number_files import disk_that_fills_up, left_in, mode_of, umask

from smspartner.errors import OutputError
from smspartner.files.atomic import atomic_writer, open_output


def test_a_file_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "numbers.csv"
    with atomic_writer(target) as file:
        file.write(b"id,phone\n")
        file.flush()
        assert not target.exists()
    assert target.read_bytes() == b"id,phone\n"
    assert left_in(tmp_path) == ["numbers.csv"]


def test_a_file_on_its_way_is_hidden_and_private(tmp_path: Path) -> None:
    with umask(0), atomic_writer(tmp_path / "numbers.csv"):
        (part,) = tmp_path.iterdir()
        assert part.name.startswith(".")
        assert part.name.endswith(".part")
        assert mode_of(part) == 0o600
        assert not list(tmp_path.glob("*.csv"))


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_a_failure_leaves_what_was_there_and_nothing_else(
    tmp_path: Path, error: type[BaseException]
) -> None:
    target = tmp_path / "numbers.csv"
    target.write_bytes(b"before")
    with pytest.raises(error), atomic_writer(target) as file:  # noqa: PT012 - writes, then fails
        file.write(b"half" * 1_000_000)
        raise error
    assert target.read_bytes() == b"before"
    assert left_in(tmp_path) == ["numbers.csv"]


@pytest.mark.parametrize("before", [0o644, 0o666, 0o400])
def test_a_file_that_is_replaced_is_private_whatever_it_was(tmp_path: Path, before: int) -> None:
    target = tmp_path / "numbers.csv"
    target.write_bytes(b"before")
    target.chmod(before)
    with umask(0), atomic_writer(target) as file:
        file.write(b"after")
    assert (target.read_bytes(), mode_of(target)) == (b"after", 0o600)


@pytest.mark.parametrize("exists", [True, False], ids=["to a file", "to nothing yet"])
def test_a_symbolic_link_stays_one_and_its_target_is_written(tmp_path: Path, exists: bool) -> None:  # noqa: FBT001 - a case of the test
    folder = tmp_path / "real"
    folder.mkdir()
    real, link = folder / "data.csv", tmp_path / "link.csv"
    if exists:
        real.write_bytes(b"before")
    link.symlink_to(real)
    with atomic_writer(link) as file:
        file.write(b"after")
    assert link.is_symlink()
    assert real.read_bytes() == b"after"
    assert left_in(folder) == ["data.csv"]


def test_a_named_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    posix_only.mkfifo(pipe)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    with atomic_writer(pipe) as file:
        file.write(b"through the pipe")
        assert file.tell() == 16
    reader.join(timeout=10)
    assert received == [b"through the pipe"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_device_is_written_to_and_not_replaced() -> None:
    with atomic_writer("/dev/null") as file:
        file.write(b"gone")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_full_device_is_an_error_that_says_so() -> None:
    with (
        pytest.raises(OutputError, match="cannot write '/dev/full': the disk is full"),
        atomic_writer("/dev/full") as file,
    ):
        file.write(b"x")


def test_an_open_file_of_this_process_is_added_to_and_not_replaced(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        log.write(b"first,")
        log.flush()
        with atomic_writer(f"/dev/fd/{log.fileno()}") as file:
            file.write(b"second")
    assert (tmp_path / "log").read_bytes() == b"first,second"


def test_a_disk_that_fills_up_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "numbers.csv"
    target.write_bytes(b"before")
    with (
        pytest.raises(OutputError, match="larger than allowed here"),
        disk_that_fills_up(65_536),
        atomic_writer(target) as file,
    ):
        file.write(bytes(2_000_000))
    assert target.read_bytes() == b"before"
    assert left_in(tmp_path) == ["numbers.csv"]


def test_an_error_of_the_block_is_not_taken_for_one_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), atomic_writer(tmp_path / "numbers.csv"):
        raise PermissionError("of the source")


def test_a_dash_is_standard_output_after_what_was_printed(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    sys.stdout.write("printed\n")
    with open_output("-") as file:
        file.write(b"written\n")
        assert file.tell() == 8
    sys.stdout.write("after\n")
    sys.stdout.flush()
    assert capfdbinary.readouterr().out == b"printed\nwritten\nafter\n"


def test_standard_output_that_nobody_reads_any_more_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    stream = os.fdopen(writing, "w")
    monkeypatch.setattr(sys, "stdout", stream)
    with (
        pytest.raises(OutputError, match="the program that was reading it has stopped"),
        open_output("-") as file,
    ):
        file.write(b"x" * 100)
    monkeypatch.undo()
    with pytest.raises(BrokenPipeError):
        stream.close()


def test_standard_output_that_takes_text_only_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    with pytest.raises(OutputError, match="takes text only"):
        open_output("-").__enter__()


def test_closed_standard_output_takes_no_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(OutputError, match="it is closed; give a file name"), open_output("-"):
        raise AssertionError


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP])
def test_a_network_drive_that_cannot_sync_takes_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def cannot(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", cannot)
    with atomic_writer(tmp_path / "numbers.csv") as file:
        file.write(b"whole")
    assert (tmp_path / "numbers.csv").read_bytes() == b"whole"


def test_a_disk_that_fails_to_sync_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fails)
    with (
        pytest.raises(OutputError, match="Input/output error"),
        atomic_writer(tmp_path / "numbers.csv") as file,
    ):
        file.write(b"whole")
    assert left_in(tmp_path) == []


def test_a_finished_file_whose_name_cannot_be_had_stays_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "it's.csv"
    with (  # noqa: PT012 - written to while a folder takes the place
        pytest.raises(OutputError, match="it is a folder") as caught,
        atomic_writer(target) as file,
    ):
        file.write(b"whole")
        target.mkdir()
    assert caught.value.__notes__ == [f"the finished file is kept in '{tmp_path}/it'\"'\"'s-2.csv'"]
    assert (tmp_path / "it's-2.csv").read_bytes() == b"whole"
    assert left_in(tmp_path) == ["it's-2.csv", "it's.csv"]


def test_a_file_whose_folder_went_away_is_gone_with_it(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with (  # noqa: PT012 - written to while its folder goes away
        pytest.raises(OutputError, match="its folder does not exist"),
        atomic_writer(folder / "n.csv"),
    ):
        next(folder.iterdir()).unlink()
        folder.rmdir()


@pytest.mark.parametrize("mask", [0o777, 0o177, 0])
def test_a_file_is_private_and_readable_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    with umask(mask), atomic_writer(tmp_path / "n.csv") as file:
        file.write(b"x")
    assert mode_of(tmp_path / "n.csv") == 0o600


def test_a_name_that_is_not_utf_8_is_a_name(tmp_path: Path) -> None:
    target = tmp_path / os.fsdecode(b"num\xe9ros.csv")
    with atomic_writer(target) as file:
        file.write(b"x")
    assert os.listdir(os.fsencode(tmp_path)) == [b"num\xe9ros.csv"]  # noqa: PTH208 - as bytes


def test_standard_output_that_is_a_socket_can_be_written_to_by_name() -> None:
    near, far = socket.socketpair()
    program = (
        "from smspartner.files.atomic import atomic_writer\n"
        "with atomic_writer('/dev/stdout') as file: file.write(b'through the socket')"
    )
    with near, far:
        subprocess.run([sys.executable, "-c", program], stdout=far.fileno(), check=True)
        assert near.recv(100) == b"through the socket"


FORKS: Final = """
import os
from smspartner.files.atomic import atomic_writer
with atomic_writer("n.csv") as file:
    file.write(b"x")
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        print(len(os.listdir()), [n for n in os.listdir() if n[0] != "."])
    else:
        {deed}
"""


@pytest.mark.parametrize("deed", ["raise SystemExit", "pass", "os._exit(0)"])
def test_a_forked_child_leaves_the_file_to_its_parent(tmp_path: Path, deed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKS.format(deed=deed)],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "1 []\n"
    assert ("from which this one was forked" in done.stderr) is (deed == "pass")
    assert (tmp_path / "n.csv").read_bytes() == b"x"
