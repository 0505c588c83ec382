"""SQLite: one table for all rentals, ``rented_numbers``."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote

from smspartner.decoders.detect import excerpt
from smspartner.errors import ConfigurationError, DecodeError, OutputError
from smspartner.files.columns import (
    ROWS,
    Columns,
    counted_from,
    find_columns,
    foreign_columns,
    typed,
)
from smspartner.files.input_file import InputFile
from smspartner.files.rows import Rows, WriteOptions, database_rows, require_database
from smspartner.files.targets import STDOUT, check_writable, output_errors
from smspartner.files.unfinished import create_private
from smspartner.models.columns import E164, FILE, TOKEN

#: Seconds to wait for another program that is writing to the database, unless told otherwise.
_PATIENCE: Final = 30.0
#: Seconds between two attempts: SQLite's own wait, in C, would not hear Ctrl-C.
_PAUSE: Final = 0.05

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS target.rented_numbers (
    token TEXT NOT NULL,
    id INTEGER NOT NULL,
    phone TEXT NOT NULL,
    stop_sms BOOLEAN NOT NULL CHECK (stop_sms IN (0, 1)),
    e164 TEXT,
    PRIMARY KEY (token, id)
) WITHOUT ROWID
"""
#: Rentals whose last export had no numbers: their rows cannot tell that they are known.
_EMPTY: Final = """
CREATE TABLE IF NOT EXISTS target.empty_rentals (token TEXT PRIMARY KEY) WITHOUT ROWID
"""
_STAGE: Final = """
CREATE TABLE staged (
    token TEXT NOT NULL, id INTEGER NOT NULL, phone TEXT NOT NULL, stop_sms BOOLEAN NOT NULL,
    e164 TEXT, file TEXT, PRIMARY KEY (token, id)
) WITHOUT ROWID
"""
# Of an id that comes twice the last phone counts, and a stop that either record carries.
_LOAD: Final = """
INSERT INTO staged VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (token, id) DO UPDATE SET
    phone = excluded.phone, stop_sms = max(stop_sms, excluded.stop_sms),
    e164 = excluded.e164, file = excluded.file
"""
_UPSERT: Final = """
INSERT INTO target.rented_numbers (token, id, {columns})
SELECT token, id, {columns} FROM staged WHERE true ORDER BY token, id
ON CONFLICT (token, id) DO UPDATE SET ({columns}) = ({excluded})
WHERE ({columns}) IS NOT ({excluded})
"""
_FORGET: Final = """
DELETE FROM target.rented_numbers WHERE token = :token AND NOT EXISTS (
    SELECT 1 FROM staged WHERE token = :token AND staged.id = target.rented_numbers.id
)
"""
_COLUMN_TYPES: Final = "SELECT name, type FROM pragma_table_info('rented_numbers', 'target')"
_TRIGGERS: Final = """
SELECT count(*) FROM target.sqlite_schema
WHERE type = 'trigger' AND tbl_name = 'rented_numbers' COLLATE NOCASE
"""
_TEXTS: Final = {TOKEN, "phone", E164, FILE}
#: Types of columns in which SQLite leaves text alone: in those with INT, and in unknown ones,
#: what looks like a number becomes one.
_KEEPS_TEXT: Final = re.compile(r"(?!.*INT)(?:|.*(?:CHAR|CLOB|TEXT|BLOB).*)", re.IGNORECASE)

_MARK: Final = b"SQLite format 3\0"
_NUMBERS: Final = "rented_numbers"
_OURS: Final = frozenset({_NUMBERS, "empty_rentals"})

T = TypeVar("T")


class SQLiteSink:
    """The table ``rented_numbers``, one row for each token and id, in one transaction.

    Writing a rental again updates its rows and removes those that it no longer has, so the
    table shows each rental as it was exported last: running twice gives the same table, and who
    opted out since does not stay in it as a person to write to. Rows of other tokens are not
    touched. An id that comes twice is one row: the last one, opted out if either is. A rental
    without numbers is in ``empty_rentals``.

    The rows are gathered in a temporary database first; the target is locked only once the last
    of them is there. A new database is 0600; so are the journal and the WAL, which take the mode
    of the database.
    """

    def check(self, target: str, options: WriteOptions) -> None:
        """Raise what is wrong with the options, the path, or the database that is there.

        All that writing does is tried with one row where no trigger is, and taken back.
        """
        path = _path(target)
        token = require_database(options)
        if not _exists(path):
            check_writable(path)
            return
        with _staged(path) as database:
            _attach(database, path, _until(options.deadline))
            triggers = database.execute(_TRIGGERS).fetchone() != (0,)
            columns = _prepare(database, file=FILE in options.header())
            if not triggers:
                database.execute(_LOAD, (token, 2**63 - 1, "+33639980000", False, None, None))
            _merge(database, columns, [token])

    def write(self, rows: Rows, target: str, options: WriteOptions) -> None:
        """Write all rows in one transaction; when anything fails, the database is as it was."""
        path, until = _path(target), _until(options.deadline)
        with _staged(path) as database:
            for batch in database_rows(rows):
                database.executemany(_LOAD, batch)
            made = _make_private(path)
            _attach(database, path, until)
            with _removed_again(database, path) if made else contextlib.nullcontext():
                columns = _prepare(database, file=FILE in rows.columns)
                _merge(database, columns, list(rows.tokens))
                _patiently(lambda: database.execute("COMMIT"), until)


