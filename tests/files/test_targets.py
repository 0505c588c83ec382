"""Whether a target can be written is known before a download is spent, and asking is harmless."""

from __future__ import annotations

import os
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import posix_only
import pytest
from number_files import left_in, umask, without_privileges

from smspartner.errors import OutputError
from smspartner.files.atomic import atomic_writer
from smspartner.files.targets import check_writable


def write_to(name: str) -> None:
    with atomic_writer(name) as file:
        file.write(b"x")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing/numbers.csv", "its folder does not exist; create it first"),
        ("away.csv", "its folder does not exist; create it first"),
        ("folder", "it is a folder; give the name of a file in it"),
        ("folder/", "it is a folder; give the name of a file in it"),
        ("", "it is a folder; give the name of a file in it"),
        ("file/numbers.csv", "a part of its path is a file, not a folder; choose another path"),
        ("n" * 300, "the name is too long; choose a shorter one"),
        ("a\0b", "it is not the name of a file"),
        ("a\ud800b", "it is not the name of a file"),
        ("loop/numbers.csv", "Too many levels of symbolic links"),
    ],
    ids=lambda value: ascii(value)[:24],
)
@pytest.mark.parametrize("way", [check_writable, write_to], ids=["check", "write"])
def test_what_cannot_be_written_is_one_line_that_says_what_to_do(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    reason: str,
    way: Callable[[str], None],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "away.csv").symlink_to("missing/numbers.csv")
    before = left_in(tmp_path)
    with pytest.raises(OutputError) as caught:
        way(name)
    assert str(caught.value) == f"cannot write {name!r}: {reason}"
    assert left_in(tmp_path) == before


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc")
def test_a_folder_that_takes_no_files_is_not_said_to_be_missing() -> None:
    with pytest.raises(OutputError, match="no file can be made in its folder; choose another"):
        check_writable("/proc/numbers.csv")


def test_a_current_folder_that_is_gone_does_not_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(OutputError, match="its folder does not exist"):
        check_writable("numbers.csv")


def test_a_folder_without_permission_is_an_error_that_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0o500)
    with (
        without_privileges(),
        pytest.raises(OutputError, match="permission denied; change its rights, or choose"),
    ):
        check_writable(folder / "numbers.csv")
    assert left_in(folder) == []


def test_checking_leaves_nothing_and_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"before")
    for name in ("there", "not there"):
        check_writable(tmp_path / name)
    for name in ("-", "/dev/null", "/dev/stdout", "/dev/stderr", "/proc/self/fd/1"):
        check_writable(name)
    assert left_in(tmp_path) == ["there"]
    assert (tmp_path / "there").read_bytes() == b"before"


@pytest.fixture
def there(tmp_path: Path) -> Iterator[Path]:
    """Return a file; nothing about it, and nothing beside it, may change."""
    path = tmp_path / "there"
    path.write_bytes(b"before")
    before = path.stat()
    yield path
    assert path.read_bytes() == b"before"
    assert path.stat().st_ino == before.st_ino
    assert left_in(tmp_path) == ["there"]


def as_root(*command: str | Path) -> None:
    if posix_only.geteuid() != 0:
        pytest.skip("only root can do this")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"this cannot be done here: {done.stderr.strip()}")


@contextmanager
def flagged(path: Path, flag: str) -> Iterator[None]:
    as_root("chattr", f"+{flag}", path)
    try:
        yield
    finally:
        as_root("chattr", f"-{flag}", path)


@pytest.mark.parametrize("flag", ["i", "a"], ids=["immutable", "append only"])
def test_a_file_that_is_marked_as_unchangeable_cannot_be_replaced(there: Path, flag: str) -> None:
    with flagged(there, flag), pytest.raises(OutputError, match="permission denied to replace it"):
        check_writable(there)


@pytest.fixture
def shared() -> Iterator[Path]:
    """Return a folder that all can write to; those of pytest are their owner's."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o1777)
        yield Path(name)


def test_a_file_of_someone_else_in_a_folder_that_all_share_cannot_be_replaced(
    shared: Path,
) -> None:
    if posix_only.geteuid() != 0:
        pytest.skip("only root can be someone else")
    (shared / "there").write_bytes(b"before")
    with without_privileges():
        with pytest.raises(OutputError, match="belongs to someone else"):
            check_writable(shared / "there")
        check_writable(shared / "new")
    assert left_in(shared) == ["there"]


def test_a_file_of_someone_else_in_an_own_folder_can_be_replaced(there: Path) -> None:
    there.chmod(0o400)
    check_writable(there)


def test_a_mount_point_cannot_be_replaced(
    there: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other") / "other"
    other.write_bytes(b"before")
    as_root("mount", "--bind", other, there)
    try:
        with pytest.raises(OutputError, match="it is a mount point"):
            check_writable(there)
    finally:
        as_root("umount", there)


def test_a_pipe_is_not_opened_and_its_permission_is_looked_at(shared: Path) -> None:
    pipe = shared / "pipe"
    posix_only.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | posix_only.O_NONBLOCK)
    check_writable(pipe)
    pipe.chmod(0o400)
    with without_privileges(), pytest.raises(OutputError, match="permission denied"):
        check_writable(pipe)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    os.close(reading)


def test_a_device_without_permission_is_found(shared: Path) -> None:
    device = shared / "device"
    as_root("mknod", "-m", "600", device, "c", "1", "3")
    with without_privileges(), pytest.raises(OutputError, match="permission denied"):
        check_writable(device)


def test_what_is_open_for_reading_only_or_not_at_all_takes_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (tmp_path / "file").open() as file:
        with pytest.raises(OutputError, match="open for reading only"):
            check_writable(f"/dev/fd/{file.fileno()}")
        number = file.fileno()
    with pytest.raises(OutputError, match="Bad file descriptor"):
        check_writable(f"/dev/fd/{number}")


@pytest.mark.parametrize("mask", [0o777, 0])
def test_the_umask_is_no_obstacle(there: Path, mask: int) -> None:
    with umask(mask):
        check_writable(there)
        check_writable(there.with_name("new"))


def test_a_name_that_is_not_utf_8_can_be_checked(there: Path) -> None:
    check_writable(there.with_name(os.fsdecode(b"num\xe9ros.csv")))


def test_a_place_that_takes_no_byte_is_found_before(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        with pytest.raises(OutputError, match="would be larger than allowed here"):
            check_writable(tmp_path / "numbers.csv")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert left_in(tmp_path) == []
