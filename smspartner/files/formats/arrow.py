"""Parquet and Arrow IPC files; both need the extra ``arrow``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Final

from smspartner.decoders.detect import excerpt
from smspartner.decoders.limits import KIB, MIB
from smspartner.errors import ConfigurationError, DecodeError, LimitError, TruncatedError
from smspartner.files.atomic import atomic_writer
from smspartner.files.columns import Columns, counted_from, find_columns, foreign_columns, typed
from smspartner.files.input_file import InputFile
from smspartner.files.rows import Rows, WriteOptions
from smspartner.files.targets import STDOUT, check_writable
from smspartner.models.arrow import arrow_schema, pyarrow, record_batches
from smspartner.models.extras import load

#: Rows that are read at once: with the 65,536 of a row group, Parquet takes 16 MiB more.
_ROWS: Final = 16_384


#: Bytes in one column of some rows, and of one text on average, beyond which no file is read.
_MOST: Final = 64 * MIB
_LONG: Final = 4 * KIB


class _ColumnarSink(ABC):
    """What the two have in common: pyarrow writes record batches to an atomic file."""

    name: ClassVar[str]

    def check(self, target: str, options: WriteOptions) -> None:  # noqa: ARG002 - protocol
        """Raise ``ConfigurationError`` without pyarrow, ``OutputError`` where no file can be."""
        pyarrow()
        if target == STDOUT:
            raise ConfigurationError(f"{self.name} needs a file; standard output cannot take it")
        check_writable(target)

    def write(self, rows: Rows, target: str, options: WriteOptions) -> int:  # noqa: ARG002
        """Write the file, or none at all, and return its bytes."""
        with atomic_writer(target) as file:
            with self._writer(file, arrow_schema(rows.columns)) as writer:
                for batch in record_batches(rows.values(), rows.columns):
                    writer.write_batch(batch)
            return file.tell()

    @abstractmethod
    def _writer(self, file: BinaryIO, schema: Any) -> AbstractContextManager[Any]:
        """Return pyarrow's writer of the format."""


class ParquetSink(_ColumnarSink):
    """Parquet, compressed with Zstandard; one row group for each 65,536 rows."""

    name = "parquet"

    def _writer(self, file: BinaryIO, schema: Any) -> AbstractContextManager[Any]:
        parquet = load("pyarrow.parquet", "smspartner[arrow]")
        # Phones hardly ever repeat: a dictionary of them costs time and saves nothing.
        writer: AbstractContextManager[Any] = parquet.ParquetWriter(
            file, schema, compression="zstd", use_dictionary=["token", "file"]
        )
        return writer


class ArrowSink(_ColumnarSink):
    """Arrow IPC, the file format (Feather V2), not compressed: it can be mapped into memory."""

    name = "arrow"

    def _writer(self, file: BinaryIO, schema: Any) -> AbstractContextManager[Any]:
        writer: AbstractContextManager[Any] = pyarrow().ipc.new_file(file, schema)
        return writer


class _ColumnarFormat(ABC):
    """What the two have in common: a mark at both ends, and pyarrow that reads them."""

    endings = ()
    ordered = True
    name: str
    _mark: ClassVar[bytes]

    def recognises(self, start: bytes) -> bool:
        """Look for the mark that the format begins with."""
        return start.startswith(self._mark)

    def read(self, file: InputFile) -> Iterator[Columns]:
        """Yield batches of 16,384 rows; only the columns that are known are read."""
        path, arrow = file.path(), pyarrow()
        _require_end(file, path, self._mark)
        found = 0
        with _arrow_errors(file, arrow):
            for batch in self._batches(file, path):
                batch.validate(full=True)  # without it, wrong offsets are read from anywhere
                columns = find_columns(batch.schema.names, file)
                file.unread = file.unread or foreign_columns(batch.schema.names)
                values = {name: batch.column(at) for name, at in columns.items()}
                for column in values.values():
                    _require_bounded(file, batch.num_rows, _text_size(column))
                yield typed(
                    {name: column.to_pylist() for name, column in values.items()},
                    counted_from(found, file),
                )
                found += batch.num_rows

    @abstractmethod
    def _batches(self, file: InputFile, path: str) -> Iterator[Any]:
        """Yield ``pyarrow.RecordBatch``, no larger than ``_ROWS`` rows."""


class ParquetFormat(_ColumnarFormat):
    """Parquet, by any writer."""

    name = "Parquet"
    _mark = b"PAR1"

    def _batches(self, file: InputFile, path: str) -> Iterator[Any]:
        parquet = load("pyarrow.parquet", "smspartner[arrow]")
        opened = file.keep(parquet.ParquetFile(path))
        names = opened.schema_arrow.names
        wanted = [names[place] for place in find_columns(names, file).values()]
        file.unread = foreign_columns(names)
        repeated = set()
        for group in map(opened.metadata.row_group, range(opened.num_row_groups)):
            for chunk in map(group.column, range(group.num_columns)):
                if chunk.path_in_schema in wanted:
                    _require_bounded(file, group.num_rows, chunk.total_uncompressed_size)
                    if chunk.has_dictionary_page and chunk.physical_type == "BYTE_ARRAY":
                        repeated.add(chunk.path_in_schema)
        # A text that is in the file once stays so until it is known what all of them would take.
        again = file.keep(parquet.ParquetFile(path, read_dictionary=sorted(repeated)))
        yield from again.iter_batches(_ROWS, columns=wanted, use_threads=False)


class ArrowFormat(_ColumnarFormat):
    """Arrow IPC, the file format (Feather V2)."""

    name = "Arrow"
    _mark = b"ARROW1"

    def _batches(self, file: InputFile, path: str) -> Iterator[Any]:
        arrow = pyarrow()
        reader = file.keep(arrow.ipc.open_file(file.keep(arrow.OSFile(path))))
        for index in range(reader.num_record_batches):
            batch = reader.get_batch(index)
            for start in range(0, batch.num_rows, _ROWS):
                yield batch.slice(start, _ROWS)


def _text_size(column: Any) -> int:
    """Return the bytes of all texts of a column, however often each is stored."""
    arrow = pyarrow()
    if not arrow.types.is_dictionary(column.type):
        size: int = column.nbytes
        return size
    compute = load("pyarrow.compute", "smspartner[arrow]")
    sizes = compute.binary_length(column.dictionary.cast(arrow.large_binary()))
    return compute.sum(sizes.take(column.indices)).as_py() or 0


def _require_bounded(file: InputFile, rows: int, size: int) -> None:
    """Refuse texts so long that a small file would fill the memory."""
    if size > _MOST and size > rows * _LONG:
        raise LimitError(
            f"{file}: {rows:,} rows hold {size // MIB:,} MiB in one column; no phones are that long"
        )


def _require_end(file: InputFile, path: str, mark: bytes) -> None:
    with Path(path).open("rb") as whole:
        if _last_bytes(whole, len(mark)) != mark:
            raise TruncatedError(f"{file}: it stops before its end; make the file again")


def _last_bytes(whole: BinaryIO, count: int) -> bytes:
    whole.seek(0, 2)
    whole.seek(max(0, whole.tell() - count))
    return whole.read()


@contextmanager
def _arrow_errors(file: InputFile, arrow: Any) -> Iterator[None]:
    try:
        yield
    except (arrow.ArrowException, OSError, ValueError, OverflowError) as error:
        # The last two are Python's: of a date that it cannot hold, or text that is not UTF-8.
        problem = str(error)
    else:
        return
    # It can quote what it read, a phone too: long numbers are masked.
    raise DecodeError(f"{file}: pyarrow cannot read it, {excerpt(problem.encode())}")
