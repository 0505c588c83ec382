"""Write to a temporary file and rename it into place.

``atomic_writer`` makes a file appear under its name only when it is complete: it is written
beside its place under a hidden name that ends in ``.part``, synced, then renamed over it.

There is personal data in these files. So a file is 0600 from its first byte on, also where one
with wider permissions stood before, and whatever the umask. A symbolic link stays a link; the file
it points to is replaced. What is not a regular file (a named pipe, ``/dev/null``) is written
directly and never replaced.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import os
import re
import shlex
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO, Final

from smspartner.errors import OutputError
from smspartner.files.targets import (
    STANDARD,
    STDOUT,
    Target,
    is_special,
    open_already,
    output_errors,
    require_standard_output,
    sync,
)
from smspartner.files.unfinished import create_private, hidden_name, making, register

#: Bytes of a file's name at most, on the file systems in use.
_LONGEST_NAME: Final = 255
#: The ending of a name, and what compresses the file; may be empty.
_ENDING: Final = re.compile(r"(?<=.)(?:\.[^.]{1,15})?(?:\.gz|\.zst)?\Z", re.IGNORECASE | re.DOTALL)
#: Bytes gathered before the system is asked to write.
_BUFFER: Final = 1024 * 1024


def open_output(target: Target) -> contextlib.AbstractContextManager[BinaryIO]:
    """Open where data goes: ``-`` is standard output, anything else is ``atomic_writer``'s."""
    return _standard_output() if os.fspath(target) == STDOUT else atomic_writer(target)


@contextlib.contextmanager
def atomic_writer(path: Target) -> Iterator[BinaryIO]:
    """Write a file that appears only when the block ends well.

    Args:
        path: the file's name; relative to the current folder.

    Yields:
        A binary file. Its ``tell()`` is the number of bytes written, in a pipe too.

    Raises:
        OutputError: the file cannot be written. Whatever the reason, and for any exception of
            the block too, a file that was there before is as it was. Where only its name cannot
            be had, the finished file stays beside it, and a note says where.
    """
    output = open_file(os.fspath(path))
    try:
        yield output.stream
        output.commit()
    except BaseException:
        output.discard()
        raise


