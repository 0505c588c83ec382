"""PostgreSQL, by COPY; needs the extra ``postgres`` (psycopg 3)."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from smspartner.errors import ConfigurationError, OutputError
from smspartner.files.rows import Rows, WriteOptions, database_rows, require_database
from smspartner.models.columns import FILE
from smspartner.models.extras import load
from smspartner.models.masks import mask_target

#: Seconds to wait for a connection, unless the address says otherwise (``connect_timeout``).
_PATIENCE: Final = 10

_NO_LINES: Final = logging.NullHandler()

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS rented_numbers (
    token text NOT NULL,
    id bigint NOT NULL,
    phone text NOT NULL,
    stop_sms boolean NOT NULL,
    e164 text,
    PRIMARY KEY (token, id)
)
"""
_STAGE: Final = """
CREATE TEMPORARY TABLE staged (
    position bigint GENERATED ALWAYS AS IDENTITY, token text NOT NULL,
    id bigint NOT NULL, phone text NOT NULL, stop_sms boolean NOT NULL, e164 text, file text
) ON COMMIT DROP
"""
_LOAD: Final = "COPY staged (token, id, phone, stop_sms, e164, file) FROM STDIN (FORMAT BINARY)"
_TYPES: Final = ("text", "int8", "text", "bool", "text", "text")
# Of an id that comes twice the last phone counts, and a stop that either record carries. Rows that
# are already right are left alone: running twice makes no dead rows.
_UPSERT: Final = """
INSERT INTO rented_numbers AS stored (token, id, {columns})
SELECT token, id, {columns} FROM (
    SELECT DISTINCT ON (token, id) token, id, phone, e164, file,
        bool_or(stop_sms) OVER (PARTITION BY token, id) AS stop_sms
    FROM staged ORDER BY token, id, position DESC
) AS latest
ON CONFLICT (token, id) DO UPDATE SET ({columns}) = ({excluded})
WHERE ({stored}) IS DISTINCT FROM ({excluded})
"""
_FORGET: Final = """
DELETE FROM rented_numbers AS stored WHERE token = ANY(%s) AND NOT EXISTS (
    SELECT FROM staged WHERE staged.token = stored.token AND staged.id = stored.id
)
"""
# A token that the statistics do not know is thought to have one row, and then each of its rows
# would be looked for among all that are staged: 140 s for 60,000 numbers instead of one.
_NO_NESTED_LOOPS: Final = "SET LOCAL enable_nestloop = off"
#: Rentals whose last export had no numbers: their rows cannot tell that they are known.
_EMPTY_TABLE: Final = "CREATE TABLE IF NOT EXISTS empty_rentals (token text PRIMARY KEY)"
_EMPTY: Final = """
INSERT INTO empty_rentals SELECT token FROM unnest(%s::text[]) AS token
WHERE token NOT IN (SELECT token FROM staged) ON CONFLICT DO NOTHING
"""
# Asked first: IF NOT EXISTS wants the right to create tables even where there is nothing to do. It
# is still needed, as another writer can have made the table while we waited for the lock.
_IS_THERE: Final = "SELECT to_regclass(%s) IS NOT NULL"
_COLUMNS_THERE: Final = """
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
WHERE attrelid = to_regclass('rented_numbers') AND attnum > 0 AND NOT attisdropped
"""
_TRIGGERS: Final = """
SELECT count(*) > 0 FROM pg_trigger
WHERE tgrelid = to_regclass('rented_numbers') AND NOT tgisinternal
"""
#: Types that hold every value of a column, with whatever limit a table was made without.
_HOLD_ALL: Final = {
    "token": ("text", "character varying"),
    "id": ("bigint", "numeric"),
    "phone": ("text", "character varying"),
    "stop_sms": ("boolean",),
    "e164": ("text", "character varying"),
    "file": ("text", "character varying"),
}
# Locks that writers take in turns and that end with the transaction. Who makes the table holds the
# first one, else the second one of them fails; who writes a rental holds one of its own.
_MAKING: Final = "SELECT pg_advisory_xact_lock(hashtext('smspartner'), 0)"
_WRITING: Final = "SELECT pg_advisory_xact_lock(hashtext('smspartner.models.rental'), hashtext(%s))"


