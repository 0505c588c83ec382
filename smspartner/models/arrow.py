"""Columns of numbers as Arrow data: the one place where rows become Arrow.

Files, tables, pandas, Polars, DuckDB and Spark all get what is made here. Needs the extra
``arrow``; pyarrow is imported when one of these functions is called.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Final

from smspartner.errors import OutputError
from smspartner.models.columns import COLUMNS, E164, TOKEN, Values
from smspartner.models.extras import load
from smspartner.models.number import not_int64, not_text

#: Rows of one record batch, and of one row group in Parquet.
GROUP: Final = 65_536
#: Rows that are converted at once, and not many more: beyond 10,000 the buffers of a column are
#: no longer those that were freed last, and a text takes twice the time.
_AT_ONCE: Final = 4096
_NULLABLE: Final = {E164, TOKEN}
_MOST_TEXT: Final = 2**31 - 1


def pyarrow() -> Any:
    """Import pyarrow.

    Raises:
        ConfigurationError: it is not installed.
    """
    return load("pyarrow", "smspartner[arrow]")


def arrow_schema(columns: Sequence[str] = COLUMNS) -> Any:
    """Return the schema: id int64, stop_sms bool, others utf8; e164 and token can be null."""
    arrow = pyarrow()
    types = {"id": arrow.int64(), "stop_sms": arrow.bool_()}
    return arrow.schema(
        [arrow.field(name, types.get(name, arrow.utf8()), name in _NULLABLE) for name in columns]
    )


def record_batches(parts: Iterable[Values], columns: Sequence[str] = COLUMNS) -> Iterator[Any]:
    """Yield values as ``pyarrow.RecordBatch`` of ``GROUP`` rows, the last one fewer.

    Args:
        parts: some rows after the others, as one list for each column.
        columns: the names of the columns.

    Raises:
        ConfigurationError: pyarrow is not installed.
        OutputError: an id has more than 64 bits, or a phone is not text; the message says where.
    """
    arrow, schema = pyarrow(), arrow_schema(columns)
    waiting: list[Any] = []
    for values, first in _gathered(parts, len(columns)):
        waiting.append(_record_batch(arrow, schema, values, first))
        if sum(part.num_rows for part in waiting) >= GROUP:
            whole = _joined(arrow, waiting)
            yield whole.slice(0, GROUP)
            waiting = [whole.slice(GROUP)]
    if any(part.num_rows for part in waiting):
        yield _joined(arrow, waiting)


def _gathered(parts: Iterable[Values], width: int) -> Iterator[tuple[Values, int]]:
    """Yield at least ``_AT_ONCE`` rows, and the place of the first of them."""
    waiting: list[list[Any]] = [[] for _ in range(width)]
    first = 0
    for part in parts:
        for values, more in zip(waiting, part, strict=True):
            values.extend(more)
        if len(waiting[0]) >= _AT_ONCE:
            yield waiting, first
            first += len(waiting[0])
            waiting = [[] for _ in range(width)]
    if waiting[0]:
        yield waiting, first


def arrow_c_stream(
    parts: Iterable[Values], columns: Sequence[str], requested_schema: object | None = None
) -> object:
    """Return the capsule of the Arrow PyCapsule protocol, for ``__arrow_c_stream__``.

    The rows are read while the consumer reads the stream. What they raise reaches the consumer as
    its own kind of error, with the text of ours.

    Raises:
        ConfigurationError: pyarrow is not installed.
    """
    batches = record_batches(parts, columns)
    reader = pyarrow().RecordBatchReader.from_batches(arrow_schema(columns), batches)
    capsule: object = reader.__arrow_c_stream__(requested_schema)
    return capsule


def to_arrow(parts: Iterable[Values], columns: Sequence[str] = COLUMNS) -> Any:
    """Return a ``pyarrow.Table``; in memory it takes 24 bytes for each number."""
    return pyarrow().Table.from_batches(record_batches(parts, columns), arrow_schema(columns))


def _joined(arrow: Any, parts: list[Any]) -> Any:
    _require_text(sum(part.nbytes for part in parts))
    return arrow.Table.from_batches(parts).combine_chunks().to_batches()[0]


def _require_text(size: int) -> None:
    """Refuse what the 32-bit offsets of Arrow's utf8 cannot hold; no real phones are that long."""
    if size > _MOST_TEXT:
        raise OutputError(f"more than 2 GiB of text in {GROUP} numbers: Arrow cannot hold it")


def _record_batch(arrow: Any, schema: Any, columns: Values, first: int) -> Any:
    makers = {"id": _integers, "stop_sms": _booleans} | dict.fromkeys(_NULLABLE, _nullable_texts)
    arrays = []
    for name, values in zip(schema.names, columns, strict=True):
        try:
            arrays.append(makers.get(name, _texts)(arrow, values))
        except struct.error:
            raise not_int64(values, first) from None
        except UnicodeEncodeError:
            raise not_text(values, first) from None
    return arrow.RecordBatch.from_arrays(arrays, schema=schema)


# From buffers, because pyarrow.array(a_list) imports pandas wherever that is installed: 50 MiB
# and 0.4 s (pyarrow 26), and with it a million numbers do not stay under 120 MiB.


def _integers(arrow: Any, values: Sequence[int]) -> Any:
    # A third of the time of array("q", values).
    data = arrow.py_buffer(struct.pack(f"={len(values)}q", *values))
    return arrow.Array.from_buffers(arrow.int64(), len(values), [None, data])


def _booleans(arrow: Any, values: Sequence[bool]) -> Any:
    data = arrow.py_buffer(bytes(values))
    return arrow.Array.from_buffers(arrow.uint8(), len(values), [None, data]).cast(arrow.bool_())


def _texts(arrow: Any, values: Sequence[str]) -> Any:
    data = "".join(values).encode()
    _require_text(len(data))
    width = len(data) // len(values)
    if not _have_width(values, width):
        return _array_of_texts(arrow, values, data, None)
    fixed = arrow.Array.from_buffers(
        arrow.binary(width), len(values), [None, arrow.py_buffer(data)]
    )
    return fixed.cast(arrow.binary()).view(arrow.utf8())


def _nullable_texts(arrow: Any, values: Sequence[str | None]) -> Any:
    if None not in values:
        return _texts(arrow, values)  # type: ignore[arg-type]
    texts = [value or "" for value in values]
    data = "".join(texts).encode()
    _require_text(len(data))
    # A column of booleans is a bitmap, and so is the mark of what is not null.
    bitmap = _booleans(arrow, [value is not None for value in values]).buffers()[1]
    return _array_of_texts(arrow, texts, data, bitmap)


def _array_of_texts(arrow: Any, texts: Sequence[str], data: bytes, bitmap: Any) -> Any:
    sizes = map(len, texts) if data.isascii() else map(len, map(str.encode, texts))
    ends = arrow.py_buffer(array("i", accumulate(sizes, initial=0)))
    return arrow.Array.from_buffers(arrow.utf8(), len(texts), [bitmap, ends, arrow.py_buffer(data)])


def _have_width(texts: Sequence[str], width: int) -> bool:
    """Say whether all texts have so many bytes, as phones mostly do.

    Each then ends where it should, and nowhere else: with the conversion 25 ns a text, where a
    look at every length takes 160.
    """
    lines = "\n".join(texts).encode()
    ends = b"\n" * (len(texts) - 1)
    return (
        len(lines) == len(texts) * (width + 1) - 1
        and lines[width :: width + 1] == ends
        and lines.count(b"\n") == len(ends)
    )
