"""Many rentals: each is asked for once, its body kept, and what became of it is in a journal."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Container, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol
from urllib.parse import quote

import msgspec

from smspartner.client.arguments import require_tokens
from smspartner.client.stopped import arrived
from smspartner.decoders import decoder_named
from smspartner.errors import (
    ConfigurationError,
    OutputError,
    SMSPartnerError,
    TransportError,
    boundary,
)
from smspartner.files.journal import Entry, Journal, asked, done
from smspartner.files.many import in_turn, portable
from smspartner.files.targets import Target, output_errors
from smspartner.transport.call import ended

if TYPE_CHECKING:
    from smspartner.client.client import Client

#: Characters of a file's name that a token gives at most.
_LONGEST: Final = 150


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one rental of many.

    Attributes:
        token: the rental's token.
        state: ``done`` now, done ``before`` by what the journal says, or ``failed``.
        path: the file of its body, None where it failed.
        numbers: how many numbers are in it, None where it failed.
        error: why it failed, now or before.
    """

    token: str
    state: Literal["done", "before", "failed"]
    path: Path | None = None
    numbers: int | None = None
    error: SMSPartnerError | None = None


def file_name(token: str) -> str:
    """Return a rental's token as a name that every file system takes, without an ending.

    What is not the token itself ends in a part of its checksum: no two tokens have one name.
    """
    name = portable(quote(token, safe="").replace("%", "_"))
    if name == token and len(name) <= _LONGEST:
        return name
    return f"{name[:_LONGEST]}-{hashlib.sha256(token.encode()).hexdigest()[:16]}"


def require_distinct(tokens: Iterable[str]) -> None:
    """Refuse tokens whose bodies would be one file where capital letters do not count.

    Raises:
        ConfigurationError: it names two.
    """
    known: dict[str, str] = {}
    for token in tokens:
        if (other := known.setdefault(file_name(token).casefold(), token)) != token:
            raise ConfigurationError(
                f"the rentals {other!r} and {token!r} differ by capital letters only, and some "
                "disks would take their files for one: fetch them into different folders"
            )


class Job(Protocol):
    """What is done with each rental."""

    def target(self, token: str) -> str:
        """Return where its numbers go, as the journal says it."""
        ...

    def place(self, token: str) -> Path | None:
        """Return the file that appears when all numbers are in it, None for a database."""
        ...

    def fetch(self, token: str, place: Path | None) -> dict[str, Any]:
        """Ask for the rental, and return the facts for the journal, which has its place by now."""
        ...

    def accept(self, entry: Entry) -> None:
        """Refuse what an earlier run has done, if it is not what is wanted now."""
        ...

    @property
    def left_out(self) -> tuple[str, ...]:
        """What people are left out by."""
        ...

    def recover(self, token: str) -> dict[str, Any] | None:
        """Finish with a body that an earlier run has left; or None."""
        ...

    def over(self, entry: Entry) -> None:
        """Let go what nobody needs any more: the line of the journal is written."""
        ...


@dataclass(frozen=True, kw_only=True)
class Each:
    """Rentals that are each asked for once, several at a time.

    Attributes:
        client: is used from several threads.
        tokens: each once.
        folder: of the journal.
        job: what is done with each.
        jobs: how many at a time.
        again: tokens that are asked for although the journal knows them.
        patience: seconds after which the service has surely counted a download, or not.
    """

    client: Client
    tokens: Iterable[str]
    folder: Path
    job: Job
    jobs: int
    again: Container[str] = ()
    patience: float
    _full: threading.Event = field(default_factory=threading.Event, repr=False)

    def outcomes(self) -> Generator[Outcome, None, None]:
        """Ask for them, and yield what became of each.

        Left early, nothing new is asked, and what is in flight finishes. Nor is anything asked for
        once something could not be written: on a full disk each further rental would be lost.

        Raises:
            OutputError, ConfigurationError: of the journal. What is wrong with a rental is in its
                outcome.
        """
        context = copy_context()  # an ``Abort`` of it ends what the threads wait for, too
        with Journal(self.folder) as journal:
            pool = ThreadPoolExecutor(self.jobs, thread_name_prefix="smspartner")

            def work(token: str) -> Outcome:
                return context.copy().run(self.once, journal, token)

            with closing(in_turn(pool, work, self.tokens, self.jobs)) as turns:
                for _, future in turns:
                    yield future.result()

    def once(self, journal: Journal, token: str) -> Outcome:
        """Ask for one of them unless the journal knows it, and return what became of it."""
        try:
            with journal.taken(token) as entry:
                return self._once(journal, token, entry)
        except _EndedError as ended:
            return Outcome(token=token, state="failed", error=ended.error)
        except SMSPartnerError as error:
            if isinstance(error, OutputError) or journal.broken:
                self._full.set()
            error.token = token
            return Outcome(token=token, state="failed", error=error)

    def _once(self, journal: Journal, token: str, entry: Entry | None) -> Outcome:
        if ended():
            raise TransportError("ended by abort() before it was asked for", retryable=True)
        job = self.job
        known = None if token in self.again else entry
        if known is not None and known.state == "done":
            job.accept(known)
            job.over(known)
            return _outcome(known, "before")
        finished = entry is not None and entry.state == "done"  # and to be asked for again
        if not finished and (facts := job.recover(token)) is not None:
            line = asked(token=token, target=job.target(token), left_out=job.left_out)
            job.over(entry := journal.add(done(line, **facts)))
            return _outcome(entry, "done")
        if known is not None and known.closed:
            return _outcome(known, "failed")
        if known is not None and known.state == "failed":
            known = None  # a failure that cost nothing
        if known is not None and (
            there := arrived(journal, known, self.client, patience=self.patience)
        ):
            job.accept(there)
            return _outcome(there, "before")
        return self._asked(journal, token)

    def _asked(self, journal: Journal, token: str) -> Outcome:
        if self._full.is_set():
            error = OutputError(
                "it was not asked for, as what came before could not be written; mend that, and "
                "run this again"
            )
            error.retryable = True
            raise error
        job = self.job
        place = job.place(token)
        fetch = partial(_fetched, job, token, place)
        entry = journal.asking(token, job.target(token), place, fetch, job.left_out)
        job.over(entry)
        return _outcome(entry, "done")


