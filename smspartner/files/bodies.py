"""Many bodies as one table: all of a body's rows, or none of them.

Other readers make zeros or nulls of a body that stops early, is a refusal, or holds another count
than it declares. Here rows leave a body only once its end is proved. Until then they are held as
Arrow, up to ``HELD`` bytes; a body with more is read once to prove it, and once more for its rows.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal, NamedTuple

from smspartner.decoders.limits import DEFAULT_LIMITS, MIB, Limits
from smspartner.decoders.reader import ResponseReader, iter_batches
from smspartner.errors import ConfigurationError, SMSPartnerError
from smspartner.files.rows import Origin
from smspartner.files.sources import Body, Paths, find_bodies, open_body
from smspartner.models.arrow import arrow_schema, pyarrow, record_batches
from smspartner.models.columns import COLUMNS, E164, FILE, Batches, columns_of
from smspartner.models.masks import mask_target
from smspartner.models.number import RentedNumber
from smspartner.models.phones import e164_of_all

#: Bytes of Arrow data that are held of one body at most.
HELD: Final = 64 * MIB
#: Bytes of one record in memory.
_RECORD: Final = 150

_KNOWN: Final = (*COLUMNS, E164, FILE)
_log: Final = logging.getLogger("smspartner.files")


def read_batches(
    source: str, *, columns: Sequence[str] | None = None, limits: Limits = DEFAULT_LIMITS
) -> Iterator[Any]:
    """Yield the numbers of one body as ``pyarrow.RecordBatch``, all of them or none.

    A plain function, which pickles: for the tasks of any engine. It needs the extra ``arrow``.

    Args:
        source: the name of a file, or a remote address; gzip and Zstandard are told by content.
        columns: of ``id``, ``phone``, ``stop_sms``, ``e164`` and ``file``; None is the first three.
        limits: bounds on what the body may cost.

    Raises:
        ConfigurationError: the file cannot be read, a column does not exist, an extra is missing.
        APIError: the body is a refusal of the service.
        DecodeError: the body is not what the reading rules allow.
    """
    wanted = COLUMNS if columns is None else columns
    _check(wanted)
    return _read(source, arrow_schema(wanted), limits)


def _check(columns: Sequence[str]) -> None:
    """Refuse columns that a body cannot give."""
    if not columns or len(set(columns)) != len(columns):
        raise ConfigurationError("columns must be one or more, each only once")
    for name in columns:
        if name not in _KNOWN:
            raise ConfigurationError(f"no column {name!r}; there are {', '.join(_KNOWN)}")


class Bodies:
    """Bodies as one table, in the order in which they were named. ``open_bodies`` makes it.

    Each time it is gone through, the bodies are read again. What takes Arrow takes it as it is.

    Attributes:
        files: the names of the bodies.
        columns: the names of the table's columns.
        skipped: what was wrong with the bodies left out, the last time it was gone through; the
            ``file`` of each error names the body.
    """

    def __init__(
        self,
        files: Sequence[str],
        columns: Sequence[str],
        *,
        skip: bool = False,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        _check(columns)
        self.files: tuple[str, ...] = tuple(files)
        self.columns: tuple[str, ...] = tuple(columns)
        self.skipped: list[SMSPartnerError] = []
        self._skip = skip
        self._limits = limits

    def __iter__(self) -> Iterator[Any]:
        """Yield ``pyarrow.RecordBatch``, each with rows of one body; errors as ``open_bodies``."""
        self.skipped = []
        schema = self.schema
        for name in self.files:
            try:
                yield from _read(name, schema, self._limits)
            except SMSPartnerError as error:
                self._left_out(error)

    @property
    def schema(self) -> Any:
        """The ``pyarrow.Schema`` of the table."""
        return arrow_schema(self.columns)

    def rentals(self) -> Iterator[tuple[Origin, Batches]]:
        """Yield each body's name and its numbers, as ``write`` takes them."""
        self.skipped = []
        for name in self.files:
            try:
                with open_body(name) as body:
                    yield Origin(file=mask_target(name)), proved(body, self._limits).batches
            except SMSPartnerError as error:
                self._left_out(error)

    def _left_out(self, error: SMSPartnerError) -> None:
        if not self._skip:
            raise error
        _log.warning("left out: %s", error)
        self.skipped.append(error)

    def to_arrow(self) -> Any:
        """Return a ``pyarrow.Table``; errors as ``open_bodies``."""
        return pyarrow().Table.from_batches(self, self.schema)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the table as an Arrow stream, for consumers of the PyCapsule interface."""
        reader = pyarrow().RecordBatchReader.from_batches(self.schema, iter(self))
        capsule: object = reader.__arrow_c_stream__(requested_schema)
        return capsule

    def __repr__(self) -> str:
        return f"Bodies({len(self.files)} files, columns={', '.join(self.columns)})"


def open_bodies(
    paths: Paths,
    *,
    columns: Sequence[str] | None = None,
    on_error: Literal["raise", "skip"] = "raise",
    limits: Limits = DEFAULT_LIMITS,
) -> Bodies:
    """Open many bodies as one table.

    Args:
        paths: files, folders, patterns (``archive/*.xml``) or remote addresses, one or several.
        columns: of ``id``, ``phone``, ``stop_sms``, ``e164`` and ``file``; None is the first three
            and ``file``.
        on_error: "raise" stops at the first body that is wrong; "skip" leaves it out whole, logs
            it at WARNING, and keeps the error in ``Bodies.skipped``.
        limits: bounds on what each body may cost.

    Raises:
        ConfigurationError: there are no bodies there, or an argument cannot work.
        APIError, DecodeError: while going through: a body is a refusal, or wrong; the error names
            it. No row of it has been given out.
    """
    if on_error not in {"raise", "skip"}:
        raise ConfigurationError(f"on_error is 'raise' or 'skip', not {on_error!r}")
    wanted = (*COLUMNS, FILE) if columns is None else columns
    _check(wanted)
    return Bodies(find_bodies(paths), wanted, skip=on_error == "skip", limits=limits)


def _read(name: str, schema: Any, limits: Limits) -> Iterator[Any]:
    with open_body(name) as body:
        records = _records(body, limits)
        held: list[Any] = []
        size = 0
        for batch in record_batches(columns_of(records)):
            held.append(batch)
            size += batch.nbytes
            if size > HELD:
                held.clear()
                break
        deque(records, maxlen=0)  # of a body too large to be held, the proof of its end
        batches = record_batches(columns_of(_records(body, limits))) if size > HELD else held
        for batch in batches:
            yield _with_columns(batch, schema, name)


class Proved(NamedTuple):
    """A body that was read to its end.

    Attributes:
        batches: its numbers, or what reads them again if they are many.
        format: ``json`` or ``xml``.
        declared: how many numbers the service declared, None where it did not.
        found: how many there are.
    """

    batches: Batches
    format: str
    declared: int | None
    found: int


def proved(body: Body, limits: Limits = DEFAULT_LIMITS) -> Proved:
    """Read a body to its end.

    Raises:
        APIError, DecodeError: the body is a refusal, or wrong.
    """
    reader = ResponseReader(limits=limits)
    held: list[list[RentedNumber]] = []
    for batch in iter_batches(reader, body.chunks()):
        if reader.found * _RECORD <= HELD:
            held.append(batch)
        else:
            held.clear()
    large = reader.found * _RECORD > HELD
    batches = _records(body, limits) if large else held
    return Proved(batches, reader.format or "", reader.declared, reader.found)


def _records(body: Body, limits: Limits) -> Iterator[list[RentedNumber]]:
    yield from iter_batches(ResponseReader(limits=limits), body.chunks())


def _with_columns(batch: Any, schema: Any, name: str) -> Any:
    """Return the columns of a schema, those that are not in a body made."""
    arrow = pyarrow()
    made = {
        E164: lambda: arrow.array(e164_of_all(batch.column("phone").to_pylist()), arrow.utf8()),
        FILE: lambda: arrow.repeat(mask_target(name), batch.num_rows),
    }
    return arrow.RecordBatch.from_arrays(
        [made[column]() if column in made else batch.column(column) for column in schema.names],
        schema=schema,
    )
