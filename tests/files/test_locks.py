"""Locks, as the system here has them, and as the module would use those of Windows."""

from __future__ import annotations

import errno
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from smspartner.files import locks


class Msvcrt(ModuleType):
    """What Microsoft says of ``_locking``: it locks from the place of the file on."""

    LK_UNLCK, LK_LOCK, LK_NBLCK = range(3)

    def __init__(self) -> None:
        super().__init__("msvcrt")
        self.locked: set[int] = set()

    def locking(self, descriptor: int, how: int, size: int) -> None:
        place = os.lseek(descriptor, 0, os.SEEK_CUR)
        assert size == 1
        assert place < 1 << 31
        if how == self.LK_UNLCK:
            self.locked.remove(place)
        elif place in self.locked:
            raise PermissionError(errno.EACCES, "Permission denied")
        else:
            self.locked.add(place)


@pytest.fixture(params=["here", "windows"])
def module(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    if request.param == "here":
        return locks
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "msvcrt", Msvcrt())
    spec = importlib.util.spec_from_file_location("locks_of_windows", locks.__file__)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture
def twice(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """Open one file twice, both at its third byte."""
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    opened = [os.open(path, os.O_RDWR) for _ in range(2)]
    for descriptor in opened:
        os.lseek(descriptor, 2, os.SEEK_SET)
    yield opened[0], opened[1]
    for descriptor in opened:
        os.close(descriptor)


@pytest.mark.parametrize("place", [0, 1, locks.PLACES - 2])
def test_a_byte_is_locked_once_until_it_is_unlocked(
    module: ModuleType, twice: tuple[int, int], place: int
) -> None:
    one, other = twice

    assert module.lock_byte(one, place)
    assert not module.lock_byte(other, place)
    assert module.lock_byte(other, place + 1)
    module.unlock_byte(one, place)
    assert module.lock_byte(other, place)
    assert os.read(one, 5) == os.read(other, 5) == b"345"


def test_a_file_is_locked_once(module: ModuleType, twice: tuple[int, int]) -> None:
    one, other = twice

    assert module.lock_file(one)
    assert not module.lock_file(other)
    assert not module.lock_file(other, shared=True)
    assert os.read(one, 5) == os.read(other, 5) == b"345"


def test_a_file_can_be_appended_to_while_a_byte_is_locked(
    module: ModuleType, twice: tuple[int, int], tmp_path: Path
) -> None:
    one, other = twice

    assert module.lock_byte(one, 0)
    for _ in range(2):
        with module.appending(other):
            os.write(other, b"x")
    assert (tmp_path / "file").read_bytes() == b"12xx5"