class _EndedError(Exception):
    """A download that ``Abort`` ended on its way: it stays ``asked`` in the journal, as if killed.

    Only the service knows whether it was counted, and the next run asks it.
    """

    def __init__(self, error: SMSPartnerError) -> None:
        super().__init__()
        self.error = error


def _fetched(job: Job, token: str, place: Path | None) -> dict[str, Any]:
    try:
        return job.fetch(token, place)
    except SMSPartnerError as error:
        if ended() and not error.retryable:
            raise _EndedError(error) from None
        raise


def _outcome(entry: Entry, state: Literal["done", "before", "failed"]) -> Outcome:
    """Return the outcome that a line of the journal tells."""
    if state == "failed":
        return Outcome(token=entry.key, state=state, error=entry.failure())
    return Outcome(token=entry.key, state=state, path=place_of(entry), numbers=entry.rows)


def place_of(entry: Entry) -> Path | None:
    """Return where a line of the journal says that a body, or its numbers, are."""
    place = entry.kept or entry.target
    return Path(place) if place else None


class Save:
    """Saves the body of each rental into a folder, whose name is the rental's."""

    left_out: tuple[str, ...] = ()

    def accept(self, entry: Entry) -> None:
        """Take what there is: a body holds everybody."""

    def __init__(self, client: Client, folder: Path, format_name: str) -> None:
        self._client = client
        self._folder = folder
        self._format = format_name

    def body(self, token: str, more: str = "") -> Path:
        """Return the file of a body, with something behind the token."""
        return self._folder / f"{file_name(token)}{more}.{self._format}"

    def place(self, token: str) -> Path | None:
        """Return the file that the body comes to: another one where its own is taken.

        A number alone would not do: ``A-2.json`` is the body of the rental ``A-2``.
        """
        more = chain(["", " again"], (f" again-{number}" for number in count(2)))
        places = (self.body(token, each) for each in more)
        with output_errors(str(self.body(token))):
            return next(place for place in places if not place.exists())

    def target(self, token: str) -> str:
        """Return the file of the body."""
        return str(self.body(token))

    def fetch(self, token: str, place: Path | None) -> dict[str, Any]:
        """Save the body."""
        path = place or self.body(token)
        saved = self._client.save(token, path, format=self._format)
        return {
            "format": saved.format,
            "size": saved.bytes,
            "sha256": saved.sha256,
            "declared": saved.declared,
            "rows": saved.numbers,
            "kept": saved.path,
        }

    def recover(self, token: str) -> dict[str, Any] | None:  # noqa: ARG002 - protocol
        """Leave it to the status of the rental: a body under its name came of its download."""
        return None

    def over(self, entry: Entry) -> None:
        """Let nothing go: the body is what was asked for."""


@boundary
def saving(
    client: Client,
    tokens: Iterable[str],
    folder: Target,
    *,
    jobs: int = 4,
    resume: bool = True,
    format: str = "json",  # noqa: A002 - the word users know from _format=
) -> Each:
    """Return rentals to be saved; arguments and errors as ``Client.download_many``."""
    decoder_named(format)
    wanted = require_tokens(tokens)
    require_distinct(wanted)
    place = folder_for(folder)
    return Each(
        client=client,
        tokens=wanted,
        folder=place,
        job=Save(client, place, format),
        jobs=checked_jobs(jobs),
        again=() if resume else frozenset(wanted),
        patience=client._open().timeout,  # noqa: SLF001 - of this room
    )


def checked_jobs(jobs: Any) -> int:
    """Return a number of jobs that can work.

    Raises:
        ConfigurationError: it is none.
    """
    if not isinstance(jobs, int) or jobs < 1:
        raise ConfigurationError("jobs= is how many are at work at once, 1 or more")
    found: int = jobs
    return found


def folder_for(folder: Target) -> Path:
    """Return a folder, made where it is not there.

    Raises:
        OutputError: it cannot be made.
    """
    path = Path(folder)
    with output_errors(str(path)):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path
