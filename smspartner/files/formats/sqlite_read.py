"""SQLite: the table that exports write."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from smspartner.decoders.detect import excerpt
from smspartner.errors import ConfigurationError, DecodeError
from smspartner.files.columns import ROWS, Batch, counted_from, find_columns, typed
from smspartner.files.input_file import InputFile

_MARK: Final = b"SQLite format 3\0"
_TABLE: Final = "rented_numbers"
_TOKEN: Final = "token"  # noqa: S105 - the name of a column


class SQLiteFormat:
    """The table ``rented_numbers``, of all rentals or one; its rows have no order of their own."""

    name = "SQLite"
    endings = ()
    ordered = False

    def recognises(self, start: bytes) -> bool:
        """Look for the mark that a database begins with."""
        return start.startswith(_MARK)

    def read(self, file: InputFile) -> Iterator[Batch]:
        """Yield rows in batches, in whatever order the table has them."""
        with _sqlite_errors(file):
            database = file.keep(closing(_connected(file.path())))
            columns = find_columns(names := _column_names(file, database), f"{file}, {_TABLE}")
            which, values = _wanted(file, database, names)
            if {"phone", "e164"} <= columns.keys() and not _any_e164(database, which, values):
                del columns["e164"]
            quoted = ", ".join(_quoted(names[place]) for place in columns.values())
            rows = database.execute(f"SELECT {quoted} FROM {_TABLE}{which}", values)  # noqa: S608 - quoted names of its own columns
            found = 0
            while batch := rows.fetchmany(ROWS):
                cells = zip(*batch, strict=True)
                yield typed(dict(zip(columns, cells, strict=True)), counted_from(found, file))
                found += len(batch)


def _connected(path: str) -> sqlite3.Connection:
    address = f"file:{quote(str(Path(path).resolve()))}?mode=ro"
    database = sqlite3.connect(address, isolation_level=None, uri=True)
    # A file from elsewhere can hold views and triggers that call functions.
    database.execute("PRAGMA trusted_schema = OFF")
    return database


def _column_names(file: InputFile, database: sqlite3.Connection) -> list[str]:
    tables = [
        str(name)
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    ]
    if _TABLE not in tables:
        there = excerpt(", ".join(tables).encode())
        raise DecodeError(f"{file}: it has no table {_TABLE}, which exports write, but {there}")
    return [str(row[1]) for row in database.execute(f"PRAGMA table_info({_TABLE})")]


def _wanted(
    file: InputFile, database: sqlite3.Connection, names: list[str]
) -> tuple[str, tuple[Any, ...]]:
    """Count the rentals, and return the condition for the one that is asked for."""
    if _TOKEN not in names:
        if file.token is not None:
            raise ConfigurationError(f"{file} does not say which rental its numbers are of")
        return "", ()
    counted = database.execute(f"SELECT count(DISTINCT {_TOKEN}) FROM {_TABLE}")  # noqa: S608 - constants
    file.rentals = counted.fetchone()[0]
    if file.token is None:
        return "", ()
    if not _has_rental(database, file.token):
        raise ConfigurationError(
            f"{file} has no rental of this token; it has {file.rentals} of other ones"
        )
    return f" WHERE {_TOKEN} = ?", (file.token,)


def _has_rental(database: sqlite3.Connection, token: str) -> bool:
    question = f"SELECT 1 FROM {_TABLE} WHERE {_TOKEN} = ? LIMIT 1"  # noqa: S608 - constants
    try:
        return database.execute(question, (token,)).fetchone() is not None
    except UnicodeEncodeError:  # half a character, which no database has
        return False


def _any_e164(database: sqlite3.Connection, which: str, values: tuple[Any, ...]) -> bool:
    """Say whether the export was asked for E.164; the table has the column all the same."""
    question = f"SELECT max(e164) FROM {_TABLE}{which}"  # noqa: S608 - constants
    return database.execute(question, values).fetchone()[0] is not None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def _sqlite_errors(file: InputFile) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, UnicodeError) as error:
        problem = str(error)
    else:
        return
    # Of a damaged database, SQLite can quote anything, a phone too: long numbers are masked.
    raise DecodeError(f"{file}: SQLite cannot read it, {excerpt(problem.encode())}")
