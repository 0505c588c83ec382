"""Bodies as a Spark data source: ``spark.read.format("smspartner").load("archive/")``.

Spark finds it by itself where this package is installed, through ``pyspark_smspartner``. It needs
Spark 4 and the extra ``spark``. Files are packed into partitions by size.

A body that is wrong fails the query (``mode`` FAILFAST; Spark's own default makes null rows of it).
DROPMALFORMED leaves it out and names it in the log of the executor. PERMISSIVE gives one row for
it, whose corrupt-record column says which body and why.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NoReturn

from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
from pyspark.sql.types import StructType

from smspartner.decoders.limits import MIB
from smspartner.errors import ConfigurationError, SMSPartnerError
from smspartner.files.bodies import read_batches
from smspartner.files.sources import find_bodies, size_of
from smspartner.models.arrow import pyarrow

_SCHEMA: Final = "id BIGINT, phone STRING, stop_sms BOOLEAN, file STRING"
_TYPES: Final = {
    "id": "bigint",
    "phone": "string",
    "stop_sms": "boolean",
    "e164": "string",
    "file": "string",
}
_MODES: Final = ("FAILFAST", "DROPMALFORMED", "PERMISSIVE")
#: Options by which people try to hand over a rental or the key; Spark keeps options in its plans.
_REFUSED: Final = re.compile("token|key|secret|password|authorization")
_CORRUPT: Final = "columnNameOfCorruptRecord"
#: Bytes of files that one task reads, at most and at least: less would cost more than it saves.
_PARTITION: Final = 64 * MIB
_SMALLEST: Final = 4 * MIB

_log: Final = logging.getLogger("smspartner.spark")


class Files(InputPartition):
    """The bodies that one task reads."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)


class DefaultSource(DataSource):
    """The data source ``smspartner``.

    Options: ``path`` (what ``load`` is given: files, folders, patterns, addresses), ``mode``,
    ``columnNameOfCorruptRecord``. A schema of the caller is honoured: any of ``id BIGINT``, ``phone
    STRING``, ``stop_sms BOOLEAN``, ``e164 STRING``, ``file STRING``, in any order.
    """

    @classmethod
    def name(cls) -> str:
        """Return what ``format()`` is given."""
        return "smspartner"

    def schema(self) -> str:
        """Return the schema where the caller gives none."""
        return _SCHEMA

    def reader(self, schema: StructType) -> BodyReader:
        """Return the reader, all options and the schema checked."""
        return BodyReader(dict(self.options), schema)

    def writer(self, schema: StructType, overwrite: bool) -> NoReturn:  # noqa: ARG002, FBT001 - Spark's
        """Refuse."""
        raise ConfigurationError(
            "the format smspartner is for reading; write the numbers as Parquet or CSV"
        )


class BodyReader(DataSourceReader):
    """Reads bodies in the tasks of a query.

    Args:
        options: of the query.
        schema: what the query wants of each number.

    Raises:
        ConfigurationError: an option or the schema cannot work; nothing has been read.
    """

    def __init__(self, options: dict[str, str], schema: StructType) -> None:
        options = {name.lower(): value for name, value in options.items()}
        if any(map(_REFUSED.search, options)):
            raise ConfigurationError(
                "Spark may read a source again and again, and a rental is handed out once: fetch "
                "it first (smspartner save TOKEN -o FILE, or client.download_many), then load the "
                "files"
            )
        self._mode = options.get("mode", _MODES[0]).upper()
        if self._mode not in _MODES:
            raise ConfigurationError(f"mode is one of {', '.join(_MODES)}, not {self._mode!r}")
        self._corrupt = options.get(_CORRUPT.lower(), "_corrupt_record")
        self._columns = _columns(schema, self._corrupt if self._mode == "PERMISSIVE" else None)
        if self._mode == "PERMISSIVE" and self._corrupt not in self._columns:
            raise ConfigurationError(
                f"mode PERMISSIVE needs the column {self._corrupt} STRING in the schema, to say "
                f"what is wrong with a body; name another one with the option {_CORRUPT}"
            )
        self._paths = _paths(options)

    def partitions(self) -> list[Files]:
        """Return the bodies, packed into partitions of at most 64 MiB."""
        return _packed(find_bodies(self._paths))

    def read(self, partition: InputPartition) -> Iterator[Any]:
        """Yield the numbers of a partition's bodies as ``pyarrow.RecordBatch``."""
        assert isinstance(partition, Files)  # noqa: S101 - Spark hands back what partitions() gave
        for name in partition.names:
            try:
                yield from map(self._complete, read_batches(name, columns=self._of_bodies()))
            except SMSPartnerError as error:
                if self._mode == "FAILFAST":
                    raise
                if self._mode == "PERMISSIVE":
                    yield self._row_about(error)
                else:
                    _log.warning("left out: %s", error)

    def _of_bodies(self) -> list[str]:
        """Return the columns that come out of bodies; a count alone needs one of them."""
        return [name for name in self._columns if name != self._corrupt] or ["id"]

    def _complete(self, batch: Any) -> Any:
        """Return a batch with the columns in the order of the query."""
        arrow = pyarrow()
        nothing = arrow.nulls(batch.num_rows, arrow.string())
        return arrow.RecordBatch.from_arrays(
            [nothing if name == self._corrupt else batch.column(name) for name in self._columns],
            names=self._columns,
        )

    def _row_about(self, error: SMSPartnerError) -> Any:
        arrow = pyarrow()
        types = {"bigint": arrow.int64(), "boolean": arrow.bool_(), "string": arrow.string()}
        values = {self._corrupt: str(error), "file": error.file}
        return arrow.RecordBatch.from_arrays(
            [
                arrow.array([values.get(name)], types[_TYPES.get(name, "string")])
                for name in self._columns
            ],
            names=self._columns,
        )


def _columns(schema: StructType, corrupt: str | None) -> list[str]:
    """Return the names of a schema, each known and of its type."""
    for field in schema.fields:
        wanted = "string" if field.name == corrupt else _TYPES.get(field.name)
        if wanted is None:
            raise ConfigurationError(
                f"no column {field.name!r} in a body; there are {', '.join(_TYPES)}"
            )
        if field.dataType.simpleString() != wanted:
            raise ConfigurationError(
                f"the column {field.name} is {wanted.upper()}, not "
                f"{field.dataType.simpleString().upper()}; cast it after reading"
            )
    return list(schema.names)


def _paths(options: dict[str, str]) -> list[str]:
    if "paths" in options:
        found: list[str] = json.loads(options["paths"])
        return found
    if "path" not in options:
        raise ConfigurationError("name files, a folder or a pattern: .load('archive/*.xml')")
    return [options["path"]]


def _packed(names: Sequence[str]) -> list[Files]:
    """Pack neighbours together: one task for each small file takes 3.5 times as long.

    Of few bytes each core of this machine gets a part, as Spark's own readers do it.
    """
    sizes = {name: size_of(name) for name in names}
    share = sum(sizes.values()) // (os.cpu_count() or 1) + 1
    most = min(_PARTITION, max(_SMALLEST, share))
    packed: list[list[str]] = []
    room = 0
    for name, size in sizes.items():
        if size > room:
            packed.append([])
            room = most
        packed[-1].append(name)
        room -= size
    return [Files(each) for each in packed]
