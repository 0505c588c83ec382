"""``download --once``: what the journal says of a rental that was asked for before."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import asdict, replace

from smspartner.cli.before import body_left, lost, missing, unfit, writer_since
from smspartner.cli.console import say
from smspartner.cli.left_out import added, left_in, unproved
from smspartner.cli.options import Output
from smspartner.cli.transfer import file_of, safety_copy, tell
from smspartner.client.stopped import arrived
from smspartner.errors import ConfigurationError, OutputError, SMSPartnerError
from smspartner.files.journal import NAME, Entry, Journal, asked, done
from smspartner.files.many import SavedBodies
from smspartner.files.provenance import provenance, provenance_path, write_provenance
from smspartner.files.rows import Origin
from smspartner.files.sinks import sink_for
from smspartner.files.targets import STDOUT, is_special, output_errors
from smspartner.files.write import write_rows
from smspartner.models.masks import mask_target

if TYPE_CHECKING:
    from smspartner.cli.download import Download


def journal_of(out: Output) -> Path | None:
    """Return the journal of an output: beside the file, or in the current folder for a server.

    What goes to standard output, a pipe or a device has none: no later run can find it there.
    """
    name = file_of(out.output)
    if out.output == STDOUT or (name and is_special(name)):
        return None
    return Path(name).parent / NAME


def require_journal(out: Output) -> Path:
    """Return the journal of an output.

    Raises:
        ConfigurationError: it has none, so the next run could not know what was done.
    """
    if (journal := journal_of(out)) is None:
        raise ConfigurationError(
            "--once needs a place where the next run finds the numbers: give it with -o FILE"
        )
    return journal


def fetch_once(wanted: Download) -> None:
    """Fetch unless the journal says how that has ended."""
    token, out, service = wanted.token, wanted.out, wanted.service
    with Journal(require_journal(out).parent) as journal, journal.taken(token) as last:
        entry = last
        if entry is not None and entry.state == "asked":
            with service.client() as client:
                entry = arrived(journal, entry, client, patience=service.timeout)
        if entry is not None and entry.closed:
            _settle(journal, entry, wanted)
            return
        with service.client() as client:
            if wanted.wait:
                wanted.await_file(client)
            wanted = wanted.with_account()
            fetch = partial(wanted.fetch, client)
            journal.asking(token, out.output, _place_of(out), fetch, wanted.leaves_out)


def _place_of(out: Output) -> Path | None:
    """Return the file that appears when all numbers are in it; None for a database, or a pipe."""
    name = file_of(out.output)
    database = sink_for(out.output, out.to).schemes
    return None if not name or database or is_special(name) else Path(name)


def _settle(journal: Journal, entry: Entry, wanted: Download) -> None:
    """End with what the journal says of a rental that is not asked for again.

    Raises:
        SMSPartnerError: it has failed for good, or its numbers are not where they are wanted.
    """
    out, place = wanted.out, _place_of(wanted.out)
    if entry.state == "done":
        failure: SMSPartnerError
        if problem := missing(entry, out, place, journal.entries()):
            failure = lost(wanted.token, problem)
            free = place is None or not place.exists()  # else it may hold what is nowhere else
        elif problem := _left_in(journal, entry, wanted.with_account()):
            failure, free = unfit(entry, problem), True
        else:
            if not out.quiet:
                where = f"was downloaded before, into {entry.target}"
                say(f"rental {entry.key} {where}; it was not asked for again")
            return
    else:
        failure = entry.failure()
        failure.add_note(f"that was at {entry.moment}; nothing was asked now (--once)")
        free = isinstance(failure, OutputError)
        free = free and not (place and writer_since(entry, place, journal.entries()))
    body = body_left(entry, journal.path.parent)
    if body is None or not free:
        raise failure
    _recover(journal, entry, body, wanted)


def _left_in(journal: Journal, entry: Entry, wanted: Download) -> str | None:
    """Return who is in an export who is to be left out now; the journal gets to know if none is."""
    new = unproved(entry, wanted.leaves_out)
    file = file_of(wanted.out.output)
    if new and (words := left_in(file, entry.key, new, wanted.write_options)):
        return words
    if (left_out := added(entry, wanted.leaves_out)) != entry.left_out:
        journal.add(replace(entry, left_out=left_out))
    return None


def _recover(journal: Journal, entry: Entry, body: Path, wanted: Download) -> None:
    """Write the numbers of a body that an earlier run has kept."""
    wanted = wanted.with_account()
    token, out, place = wanted.token, wanted.out, _place_of(wanted.out)
    options = wanted.write_options
    bodies = SavedBodies([(Origin(token=token), str(body))], several=False)
    try:
        written = write_rows(bodies, out.output, to=out.to, options=options)
        facts = bodies.facts[str(body)]
        if out.provenance:
            form, size, sha256 = facts.format, facts.size, facts.sha256
            record = provenance(
                token=token, format=form, count=facts.rows, sha256=sha256, size=size
            )
            write_provenance(record, provenance_path(out.output))
    except SMSPartnerError as error:
        error.token, error.kept = token, body
        error.add_note(f"its body is kept in {body}; run this again to write its numbers")
        raise
    tell(written, out)
    copy = safety_copy(out.output, facts.format).with_suffix("").name
    ours = entry.state == "failed" and body.name.startswith(copy)
    line = asked(
        token=token,
        target=mask_target(out.output) if place is None else str(place.absolute()),
        place=place is not None,
        left_out=wanted.leaves_out,
    )
    found = {**asdict(facts), "rows": written.rows, "stamp": None}  # the body is not read again
    journal.add(done(line, **found, kept=None if ours else body))
    if ours:
        with output_errors(str(body)):
            body.unlink(missing_ok=True)
