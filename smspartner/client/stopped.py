"""What became of a download that was stopped: a rental is asked for once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from smspartner.errors import DownloadLostError
from smspartner.files.journal import Entry, Journal, done, failed, identity
from smspartner.models.status import RentalState, RentalStatus
from smspartner.transport.call import pause

#: What a rental that was not handed out can be; ``UNKNOWN`` proves nothing.
_NOT_COUNTED: Final = frozenset(
    {RentalState.REQUESTED, RentalState.GENERATING, RentalState.READY, RentalState.FAILED}
)


class AsksStatus(Protocol):
    """A client, as far as it is needed here."""

    def status(self, token: str) -> RentalStatus:
        """Return the status of a rental."""
        ...


def arrived(journal: Journal, asked: Entry, client: AsksStatus, *, patience: float) -> Entry | None:
    """Return the line that says that the numbers of a stopped download are in their place.

    Its last line in the journal is ``asked``: it may be counted. A file that has come to its
    place since is whole.

    Args:
        journal: gets the line that is missing.
        asked: the line that is there.
        client: asks for the rental's status.
        patience: seconds since the request until the service has surely counted it, or not.

    Returns:
        None where they are not, and the rental may be asked for.

    Raises:
        DownloadLostError: it was counted, or may be, and its numbers are not in their place.
        SMSPartnerError: as ``Client.status`` raises them; the journal stays as it is.
    """
    status = client.status(asked.key)
    passed = (datetime.now(UTC) - asked.time).total_seconds()
    left = min(patience - passed, patience)
    if status.state in _NOT_COUNTED and left > 0:
        pause(left)  # the request may still be on its way through the service
        status = client.status(asked.key)
    if status.state in _NOT_COUNTED:
        return None
    if _has_come(journal, asked):
        return journal.add(done(asked))
    lost = DownloadLostError(
        f"its download of {asked.moment} was stopped, and its status is "
        f"{status.state.name.lower()} ({status.status}); look beside {asked.target} for what came "
        "of the body, and ask SMS Partner for the rest"
    )
    lost.token = asked.key
    journal.add(failed(asked, lost))
    raise lost


def _has_come(journal: Journal, asked: Entry) -> bool:
    """Say whether the target is another file than before, and no other rental's."""
    others = any(
        entry.target == asked.target and entry.time > asked.time
        for entry in journal.entries().values()
        if entry.key != asked.key
    )
    there = identity(Path(asked.target)) if asked.place and asked.target else None
    # Lines of earlier versions have the time of the file behind it.
    return not others and there is not None and not f"{asked.before}:".startswith(f"{there}:")