class PostgreSQLSink:
    """The table ``rented_numbers``, with the rules of SQLite's, in one transaction.

    Writing a rental again updates its rows and removes those that it no longer has; rows of
    other tokens are not touched. The password of the address is in no error.
    """

    def check(self, target: str, options: WriteOptions) -> None:
        """Raise what is wrong with the options, with connecting, with the table or our rights.

        All that writing does is tried with one row where no trigger is, and taken back.
        """
        token = require_database(options)
        _with_connection(target, options, lambda connection: _rehearse(connection, token, options))

    def write(self, rows: Rows, target: str, options: WriteOptions) -> None:
        """Write all rows in one transaction; when anything fails, the table is as it was."""
        _with_connection(target, options, lambda connection: _write(connection, rows))


def _write(connection: Any, rows: Rows) -> None:
    connection.execute(_STAGE)
    with connection.cursor() as cursor, cursor.copy(_LOAD) as copy:
        copy.set_types(_TYPES)
        for batch in database_rows(rows):
            for row in batch:
                copy.write_row(row)
    connection.execute("ANALYZE staged")
    # Only now, when the last row is here: until the transaction ends, others wait.
    columns = _prepare(connection, file=FILE in rows.columns)
    tokens = sorted(rows.tokens)
    for token in tokens:
        connection.execute(_WRITING, (token,))
    for statement, values in _merging(columns, tokens):
        connection.execute(statement, values)
    _note_empty(connection, tokens)
    connection.commit()


def _rehearse(connection: Any, token: str, options: WriteOptions) -> None:
    connection.execute(_STAGE)
    columns = _prepare(connection, file=FILE in options.header())
    (triggers,) = connection.execute(_TRIGGERS).fetchone()
    if not triggers:  # a trigger can do what no rollback takes back
        row = (token, 2**63 - 1, "+33639980000", False)
        connection.execute(
            "INSERT INTO staged (token, id, phone, stop_sms) VALUES (%s, %s, %s, %s)", row
        )
    for statement, values in _merging(columns, [token]):
        connection.execute(f"EXPLAIN {statement}" if triggers else statement, values)


