"""Locks of files, and of single bytes of a file, on POSIX and on Windows.

They belong to the open file and end with it, at the latest when the process does. Only the locks
of bytes belong to the process on POSIX systems other than Linux.
"""

from __future__ import annotations

import contextlib
import os
import struct
import sys
from collections.abc import Iterator
from typing import Final

#: How many bytes of a file can be locked, from 0 on; the file may be shorter.
PLACES: Final = 1 << 30

if sys.platform == "win32":
    import msvcrt

    # Windows lets nobody else read or write a locked byte, and its C library knows no place from
    # 2^31 on. So the bytes that are locked lie behind what a file holds, nearly always.
    def lock_byte(descriptor: int, place: int) -> bool:
        """Lock a byte; return whether it was free."""
        return _lock(descriptor, msvcrt.LK_NBLCK, place)

    def unlock_byte(descriptor: int, place: int) -> None:
        """Unlock a byte."""
        _lock(descriptor, msvcrt.LK_UNLCK, place)

    def lock_file(descriptor: int, *, shared: bool = False) -> bool:  # noqa: ARG001
        """Lock a file; return whether it was free."""
        return _lock(descriptor, msvcrt.LK_NBLCK, 0)

    @contextlib.contextmanager
    def appending(descriptor: int) -> Iterator[None]:
        """Let no other process write at the end of a file meanwhile."""
        _lock(descriptor, msvcrt.LK_LOCK, PLACES - 1)
        try:
            yield
        finally:
            _lock(descriptor, msvcrt.LK_UNLCK, PLACES - 1)

    def _lock(descriptor: int, how: int, place: int) -> bool:
        before = os.lseek(descriptor, 0, os.SEEK_CUR)
        os.lseek(descriptor, PLACES + place, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, how, 1)
        except PermissionError:
            return False
        finally:
            os.lseek(descriptor, before, os.SEEK_SET)
        return True

else:
    import fcntl

    def lock_byte(descriptor: int, place: int) -> bool:
        """Lock a byte; return whether it was free.

        Raises:
            OSError: the file system has no locks.
        """
        try:
            _lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, place)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def unlock_byte(descriptor: int, place: int) -> None:
        """Unlock a byte."""
        _lock(descriptor, fcntl.LOCK_UN, place)

    def lock_file(descriptor: int, *, shared: bool = False) -> bool:
        """Lock a file; return whether it was free.

        Args:
            descriptor: of the file.
            shared: others may have such a lock too; it need not be open for writing.

        Raises:
            OSError: the file system has no locks.
        """
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def appending(descriptor: int) -> contextlib.AbstractContextManager[None]:  # noqa: ARG001
        """Let the system keep apart what processes write at the end of a file."""
        return contextlib.nullcontext()

    if sys.platform == "linux":

        def _lock(descriptor: int, how: int, place: int) -> None:
            kind = fcntl.F_UNLCK if how == fcntl.LOCK_UN else fcntl.F_WRLCK
            asked = struct.pack("hhqqi4x", kind, os.SEEK_SET, place, 1, 0)
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, asked)

    else:  # pragma: no cover

        def _lock(descriptor: int, how: int, place: int) -> None:
            fcntl.lockf(descriptor, how, 1, place)
