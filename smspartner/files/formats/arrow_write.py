"""Parquet and Arrow IPC files; both need the extra ``arrow``."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from smspartner.errors import ConfigurationError
from smspartner.files.atomic import atomic_writer
from smspartner.files.rows import ExportOptions, Rows, int64_records
from smspartner.files.targets import STDOUT, check_writable
from smspartner.models.arrow import Batches, Part, arrow_schema, grouped, pyarrow
from smspartner.models.extras import load


def record_batches(batches: Batches, options: ExportOptions | None = None) -> Iterator[Any]:
    """Yield what the options leave of records as ``pyarrow.RecordBatch``, as in files.

    Raises:
        ConfigurationError: pyarrow is not installed.
        OutputError: an id has more than 64 bits, or a phone is not text; the message says where.
    """
    return _arrow_batches(Rows(batches, options or ExportOptions()))


def _arrow_batches(rows: Rows) -> Iterator[Any]:
    return grouped(arrow_schema(rows.columns), _parts(rows))


def _parts(rows: Rows) -> Iterator[Part]:
    for records in int64_records(rows) if "id" in rows.columns else rows.records():
        yield records, rows.count - len(records), rows.by_column(records)


class _ColumnarSink(ABC):
    """What the two have in common: pyarrow writes record batches to an atomic file."""

    schemes = ()
    extra = "arrow"
    name: str
    endings: Sequence[str]

    def check(self, target: str, options: ExportOptions) -> None:  # noqa: ARG002 - protocol
        """Raise ``ConfigurationError`` without pyarrow, ``OutputError`` where no file can be."""
        pyarrow()
        if target == STDOUT:
            raise ConfigurationError(f"{self.name} needs a file; standard output cannot take it")
        check_writable(target)

    def write(self, rows: Rows, target: str, options: ExportOptions) -> int:  # noqa: ARG002
        """Write the file, or none at all, and return its bytes."""
        with atomic_writer(target) as file:
            with self._writer(file, arrow_schema(rows.columns)) as writer:
                for batch in _arrow_batches(rows):
                    writer.write_batch(batch)
            return file.tell()

    @abstractmethod
    def _writer(self, file: BinaryIO, schema: Any) -> contextlib.AbstractContextManager[Any]:
        """Return pyarrow's writer of the format."""


class ParquetSink(_ColumnarSink):
    """Parquet, compressed with Zstandard; one row group for each 65,536 rows."""

    name = "parquet"
    endings = (".parquet",)

    def _writer(self, file: BinaryIO, schema: Any) -> contextlib.AbstractContextManager[Any]:
        parquet = load("pyarrow.parquet", "smspartner[arrow]")
        # Phones hardly ever repeat: a dictionary of them costs time and saves nothing.
        writer: contextlib.AbstractContextManager[Any] = parquet.ParquetWriter(
            file, schema, compression="zstd", use_dictionary=False
        )
        return writer


class ArrowSink(_ColumnarSink):
    """Arrow IPC, the file format (Feather V2), not compressed: it can be mapped into memory."""

    name = "arrow"
    endings = (".arrow", ".feather")

    def _writer(self, file: BinaryIO, schema: Any) -> contextlib.AbstractContextManager[Any]:
        writer: contextlib.AbstractContextManager[Any] = pyarrow().ipc.new_file(file, schema)
        return writer
