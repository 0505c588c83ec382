"""An open output until it is made good: the mechanics under ``files``.

A file is written under a hidden name, and a rename puts it in its place; what is not a regular
file is written as it is.
"""

from __future__ import annotations

import contextlib
import errno
import io
import itertools
import os
import stat
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO, Final

from smspartner.errors import OutputError
from smspartner.files.system_errors import output_errors
from smspartner.interrupts import undisturbed

PRIVATE: Final = 0o600
#: Bytes of a file's name at most, on the file systems in use.
_LONGEST_NAME: Final = 255
#: Bytes gathered before the system is asked to write.
_BUFFER: Final = 1024 * 1024
_STANDARD: Final = "standard output"
#: Names of files this process already has open: these are added to, never replaced.
_OPEN_ALREADY: Final = ("/dev/fd/", "/dev/std", "/proc/")


class _Raw(io.RawIOBase):
    """Unbuffered output that turns its own errors, and no others, into ``OutputError``.

    Batches are read while a file is open; what their source raises is not the file's doing.
    """

    def __init__(self, stream: IO[bytes], name: str) -> None:
        self._stream = stream
        self._name = name
        self._size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        with output_errors(self._name):
            written = self._stream.write(data)
        self._size += written
        return written

    def tell(self) -> int:
        return self._size


class Output(ABC):
    """An open file that still has to be made good, or thrown away.

    Attributes:
        stream: where to write to, with a buffer before the system; ``tell()`` counts bytes.
    """

    def __init__(self, descriptor: int, name: str) -> None:
        self._name = name
        self._file = io.FileIO(descriptor, "wb")
        self._raw = _Raw(self._file, name)
        self.stream: BinaryIO = io.BufferedWriter(self._raw, _BUFFER)

    @property
    def size(self) -> int:
        """Bytes that the system has taken so far."""
        return self._raw.tell()

    def write_through(self, data: bytes) -> None:
        """Hand data to the system at once, past the buffer of ``stream``."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._raw.write(rest) :]

    @abstractmethod
    def commit(self) -> Path:
        """Make the file appear under its name, and return that."""

    @abstractmethod
    def commit_aside(self, ending: str) -> Path | None:
        """Make it appear under its name + ``ending``, or a free name like it; return that.

        Where no such name can be had, it stays under the hidden one. None where there is no file.
        """

    def discard(self) -> None:
        """Close and leave nothing behind; does no harm when a commit has failed before."""
        # The buffer is not flushed here: after a failed write that would fail again.
        self._raw.close()
        self._file.close()


class _Direct(Output):
    """A pipe or a device: there is nothing to replace, and nothing to take back."""

    def __init__(self, name: str) -> None:
        with output_errors(name):
            descriptor = os.open(name, os.O_WRONLY | os.O_APPEND)
        super().__init__(descriptor, name)

    def commit(self) -> Path:
        self.stream.flush()
        self.discard()
        return Path(self._name)

    def commit_aside(self, ending: str) -> None:  # noqa: ARG002 - what was written is gone
        self.discard()


class _Part(Output):
    """A file under a hidden name beside its place, until it is committed."""

    def __init__(self, name: str) -> None:
        with output_errors(name):
            self._place = Path(name).resolve()
            # mkstemp makes it 0600, with O_EXCL; a cron job's *.csv does not match its name.
            descriptor, part = tempfile.mkstemp(".part", ".smspartner-", self._place.parent)
        self._part = Path(part)
        self._moved = False
        super().__init__(descriptor, name)

    def commit(self) -> Path:
        self._sync()
        self._move(self._place)
        return Path(self._name)

    def commit_aside(self, ending: str) -> Path | None:
        given = Path(self._name)
        if self._moved:
            return given
        try:
            self._sync()
            with undisturbed():
                aside = _claim(self._place, ending, self._name)
                self._move(aside)
        except OutputError:
            return given.with_name(self._part.name) if self._part.exists() else None
        return aside if given.is_symlink() else given.with_name(aside.name)

    def discard(self) -> None:
        with undisturbed():
            super().discard()
            with output_errors(self._name):
                self._part.unlink(missing_ok=True)

    def _sync(self) -> None:
        if self._file.closed:
            return
        self.stream.flush()
        with output_errors(self._name):
            os.fsync(self._file.fileno())
        super().discard()

    def _move(self, place: Path) -> None:
        with output_errors(self._name), undisturbed():
            self._part.replace(place)
            self._moved = True
        _sync_folder(place.parent)


def open_file(name: str) -> Output:
    """Open what a path names, a file or something special.

    Raises:
        OutputError: it cannot be written.
    """
    if is_special(name):
        return _Direct(name)
    part: _Part | None = None
    try:
        with undisturbed():
            part = _Part(name)
    except BaseException:  # Ctrl-C, held back until the file could be known
        if part is not None:
            part.discard()
        raise
    return part


def is_special(name: str) -> bool:
    """Tell a pipe, a device or an open file from one that can be replaced.

    Raises:
        OutputError: it is the name of neither.
    """
    try:
        with output_errors(name):
            folder = not name or name.endswith(("/", os.sep))
            kind = stat.S_IFDIR if folder else Path(name).stat().st_mode
            if stat.S_ISDIR(kind):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    except ValueError as error:  # a NUL, or a character that no file name can have
        raise OutputError(f"cannot write {name!r}: it is not the name of a file") from error
    except OutputError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return False
        raise
    return not stat.S_ISREG(kind) or name.startswith(_OPEN_ALREADY)


def _claim(place: Path, ending: str, name: str) -> Path:
    """Make an empty file under the first of ``place`` + ``ending``, ``-2``, ``-3`` that is free."""
    for number in itertools.count(1):
        claimed = _with_ending(place, f"{ending}-{number}" if number > 1 else ending)
        with output_errors(name), contextlib.suppress(FileExistsError):
            claimed.touch(PRIVATE, exist_ok=False)
            return claimed
    raise AssertionError  # pragma: no cover - it counts for ever


def _with_ending(place: Path, ending: str) -> Path:
    """Return a path with an ending added to its name, which is shortened where it has to be."""
    room = _LONGEST_NAME - len(os.fsencode(ending))
    return place.with_name(os.fsencode(place.name)[:room].decode(errors="ignore") + ending)


def _sync_folder(folder: Path) -> None:
    """Make a rename outlast a power cut, where the system can."""
    if sys.platform == "win32":  # pragma: no cover - folders cannot be opened there
        return
    # Some network file systems cannot sync a folder; the file is whole and in place anyway.
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def standard_output() -> Iterator[BinaryIO]:
    """Write to standard output, after what was printed before; it stays open."""
    require_standard_output()
    with output_errors(_STANDARD):
        sys.stdout.flush()
    raw = _Raw(sys.stdout.buffer, _STANDARD)
    stream = io.BufferedWriter(raw, _BUFFER)
    try:
        yield stream
        stream.flush()
        with output_errors(_STANDARD):
            sys.stdout.buffer.flush()
    finally:
        raw.close()


def require_standard_output() -> None:
    """Raise ``OutputError`` where standard output takes no bytes."""
    if sys.stdout is None:
        raise OutputError(f"cannot write {_STANDARD}: it is closed; give a file name")
    if not hasattr(sys.stdout, "buffer"):  # a notebook, or a test of somebody's
        raise OutputError(f"cannot write {_STANDARD}: here it takes text only; give a file name")
