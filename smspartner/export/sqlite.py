"""SQLite: one table for all rentals."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import quote

from smspartner.advice import output_errors
from smspartner.errors import ConfigurationError, OutputError
from smspartner.export.rows import ExportOptions, Rows, complete_rows, require_token
from smspartner.files import STDOUT, check_writable
from smspartner.output import PRIVATE

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
        """Raise what is wrong with the options, the path, or the database that is there."""
        require_token(options)
        path = _path(target)
        if path.exists():
            with _database(path) as database:
                database.execute("SELECT count(*) FROM sqlite_schema")
        else:
            check_writable(path)

    def write(self, rows: Rows, target: str, options: ExportOptions) -> None:
        """Write all rows in one transaction; when anything fails, the database is as it was."""
        path, token = _path(target), require_token(options)
        with _created(path), _database(path) as database:
            database.execute("BEGIN IMMEDIATE")
            database.execute(_TABLE)
            database.execute(_STAGE)
            for batch in complete_rows(rows):
                database.executemany(_LOAD, batch)
            database.execute(_UPSERT, (token,))
            database.execute(_FORGET, (token,))
            database.execute("COMMIT")


def _path(target: str) -> Path:
    name = target.removeprefix("sqlite:///")
    if name in {"", STDOUT} or "://" in name:
        raise ConfigurationError("SQLite needs a file: numbers.db, or sqlite:///numbers.db")
    return Path(name)


@contextlib.contextmanager
def _created(path: Path) -> Iterator[None]:
    """Make the file private before SQLite opens it, and remove it again when the block fails."""
    with output_errors(str(path)):
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE))
        except FileExistsError:
            created = False
        else:
            created = True
    try:
        yield
    except BaseException:
        if created:
            path.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def _database(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database that exists; closing it rolls back what was not committed."""
    address = f"file:{quote(str(path.resolve()))}?mode=rw"
    try:
        database = sqlite3.connect(address, _PATIENCE, isolation_level=None, uri=True)
        with contextlib.closing(database):
            yield database
    except sqlite3.Error as error:
        raise OutputError(f"cannot write {str(path)!r}: SQLite says {error}") from error
