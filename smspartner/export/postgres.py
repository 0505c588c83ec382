"""PostgreSQL, by COPY; needs the extra ``postgres`` (psycopg 3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from smspartner.errors import ConfigurationError, OutputError
from smspartner.export.extras import load
from smspartner.export.rows import ExportOptions, Rows, complete_rows, mask_target, require_token

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
        """Raise what is wrong with the options, or with connecting; connects once."""
        require_token(options)
        _with_connection(target, bool)

    def write(self, rows: Rows, target: str, options: ExportOptions) -> None:
        """Write all rows in one transaction; when anything fails, the table is as it was."""
        token = require_token(options)
        _with_connection(target, lambda connection: _write(connection, rows, token))


def _write(connection: Any, rows: Rows, token: str) -> None:
    connection.execute(_TABLE)
    connection.execute(_STAGE)
    with connection.cursor() as cursor, cursor.copy(_LOAD) as copy:
        copy.set_types(_TYPES)
        for batch in complete_rows(rows):
            for row in batch:
                copy.write_row(row)
    connection.execute("ANALYZE staged")
    connection.execute(_UPSERT, (token,))
    connection.execute(_FORGET, (token,))


def _with_connection(target: str, work: Callable[[Any], object]) -> None:
    """Do work in one transaction of a connection of its own."""
    psycopg = load("psycopg", "smspartner[postgres]")
    settings = _settings(target)
    try:
        with psycopg.connect(**settings) as connection:
            work(connection)
            return
    except psycopg.Error as error:
        failure = OutputError(f"cannot write {mask_target(target)}: {_reason(error, settings)}")
    # Raised here, outside the except block, so that psycopg's own error does not come along as
    # its context: its text can quote a row.
    raise failure


def _settings(target: str) -> dict[str, Any]:
    """Read an address; what is wrong with it is not quoted, the password may be a part of it."""
    conninfo = load("psycopg.conninfo", "smspartner[postgres]")
    psycopg = load("psycopg", "smspartner[postgres]")
    try:
        settings: dict[str, Any] = conninfo.conninfo_to_dict(target)
    except psycopg.Error:
        settings = {"host": "@"}
    if "@" in (settings.get("host") or ""):
        raise ConfigurationError(
            f"cannot read the address {mask_target(target)}: write "
            "postgresql://user:password@host/database, with @ : / ? % in a password as %40 %3A …"
        )
    return {"connect_timeout": _PATIENCE, **settings}


def _reason(error: Any, settings: dict[str, Any]) -> str:
    """Return what the server or the network said: one line, no row, no password."""
    said = error.diag.message_primary or str(error).partition("\n")[0]
    password = settings.get("password")
    return said.replace(password, "•••") if password else said
