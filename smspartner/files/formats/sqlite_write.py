"""SQLite: one table for all rentals."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

from smspartner.errors import ConfigurationError, OutputError
from smspartner.files.rows import ExportOptions, Rows, complete_rows, require_token
from smspartner.files.targets import STDOUT, check_writable, output_errors
from smspartner.files.unfinished import create_private

#: Seconds to wait for another program that is writing to the database.
_PATIENCE: Final = 30.0

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS rented_numbers (
    token TEXT NOT NULL,
    id INTEGER NOT NULL,
    phone TEXT NOT NULL,
    stop_sms BOOLEAN NOT NULL CHECK (stop_sms IN (0, 1)),
    e164 TEXT,
    PRIMARY KEY (token, id)
) WITHOUT ROWID
"""
_STAGE: Final = """
CREATE TEMPORARY TABLE staged (
    id INTEGER PRIMARY KEY, phone TEXT NOT NULL, stop_sms BOOLEAN NOT NULL, e164 TEXT
)
"""
_LOAD: Final = "INSERT OR REPLACE INTO staged (id, phone, stop_sms, e164) VALUES (?, ?, ?, ?)"
_UPSERT: Final = """
INSERT INTO rented_numbers (token, id, phone, stop_sms, e164)
SELECT ?, id, phone, stop_sms, e164 FROM staged WHERE true ORDER BY id
ON CONFLICT (token, id) DO UPDATE SET
    phone = excluded.phone, stop_sms = excluded.stop_sms, e164 = excluded.e164
WHERE (phone, stop_sms, e164) IS NOT (excluded.phone, excluded.stop_sms, excluded.e164)
"""
_FORGET: Final = """
DELETE FROM rented_numbers WHERE token = ? AND id NOT IN (SELECT id FROM staged)
"""
_TEXT_COLUMNS: Final = """
SELECT name, type FROM pragma_table_info('rented_numbers') WHERE name IN ('token', 'phone', 'e164')
"""
#: Types of columns in which SQLite leaves text alone: in those with INT, and in unknown ones,
#: what looks like a number becomes one.
_KEEPS_TEXT: Final = re.compile(r"(?!.*INT)(?:|.*(?:CHAR|CLOB|TEXT|BLOB).*)", re.IGNORECASE)

#: What tells a file from another one of the same name: device and inode.
_Identity = tuple[int, int] | None


class SQLiteSink:
    """The table ``rented_numbers``, one row for each token and id, in one transaction.

    Writing a rental again updates its rows and removes those that it no longer has, so the
    table shows each rental as it was exported last: running twice gives the same table, and who
    opted out since does not stay in it as someone to write to. Rows of other tokens are not
    touched. An id that comes twice is one row, the last one.

    A new database is 0600; so are the journal and the WAL, which take the mode of the database.
    """

    name = "sqlite"
    endings = (".db", ".sqlite", ".sqlite3")
    schemes = ("sqlite",)
    extra = None

    def check(self, target: str, options: ExportOptions) -> None:
        """Raise what is wrong with the options, the path, or the database that is there.

        All that writing does is tried without a row, or explained, and taken back.
        """
        path, token = _path(target), require_token(options)
        while there := _identity(path):
            with _database(path) as database:
                if _begun(database, path, there):
                    _prepare(database)
                    for statement in (_UPSERT, _FORGET):
                        database.execute(f"EXPLAIN {statement}", (token,))
                    return  # without a COMMIT
        check_writable(path)

    def write(self, rows: Rows, target: str, options: ExportOptions) -> None:
        """Write all rows in one transaction; when anything fails, the database is as it was."""
        path, token = _path(target), require_token(options)
        with _locked(path) as database:
            _prepare(database)
            for batch in complete_rows(rows):
                database.executemany(_LOAD, batch)
            database.execute(_UPSERT, (token,))
            database.execute(_FORGET, (token,))
            database.execute("COMMIT")


def _prepare(database: sqlite3.Connection) -> None:
    database.execute(_TABLE)
    for name, kind in database.execute(_TEXT_COLUMNS):
        if not _KEEPS_TEXT.fullmatch(kind):
            raise OutputError(
                f"cannot write the table rented_numbers: its column {name} is {kind}, which makes "
                "numbers of phones and drops their + and 0; make it TEXT"
            )
    database.execute(_STAGE)


def _path(target: str) -> Path:
    name = target.removeprefix("sqlite:///")
    if name in {"", STDOUT} or "://" in name:
        raise ConfigurationError("SQLite needs a file: numbers.db, or sqlite:///numbers.db")
    return Path(name)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database, a private one where there is none, and let nobody else write to it."""
    while True:
        with _created(path) as made, _database(path) as database:
            if _begun(database, path, made):  # pragma: no branch - see below
                yield database
                if _identity(path) != made:
                    raise OutputError(f"cannot write {str(path)!r}: somebody has removed it")
                return
        # While we waited for another writer, it failed, and removed the file that it had made.


def _begun(database: sqlite3.Connection, path: Path, made: _Identity) -> bool:
    """Wait for the lock of a database; say whether it still is the file of that name."""
    try:
        database.execute("BEGIN IMMEDIATE")
    except sqlite3.Error:  # of a file that was removed SQLite says that the disk is broken
        if _identity(path) == made:
            raise
    return _identity(path) == made


@contextlib.contextmanager
def _created(path: Path) -> Iterator[_Identity]:
    """Make the file private before SQLite opens it, and remove it again when the block fails."""
    created = False
    with output_errors(str(path)):
        try:
            os.close(create_private(path.resolve()))
            created = True
        except FileExistsError:
            pass
        made = _identity(path)
    try:
        yield made
    except BaseException:
        if created:
            _remove_unused(path)
        raise


def _identity(path: Path) -> _Identity:
    """Tell files apart that had the same name; None where there is none.

    A file that is open keeps its number, so while a database is open no other one has it.
    """
    try:
        there = path.stat()
    except (OSError, ValueError):  # what else is wrong with the name, check_writable says better
        return None
    return there.st_dev, there.st_ino


def _remove_unused(path: Path) -> None:
    """Remove a database that we made, unless another writer uses it by now.

    Removing it under the lock of SQLite: whoever waits for that lock finds the file gone, and
    whoever has got it keeps the file.
    """
    with contextlib.suppress(OutputError, sqlite3.Error), _database(path, patience=0) as database:
        database.execute("BEGIN EXCLUSIVE")
        count = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if count == (0,):  # pragma: no branch - a second writer is rarely so exactly in time
            path.resolve().unlink(missing_ok=True)


@contextlib.contextmanager
def _database(path: Path, patience: float = _PATIENCE) -> Iterator[sqlite3.Connection]:
    """Open a database that exists; closing it rolls back what was not committed."""
    address = f"file:{quote(str(path.resolve()))}?mode=rw"
    try:
        database = sqlite3.connect(address, timeout=patience, isolation_level=None, uri=True)
        with contextlib.closing(database):
            yield database
    except sqlite3.Error as error:
        raise OutputError(f"cannot write {str(path)!r}: SQLite says {error}") from error