@contextlib.contextmanager
def _staged(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a temporary database for the rows; closing it rolls back what was not committed."""
    try:
        with contextlib.closing(
            sqlite3.connect("", timeout=0, isolation_level=None, uri=True)
        ) as database:
            database.execute("PRAGMA journal_mode = OFF")
            database.execute(_STAGE)
            database.execute("BEGIN")
            yield database
    except sqlite3.Error as error:
        raise OutputError(f"cannot write {str(path)!r}: SQLite says {error}") from error


def _attach(database: sqlite3.Connection, path: Path, until: float) -> None:
    """Open the target beside the staged rows, and keep every other writer out."""
    database.execute("COMMIT")
    # It reads the first page, which others may have locked.
    _patiently(lambda: database.execute("ATTACH ? AS target", (_address(path, "rw"),)), until)
    _patiently(lambda: database.execute("BEGIN IMMEDIATE"), until)


@contextlib.contextmanager
def _removed_again(database: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Remove a database that was made for this export if the block fails.

    To one that waits for it meanwhile, SQLite says that its file is gone: it loses no rows.
    """
    try:
        yield
    except BaseException:
        with contextlib.suppress(sqlite3.Error, OSError):
            if database.in_transaction:
                database.execute("ROLLBACK")
            database.execute("BEGIN IMMEDIATE")  # so that no other has begun to write to it
            if path.stat().st_size == 0:
                path.resolve().unlink()
        raise


def _prepare(database: sqlite3.Connection, *, file: bool) -> str:
    """Make the table if there is none; return the columns that a row is made of."""
    database.execute(_TABLE)
    found = dict(database.execute(_COLUMN_TYPES).fetchall())
    for name in _TEXTS & found.keys():
        if not _KEEPS_TEXT.fullmatch(found[name]):
            raise OutputError(
                f"cannot write the table rented_numbers: its column {name} is {found[name]}, which "
                "makes numbers of phones and drops their + and 0; make it TEXT"
            )
    if file and FILE not in found:
        database.execute("ALTER TABLE target.rented_numbers ADD COLUMN file TEXT")
    return "phone, stop_sms, e164, file" if file else "phone, stop_sms, e164"


def _merge(database: sqlite3.Connection, columns: str, tokens: list[str]) -> None:
    """Make the table show these rentals as they are staged."""
    excluded = ", ".join(f"excluded.{name}" for name in columns.split(", "))
    database.execute(_UPSERT.format(columns=columns, excluded=excluded))
    database.executemany(_FORGET, [{"token": token} for token in tokens])
    full = {token for (token,) in database.execute("SELECT DISTINCT token FROM staged")}
    if empty := [(token,) for token in tokens if token not in full]:
        database.execute(_EMPTY)
        database.executemany("INSERT OR IGNORE INTO target.empty_rentals VALUES (?)", empty)


def _until(deadline: float | None) -> float:
    """Return when to give up waiting for another writer."""
    return time.monotonic() + (_PATIENCE if deadline is None else min(deadline, _PATIENCE))


def _patiently(work: Callable[[], T], until: float) -> T:
    """Do what another writer can be in the way of, again until it is done or the time is over."""
    while True:
        try:
            return work()
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() >= until:
                raise
        time.sleep(_PAUSE)


def _path(target: str) -> Path:
    name = target.removeprefix("sqlite:///")
    if name in {"", STDOUT} or "://" in name:
        raise ConfigurationError("SQLite needs a file: numbers.db, or sqlite:///numbers.db")
    return Path(name)


def _exists(path: Path) -> bool:
    try:
        return path.stat() is not None
    except (OSError, ValueError):  # what else is wrong with the name, check_writable says better
        return False


def _make_private(path: Path) -> bool:
    """Make a new file before SQLite opens it, 0600 from the start; say whether there was none."""
    with output_errors(str(path)), contextlib.suppress(FileExistsError):
        os.close(create_private(path.resolve()))
        return True
    return False


def _address(path: Path, mode: str) -> str:
    return f"file:{quote(os.fsencode(path.resolve()))}?mode={mode}"


class SQLiteFormat:
    """The table ``rented_numbers``, of all rentals or one; its rows have no order of their own."""

    name = "SQLite"
    endings = ()
    ordered = False

    def recognises(self, start: bytes) -> bool:
        """Look for the mark that a database begins with."""
        return start.startswith(_MARK)

    def read(self, file: InputFile) -> Iterator[Columns]:
        """Yield rows in batches, in whatever order the table has them."""
        with _sqlite_errors(file):
            database = file.keep(contextlib.closing(_connected(file.path())))
            columns = find_columns(names := _column_names(file, database), f"{file}, {_NUMBERS}")
            file.unread += foreign_columns(names)
            which, values = _wanted(file, database, names)
            if {"phone", "e164"} <= columns.keys() and not _any_e164(database, which, values):
                del columns["e164"]
            quoted = ", ".join(_quoted(names[place]) for place in columns.values())
            rows = database.execute(f"SELECT {quoted} FROM {_NUMBERS}{which}", values)  # noqa: S608 - quoted names of its own columns
            found = 0
            while batch := rows.fetchmany(ROWS):
                cells = zip(*batch, strict=True)
                yield typed(dict(zip(columns, cells, strict=True)), counted_from(found, file))
                found += len(batch)


def _connected(path: str) -> sqlite3.Connection:
    address = _address(Path(path), "ro")
    database = sqlite3.connect(address, timeout=0, isolation_level=None, uri=True)
    with contextlib.ExitStack() as opened:
        opened.callback(database.close)
        # A file from elsewhere can hold views and triggers that call functions.
        database.execute("PRAGMA trusted_schema = OFF")
        database.execute("BEGIN")
        _patiently(
            lambda: database.execute("SELECT count(*) FROM sqlite_master").fetchone(), _until(None)
        )
        opened.pop_all()
    return database


def _column_names(file: InputFile, database: sqlite3.Connection) -> list[str]:
    kinds = "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view')"
    tables = {str(name): kind for name, kind in database.execute(kinds)}
    if tables.get(_NUMBERS) != "table":
        there = excerpt(", ".join(name for name in tables if tables[name] == "table").encode())
        raise DecodeError(f"{file}: it has no table {_NUMBERS}, which exports write, but {there}")
    file.unread = [name for name in tables if name not in _OURS and not name.startswith("sqlite_")]
    return [str(row[1]) for row in database.execute(f"PRAGMA table_xinfo({_NUMBERS})")]


def _wanted(
    file: InputFile, database: sqlite3.Connection, names: list[str]
) -> tuple[str, tuple[Any, ...]]:
    """Count the rentals, and return the condition for the one that is asked for."""
    if TOKEN not in names:
        if file.token is not None:
            raise ConfigurationError(f"{file} does not say which rental its numbers are of")
        return "", ()
    known = _known_rentals(database)
    (file.rentals,) = database.execute(f"SELECT count(*) FROM ({known})").fetchone()  # noqa: S608
    if file.token is None:
        return "", ()
    if not _has_rental(database, known, file.token):
        raise ConfigurationError(
            f"{file} has no rental of this token; it has {file.rentals} of other ones"
        )
    return f" WHERE {TOKEN} = ?", (file.token,)


def _known_rentals(database: sqlite3.Connection) -> str:
    """Return what selects the tokens of all rentals, those without numbers too."""
    known = f"SELECT {TOKEN} FROM {_NUMBERS}"  # noqa: S608 - constants
    tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    if ("empty_rentals",) in tables.fetchall():
        return f"{known} UNION SELECT {TOKEN} FROM empty_rentals"  # noqa: S608 - constants
    return f"SELECT DISTINCT{known.removeprefix('SELECT')}"


def _has_rental(database: sqlite3.Connection, known: str, token: str) -> bool:
    question = f"SELECT 1 FROM ({known}) WHERE {TOKEN} = ? LIMIT 1"  # noqa: S608 - constants
    try:
        return database.execute(question, (token,)).fetchone() is not None
    except UnicodeEncodeError:  # half a character, which no database has
        return False


def _any_e164(database: sqlite3.Connection, which: str, values: tuple[Any, ...]) -> bool:
    """Say whether the export was asked for E.164; the table has the column all the same."""
    question = f"SELECT max(e164) FROM {_NUMBERS}{which}"  # noqa: S608 - constants
    return database.execute(question, values).fetchone()[0] is not None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextlib.contextmanager
def _sqlite_errors(file: InputFile) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, UnicodeError) as error:
        problem = str(error)
    else:
        return
    # Of a damaged database, SQLite can quote anything, a phone too: long numbers are masked.
    raise DecodeError(f"{file}: SQLite cannot read it, {excerpt(problem.encode())}")
