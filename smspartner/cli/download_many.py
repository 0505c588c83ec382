"""``smspartner download`` of several rentals: each asked for once, with a journal."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Container, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from smspartner.cli.before import body_left, lost, missing, unfit
from smspartner.cli.left_out import added, left_in, unproved
from smspartner.cli.options import Output
from smspartner.cli.progress import progress_over
from smspartner.cli.total import Total
from smspartner.cli.transfer import file_of, name_left_behind
from smspartner.client.client import Client
from smspartner.client.many import (
    Each,
    Outcome,
    Save,
    file_name,
    folder_for,
    require_distinct,
)
from smspartner.errors import ConfigurationError, RentalPendingError, SMSPartnerError
from smspartner.files.bodies import proved
from smspartner.files.journal import NAME, Entry, Journal, asked, done, identity, readable
from smspartner.files.many import Facts, SavedBodies, parts_in, write_part
from smspartner.files.rows import Origin, WriteOptions
from smspartner.files.sinks import sink_for
from smspartner.files.sources import open_body
from smspartner.files.targets import is_special, output_errors
from smspartner.files.write import Written, write_rows
from smspartner.models.masks import mask_target

#: What is added to a target for the folder of its bodies, where they stay until it is written.
BODIES = ".bodies"


def download_many(
    client: Client,
    tokens: Sequence[str],
    out: Output,
    *,
    format_name: str,
    jobs: int,
    again: Sequence[str],
    stop: bool,
    patience: float,
) -> int:
    """Ask for each rental once, write its numbers, and say what became of each.

    ``patience`` is the timeout of the client.

    Raises:
        ConfigurationError, OutputError: the target cannot work; nothing was asked for.
        SMSPartnerError: a rental has failed, and ``stop`` is set.
    """
    require_distinct(tokens)
    work = _work(client, tokens, out, format_name)
    name_left_behind(str(work.folder / NAME))
    work.check(again)
    with progress_over(len(tokens), quiet=out.quiet) as advance:
        each = Each(
            client=client,
            tokens=tokens,
            folder=work.folder,
            job=work,
            jobs=jobs,
            again=frozenset(again),
            patience=patience,
        )
        with closing(each.outcomes()) as outcomes:
            for outcome in outcomes:
                advance()
                if outcome.error is not None and stop:
                    raise outcome.error
                work.told(outcome)
        work.finish()
    return work.total.tell()


def _work(client: Client, tokens: Sequence[str], out: Output, format_name: str) -> _Work:
    name = file_of(out.output)
    if out.is_folder:
        return _Folder(client, folder_for(out.output), format_name, out, tokens)
    if sink_for(out.output, out.to).schemes:
        folder = folder_for(f"{name or 'smspartner'}{BODIES}")
        return _Database(client, folder, format_name, out, tokens)
    if not name or is_special(name):
        raise ConfigurationError("several rentals go to a file, a folder or a database: give -o")
    if Path(name).is_symlink():  # one file, whatever it is called, has one journal
        name = str(Path(name).resolve())
    return _OneFile(client, folder_for(f"{name}{BODIES}"), format_name, out, tokens)


class _Work(Save, ABC):
    """What is done with each rental: its body saved, then its numbers written, then it goes.

    A body that an earlier run has left is finished with instead of asking again.
    """

    _options: WriteOptions

    def __init__(
        self,
        client: Client,
        folder: Path,
        format_name: str,
        out: Output,
        tokens: Sequence[str],
    ) -> None:
        super().__init__(client, folder, format_name)
        self.folder = folder
        self.out = out
        self.tokens = tokens
        before = "downloaded before, not asked for again"
        self.total = Total(out, "rentals downloaded", before, folder / NAME)
        self.left_out = (*out.leaves_out(), *out.leaves_out_account)
        self._before: Mapping[str, Entry] = {}
        self._mended: dict[str, Entry] = {}
        self._lines: dict[str, Entry] = {}
        self._looked: dict[tuple[str, ...], str | None] = {}
        self.prepare()

    @abstractmethod
    def prepare(self) -> None:
        """Check all that can be checked before anything is asked for."""

    def check(self, again: Container[str]) -> None:  # noqa: ARG002 - for a file of several
        """Refuse what cannot be added to the target as it is."""
        with Journal(self.folder) as journal:
            self._before = dict(journal.entries())

    def accept(self, entry: Entry) -> None:
        """Write a rental from the body that is left if it is not where it is wanted, or refuse it.

        Raises:
            ConfigurationError: no body is left, or people are in it who are to be left out.
        """
        token, failure = entry.key, None
        if problem := missing(entry, self.out, self.place(token), self._before):
            failure = lost(token, problem)
        elif problem := self._left_in(entry):
            failure = unfit(entry, problem)
        if failure is None:
            return
        body = body_left(entry, self.folder) or self.body(token)
        if identity(body) is None:
            raise failure
        facts = self.written(token, body)
        line = asked(token=token, target=self.target(token), left_out=self.left_out)
        # A body that was asked for as such, by Client.download_many, is not ours to remove.
        mine = entry.kept is None and body.name != Path(entry.target or "").name
        facts["kept"] = None if mine else body
        self._lines[token] = self._mended[token] = done(line, **facts)

    def _left_in(self, entry: Entry) -> str | None:
        """Return who is in an export who is to be left out now, as the journal will say."""
        new = unproved(entry, self.left_out)
        looked = (self.export(entry.key), "" if self.place(entry.key) else entry.key, *new)
        if new and looked not in self._looked:  # a file of several is looked into once
            self._looked[looked] = left_in(looked[0], entry.key, new, self._options)
        words = self._looked[looked] if new else None
        if words is None and (left_out := added(entry, self.left_out)) != entry.left_out:
            self._lines[entry.key] = replace(entry, left_out=left_out)
        return words

    def fetch(self, token: str, place: Path | None) -> dict[str, Any]:  # noqa: ARG002 - of numbers
        """Save the body, and write what is in it."""
        facts = self.save(token)
        body = self.body(token)
        try:
            return {**facts, **self.written(token, body)}
        except SMSPartnerError as error:
            error.kept = body
            error.add_note(f"its body is kept in {body}; run this again to write its numbers")
            raise

    def save(self, token: str) -> dict[str, Any]:
        """Save the body; what was asked for again takes the place of the one before."""
        facts = super().fetch(token, super().place(token))
        body = self.body(token)
        with output_errors(str(body)):
            facts["kept"].replace(body)
        return {**facts, "kept": body}

    def recover(self, token: str) -> dict[str, Any] | None:
        """Write what is in a body that is there."""
        body = self.body(token)
        return None if identity(body) is None else self.written(token, body)

    def export(self, token: str) -> str:
        """Return the file in which the numbers of a rental are; empty for a server."""
        return str(self.place(token) or file_of(self.out.output))

    @abstractmethod
    def written(self, token: str, body: Path) -> dict[str, Any]:
        """Write what is in a body, and return what changes of the facts."""

    def told(self, outcome: Outcome) -> None:
        """Count what became of a rental."""
        if outcome.error is not None:
            self.total.failed(outcome.error)
        elif outcome.state == "before" and outcome.token not in self._mended:
            self.total.was_there()

    def finish(self) -> None:
        """Do what is done once all rentals have been asked for."""
        if self._lines:
            with Journal(self.folder) as journal:
                journal.add_all(list(self._lines.values()))
        mended, self._mended = list(self._mended.values()), {}
        for entry in mended:
            self.over(entry)

    def over(self, entry: Entry) -> None:
        """Let the body go, unless the line keeps it; not before: a kill may come in between."""
        if entry.kept is None and entry.key not in self._mended:
            body = self.body(entry.key)
            with output_errors(str(body)):
                body.unlink(missing_ok=True)

    def _done(self, written: Written, facts: Facts) -> dict[str, Any]:
        """Count what was written, and return the facts."""
        self.total.wrote(written)
        return {
            "format": facts.format,
            "size": facts.size,
            "sha256": facts.sha256,
            "declared": facts.declared,
            "rows": facts.rows,
            "kept": None,
        }


class _Folder(_Work):
    """A file of its own for each rental."""

    def prepare(self) -> None:
        self._parts = parts_in(self.folder, map(file_name, self.tokens), self.out.to)
        first = self.place(self.tokens[0])
        self._options = self.out.export_options(None, target=str(first), several=True)

    def place(self, token: str) -> Path:
        """Return the file of a rental's numbers."""
        return self._parts[file_name(token)]

    def target(self, token: str) -> str:
        """Return its name, as it is from every folder."""
        return readable(self.place(token).absolute())

    def written(self, token: str, body: Path) -> dict[str, Any]:
        written, facts = write_part(
            str(body), self.place(token), self.out.to, self._options, Origin(token=token)
        )
        return self._done(written, facts)


