"""Files that are whole or absent, private, and never lost half-way.

``atomic_writer`` makes a file appear under its name only when it is complete: it is written
beside its place under a hidden name that ends in ``.part``, synced, then renamed over it.
``RawBody`` does the same for a body that arrives in chunks, except that what did arrive is kept
when something fails: a download may not be repeatable (fact A4).

There is personal data in these files. So a file is 0600 from its first byte on, also where one
with wider permissions stood before: that fails closed, where keeping the old mode would fail
open. A symbolic link stays a link; the file it points to is replaced. What is not a regular file
(a named pipe, ``/dev/null``) is written directly and never replaced.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from smspartner.errors import (
    REFUSED,
    APIError,
    OutputError,
    SMSPartnerError,
    TruncatedError,
    UnknownFormatError,
)
from smspartner.files.output import (
    Output,
    is_special,
    open_file,
    require_standard_output,
    standard_output,
)
from smspartner.interrupts import undisturbed

#: The target that means standard output.
STDOUT: Final = "-"

Target = str | os.PathLike[str]


def open_output(target: Target) -> contextlib.AbstractContextManager[BinaryIO]:
    """Open where data goes: ``-`` is standard output, anything else is ``atomic_writer``'s."""
    return standard_output() if os.fspath(target) == STDOUT else atomic_writer(target)


@contextlib.contextmanager
def atomic_writer(path: Target) -> Iterator[BinaryIO]:
    """Write a file that appears only when the block ends well.

    Args:
        path: the file's name; relative to the current folder.

    Yields:
        A binary file. Its ``tell()`` is the number of bytes written, in a pipe too.

    Raises:
        OutputError: the file cannot be written. Whatever the reason, and for any exception of
            the block too, a file that was there before is as it was.
    """
    output = open_file(os.fspath(path))
    try:
        yield output.stream
        output.commit()
    except BaseException:
        output.discard()
        raise


def check_writable(target: Target) -> None:
    """Raise the ``OutputError`` that writing there would raise now; nothing is left behind.

    For asking before a download is spent. A pipe is not opened: that would wait for its reader.
    """
    name = os.fspath(target)
    if name == STDOUT:
        require_standard_output()
    elif not is_special(name):
        with undisturbed():
            open_file(name).discard()


#: What is added to the name of a body that stops early.
INCOMPLETE: Final = ".incomplete"


class RawBody:
    """A body on its way to disk, chunk by chunk, and kept whatever happens next.

    Use it as a context manager around receiving *and* decoding. Where the block ends well, and all
    of the body has been read, the file is under its name. Where it fails, or is left early, no
    earlier file is replaced: what arrived is under the name, or under one with a number added where
    that is taken; with ``.incomplete`` added where the body stops early. A refusal, or an error
    page with a status of 400 or more, is no body of a rental and is not kept. ``kept`` says where
    the body is, and so does a failure, in a note.

    Args:
        path: where the body goes; ``-`` is standard output.
        keep: False removes the file when the block ends well: it is a safety net only.

    Attributes:
        size: bytes written so far.
        complete: whether the last chunk has arrived.
        kept: where the body is once the block is over; None where there is none.

    Raises:
        OutputError: on entering, before the first byte, or while writing; also where it is entered
            a second time: a further body needs a further one.
    """

    def __init__(self, path: Target, *, keep: bool = True) -> None:
        name = os.fspath(path)
        self._name = "/dev/stdout" if name == STDOUT else name
        self._keep = keep
        self.size = 0
        self.complete = False
        self.kept: Path | None = None
        self._digest = hashlib.sha256()
        self._left_early = False
        self._output: Output | None = None
        self._entered = False

    @property
    def sha256(self) -> str:
        """The SHA-256 of what was written so far, in hexadecimal."""
        return self._digest.hexdigest()

    def __enter__(self) -> Self:
        if self._entered:
            raise OutputError("this RawBody has had its body: make another one for the next")
        self._output = open_file(self._name)
        self._entered = True
        return self

    def require_open(self) -> Output:
        """Return what is written to; for asking before a download is spent.

        Raises:
            OutputError: the block has not begun, or is over.
        """
        if self._output is None:
            raise OutputError("open the body first: with RawBody(path) as raw: …")
        return self._output

    def write(self, chunk: bytes) -> None:
        """Write a chunk; the system has it when this returns.

        Raises:
            OutputError: it cannot be written, or the file is not open.
        """
        output = self.require_open()
        try:
            output.write_through(chunk)
        finally:
            self.size = output.size  # of the chunk that fills the disk, a part
        self._digest.update(chunk)

    def tee(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Pass chunks on, each one written first; their end completes the body."""
        self._left_early = True
        for chunk in chunks:
            self.write(chunk)
            yield chunk
        self.complete, self._left_early = True, False

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with undisturbed():
            output, self._output = self.require_open(), None
            self._end(output, error)

    def _end(self, output: Output, error: BaseException | None) -> None:
        whole = self.complete and not isinstance(error, TruncatedError)
        if error is None and self._keep and not self._left_early:
            self._commit(output)
        elif not self.size or (_is_refusal(error) if error else not self._keep):
            output.discard()
        else:
            self.kept = output.commit_aside("" if whole else INCOMPLETE)
        if error is not None:
            self._tell(error, whole=whole)

    def _commit(self, output: Output) -> None:
        try:
            self.kept = output.commit()
        except BaseException as error:  # such as: something else has taken the place
            self.kept = output.commit_aside("")
            self._tell(error, whole=True)
            raise

    def _tell(self, error: BaseException, *, whole: bool) -> None:
        if isinstance(error, SMSPartnerError):
            error.kept = self.kept
        if self.kept is not None:
            error.add_note(_where(self.kept, whole=whole))


def _is_refusal(error: BaseException) -> bool:
    """Say whether what came is no body of a rental, although one was asked for."""
    page = isinstance(error, UnknownFormatError) and (error.http_status or 0) >= REFUSED
    return page or isinstance(error, APIError)


def _where(kept: Path, *, whole: bool) -> str:
    name = shlex.quote(str(kept))
    if not whole:
        return f"what came of the body is kept in {name}"
    return f"the body is kept in {name}; to read it later: smspartner decode {name}"
