"""PostgreSQL, by COPY; needs the extra ``postgres`` (psycopg 3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from smspartner.errors import ConfigurationError, OutputError
from smspartner.files.rows import ExportOptions, Rows, complete_rows, mask_target, require_token
from smspartner.models.extras import load

#: Seconds to wait for a connection, unless the address says otherwise (``connect_timeout``).
_PATIENCE: Final = 10

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
    position bigint GENERATED ALWAYS AS IDENTITY,
    id bigint NOT NULL, phone text NOT NULL, stop_sms boolean NOT NULL, e164 text
) ON COMMIT DROP
"""
_LOAD: Final = "COPY staged (id, phone, stop_sms, e164) FROM STDIN (FORMAT BINARY)"
_TYPES: Final = ("int8", "text", "bool", "text")
# Rows that are already right are left alone: running twice makes no dead rows.
_UPSERT: Final = """
INSERT INTO rented_numbers AS stored (token, id, phone, stop_sms, e164)
SELECT DISTINCT ON (id) %s, id, phone, stop_sms, e164 FROM staged ORDER BY id, position DESC
ON CONFLICT (token, id) DO UPDATE SET
    phone = excluded.phone, stop_sms = excluded.stop_sms, e164 = excluded.e164
WHERE (stored.phone, stored.stop_sms, stored.e164)
    IS DISTINCT FROM (excluded.phone, excluded.stop_sms, excluded.e164)
"""
_FORGET: Final = """
DELETE FROM rented_numbers AS stored
WHERE token = %s AND NOT EXISTS (SELECT FROM staged WHERE staged.id = stored.id)
"""
# Asked first: IF NOT EXISTS wants the right to create tables even where there is nothing to do. It
# is still needed, as somebody can have made the table while we waited for the lock.
_IS_THERE: Final = "SELECT to_regclass('rented_numbers') IS NOT NULL"
# Locks that writers take in turns and that end with the transaction. Who makes the table holds the
# first one, else the second one of them fails; who writes a rental holds one of its own.
_MAKING: Final = "SELECT pg_advisory_xact_lock(hashtext('smspartner'), 0)"
_WRITING: Final = "SELECT pg_advisory_xact_lock(hashtext('smspartner.models.rental'), hashtext(%s))"


class PostgreSQLSink:
    """The table ``rented_numbers``, with the rules of SQLite's, in one transaction.

    Writing a rental again updates its rows and removes those that it no longer has; rows of
    other tokens are not touched. The password of the address is in no error.
    """

    name = "postgresql"
    endings = ()
    schemes = ("postgresql", "postgres")
    extra = "postgres"

    def check(self, target: str, options: ExportOptions) -> None:
        """Raise what is wrong with the options, with connecting, or with our rights there.

        All that writing does is tried without a row, or explained, and taken back.
        """
        token = require_token(options)
        _with_connection(target, lambda connection: _rehearse(connection, token))

    def write(self, rows: Rows, target: str, options: ExportOptions) -> None:
        """Write all rows in one transaction; when anything fails, the table is as it was."""
        token = require_token(options)
        _with_connection(target, lambda connection: _write(connection, rows, token))


def _write(connection: Any, rows: Rows, token: str) -> None:
    connection.execute(_STAGE)
    with connection.cursor() as cursor, cursor.copy(_LOAD) as copy:
        copy.set_types(_TYPES)
        for batch in complete_rows(rows):
            for row in batch:
                copy.write_row(row)
    connection.execute("ANALYZE staged")
    # Only now, when the last row is here: until the transaction ends, others wait.
    _make_table(connection)
    connection.execute(_WRITING, (token,))
    connection.execute(_UPSERT, (token,))
    connection.execute(_FORGET, (token,))


def _rehearse(connection: Any, token: str) -> None:
    connection.execute(_STAGE)
    _make_table(connection)
    for statement in (_UPSERT, _FORGET):
        connection.execute(f"EXPLAIN {statement}", (token,))
    connection.rollback()


def _make_table(connection: Any) -> None:
    (there,) = connection.execute(_IS_THERE).fetchone()
    if not there:
        connection.execute(_MAKING)
        connection.execute(_TABLE)


def _with_connection(target: str, work: Callable[[Any], object]) -> None:
    """Do work in one transaction of a connection of its own."""
    psycopg = load("psycopg", "smspartner[postgres]")
    settings = _settings(target)
    try:
        with _connected(target, settings) as connection:
            # Each statement has to see what other writers have done while it waited for them.
            connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
            work(connection)
            return
    except psycopg.Error as error:
        failure = OutputError(f"cannot write {mask_target(target)}: {_reason(error, settings)}")
    # Raised here, outside the except block, so that psycopg's own error does not come along as
    # its context: its text can quote a row.
    raise failure


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
