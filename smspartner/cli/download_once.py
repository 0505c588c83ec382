"""``download --once``: what the journal says of a rental that was asked for before."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from smspartner.cli.console import say
from smspartner.cli.options import Output
from smspartner.cli.transfer import file_of
from smspartner.client.stopped import arrived
from smspartner.errors import ConfigurationError
from smspartner.files.journal import NAME, Entry, Journal
from smspartner.files.sinks import sink_for
from smspartner.files.targets import is_special

if TYPE_CHECKING:
    from smspartner.cli.download import Download


def journal_of(out: Output) -> Path:
    """Return the journal of an output: beside the file, else in the current folder."""
    return Path(file_of(out.output)).parent / NAME


def fetch_once(asked: Download) -> None:
    """Fetch unless the journal says how that has ended."""
    token, out, service = asked.token, asked.out, asked.service
    with Journal(journal_of(out).parent) as journal, journal.taken(token) as entry:
        if entry is not None and entry.closed:
            _tell_again(entry, out)
            return
        with service.client() as client:
            stopped = entry if entry is not None and entry.state == "asked" else None
            if stopped and (there := arrived(journal, stopped, client, patience=service.timeout)):
                require_left_out(there, out)
                return
            asked = asked.waited(client)
            fetch = partial(asked.fetch, client)
            journal.asking(token, out.output, _place_of(out), fetch, asked.out.leaves_out)


def _place_of(out: Output) -> Path | None:
    """Return the file that appears when all numbers are in it; None for a database, or a pipe."""
    name = file_of(out.output)
    database = sink_for(out.output, out.to).schemes
    return None if not name or database or is_special(name) else Path(name)


def require_left_out(entry: Entry, out: Output) -> None:
    """Refuse to call a rental done that was written before with more people in it.

    Raises:
        ConfigurationError: this run leaves people out by what the earlier run did not.
    """
    if missing := [each for each in out.leaves_out if each not in entry.left_out]:
        raise ConfigurationError(
            f"rental {entry.key} was written to {entry.target} before, without "
            f"{', '.join(missing)}: people who must not be written to may be in it; do not use it "
            "as it is, nothing was asked for"
        )


def _tell_again(entry: Entry, out: Output) -> None:
    """Say where a rental is that is not asked for again, or raise the error that it ended with."""
    if entry.state == "done":
        require_left_out(entry, out)
        if not out.quiet:
            say(f"rental {entry.key} was downloaded before, into {entry.target}; nothing was asked")
        return
    failure = entry.failure()
    failure.add_note(f"that was at {entry.moment}; nothing was asked now (--once)")
    raise failure
