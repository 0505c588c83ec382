"""Every place that numbers can be written to, by name, ending and scheme.

``register_sink`` adds to them. The contract of a sink:

1. ``check`` says whether writing can work, and changes nothing. It is called before a download
   is spent, which may not be repeatable.
2. ``write`` iterates over the rows once, holds no more than a few batches of them, and is all
   or nothing: when it fails, or when the rows do, the target is as it was.
3. What goes wrong with the target is an ``OutputError``, a setting that cannot work a
   ``ConfigurationError``. What the rows raise passes through as it is.

Options are already applied to the rows: no sink can forget to leave out people who opted out.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

from smspartner.errors import ConfigurationError
from smspartner.files.rows import Rows, WriteOptions
from smspartner.files.targets import STDOUT, Target
from smspartner.models.masks import mask_target


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
        """The extra of this package that it needs, None if it needs none."""
        ...

    def check(self, target: str, options: WriteOptions) -> None:
        """Raise what ``write`` would raise at once; change nothing."""
        ...

    def write(self, rows: Rows, target: str, options: WriteOptions) -> int | None:
        """Write all rows or nothing, and return the bytes of the file, None for a database."""
        ...


class BuiltIn(NamedTuple):
    """A sink of ours, whose module is loaded when it is used; what it is found by, as in ``Sink``.

    Attributes:
        place: its module below ``smspartner.files.formats``, and its class.
    """

    name: str
    place: str
    endings: Sequence[str] = ()
    schemes: Sequence[str] = ()
    extra: str | None = None

    @property
    def sink(self) -> Any:
        """What checks and writes."""
        module, _, kind = self.place.partition(":")
        return getattr(import_module(f"smspartner.files.formats.{module}"), kind)()

    def check(self, target: str, options: WriteOptions) -> None:
        """See ``Sink``."""
        self.sink.check(target, options)

    def write(self, rows: Rows, target: str, options: WriteOptions) -> int | None:
        """See ``Sink``."""
        size: int | None = self.sink.write(rows, target, options)
        return size


BUILT_IN: Final = (
    BuiltIn("csv", "csv:CSVSink", endings=(".csv",)),
    BuiltIn("jsonl", "json:JSONLinesSink", endings=(".jsonl", ".ndjson")),
    BuiltIn("json", "json:JSONSink", endings=(".json",)),
    BuiltIn("parquet", "arrow:ParquetSink", endings=(".parquet",), extra="arrow"),
    BuiltIn("arrow", "arrow:ArrowSink", endings=(".arrow", ".feather"), extra="arrow"),
    BuiltIn("xlsx", "xlsx:XLSXSink", endings=(".xlsx",), extra="excel"),
    BuiltIn(
        "sqlite", "sqlite:SQLiteSink", endings=(".db", ".sqlite", ".sqlite3"), schemes=("sqlite",)
    ),
    BuiltIn(
        "postgresql",
        "postgres:PostgreSQLSink",
        schemes=("postgresql", "postgres"),
        extra="postgres",
    ),
)
#: Every sink by its name.
sinks: Final[dict[str, Sink]] = {sink.name: sink for sink in BUILT_IN}


def register_sink(sink: Sink) -> None:
    """Add a sink, or replace the one of the same name."""
    sinks[sink.name] = sink


def sink_for(target: Target, to: str | None = None) -> Sink:
    """Find the sink of a target.

    Args:
        target: a file name, an address such as ``sqlite:///file.db``, or ``-``.
        to: the name of a sink, or an ending; None looks at the target, and takes ``-`` for CSV.

    Raises:
        ConfigurationError: there is none; the message names the nearest, and lists all.
    """
    name = os.fspath(target)
    if to is not None:
        found = sinks.get(to.lower()) or _by_ending(f".{to.lower()}") or _by_scheme(to.lower())
    elif "://" in name:
        found = _by_scheme(name.partition("://")[0].lower())
    else:
        found = sinks.get("csv") if name == STDOUT else _by_ending(Path(name).suffix.lower())
    if found is None:
        raise ConfigurationError(_unknown(name, to))
    return found


def _by_ending(ending: str) -> Sink | None:
    return next((sink for sink in sinks.values() if ending in sink.endings), None)


def _by_scheme(scheme: str) -> Sink | None:
    return next((sink for sink in sinks.values() if scheme in sink.schemes), None)


def _unknown(name: str, to: str | None) -> str:
    """Return what to do about a target of no known kind: the nearest that is known, and all."""
    endings = [ending for sink in sinks.values() for ending in sink.endings]
    schemes = [f"{scheme}://" for sink in sinks.values() for scheme in sink.schemes]
    if to is not None:
        given, known, shown = to.lower(), [*endings, *schemes, *sinks], list(sinks)
    elif "://" in name:
        given, known = name.lower().partition("://")[0] + "://", schemes
        shown = known
    else:
        given, known = Path(name).suffix.lower(), endings
        shown = known
    import difflib  # noqa: PLC0415 - for what was misspelled alone

    words = {each.strip("./:"): each for each in known}
    if to is not None:  # some call it by its extra: excel
        words = {sink.extra: sink.name for sink in sinks.values() if sink.extra} | words
    near = difflib.get_close_matches(given.strip("./:"), words, 1)
    hint = f"did you mean {words[near[0]]}? " if near else "" if given else "it has no extension; "
    what = f"the format {to!r}" if to is not None else repr(mask_target(name))
    return f"cannot write {what}: {hint}known are {' '.join(shown)}"
