"""What an earlier run has written: whether it is still there, as it is wanted now."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Final
from urllib.parse import quote

from smspartner.cli.options import Output
from smspartner.cli.transfer import file_of
from smspartner.errors import ConfigurationError
from smspartner.files.journal import Entry, identity
from smspartner.files.sources import open_body
from smspartner.models.masks import mask_target

#: The tables of a database that know rentals, and what finds one in each.
_RENTAL: Final = {
    "rented_numbers": "SELECT 1 FROM rented_numbers WHERE token = ? LIMIT 1",
    "empty_rentals": "SELECT 1 FROM empty_rentals WHERE token = ?",
}
_TABLES: Final = (
    "SELECT name FROM sqlite_master WHERE type = 'table' "
    "AND name IN ('rented_numbers', 'empty_rentals')"
)


def missing(
    entry: Entry, out: Output, place: Path | None, entries: Mapping[str, Entry]
) -> str | None:
    """Return why the numbers of a rental are not where they are wanted, None where they are.

    Args:
        entry: the line that says that they were written.
        out: what is wanted now.
        place: the file that holds them and nothing else; None for a database.
        entries: the last lines of the journal.

    Raises:
        ConfigurationError: a database cannot be read.
    """
    name = file_of(out.output) if place is None else str(place)
    wanted = mask_target(out.output)
    target = entry.target or "another place"
    # A journal and the files beside it may have moved together: their names count.
    one, other = (Path(file_of(target)).name, Path(name).name) if name else (target, wanted)
    if one != other:
        why = f"not to {name or wanted!r}"
    elif name and not Path(name).is_file():
        why = "which is not there any more"
    elif place is not None and (writer := writer_since(entry, place, entries)):
        why = f"which {writer} was written to since"
    elif place is None and name and not _has_rental(name, entry.key):
        why = "which does not have it any more"
    else:
        return None
    return f"it was downloaded before and written to {target}, {why}"


def writer_since(entry: Entry, place: Path, entries: Mapping[str, Entry]) -> str | None:
    """Return what was written to a file after a rental, or may have been."""
    now = identity(place)
    others = [
        other
        for other in entries.values()
        if other.key != entry.key
        and other.time > entry.time
        and Path(other.target or "").name == place.name
        and other.before != now  # what failed before it wrote has left the file as it was
    ]
    if not others:
        return None
    last = max(others, key=lambda other: (other.state == "done", other.time))
    return f"the rental {last.token}" if last.token else f"the body {last.source}"


def _has_rental(file: str, token: str) -> bool:
    import sqlite3  # noqa: PLC0415 - few have a database

    address = f"file:{quote(os.fsencode(Path(file).resolve()))}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True)) as database:
            tables = database.execute(_TABLES).fetchall()
            return any(database.execute(_RENTAL[name], (token,)).fetchone() for (name,) in tables)
    except sqlite3.Error as error:
        raise ConfigurationError(f"cannot read {file!r}: SQLite says {error}") from None


def lost(token: str, problem: str) -> ConfigurationError:
    """Return the error for numbers that are not there, and that nothing is left to write from."""
    return _told(
        token,
        f"{problem}; nothing was asked for again: look for a copy of the file, or for a body to "
        "give to smspartner decode, or ask once more, which the service counts (of one rental "
        "without --once, of several with --again TOKEN)",
    )


def unfit(entry: Entry, words: str) -> ConfigurationError:
    """Return the error for numbers in which people are who must not be written to."""
    return _told(
        entry.key,
        f"it was written to {entry.target} before, {words}; do not use it as it is, it was not "
        "asked for again: leave these people out of it, or write it anew from a body, which "
        "smspartner decode takes with the same options",
    )


def _told(token: str, words: str) -> ConfigurationError:
    error = ConfigurationError(words)
    error.token = token
    return error


def body_left(entry: Entry, folder: Path) -> Path | None:
    """Return the body that a line says was kept, if it is there, and is the one of then.

    Args:
        entry: the line.
        folder: of the journal, which may have moved, and the body with it.

    Raises:
        ConfigurationError, DecodeError: it cannot be read.
    """
    kept = Path(entry.kept) if entry.kept else None
    places = [kept, folder / kept.name] if kept else []
    found = next((place for place in places if identity(place) is not None), None)
    if found is None or entry.sha256 is None:
        return found
    with open_body(str(found)) as body:
        deque(body.chunks(), maxlen=0)
    return found if body.sha256 == entry.sha256 else None