def open_file(name: str, ending: str = ".part") -> Output:
    """Open what a path names, a file or something special.

    Args:
        name: the path.
        ending: of the hidden name of a file.

    Raises:
        OutputError: it cannot be written.
    """
    return Direct(name) if is_special(name) else Part(name, ending)


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
    """An open file that still has to be committed, or discarded.

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
        """Make the file appear under its name, whatever has it, and return that."""

    @abstractmethod
    def keep(self, ending: str) -> Path | None:
        """Make it appear under its name + ``ending``; return what it is called then.

        Nothing is replaced: where that is taken, it has ``-2``, ``-3`` … before its
        ending. None for a pipe or a device.
        """

    @abstractmethod
    def discard(self) -> None:
        """Close and leave nothing behind; does no harm after any of these has failed."""

    def _close(self) -> None:
        # The buffer is not flushed here: after a failed write that would fail again.
        self._raw.close()
        self._file.close()


class Direct(Output):
    """A pipe or a device: there is nothing to replace, and nothing to take back."""

    def __init__(self, name: str) -> None:
        descriptor = open_already(name)
        with output_errors(name):
            if descriptor is None:
                opened = os.open(name, os.O_WRONLY | os.O_APPEND)
            else:
                opened = os.dup(descriptor)
        super().__init__(opened, name)

    def commit(self) -> Path:
        """Close it; all is written."""
        self.stream.flush()
        self._close()
        return Path(self._name)

    def keep(self, ending: str) -> None:  # noqa: ARG002 - nothing has that name
        """Close it; what was written is gone."""
        self._close()

    def discard(self) -> None:
        """Close it."""
        self._close()


class Part(Output):
    """A file under a hidden name beside its place, until it is committed.

    In a process that was forked since, it can be closed only.
    """

    def __init__(self, name: str, ending: str) -> None:
        with output_errors(name):
            self._place = Path(name).resolve()
        self.path = self._place.with_name(hidden_name(ending))
        self._aside: Path | None = None
        with making(self.path, self._remove):
            with output_errors(name):
                descriptor = create_private(self.path)
            super().__init__(descriptor, name)

    def commit(self) -> Path:
        """Put it in its place; where that fails, a note says where the finished file is."""
        self._require_ours()
        self._finish()
        try:
            self._move(self._place)
        except OutputError as error:  # such as: a folder has taken the place
            with contextlib.suppress(OutputError):
                kept = shlex.quote(str(self.keep("")))
                error.add_note(f"the finished file is kept in {kept}")
            raise
        register.remove(self.path)
        return Path(self._name)

    def keep(self, ending: str) -> Path:
        """Put it beside its place, and do no harm when done twice."""
        self._require_ours()
        with contextlib.suppress(OutputError):  # what the system has taken is there all the same
            self._finish()
        self._close()
        if self.path.exists():
            aside = self._claimed(ending)
            self._move(aside)
        elif self._aside is not None and self._aside.exists():  # a stop came after the move
            aside = self._aside
        else:
            raise OutputError(f"cannot write {self._name!r}: it was removed meanwhile")
        given = Path(self._name)
        if aside == self._place:
            return given
        return aside if given.is_symlink() else given.with_name(aside.name)

    def discard(self) -> None:
        """Remove it, unless another process has made it."""
        self._close()
        if register.is_ours(self.path):
            with output_errors(self._name):
                self._remove()

    def _remove(self) -> None:
        self.path.unlink(missing_ok=True)
        register.remove(self.path)

    def _require_ours(self) -> None:
        if not register.is_ours(self.path):
            raise OutputError(
                f"cannot write {self._name!r}: the process that opened it was another one, from "
                "which this one was forked"
            )

    def _finish(self) -> None:
        """Hand all to the system and close."""
        if self._raw.closed:
            return
        self.stream.flush()
        with output_errors(self._name):
            sync(self._file.fileno())
        self._close()

    def _move(self, place: Path) -> None:
        with output_errors(self._name):
            self.path.replace(place)
        _sync_folder(place.parent)

    def _claimed(self, ending: str) -> Path:
        """Make an empty file under the first name that is free.

        The name is remembered before the file is made: after a stop in between, an empty file
        under it is ours.
        """
        if self._aside is not None and self._aside.exists() and not self._aside.stat().st_size:
            return self._aside
        for number in itertools.count(1):
            self._aside = aside = _with_ending(self._place, ending, number)
            try:
                os.close(create_private(aside))
            except FileExistsError:
                continue
            except OSError:
                pass  # no room for a further file; a rename needs none
            return aside
        raise AssertionError  # pragma: no cover - it counts for ever


def _with_ending(place: Path, ending: str, number: int) -> Path:
    """Return a path with an ending added to its name, and from 2 on a number before the ending.

    Where the name has to be shortened, its ending stays.
    """
    name = place.name + ending
    stem = _ENDING.sub("", name)
    ending = name.removeprefix(stem)
    if number > 1:
        ending = f"-{number}{ending}"
    room = _LONGEST_NAME - len(os.fsencode(ending))
    if len(os.fsencode(stem)) > room:
        stem = os.fsencode(stem)[:room].decode(errors="ignore")
    return place.with_name(stem + ending)


def _sync_folder(folder: Path) -> None:
    """Make a rename outlast a power cut. Where that fails, the file is in place all the same."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def _standard_output() -> Iterator[BinaryIO]:
    """Write to standard output, after what was printed before; it stays open."""
    require_standard_output()
    with output_errors(STANDARD):
        sys.stdout.flush()
    raw = _Raw(sys.stdout.buffer, STANDARD)
    stream = io.BufferedWriter(raw, _BUFFER)
    try:
        yield stream
        stream.flush()
        with output_errors(STANDARD):
            sys.stdout.buffer.flush()
    finally:
        raw.close()
