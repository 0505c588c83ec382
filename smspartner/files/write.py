"""Where numbers go: files, tables, databases.

One call writes a rental, or the part of it that the options leave::

    with client.stream(token) as stream:
        export.write(stream.batches(), "numbers.parquet")

``sinks`` is the registry, and ``register_sink`` adds to it. The contract of a sink:

1. ``check`` says whether writing can work, and changes nothing. It is called before a download
   is spent, which may not be repeatable.
2. ``write`` iterates over the rows once, holds no more than a few batches of them, and is all
   or nothing: when it fails, or when the rows do, the target is as it was.
3. What goes wrong with the target is an ``OutputError``, a setting that cannot work a
   ``ConfigurationError``. What the rows raise passes through as it is.

Options are already applied to the rows: no sink can forget to leave out who has opted out.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from smspartner.errors import ConfigurationError, SMSPartnerError, bare
from smspartner.files.formats.arrow_write import ArrowSink, ParquetSink
from smspartner.files.formats.csv_write import CSVSink
from smspartner.files.formats.json_write import JSONLinesSink, JSONSink
from smspartner.files.formats.postgres import PostgreSQLSink
from smspartner.files.formats.sqlite_write import SQLiteSink
from smspartner.files.rows import ExportOptions, Rows, mask_target
from smspartner.files.targets import STDOUT, Target
from smspartner.models.arrow import COLUMNS, Batches
from smspartner.models.number import not_text

__all__ = [
    "COLUMNS",
    "Batches",
    "ExportOptions",
    "Rows",
    "Sink",
    "Written",
    "check",
    "mask_target",
    "register_sink",
    "sink_for",
    "sinks",
    "write",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What an export wrote.

    Attributes:
        sink: the name of the sink.
        target: where it went, without the password of an address.
        rows: records written. In a database, records of one id are one row, the last of them.
        columns: their columns.
        bytes: size of the file; None for a database.
        opted_out: records left out because the person has opted out (``exclude_stop``).
        suppressed: records left out because of the suppression list.
    """

    sink: str
    target: str
    rows: int
    columns: tuple[str, ...]
    bytes: int | None
    opted_out: int
    suppressed: int


class Sink(Protocol):
    """A place that records can be written to."""

    @property
    def name(self) -> str:
        """What it is called, as in ``to="csv"``."""
        ...

    @property
    def endings(self) -> Sequence[str]:
        """The endings of file names that mean it, with the dot, in lower case."""
        ...

    @property
    def schemes(self) -> Sequence[str]:
        """The schemes of addresses that mean it, without ``://``."""
        ...

    @property
    def extra(self) -> str | None:
        """The extra of this package that it needs, None where it needs none."""
        ...

    def check(self, target: str, options: ExportOptions) -> None:
        """Raise what ``write`` would raise at once; change nothing."""
        ...

    def write(self, rows: Rows, target: str, options: ExportOptions) -> int | None:
        """Write all rows or nothing, and return the bytes of the file, None for a database."""
        ...


#: Every sink by its name.
sinks: Final[dict[str, Sink]] = {}


def register_sink(sink: Sink) -> None:
    """Add a sink, or replace the one of the same name."""
    sinks[sink.name] = sink


def sink_for(target: Target, to: str | None = None) -> Sink:
    """Find the sink of a target.

    Args:
        target: a file name, an address such as ``sqlite:///file.db``, or ``-``.
        to: the name of a sink, or an ending; None looks at the target, and takes ``-`` for CSV.

    Raises:
        ConfigurationError: there is none; the message lists what there is.
    """
    name = os.fspath(target)
    if to is not None:
        found = sinks.get(to.lower()) or _by_ending(f".{to.lower()}") or _by_scheme(to.lower())
    elif "://" in name:
        found = _by_scheme(name.partition("://")[0].lower())
    else:
        found = sinks.get("csv") if name == STDOUT else _by_ending(Path(name).suffix.lower())
    if found is None:
        raise ConfigurationError(
            f"no way to write {to or mask_target(name)!r}; there are {_known()}"
        )
    return found


def check(target: Target, *, to: str | None = None, options: ExportOptions | None = None) -> None:
    """Raise now what ``write`` would raise at once: before a download is spent.

    Raises:
        ConfigurationError: the target or an option cannot work, or an extra is not installed.
        OutputError: the target cannot be written.
    """
    chosen = options or ExportOptions()
    sink = sink_for(target, to)
    if chosen.excel_safe and sink.name != "csv":
        raise ConfigurationError(f"excel_safe= is for CSV, not for {sink.name}")
    try:
        sink.check(os.fspath(target), chosen)
    except SMSPartnerError as error:
        failure = error
    else:
        return
    del target  # an address may hold a password
    raise bare(failure)


def write(
    batches: Batches,
    target: Target,
    *,
    to: str | None = None,
    options: ExportOptions | None = None,
) -> Written:
    """Write records where they should go, all of them or, when anything fails, none.

    Args:
        batches: lists of records, such as ``stream.batches()`` or ``[rental.numbers]``; each is
            let go once it is written.
        target: a file name, an address such as ``sqlite:///file.db``, or ``-`` for standard
            output, where alone a failure leaves what was written before it.
        to: the name of a sink; None looks at the target.
        options: what to write.

    Raises:
        ConfigurationError: the target or an option cannot work, or an extra is not installed.
        OutputError: the target cannot be written; it is as it was.
    """
    try:
        return _write(batches, os.fspath(target), to, options or ExportOptions())
    except SMSPartnerError as error:
        failure = error
    del target  # an address may hold a password
    raise bare(failure)


def _write(batches: Batches, target: str, to: str | None, options: ExportOptions) -> Written:
    check(target, to=to, options=options)
    sink = sink_for(target, to)
    rows = Rows(batches, options)
    try:
        size = sink.write(rows, target, options)
    except UnicodeEncodeError:
        raise not_text(rows.last, rows.count - len(rows.last)) from None
    return Written(
        sink=sink.name,
        target=mask_target(target),
        rows=rows.count,
        columns=rows.columns,
        bytes=size,
        opted_out=rows.opted_out,
        suppressed=rows.suppressed,
    )


def _by_ending(ending: str) -> Sink | None:
    return next((sink for sink in sinks.values() if ending in sink.endings), None)


def _by_scheme(scheme: str) -> Sink | None:
    return next((sink for sink in sinks.values() if scheme in sink.schemes), None)


def _known() -> str:
    return ", ".join(
        " ".join([sink.name, *sink.endings, *(f"{scheme}://" for scheme in sink.schemes)])
        for sink in sinks.values()
    )


_OURS: Final[tuple[Sink, ...]] = (
    CSVSink(),
    JSONLinesSink(),
    JSONSink(),
    ParquetSink(),
    ArrowSink(),
    SQLiteSink(),
    PostgreSQLSink(),
)
for _sink in _OURS:
    register_sink(_sink)
