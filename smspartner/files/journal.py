"""The journal: what was asked for and what came of it, so that nothing is asked for twice.

JSON Lines in ``smspartner-journal.jsonl``. A line is written, and synced, before a request and
another one after it; the last line of a rental or a body says how far it is. An ``asked`` that is
the last one was stopped in between: only the service knows whether that download was counted.

Several processes may use one journal. Each takes what it works on with a lock, and adds lines.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Final, Literal, Self

import msgspec

from smspartner import errors
from smspartner.errors import (
    APIError,
    ConfigurationError,
    OutputError,
    RentalFailedError,
    RentalNotFoundError,
    RentalPendingError,
    RentalUsedError,
    SMSPartnerError,
    TransportError,
)
from smspartner.files.locks import PLACES, appending, lock_byte, unlock_byte
from smspartner.files.targets import output_errors, sync
from smspartner.files.unfinished import open_private
from smspartner.models.masks import mask_target

NAME: Final = "smspartner-journal.jsonl"
SCHEMA: Final = 1

#: Refusals that will be the same the next time.
_FINAL_REFUSALS: Final = (RentalNotFoundError, RentalUsedError, RentalFailedError)

#: What failures say of themselves, beside the code, that a program may ask of them again.
_CARRIED: Final = (
    "http_status",
    "message",
    "maybe_received",
    "index",
    "field",
    "reason",
    "declared",
    "found",
)


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of the journal.

    Attributes:
        schema: the version of the form of these lines.
        time: when it was written.
        state: ``asked`` before a request, ``done`` or ``failed`` after it.
        token: the rental's token, None where a body was read.
        source: the body that was read, None where a rental was asked for.
        target: where the numbers go, without the password of an address.
        place: whether the target is a file that appears when all numbers are in it.
        before: what tells the file that was there before from another one, None for none.
        format: ``json`` or ``xml``.
        size: bytes of the body.
        sha256: of the body, in hexadecimal.
        declared: how many numbers the service declared.
        rows: how many were written.
        error: the class of the failure.
        code: the service's own code of it.
        text: the failure in words, as they were told; several lines.
        carried: what else the failure says of itself, such as ``http_status``.
        kept: where the body was kept.
        retryable: whether asking again cannot cost anything.
        final: whether asking again is no use, or could cost something.
        options: what was written of the numbers, as a checksum.
        stamp: what tells the body that was read from another one under its name.
        left_out: what people were left out by, such as ``--exclude-stop`` or the name of a list.
    """

    schema: int
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    state: Literal["asked", "done", "failed"]
    token: str | None = None
    source: str | None = None
    target: str | None = None
    place: bool = False
    before: str | None = None
    format: str | None = None
    size: int | None = None
    sha256: str | None = None
    declared: int | None = None
    rows: int | None = None
    error: str | None = None
    code: int | None = None
    text: str | None = None
    carried: dict[str, bool | int | str] = {}
    kept: str | None = None
    retryable: bool = False
    final: bool = False
    options: str | None = None
    stamp: str | None = None
    left_out: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What the line is about."""
        return self.token or self.source or ""

    @property
    def moment(self) -> str:
        """When it was written, in words."""
        return self.time.isoformat(" ", "seconds")

    @property
    def closed(self) -> bool:
        """Whether nothing is to be asked any more: it is done, or has failed for good."""
        return self.state == "done" or self.final

    def failure(self) -> SMSPartnerError:
        """Return the failure of a line again, to be raised: its class, and its words of then."""
        kind: type[SMSPartnerError] = getattr(errors, self.error or "", SMSPartnerError)
        first, *notes = (self.text or "").splitlines() or [""]
        words = first.removeprefix(f"rental {self.token}: ")
        again = kind.__new__(kind, words)  # not made of what it takes: its words are complete
        again.__dict__ |= {**self.carried, "_told": words}
        if isinstance(again, APIError):
            again.code = self.code
        again.token, again.retryable = self.token, self.retryable
        again.kept = Path(self.kept) if self.kept else None
        for note in notes:
            again.add_note(note)
        return again


def asked(**facts: Any) -> Entry:
    """Return the line before a request."""
    return Entry(schema=SCHEMA, time=datetime.now(UTC), state="asked", **facts)


def done(line: Entry, *, kept: Path | None = None, **facts: Any) -> Entry:
    """Return the line for the success of what an ``asked`` line began."""
    changes = {"time": datetime.now(UTC), "state": "done", "kept": _absolute(kept)}
    return msgspec.structs.replace(line, **changes, **facts)


def failed(line: Entry, error: SMSPartnerError) -> Entry:
    """Return the line for a failure of what an ``asked`` line began."""
    return msgspec.structs.replace(
        line,
        time=datetime.now(UTC),
        state="failed",
        error=type(error).__name__,
        code=getattr(error, "code", None),
        text="\n".join([str(error), *getattr(error, "__notes__", ())]),
        carried={
            name: value for name in _CARRIED if (value := getattr(error, name, None)) is not None
        },
        kept=_absolute(error.kept),
        retryable=error.retryable,
        final=_is_final(error),
    )


def _absolute(kept: Path | None) -> str | None:
    """Return a path for runs in other folders, too."""
    return None if kept is None else str(kept.absolute())


def _is_final(error: SMSPartnerError) -> bool:
    """Say whether a rental is not to be asked for again by itself.

    A refusal spends nothing, but some are the same every time. After anything else the download
    may have been counted, unless the error says otherwise.
    """
    if isinstance(error, APIError):
        return isinstance(error, _FINAL_REFUSALS)
    if isinstance(error, TransportError):
        return error.maybe_received
    return not error.retryable and not isinstance(error, ConfigurationError)


def readable(text: str | Path) -> str:
    """Return text that a line can hold; what stands for bytes that are not UTF-8 is replaced."""
    return re.sub(r"[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", str(text))


def _line(entry: Entry) -> bytes:
    # msgspec writes no text with such bytes in it, and names are in notes and elsewhere, too.
    text = json.dumps(msgspec.to_builtins(entry), ensure_ascii=False, separators=(",", ":"))
    return readable(text).encode() + b"\n"


def identity(path: Path) -> str | None:
    """Return what tells a file from another one under its name, or None.

    Not its time: the numbers come as a new file, and the old one may be touched, or added to. An
    empty file is none: a run that is killed may have claimed the name, and not used it yet.
    """
    try:
        found = path.stat()
    except OSError:
        return None
    if not found.st_size:
        return None
    return f"{found.st_dev}:{found.st_ino}"


class Journal:
    """The journal of a folder; a context manager.

    Args:
        folder: where it is; it is made there with the first line.

    Attributes:
        broken: whether the line behind a failure could not be written.

    Raises:
        OutputError: it cannot be written, or a line of it cannot be read.
        ConfigurationError: another version of this package has written it.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._descriptor = -1
        self._read = 0
        self.broken: bool = False
        self._last: dict[str, Entry] = {}
        self._guard = threading.Lock()

    def __enter__(self) -> Self:
        with output_errors(str(self.path)):
            self._descriptor = open_private(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            self.entries()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._guard:  # a thread that nobody waited for must not write to another file
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)

    def entries(self) -> dict[str, Entry]:
        """Return the last line of each rental and body, by its key, those of other runs too."""
        with self._known() as last:
            return dict(last)  # other threads go on reading meanwhile

    def last(self, key: str) -> Entry | None:
        """Return the last line of one, without a copy of all the others."""
        with self._known() as last:
            return last.get(key)

    @contextlib.contextmanager
    def _known(self) -> Iterator[dict[str, Entry]]:
        """Read what has come, and yield the last lines; they do not change meanwhile."""
        with self._guard, output_errors(str(self.path)):
            size = os.fstat(self._descriptor).st_size
            read = self._bytes(self._read, size)
            whole = read[: read.rfind(b"\n") + 1]
            self._read += len(whole)
            for line in whole.splitlines():
                if (entry := self._entry(line)) is not None:
                    self._last[entry.key] = entry
            yield self._last

    @contextlib.contextmanager
    def taken(self, key: str) -> Iterator[Entry | None]:
        """Take a rental or a body for the block, and yield its last line.

        Raises:
            RentalPendingError: another process has taken it.
        """
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
        place = int.from_bytes(digest[:7], "big") % PLACES
        with self._guard, output_errors(str(self.path)):
            free = lock_byte(self._descriptor, place)
        if not free:
            raise RentalPendingError(
                None, f"another run is at this rental, see {self.path}; nothing was asked"
            )
        try:
            yield self.last(key)
        finally:
            with self._guard, output_errors(str(self.path)):
                unlock_byte(self._descriptor, place)

    def add(self, entry: Entry) -> Entry:
        """Write a line, and return its entry; errors as ``add_all``."""
        self.add_all([entry])
        return entry

    def add_all(self, entries: Sequence[Entry], *, durable: bool = True) -> None:
        """Write lines.

        Args:
            entries: of the lines.
            durable: wait until they outlast a power cut, 8 ms or so.

        Raises:
            OutputError: they cannot be written.
        """
        line = b"".join(map(_line, entries))
        with self._guard, output_errors(str(self.path)), appending(self._descriptor):
            size = os.fstat(self._descriptor).st_size
            if size and self._bytes(size - 1, size) != b"\n":
                line = b"\n" + line  # behind what a full disk or a power cut has left of a line
            while line:
                line = line[os.write(self._descriptor, line) :]
            if durable:
                sync(self._descriptor)

    def asking(
        self,
        token: str,
        target: str,
        place: Path | None,
        fetch: Callable[[], dict[str, Any]],
        left_out: tuple[str, ...] = (),
    ) -> Entry:
        """Write a line before a rental is asked for, and one after it; return the last one.

        Args:
            token: the rental's token.
            target: where its numbers go.
            place: the file that appears there when all numbers are in it; None for a database, and
                for a pipe.
            fetch: asks, and returns facts for the last line, such as ``rows`` and ``sha256``.
            left_out: what people are left out by.

        Raises:
            SMSPartnerError: as ``fetch`` raises it.
            OutputError: the journal cannot be written.
        """
        line = asked(
            token=token,
            target=mask_target(target) if place is None else str(place.absolute()),
            before=None if place is None else identity(place),
            place=place is not None,
            left_out=left_out,
        )
        self.add(line)
        try:
            facts = fetch()
        except SMSPartnerError as error:
            try:
                self.add(failed(line, error))
            except OutputError as unwritten:  # where the body is counts for more
                self.broken = True
                error.add_note(f"nor could the journal be told: {unwritten.what}")
            raise
        return self.add(done(line, **facts))

    def _entry(self, line: bytes) -> Entry | None:
        """Read a line; what was left of one, or an empty one, is none."""
        if not line.endswith(b"}"):
            return None
        try:
            schema = msgspec.json.decode(line, type=_Schema).schema
            if schema == SCHEMA:
                return msgspec.json.decode(line, type=Entry)
        except msgspec.MsgspecError as error:
            raise OutputError(
                f"a line of the journal {str(self.path)!r} cannot be read ({error}); repair it, "
                "or move the file away, and with it what it knows of downloads"
            ) from error
        raise ConfigurationError(
            f"the journal {str(self.path)!r} is of another version of smspartner (schema {schema}, "
            f"not {SCHEMA}); use that version, or another folder"
        )

    def _bytes(self, begin: int, end: int) -> bytes:
        os.lseek(self._descriptor, begin, os.SEEK_SET)  # Windows has no pread
        return os.read(self._descriptor, end - begin)


class _Schema(msgspec.Struct):
    """The first thing to know of a line."""

    schema: int
