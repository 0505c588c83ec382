"""Records as Arrow data, for pandas, Polars, DuckDB and everything else that takes it.

Needs the extra ``arrow``; pyarrow is imported when one of these functions is called.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from operator import attrgetter
from typing import Any, Final

from smspartner.errors import OutputError
from smspartner.models.extras import load
from smspartner.models.number import RentedNumber, not_text, require_int64

#: The columns of every table, unless others are asked for.
COLUMNS: Final = ("id", "phone", "stop_sms")
#: One more that can be asked for: the phone in E.164, null where it cannot be told.
E164: Final = "e164"

Batches = Iterable[Sequence[RentedNumber]]

#: Rows of one record batch, and of one row group in Parquet.
GROUP: Final = 65_536
#: Rows converted at once: a batch can be a whole rental that is in memory.
_AT_ONCE: Final = 4096
_MOST_TEXT: Final = 2**31 - 1


def pyarrow() -> Any:
    """Import pyarrow.

    Raises:
        ConfigurationError: it is not installed.
    """
    return load("pyarrow", "smspartner[arrow]")


def arrow_schema(columns: Sequence[str] = COLUMNS) -> Any:
    """Return the schema: id int64, phone utf8, stop_sms bool, none of them null; e164 utf8."""
    arrow = pyarrow()
    types = {"id": arrow.int64(), "stop_sms": arrow.bool_()}
    return arrow.schema(
        [arrow.field(name, types.get(name, arrow.utf8()), name == E164) for name in columns]
    )


def record_batches(batches: Batches) -> Iterator[Any]:
    """Yield records as ``pyarrow.RecordBatch``, ``GROUP`` rows each, the last one fewer.

    Raises:
        ConfigurationError: pyarrow is not installed.
        OutputError: an id has more than 64 bits, or a phone is not text; the message says where.
    """
    return grouped(arrow_schema(), _parts(batches))


#: Some records, the place of the first one in the rental, and their values column by column.
Part = tuple[Sequence[RentedNumber], int, list[list[Any]]]


def grouped(schema: Any, parts: Iterable[Part]) -> Iterator[Any]:
    """Yield parts as ``pyarrow.RecordBatch`` of ``GROUP`` rows, the last one fewer.

    Raises:
        OutputError: a phone is not text; the message says which record it is of.
    """
    arrow = pyarrow()
    waiting: list[Any] = []
    for records, first, columns in parts:
        try:
            waiting.append(_record_batch(arrow, schema, columns))
        except UnicodeEncodeError:
            raise not_text(records, first) from None
        if sum(part.num_rows for part in waiting) >= GROUP:
            whole = _joined(arrow, waiting)
            yield whole.slice(0, GROUP)
            waiting = [whole.slice(GROUP)]
    if any(part.num_rows for part in waiting):
        yield _joined(arrow, waiting)


def _parts(batches: Batches) -> Iterator[Part]:
    first = 0
    for batch in filter(None, batches):
        for start in range(0, len(batch), _AT_ONCE):
            records = batch[start : start + _AT_ONCE]
            require_int64(records, first)
            yield records, first, [list(map(attrgetter(name), records)) for name in COLUMNS]
            first += len(records)


def arrow_c_stream(batches: Batches, requested_schema: object | None = None) -> object:
    """Return the capsule of the Arrow PyCapsule protocol, for ``__arrow_c_stream__``.

    The records are read while the consumer reads the stream. What they raise reaches the
    consumer as its own kind of error, with the text of ours.

    Raises:
        ConfigurationError: pyarrow is not installed.
    """
    reader = pyarrow().RecordBatchReader.from_batches(arrow_schema(), record_batches(batches))
    capsule: object = reader.__arrow_c_stream__(requested_schema)
    return capsule


def to_arrow(batches: Batches) -> Any:
    """Return a ``pyarrow.Table``; in memory it takes 24 bytes for each number."""
    return pyarrow().Table.from_batches(record_batches(batches), arrow_schema())


def to_pandas(batches: Batches) -> Any:
    """Return a ``pandas.DataFrame``, phones as text.

    Raises:
        ConfigurationError: pandas or pyarrow is not installed.
    """
    load("pandas", "smspartner[arrow] pandas")
    return to_arrow(batches).to_pandas()


def to_polars(batches: Batches) -> Any:
    """Return a ``polars.DataFrame``.

    Raises:
        ConfigurationError: Polars or pyarrow is not installed.
    """
    return load("polars", "smspartner[arrow] polars").from_arrow(to_arrow(batches))


def _joined(arrow: Any, parts: list[Any]) -> Any:
    _require_text(sum(part.nbytes for part in parts))
    return arrow.Table.from_batches(parts).combine_chunks().to_batches()[0]


def _require_text(size: int) -> None:
    """Refuse what the 32-bit offsets of Arrow's utf8 cannot hold; no real phones are that long."""
    if size > _MOST_TEXT:
        raise OutputError(f"more than 2 GiB of text in {GROUP} numbers: Arrow cannot hold it")


def _record_batch(arrow: Any, schema: Any, columns: list[list[Any]]) -> Any:
    makers = {"id": _integers, "stop_sms": _booleans}
    named = zip(schema.names, columns, strict=True)
    arrays = [makers.get(name, _texts)(arrow, values) for name, values in named]
    return arrow.RecordBatch.from_arrays(arrays, schema=schema)


# From buffers, because pyarrow.array(a_list) imports pandas wherever that is installed: 50 MiB
# and 0.4 s (pyarrow 26), and with it a million numbers do not stay under 120 MiB.


def _integers(arrow: Any, values: Sequence[int]) -> Any:
    data = arrow.py_buffer(array("q", values))
    return arrow.Array.from_buffers(arrow.int64(), len(values), [None, data])


def _booleans(arrow: Any, values: Sequence[bool]) -> Any:
    data = arrow.py_buffer(bytes(values))
    return arrow.Array.from_buffers(arrow.uint8(), len(values), [None, data]).cast(arrow.bool_())


def _texts(arrow: Any, values: Sequence[str | None]) -> Any:
    texts = [value or "" for value in values]
    # A column of booleans is a bitmap, and so is the mark of what is not null.
    there = None
    if None in values:
        there = _booleans(arrow, [value is not None for value in values]).buffers()[1]
    together = "".join(texts)
    data = together.encode()
    _require_text(len(data))
    ascii_only = len(data) == len(together)  # then the ends are those of the characters
    sizes = map(len, texts if ascii_only else map(str.encode, texts))
    ends = arrow.py_buffer(array("i", accumulate(sizes, initial=0)))
    return arrow.Array.from_buffers(arrow.utf8(), len(values), [there, ends, arrow.py_buffer(data)])