class _Database(_Work):
    """One database for all rentals; each is there as soon as it has come."""

    def prepare(self) -> None:
        self._options = self.out.export_options(None, several=True)
        self._one_at_a_time = threading.Lock()

    def target(self, token: str) -> str:  # noqa: ARG002 - one for all
        return mask_target(self.out.output)

    def place(self, token: str) -> None:
        """Return None: the numbers are rows."""

    def written(self, token: str, body: Path) -> dict[str, Any]:
        bodies = SavedBodies([(Origin(token=token), str(body))], several=False)
        with self._one_at_a_time:
            written = write_rows(bodies, self.out.output, to=self.out.to, options=self._options)
        return self._done(written, bodies.facts[str(body)])


class _OneFile(_Work):
    """One file for all rentals, written from their bodies when all have been asked for.

    The bodies stay in their folder while a rental is missing, so that a later run can add it. Once
    none is, a line for each says that it is in the file, and the bodies go. Nothing can be added
    then: the file is written whole, and would lose what it is not written from.
    """

    def prepare(self) -> None:
        self._options = self.out.export_options(None, several=True)
        self._file = Path(file_of(self.out.output))
        self._new: set[str] = set()

    def check(self, again: Container[str]) -> None:
        """Refuse to write the file anew without a rental that is in it, or waits for it."""
        with Journal(self.folder) as journal:
            self._require_all(self._bodies(journal), again)

    def accept(self, entry: Entry) -> None:
        """Leave a rental whose body waits for the file: it is written with the options of now."""
        if self._body_of(entry) is not None:
            return
        if not self._file.is_file():
            name = f"{self.out.output!r}, which is not there any more"
            raise lost(entry.key, f"it was downloaded before and written to {name}")
        if problem := self._left_in(entry):
            raise unfit(entry, problem)

    def over(self, entry: Entry) -> None:
        """Let the body go once the rental is in the file."""
        if self._is_in_file(entry):
            super().over(entry)

    def export(self, token: str) -> str:  # noqa: ARG002 - one for all
        return str(self._file)

    def place(self, token: str) -> Path:
        """Return the body: the file is written of what is there in the end."""
        return self.body(token)

    def fetch(self, token: str, place: Path | None) -> dict[str, Any]:  # noqa: ARG002 - the body
        return self.save(token)

    def written(self, token: str, body: Path) -> dict[str, Any]:  # noqa: ARG002 - all at the end
        with open_body(str(body)) as opened:
            found = proved(opened)
            return {
                "format": found.format,
                "size": opened.size,
                "sha256": opened.sha256,
                "declared": found.declared,
                "rows": found.found,
                "kept": body,
            }

    def told(self, outcome: Outcome) -> None:
        super().told(outcome)
        if outcome.state == "done":
            self._new.add(outcome.token)

    def finish(self) -> None:
        name = self.out.output
        super().finish()
        with Journal(self.folder) as journal:
            try:  # from here on no other run writes the file, or lets a body of it go
                with journal.taken(f"file:{self.folder.name}"):
                    self._write(journal)
            except RentalPendingError:
                raise RentalPendingError(
                    None,
                    f"another run is writing {name!r}; the bodies are kept in {self.folder}, run "
                    "this again to write those that it misses",
                ) from None

    def _write(self, journal: Journal) -> None:
        """Write the file from the bodies that are there; none is where a run before has done so."""
        bodies = self._bodies(journal)
        self._require_all(bodies)
        waiting = {token: body for token, body in bodies.items() if body is not None}
        if not waiting:
            return
        saved = [(Origin(token=token), str(body)) for token, body in waiting.items()]
        try:
            written = write_rows(
                SavedBodies(saved), self.out.output, to=self.out.to, options=self._options
            )
        except SMSPartnerError as error:
            error.add_note(f"the bodies are kept in {self.folder}; run this again to write them")
            raise
        self.total.wrote(written, len(self._new & waiting.keys()))
        if self.total.has_failures:
            return
        entries = journal.entries()
        place = readable(self._file.absolute())
        lines = [
            done(entries[token], target=place, kept=None, before=None, left_out=self.left_out)
            for token in waiting
        ]
        journal.add_all(lines)
        for body in waiting.values():
            with output_errors(str(body)):
                body.unlink(missing_ok=True)

    def _require_all(self, bodies: dict[str, Path | None], again: Container[str] = ()) -> None:
        """Refuse to write the file, if that is to be done, without a rental that the journal has.

        Raises:
            ConfigurationError: it says what to do.
        """
        # Where the file is gone too there is nothing to lose, and all may be asked for again.
        given_up = () if self._file.exists() else again
        gone = [token for token, body in bodies.items() if body is None and token not in given_up]
        if all(token in gone and token not in again for token in self.tokens):
            return
        if gone:
            raise ConfigurationError(
                f"{self.out.output!r} was finished before, with {_rentals(gone)}, and the bodies "
                "are gone: written anew, it would lose them; give the others an output of their "
                "own, or use a folder or a database"
            )
        if others := [token for token in bodies if token not in self.tokens]:
            raise ConfigurationError(
                f"{self.out.output!r} is to hold {_rentals(others)} of another run too, and would "
                f"lose them; give their tokens as well, or give these an output of their own"
            )

    def _bodies(self, journal: Journal) -> dict[str, Path | None]:
        """Return the body of each rental that is done; None where it is in the file already."""
        entries = journal.entries().items()
        found = {key: self._body_of(entry) for key, entry in entries if entry.state == "done"}
        order = {token: place for place, token in enumerate(self.tokens)}
        return dict(sorted(found.items(), key=lambda item: order.get(item[0], len(order))))

    def _body_of(self, entry: Entry) -> Path | None:
        """Return the body of a rental that is done, if it is there; its folder may have moved."""
        body = self.folder / Path(entry.kept or entry.target or ".").name
        return None if self._is_in_file(entry) or identity(body) is None else body

    def _is_in_file(self, entry: Entry) -> bool:
        """Say whether a line says that a rental is in the file, and not only its body here."""
        return entry.kept is None and Path(entry.target or "").parent.name != self.folder.name


def _rentals(tokens: Sequence[str]) -> str:
    """Return some rentals in words."""
    if len(tokens) == 1:
        return f"the rental {tokens[0]}"
    return f"{len(tokens):,} rentals ({tokens[0]} is one)"
