"""Arrow data, Parquet and Arrow files: equal content in every library, phones as text."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from number_files import (
    ODD_PHONES,
    SourceError,
    as_dicts,
    batches,
    check,
    disk_that_fills_up,
    failing,
    left_in,
    numbers,
)

from smspartner import write
from smspartner.errors import ConfigurationError, OutputError
from smspartner.models import arrow
from smspartner.models.arrow import record_batches
from smspartner.models.columns import columns_of
from smspartner.models.number import RentedNumber
from smspartner.models.rental import Rental
from smspartner.models.table import Tabular

pa = pytest.importorskip("pyarrow", reason="the extra arrow is not installed")
pq = pytest.importorskip("pyarrow.parquet", reason="the extra arrow is not installed")

FILES = ["numbers.parquet", "numbers.arrow", "numbers.feather"]
SCHEMA = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False),
        pa.field("phone", pa.utf8(), nullable=False),
        pa.field("stop_sms", pa.bool_(), nullable=False),
    ]
)
SOME = [RentedNumber(index, phone, index % 2 == 0) for index, phone in enumerate(ODD_PHONES)]


class Stream(Tabular):
    """Numbers on their way, as a table."""

    def __init__(self, source: Iterator[list[RentedNumber]]) -> None:
        self._source = source

    def batches(self) -> Iterator[list[RentedNumber]]:
        return self._source


def read(path: Path) -> Any:
    if path.suffix == ".parquet":
        return pq.read_table(path)
    with pa.ipc.open_file(path) as reader:
        return reader.read_all()


# Files.


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("count", [0, 1, 500, 70_000])
def test_a_file_holds_all_numbers_under_the_schema(tmp_path: Path, name: str, count: int) -> None:
    written = write(batches(count), tmp_path / name)
    table = read(tmp_path / name)
    assert table.schema == SCHEMA
    assert table.to_pylist() == as_dicts(numbers(count))
    assert (written.rows, written.bytes) == (count, (tmp_path / name).stat().st_size)
    assert left_in(tmp_path) == [name]


@pytest.mark.parametrize("name", FILES)
def test_a_file_gives_odd_phones_back_as_they_were(tmp_path: Path, name: str) -> None:
    write([SOME], tmp_path / name)
    assert read(tmp_path / name).to_pylist() == as_dicts(SOME)


@given(
    records=st.lists(
        st.builds(
            RentedNumber,
            st.integers(-(2**63), 2**63 - 1),
            st.text(st.characters(codec="utf-8"), min_size=1),
            st.booleans(),
        )
    )
)
def test_any_record_survives_arrow(records: list[RentedNumber]) -> None:
    table = Stream(iter([records])).to_arrow()
    table.validate(full=True)
    assert table.to_pylist() == as_dicts(records)


def test_row_groups_have_one_size_whatever_the_batches_are(tmp_path: Path) -> None:
    write(batches(150_000, size=997), tmp_path / "numbers.parquet")
    metadata = pq.ParquetFile(tmp_path / "numbers.parquet").metadata
    sizes = [metadata.row_group(index).num_rows for index in range(metadata.num_row_groups)]
    assert sizes == [65_536, 65_536, 18_928]


@pytest.mark.parametrize("name", FILES)
def test_the_phone_in_e164_can_be_null_and_nothing_else(tmp_path: Path, name: str) -> None:
    records = [
        RentedNumber(index, phone, stop_sms=False)
        for index, phone in enumerate(["06 39 98 00 42", "unknown", "0692000000"])
    ]
    write([records], tmp_path / name, e164=True)
    table = read(tmp_path / name)
    assert table["e164"].to_pylist() == ["+33639980042", None, "+262692000000"]
    assert [field.nullable for field in table.schema] == [False, False, False, True]


@pytest.mark.parametrize("name", FILES)
def test_columns_can_be_chosen_in_a_file(tmp_path: Path, name: str) -> None:
    write([numbers(3)], tmp_path / name, columns=("phone",), exclude_stop=True)
    assert read(tmp_path / name).to_pydict() == {"phone": ["+33639980001", "+33639980002"]}


@pytest.mark.parametrize("name", FILES)
def test_a_source_that_fails_leaves_the_file_as_it_was(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"before")
    with pytest.raises(SourceError):
        write(failing(after=140), tmp_path / name)
    assert (tmp_path / name).read_bytes() == b"before"
    assert left_in(tmp_path) == [name]


@pytest.mark.parametrize("name", FILES)
def test_a_disk_that_fills_up_leaves_the_file_as_it_was(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"before")
    with pytest.raises(OutputError, match="larger than allowed here"), disk_that_fills_up(65_536):
        write(batches(70_000), tmp_path / name)
    assert (tmp_path / name).read_bytes() == b"before"
    assert left_in(tmp_path) == [name]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("identifier", [2**63, -(2**63) - 1])
def test_an_id_beyond_64_bits_is_an_error_that_names_the_record(
    tmp_path: Path, name: str, identifier: int
) -> None:
    records = [*numbers(3), RentedNumber(identifier, "+33639980042", stop_sms=False)]
    with pytest.raises(OutputError, match=r"the id of record 3 \(counted from 0\)"):
        write([records], tmp_path / name)
    assert left_in(tmp_path) == []


def test_an_extra_that_is_missing_is_named_before_a_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'smspartner\[arrow\]'"):
        check(tmp_path / "numbers.parquet")


# Libraries: files, and objects with the protocol.


def with_pyarrow(source: Any) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = pa.table(source).to_pylist()
    return rows


def with_polars(source: Any) -> list[dict[str, object]]:
    polars = pytest.importorskip("polars", reason="Polars is not installed")
    frame = polars.DataFrame(source)
    assert frame.schema == {"id": polars.Int64, "phone": polars.String, "stop_sms": polars.Boolean}
    rows: list[dict[str, object]] = frame.to_dicts()
    return rows


def with_polars_from_arrow(source: Any) -> list[dict[str, object]]:
    polars = pytest.importorskip("polars", reason="Polars is not installed")
    found = polars.from_arrow(source)
    # Any object with the protocol that is not pyarrow's own comes as a series of structs.
    frame = found.struct.unnest() if isinstance(found, polars.Series) else found
    rows: list[dict[str, object]] = frame.to_dicts()
    return rows


def with_duckdb_sql(source: Any) -> list[dict[str, object]]:  # noqa: ARG001 - the query names it
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
    with duckdb.connect() as database:
        found = database.sql("SELECT * FROM source")
        return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def with_duckdb(source: Any) -> list[dict[str, object]]:
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
    with duckdb.connect() as database:
        found = database.from_arrow(source)
        assert [str(kind) for kind in found.types] == ["BIGINT", "VARCHAR", "BOOLEAN"]
        return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def with_pandas(source: Any) -> list[dict[str, object]]:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    if not hasattr(pandas.DataFrame, "from_arrow"):
        pytest.skip("pandas before 3.0 does not take Arrow data as it is")
    rows: list[dict[str, object]] = pandas.DataFrame.from_arrow(source).to_dict("records")
    return rows


LIBRARIES = [
    with_pyarrow,
    with_polars,
    with_polars_from_arrow,
    with_duckdb,
    with_duckdb_sql,
    with_pandas,
]
Reader = Callable[[Any], list[dict[str, object]]]


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("count", [0, 3, 70_000])
def test_a_stream_is_taken_as_it_is(library: Reader, count: int) -> None:
    assert library(Stream(batches(count))) == as_dicts(numbers(count))


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_stream_keeps_phones_as_text(library: Reader) -> None:
    assert library(Stream(iter([SOME]))) == as_dicts(SOME)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_stream_that_fails_is_never_a_shorter_table(library: Reader) -> None:
    with pytest.raises(Exception, match="the source failed"):
        library(Stream(failing(after=140)))


def test_a_consumer_can_ask_for_another_schema() -> None:
    wanted = pa.schema([("id", pa.int64()), ("phone", pa.large_utf8()), ("stop_sms", pa.bool_())])
    capsule = Stream(batches(3)).__arrow_c_stream__(wanted.__arrow_c_schema__())
    reader = pa.RecordBatchReader._import_from_c_capsule(capsule)
    assert reader.schema.field("phone").type == pa.large_utf8()
    assert reader.read_all().to_pylist() == as_dicts(numbers(3))


@pytest.mark.parametrize("name", FILES)
def test_pandas_reads_the_file(tmp_path: Path, name: str) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    write([SOME], tmp_path / name)
    read_file = pandas.read_parquet if name.endswith(".parquet") else pandas.read_feather
    assert read_file(tmp_path / name).to_dict("records") == as_dicts(SOME)


@pytest.mark.parametrize("name", FILES)
def test_polars_reads_the_file(tmp_path: Path, name: str) -> None:
    polars = pytest.importorskip("polars", reason="Polars is not installed")
    write([SOME], tmp_path / name)
    read_file = polars.read_parquet if name.endswith(".parquet") else polars.read_ipc
    assert read_file(tmp_path / name).to_dicts() == as_dicts(SOME)


def test_duckdb_reads_the_parquet_file(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
    write([SOME], tmp_path / "numbers.parquet")
    with duckdb.connect() as database:
        found = database.read_parquet(str(tmp_path / "numbers.parquet"))
        assert [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()] == as_dicts(
            SOME
        )


def test_csv_comes_back_through_pandas_as_it_was(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    write([SOME], tmp_path / "numbers.csv")
    frame = pandas.read_csv(tmp_path / "numbers.csv", dtype=str, keep_default_na=False)
    assert frame["phone"].tolist() == ODD_PHONES
    assert frame["id"].tolist() == [str(record.id) for record in SOME]
    assert frame["stop_sms"].tolist() == [str(record.stop_sms).lower() for record in SOME]


@pytest.mark.parametrize("count", [0, 3])
def test_helpers_give_frames_with_text_phones(count: int) -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    polars = pytest.importorskip("polars", reason="Polars is not installed")
    frame = Stream(batches(count)).to_pandas()
    assert frame.to_dict("records") == as_dicts(numbers(count))
    assert pandas.api.types.is_string_dtype(frame["phone"])
    assert Stream(batches(count)).to_polars().schema["phone"] == polars.String
    assert Stream(batches(count)).to_arrow().schema == SCHEMA


def test_a_phone_with_half_a_character_is_our_error_in_memory_too() -> None:
    rental = Rental((*numbers(3), RentedNumber(4, "+3363998\udcff", stop_sms=False)))
    with pytest.raises(OutputError, match=r"the phone of record 3 \(counted from 0\) is not text"):
        rental.to_arrow()


def test_record_batches_come_one_at_a_time() -> None:
    taken = 0

    def counted() -> Iterator[list[RentedNumber]]:
        nonlocal taken
        for batch in batches(200_000, size=1000):
            taken += len(batch)
            yield batch

    stream = record_batches(columns_of(counted()))
    assert next(stream).num_rows == 65_536
    assert taken == 66_000


def test_more_text_than_arrow_can_hold_is_an_error_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyarrow", reason="the extra arrow is not installed")
    monkeypatch.setattr(arrow, "_MOST_TEXT", 1000)
    with pytest.raises(OutputError, match="more than 2 GiB of text"):
        write(batches(500), tmp_path / "numbers.arrow")
