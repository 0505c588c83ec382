"""An open file whose beginning has been looked at, and errors that name it."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

from smspartner.decoders.limits import KIB, MIB
from smspartner.errors import ConfigurationError
from smspartner.files.targets import STDOUT
from smspartner.models.masks import mask_target

#: How much of a file is looked at to tell what it is.
START: Final = 64 * KIB
#: The longest line or record of a text file, as in bodies.
LONGEST: Final = 1 * MIB

_CHUNK: Final = 256 * KIB
_SQLITE: Final = "sqlite:///"
_ADVICE: Final = {
    errno.ENOENT: "there is no such file",
    errno.EISDIR: "it is a folder; give the name of a file in it",
    errno.EACCES: "permission denied; change its rights",
}

T = TypeVar("T")


class InputFile:
    """A file that is being read, and what its format finds out about it on the way.

    As text it is the file's name as errors show it.

    Attributes:
        name: as the user gave it.
        start: its first 64 KiB, or all of it.
        token: which rental is wanted of a database; None for all.
        regular: whether it has a name and can be read more than once: it is no pipe.
        kind: what people call this kind of file.
        declared: the count a body declares.
        rentals: how many rentals a database holds.
        unread: the columns and tables in it that no export has, and that are not read; of
            Parquet, Arrow and SQLite.
    """

    def __init__(self, name: str, stream: BinaryIO, token: str | None, stack: ExitStack) -> None:
        self.name = name
        self.token = token
        self.regular = name != STDOUT and stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
        self.kind = ""
        self.declared: int | None = None
        self.rentals: int | None = None
        self.unread: list[str] = []
        self._stream = stream
        self._stack = stack
        self.start = stream.read(START)

    def chunks(self) -> Iterator[bytes]:
        """Yield the whole file from its first byte; once only."""
        yield self.start
        while chunk := self._stream.read(_CHUNK):
            yield chunk

    def is_text(self) -> bool:
        """Say whether it can be text: no text that is read here holds a NUL."""
        return b"\0" not in self.start

    def path(self) -> str:
        """Return its path, for libraries that read here and there in a file.

        Raises:
            ConfigurationError: it is a pipe.
        """
        if not self.regular:
            raise ConfigurationError(
                f"{self}: {self.kind} cannot be read from a pipe; give the name of a file"
            )
        return self.name.removeprefix(_SQLITE)

    def keep(self, resource: AbstractContextManager[T]) -> T:
        """Enter a context that is left when the file is closed."""
        return self._stack.enter_context(resource)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Turn an ``OSError`` of the block into a ``ConfigurationError`` that names the file."""
        with input_errors(self.name):
            yield

    def __str__(self) -> str:
        return shown(self.name)


@contextmanager
def opened(name: str, token: str | None = None) -> Iterator[InputFile]:
    """Open a file for reading; ``-`` is standard input.

    Raises:
        ConfigurationError: it cannot be read.
    """
    path = name.removeprefix(_SQLITE)
    if "://" in path:
        raise ConfigurationError(f"cannot read {mask_target(name)!r}: give the name of a file")
    with ExitStack() as stack:
        with input_errors(name):
            # Left open: it is not ours.
            stream = sys.stdin.buffer if name == STDOUT else stack.enter_context(_open(path))
            file = InputFile(name, stream, token, stack)
        yield file


def _open(path: str) -> BinaryIO:
    try:
        return Path(path).open("rb")
    except ValueError:  # a NUL, or a character that no file name can have
        reason = "it is not the name of a file"
    raise ConfigurationError(f"cannot read {shown(path)}: {reason}")


@contextmanager
def input_errors(name: str) -> Iterator[None]:
    """Turn an ``OSError`` of the block into a ``ConfigurationError`` that names the file."""
    try:
        yield
    except OSError as error:
        reason = _ADVICE.get(error.errno or 0) or error.strerror or "the system refused"
    else:
        return
    raise ConfigurationError(f"cannot read {shown(name)}: {reason}")


def shown(name: str) -> str:
    """Return a file's name as errors show it."""
    return "standard input" if name == STDOUT else repr(name)
