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
    group = _Group(pyarrow(), columns)
    for part in parts:
        start, end = 0, len(part[0])
        while start < end:
            stop = min(end, start + GROUP - group.rows)
            whole = stop - start == end
            group.add(part if whole else [values[start:stop] for values in part])
            start = stop
            if group.rows == GROUP:
                yield group.batch()
    if group.rows:
        yield group.batch()


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


class _Group:
    """The rows of one record batch, as the bytes that Arrow holds of each column.

    A piece of some hundred rows becomes bytes as soon as it is read, while it is in the cache of
    the processor: of a number in XML, gathering 4,096 rows first took 160 ns, this takes 90.
    """

    def __init__(self, arrow: Any, columns: Sequence[str]) -> None:
        self._arrow, self._schema = arrow, arrow_schema(columns)
        self._done = self.rows = 0
        self._makers = [_MAKERS.get(name, _Texts) for name in columns]
        self._columns = [make() for make in self._makers]

    def add(self, part: Values) -> None:
        for column, values in zip(self._columns, part, strict=True):
            try:
                column.add(values)
            except struct.error:
                raise not_int64(values, self._done + self.rows) from None
            except UnicodeEncodeError:
                raise not_text(values, self._done + self.rows) from None
        self.rows += len(part[0])

    def batch(self) -> Any:
        """Return the rows as a record batch, and begin the next."""
        arrays = [column.array(self._arrow, self.rows) for column in self._columns]
        self._columns = [make() for make in self._makers]
        self._done, self.rows = self._done + self.rows, 0
        return self._arrow.RecordBatch.from_arrays(arrays, schema=self._schema)


# From buffers, because pyarrow.array(a_list) imports pandas wherever that is installed: 50 MiB
# and 0.4 s (pyarrow 26), and with it a million numbers do not stay under 120 MiB.


class _Integers:
    def __init__(self) -> None:
        self._data = bytearray()

    def add(self, values: Sequence[int]) -> None:
        # A third of the time of array("q", values).
        self._data += struct.pack(f"={len(values)}q", *values)

    def array(self, arrow: Any, rows: int) -> Any:
        return arrow.Array.from_buffers(arrow.int64(), rows, [None, arrow.py_buffer(self._data)])


class _Booleans:
    def __init__(self) -> None:
        self._data = bytearray()

    def add(self, values: Sequence[bool]) -> None:
        self._data += bytes(values)

    def array(self, arrow: Any, rows: int) -> Any:
        flags = arrow.Array.from_buffers(arrow.uint8(), rows, [None, arrow.py_buffer(self._data)])
        return flags.cast(arrow.bool_())


class _Texts:
    def __init__(self) -> None:
        self._data = bytearray()
        self._sizes = array("i")
        #: The width of all texts so far, -1 where they differ.
        self._width: int | None = None

    def add(self, values: Sequence[str]) -> None:
        data = "".join(values).encode()
        _require_text(len(self._data) + len(data))
        width = len(data) // len(values)
        if _have_width(values, width):
            self._sizes += array("i", [width]) * len(values)
        else:
            width = -1
            self._sizes.extend(map(len, values if data.isascii() else map(str.encode, values)))
        self._width = width if self._width in (None, width) else -1
        self._data += data

    def array(self, arrow: Any, rows: int, given: Any = None) -> Any:
        data = arrow.py_buffer(self._data)
        if self._width == -1 or given is not None:
            ends = arrow.py_buffer(array("i", accumulate(self._sizes, initial=0)))
            return arrow.Array.from_buffers(arrow.utf8(), rows, [given, ends, data])
        fixed = arrow.Array.from_buffers(arrow.binary(self._width), rows, [None, data])
        return fixed.cast(arrow.binary()).view(arrow.utf8())


class _NullableTexts(_Texts):
    def __init__(self) -> None:
        super().__init__()
        self._given = _Booleans()
        self._whole = True

    def add(self, values: Sequence[str | None]) -> None:
        self._whole = self._whole and None not in values
        self._given.add([value is not None for value in values])
        super().add([value or "" for value in values])

    def array(self, arrow: Any, rows: int, given: Any = None) -> Any:
        if not self._whole:
            # A column of booleans is a bitmap, and so is the mark of what is not null.
            given = self._given.array(arrow, rows).buffers()[1]
        return super().array(arrow, rows, given)


_MAKERS: Final[dict[str, Any]] = {
    "id": _Integers,
    "stop_sms": _Booleans,
    E164: _NullableTexts,
    TOKEN: _NullableTexts,
}


def _require_text(size: int) -> None:
    """Refuse what the 32-bit offsets of Arrow's utf8 cannot hold; no real phones are that long."""
    if size > _MOST_TEXT:
        raise OutputError(f"more than 2 GiB of text in {GROUP} numbers: Arrow cannot hold it")


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