def _merging(columns: str, tokens: list[str]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield what makes the table show these rentals as they are staged."""
    names = columns.split(", ")
    yield (
        _UPSERT.format(
            columns=columns,
            excluded=", ".join(f"excluded.{name}" for name in names),
            stored=", ".join(f"stored.{name}" for name in names),
        ),
        (),
    )
    yield _FORGET, (tokens,)


def _prepare(connection: Any, *, file: bool) -> str:
    """Make the table if there is none; return the columns that a row is made of.

    Raises:
        OutputError: a column is missing, or does not hold every value.
    """
    if not _is_there(connection, "rented_numbers"):
        connection.execute(_MAKING)
        connection.execute(_TABLE)
    connection.execute(_NO_NESTED_LOOPS)
    found = dict(connection.execute(_COLUMNS_THERE).fetchall())
    if file and FILE not in found:
        connection.execute("ALTER TABLE rented_numbers ADD COLUMN IF NOT EXISTS file text")
        found[FILE] = "text"
    for name, kinds in _HOLD_ALL.items():
        kind = found.get(name)
        if kind not in kinds and not (name == FILE and not file):
            wrong = f"is {kind}" if kind else "is missing"
            raise OutputError(
                f"cannot write the table rented_numbers: its column {name} {wrong}; "
                f"make it {kinds[0]}, which holds every value"
            )
    return "phone, stop_sms, e164, file" if file else "phone, stop_sms, e164"


def _note_empty(connection: Any, tokens: list[str]) -> None:
    """Remember the rentals of which no row was staged."""
    staged = connection.execute("SELECT DISTINCT token FROM staged").fetchall()
    if len(staged) < len(tokens):
        if not _is_there(connection, "empty_rentals"):
            connection.execute(_MAKING)
            connection.execute(_EMPTY_TABLE)
        connection.execute(_EMPTY, (tokens,))


def _is_there(connection: Any, table: str) -> bool:
    (there,) = connection.execute(_IS_THERE, (table,)).fetchone()
    return bool(there)


def _with_connection(target: str, options: WriteOptions, work: Callable[[Any], object]) -> None:
    """Do work in one transaction of a connection of its own, which is rolled back unless committed.

    Raises:
        OutputError: the server cannot be reached, refuses, or does not answer in time.
    """
    psycopg = load("psycopg", "smspartner[postgres]")
    # What it warns of when a connection is lost is in our error: without a handler of the program's
    # own, Python would print it on standard error as well.
    logging.getLogger("psycopg").addHandler(_NO_LINES)
    settings = _settings(target)
    left = math.inf if options.deadline is None else options.deadline
    if left != math.inf:
        settings["connect_timeout"] = max(1, min(int(settings["connect_timeout"]), math.ceil(left)))
    cut, until = threading.Event(), time.monotonic() + left
    try:
        # Not as its own context manager: on a connection that is lost, that logs a warning.
        with contextlib.closing(_connected(target, settings)) as connection:
            # Each statement has to see what other writers have done while it waited for them.
            connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
            with _cut_at_the_end(connection, left, cut):
                work(connection)
                return
    except psycopg.Error as error:
        given_up = isinstance(error, psycopg.errors.QueryCanceled) and time.monotonic() >= until
        late = cut.is_set() or given_up  # by us, or by the server a moment before
        reason = "the deadline has passed" if late else _reason(error, settings)
        failure = OutputError(f"cannot write {mask_target(target)}: {reason}")
    # Raised here, outside the except block, so that psycopg's own error does not come along as
    # its context: its text can quote a row.
    raise failure


@contextlib.contextmanager
def _cut_at_the_end(connection: Any, left: float, cut: threading.Event) -> Iterator[None]:
    """Shut the connection down when the time is over: whatever waits for it then fails.

    A time limit of the server's own would not bound a server, or a network, that has gone silent.
    """
    if left == math.inf:
        yield
        return

    def end() -> None:
        cut.set()
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(connection.fileno())) as end:
            end.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(left, end)
    timer.daemon = True
    timer.start()
    try:
        # The server, which hears of that late, gives up by itself.
        connection.execute(f"SET statement_timeout = {max(1, math.ceil(left * 1000))}")
        yield
    finally:
        timer.cancel()
        timer.join()


def _connected(target: str, settings: dict[str, Any]) -> Any:
    try:
        return load("psycopg", "smspartner[postgres]").connect(**settings)
    except UnicodeError:  # of a host with more than 63 characters between two dots, too
        failure = _unreadable(target)
    raise failure


def _settings(target: str) -> dict[str, Any]:
    """Read an address; what is wrong with it is not quoted, the password may be a part of it."""
    conninfo = load("psycopg.conninfo", "smspartner[postgres]")
    psycopg = load("psycopg", "smspartner[postgres]")
    try:
        settings: dict[str, Any] = conninfo.conninfo_to_dict(target)
    except (psycopg.Error, UnicodeError):
        settings = {"host": "@"}
    if "@" in (settings.get("host") or ""):
        raise _unreadable(target)
    return {"connect_timeout": _PATIENCE, **settings}


def _unreadable(target: str) -> ConfigurationError:
    return ConfigurationError(
        f"cannot read the address {mask_target(target)}: write "
        "postgresql://user:password@host/database, with @ : / ? % in a password as %40 %3A … "
        "and other characters as UTF-8"
    )


def _reason(error: Any, settings: dict[str, Any]) -> str:
    """Return what the server or the network said: one line, no row, no password."""
    said = error.diag.message_primary or str(error).partition("\n")[0]
    password = settings.get("password")
    return said.replace(password, "•••") if password else said
