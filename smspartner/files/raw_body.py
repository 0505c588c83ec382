"""A raw body on its way to disk, and kept: a download may not be repeatable (fact A4)."""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from smspartner.errors import (
    REFUSED,
    APIError,
    OutputError,
    SMSPartnerError,
    TruncatedError,
    UnknownFormatError,
)
from smspartner.files.atomic import Output, Part, open_file
from smspartner.files.targets import STDOUT, Target
from smspartner.files.unfinished import register

#: What is added to the name of a body that stops early.
INCOMPLETE: Final = ".incomplete"
#: The hidden name of a body ends in this, so that a killed process leaves bodies that are told
#: from exports, which can be made again.
BODY_PART: Final = ".body.part"

_COUNTED: Final = (
    "the service may have counted this download: ask SMS Partner to allow it once more"
)


class RawBody:
    """A body that is written chunk by chunk, and kept whatever happens next.

    Use it as a context manager around receiving *and* reading. At the end of the block the file
    is under its name, or, as no file is ever replaced, under that name with ``-2``, ``-3`` … before
    its ending where it is taken (``body-2.json``). Where the block fails, or is left early, the
    file has ``.incomplete`` added unless all of the body came. A body that came in gzip is kept
    decoded; where that has no good end, the bytes of the wire are kept instead. A refusal, or an
    error page with a status of 400 or more, is no body of a rental and is not kept. ``kept`` says
    where the body is, and so does a failure, in a note.

    Args:
        path: where the body goes; ``-`` is standard output.
        keep: False removes the file when the block ends well: it is a safety net only.

    Attributes:
        size: bytes written so far.
        complete: whether the last chunk has arrived.
        kept: where the body is once the block is over; None if it was not kept.

    Raises:
        OutputError: on entering, before the first byte, or while writing; also where it is entered
            a second time: a further body needs a further one.
    """

    def __init__(self, path: Target, *, keep: bool = True) -> None:
        name = os.fspath(path)
        self._name = "/dev/stdout" if name == STDOUT else name
        self._keep = keep
        self.size: int = 0
        self.complete: bool = False
        self.kept: Path | None = None
        self._digest = hashlib.sha256()
        self._left_early = False
        self._output: Output | None = None
        self._coded: Output | None = None
        self._entered = False

    @property
    def sha256(self) -> str:
        """The SHA-256 of what was written so far, in hexadecimal."""
        return self._digest.hexdigest()

    def __enter__(self) -> Self:
        if self._entered:
            raise OutputError("this RawBody has had its body: make another one for the next")
        try:
            self._output = self._opened()
        except OutputError as error:
            error.retryable = True  # nothing was asked for: who asks hands over an open body
            raise
        self._entered = True
        return self

    def _opened(self) -> Output:
        output = open_file(self._name, BODY_PART)
        if isinstance(output, Part):
            register.add(output.path, lambda: self._settle(output))
        return output

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

    def write_coded(self, chunk: bytes) -> None:
        """Write bytes of the wire that decoding has still to make the body of.

        Raises:
            OutputError: they cannot be written, or the file is not open.
        """
        if isinstance(self.require_open(), Part):  # a pipe gets the body only
            if self._coded is None:
                self._coded = self._opened()
            self._coded.write_through(chunk)

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
        output, self._output = self.require_open(), None
        try:
            output = self._chosen(output)
            self._end(output, error)
        except BaseException as failure:  # Ctrl-C meanwhile, or no name can be had
            self._rescue(output)
            self._tell(output, failure)
            raise
        self._tell(output, error)

    def _chosen(self, decoded: Output) -> Output:
        """Return the file to go on with; the other one of a body that came in gzip is removed."""
        if self._coded is None:
            return decoded
        chosen, other = (decoded, self._coded) if self.complete else (self._coded, decoded)
        other.discard()
        return chosen

    def _end(self, output: Output, error: BaseException | None) -> None:
        if isinstance(error, TruncatedError):
            self.complete = False
        if error is None and self._keep and not self._left_early:
            if isinstance(output, Part):
                self.complete = True
                self.kept = output.keep("")
            else:
                self.kept = output.commit()
        elif _is_refusal(error) if error else not self._keep:
            output.discard()
        else:
            self._rescue(output)

    def _rescue(self, output: Output) -> None:
        """Give what came a visible name; where none can be had, its hidden one has to do."""
        if not output.size:
            output.discard()
            return
        try:
            self.kept = output.keep("" if self.complete else INCOMPLETE)
        except OutputError:
            if isinstance(output, Part) and register.is_ours(output.path) and output.path.exists():
                self.kept = output.path

    def _settle(self, output: Output) -> str | None:
        """End the body of a program that ends; return what to tell."""
        self._rescue(output)
        return self.note

    def _tell(self, output: Output, error: BaseException | None) -> None:
        if isinstance(error, SMSPartnerError):
            error.kept = self.kept
        if error is not None and self.note:
            error.add_note(self.note)
        if isinstance(error, OutputError) and self._left_early:  # asked for, and not whole
            error.add_note(_COUNTED)
        if isinstance(output, Part):
            register.remove(output.path)  # only now: what is not told yet is told in the end

    @property
    def note(self) -> str | None:
        """Where the body is, in words; None if it was not kept."""
        if self.kept is None:
            return None
        name = shlex.quote(str(self.kept))
        if not self.complete:
            return f"what came of the body is kept in {name}"
        return f"the body is kept in {name}; to read it later: smspartner decode {name}"


def _is_refusal(error: BaseException) -> bool:
    """Say whether what came is no body of a rental, although one was asked for."""
    page = isinstance(error, UnknownFormatError) and (error.http_status or 0) >= REFUSED
    return page or isinstance(error, APIError)
