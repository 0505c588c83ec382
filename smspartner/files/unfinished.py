"""Hidden files that are being written, and what becomes of them when a program ends.

The code that makes one removes it behind every exception. A signal can still come between making a
file and knowing that it is there, so each name is registered first. A command line that is told to
stop calls ``settle_all`` last, and nothing hidden stays. Only SIGKILL leaves something:
``left_behind`` finds it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from smspartner.errors import OutputError
from smspartner.files.locks import lock_file

#: Only the owner may read and write. On Windows the protection of the folder counts.
PRIVATE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700
_BEGINNING: Final = ".smspartner-"
_ENDING: Final = ".part"
#: Where there are such flags: follow no link, wait for no pipe.
_CAREFULLY: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)

#: Ends what is unfinished: returns what to tell about a file that stays, None where none does.
Settle = Callable[[], str | None]


class Register:
    """The unfinished files of this process.

    A process that was forked inherits the register; the files stay its parent's.
    """

    def __init__(self) -> None:
        self._files: dict[Path, tuple[int, Settle]] = {}
        self._closed = False

    def add(self, path: Path, settle: Settle) -> None:
        """Register a file before it is made.

        Raises:
            OutputError: the program is ending.
        """
        if self._closed:
            raise OutputError(f"cannot write {str(path)!r}: the program is ending")
        self._files[path] = os.getpid(), settle

    def remove(self, path: Path) -> None:
        """Forget a file that is finished or gone."""
        self._files.pop(path, None)

    def is_ours(self, path: Path) -> bool:
        """Say whether this process has registered a file, rather than one it was forked from."""
        return self._files.get(path, (0,))[0] == os.getpid()

    def settle_all(self) -> list[str]:
        """Take no more files, end all that are unfinished, and return what to tell."""
        self._closed = True
        told: list[str] = []
        for path, (_, settle) in [*self._files.items()]:
            if self.is_ours(path):
                try:
                    told += filter(None, [settle()])
                except (OSError, OutputError) as error:
                    told.append(f"{path} stays: {error}")
        return told


register: Final = Register()


@contextlib.contextmanager
def making(path: Path, settle: Settle) -> Iterator[None]:
    """Register a file that the block makes; where it fails, none is left."""
    register.add(path, settle)
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        register.remove(path)
        raise


def hidden_name(ending: str = _ENDING) -> str:
    """Return a new hidden name: a cron job's ``*.csv`` does not match it."""
    return f"{_BEGINNING}{os.urandom(8).hex()}{ending}"


def create_private(path: Path) -> int:
    """Make a new file that only its owner can read, whatever the umask; return its descriptor.

    It is locked for as long as it is open, so that ``left_behind`` knows it is in use.
    """
    descriptor = open_private(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
    with contextlib.suppress(OSError):  # some network drives know no locks
        lock_file(descriptor)
    return descriptor


def open_private(path: Path, flags: int) -> int:
    """Open a file as ``os.open`` does, byte by byte, and for its owner only; give its descriptor.

    The umask changes nothing.
    """
    descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0), PRIVATE)
    if sys.platform != "win32":
        os.fchmod(descriptor, PRIVATE)
    return descriptor


@contextlib.contextmanager
def private_folder(beside: str | os.PathLike[str]) -> Iterator[Path]:
    """Make a hidden folder for temporary files beside a file; it goes with all that is in it.

    It is locked like a file.

    Raises:
        OSError: it cannot be made.
    """
    folder = Path(beside).resolve().with_name(hidden_name())

    def remove() -> None:
        if folder.exists():
            shutil.rmtree(folder)
        register.remove(folder)

    register.add(folder, remove)
    descriptor = None
    try:
        folder.mkdir(mode=PRIVATE_FOLDER)
        folder.chmod(PRIVATE_FOLDER)  # whatever the umask
        with contextlib.suppress(OSError):  # neither Windows nor some network drives lock folders
            descriptor = os.open(folder, os.O_RDONLY)
            lock_file(descriptor)
        yield folder
    finally:
        if descriptor is not None:
            os.close(descriptor)
        if register.is_ours(folder):
            remove()


def left_behind(folder: Path) -> list[Path]:
    """Return the hidden files and folders that a killed process has left in a folder."""
    found = sorted(folder.glob(f"{_BEGINNING}*{_ENDING}"))
    return [path for path in found if _is_abandoned(path)]


def _is_abandoned(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | _CAREFULLY)
    except OSError:  # gone by now, or of another user
        return False
    try:
        mode = os.fstat(descriptor).st_mode
        return lock_file(descriptor, shared=True) and (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
    except OSError:
        return False
    finally:
        os.close(descriptor)
