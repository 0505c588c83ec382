"""What people are left out by, for the journal, and who of them is in an export all the same.

A list may grow under its name, and be the same under another one: what is in it counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from smspartner.errors import ConfigurationError, SMSPartnerError
from smspartner.files.journal import Entry
from smspartner.files.rows import WriteOptions

EXCLUDE_STOP: Final = "--exclude-stop"
OPT_OUTS_ACCOUNT: Final = "--opt-outs-account"

#: What stands between the name of a list and the digest of what is in it.
_DIGEST: Final = " sha256:"


def of_file(path: Path) -> str:
    """Return a list as the journal names it; a pipe, which is read once, without a digest."""
    with suppress(OSError):  # reading it will say what is wrong
        if path.is_file():
            with path.open("rb") as file:
                return f"{path}{_DIGEST}{hashlib.file_digest(file, 'sha256').hexdigest()}"
    return str(path)


def of_account(phones: Sequence[str]) -> str:
    """Return the stop list of the account as the journal names it."""
    content = "\n".join(sorted(phones)).encode("utf-8", "surrogatepass")
    return f"{OPT_OUTS_ACCOUNT}{_DIGEST}{hashlib.sha256(content).hexdigest()}"


def unproved(entry: Entry, left_out: Sequence[str]) -> list[str]:
    """Return what an export was not written without, as far as its line in the journal tells."""
    known = {_parts(each)[1] for each in entry.left_out} - {""}
    stops = EXCLUDE_STOP in entry.left_out
    return [
        each
        for each in left_out
        if not (_parts(each)[1] in known or (each == EXCLUDE_STOP and stops))
    ]


def added(entry: Entry, left_out: Sequence[str]) -> tuple[str, ...]:
    """Return what an export turns out to be without, for the journal."""
    named = {_parts(each)[0]: each for each in (*entry.left_out, *left_out)}
    return tuple(named.values())


def left_in(file: str, token: str, left_out: Sequence[str], options: WriteOptions) -> str | None:
    """Return in words who is in an export who is to be left out; None if nobody is.

    Args:
        file: the export; empty for a database that is no file.
        token: of the rental, where several are in a database.
        left_out: what was not left out for certain.
        options: with the opt-out lists as they are now.
    """
    names = ", ".join(_said(each) for each in left_out)
    try:
        if not file:
            raise ConfigurationError("the database of a server is not read")
        count = _count(file, token, left_out, options)
    except SMSPartnerError as error:
        return f"without {names}: people who must not be written to may be in it ({error})"
    if not count:
        return None
    people = "1 number" if count == 1 else f"{count:,} numbers"
    return f"without {names}: {people} in it must not be written to"


def _count(file: str, token: str, left_out: Sequence[str], options: WriteOptions) -> int:
    from smspartner.files.opt_outs import ACCOUNT, OptOuts  # noqa: PLC0415 - few have a list
    from smspartner.files.read import open_numbers  # noqa: PLC0415

    wanted = {_parts(each)[0].replace(OPT_OUTS_ACCOUNT, ACCOUNT) for each in left_out}
    lists = options.opt_outs.lists if options.opt_outs else ()
    opt_outs = OptOuts.of(each for each in lists if each.name in wanted)
    count = 0
    with open_numbers(file, token=token) as source:
        phone = "phone" if "phone" in source.columns else "e164"
        needed = ({"stop_sms"} if EXCLUDE_STOP in wanted else set()) | (
            {phone} if opt_outs.lists else set()
        )
        if absent := needed - set(source.columns):
            raise ConfigurationError(f"it has no column {', '.join(sorted(absent))}")
        for batch in source.batches():
            if EXCLUDE_STOP in wanted:
                count += batch["stop_sms"].count(True)
            if opt_outs.lists:
                count += sum(bool(opt_outs.lists_with(each or "")) for each in batch[phone])
    return count


def _parts(name: str) -> tuple[str, str]:
    """Return the name of a list, and the digest of what is in it, if that is known."""
    first, mark, digest = name.rpartition(_DIGEST)
    return (first, digest) if mark else (name, "")


def _said(name: str) -> str:
    shown = _parts(name)[0]
    return shown if shown == EXCLUDE_STOP else f"{shown} as it is now"
