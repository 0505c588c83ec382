"""Bodies as a data source of Spark: the class, and a real session where there is Java."""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smspartner import ConfigurationError, SMSPartnerError
from smspartner.sandbox.bodies import render
from smspartner.sandbox.people import numbers_of

pytest.importorskip("pyspark", reason="the extra spark is not installed")
pyarrow: Any = pytest.importorskip("pyarrow", reason="the extra arrow is not installed")

from pyspark.sql.types import StructType  # noqa: E402 - where there is Spark

from pyspark_smspartner import DefaultSource  # noqa: E402
from smspartner.engines import spark as engine  # noqa: E402

CORRUPT = "id BIGINT, phone STRING, stop_sms BOOLEAN, file STRING, _corrupt_record STRING"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    for seed, form in enumerate(("json", "xml", "json")):
        content = b"".join(render(100 + seed, form, seed=seed))
        (tmp_path / f"r{seed}.{form}").write_bytes(content)
    return tmp_path


@pytest.fixture
def damaged(archive: Path) -> Path:
    (archive / "bad.xml").write_bytes(b"<result><entry>true</entry>")
    return archive


NUMBERS = [number for seed in range(3) for number in numbers_of(seed, 100 + seed)]


def schema_of(text: str) -> StructType:
    types = {"BIGINT": "long", "STRING": "string", "BOOLEAN": "boolean", "INT": "integer"}
    schema = StructType()
    for column in text.split(", "):
        name, kind = column.split(" ")
        schema = schema.add(name, types[kind])
    return schema


def read(path: Path | str, schema: str | None = None, **options: str) -> Any:
    source = DefaultSource({"path": str(path), **options})
    reader = source.reader(schema_of(schema or source.schema()))
    batches = [batch for part in reader.partitions() for batch in reader.read(part)]
    return pyarrow.Table.from_batches(batches)


def test_every_number_is_read(archive: Path) -> None:
    table = read(archive)

    assert table.column_names == ["id", "phone", "stop_sms", "file"]
    assert table.column("phone").to_pylist() == [number.phone for number in NUMBERS]


def test_the_schema_of_the_caller_is_honoured(archive: Path) -> None:
    table = read(archive / "r0.json", "stop_sms BOOLEAN, e164 STRING, id BIGINT")

    assert table.column_names == ["stop_sms", "e164", "id"]
    assert table.column("id").to_pylist() == [number.id for number in NUMBERS[:100]]


def test_several_paths_come_as_spark_hands_them_over(archive: Path) -> None:
    paths = f'["{archive / "r0.json"}", "{archive / "r2.json"}"]'

    source = DefaultSource({"paths": paths})
    reader = source.reader(schema_of(source.schema()))

    assert [part.names for part in reader.partitions()] == [
        (str(archive / "r0.json"), str(archive / "r2.json"))
    ]


def test_small_bodies_share_a_partition_and_large_ones_do_not(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_PARTITION", 20_000)
    monkeypatch.setattr(engine, "size_of", {"a": 9_000, "b": 9_000, "c": 30_000, "d": 1}.get)
    monkeypatch.setattr(engine, "find_bodies", lambda _: ["a", "b", "c", "d"])
    source = DefaultSource({"path": str(archive)})

    parts = source.reader(schema_of(source.schema())).partitions()

    assert [part.names for part in parts] == [("a", "b"), ("c",), ("d",)]


def test_a_wrong_body_fails_the_query_by_default(damaged: Path) -> None:
    with pytest.raises(SMSPartnerError, match=r"bad\.xml"):
        read(damaged)


def test_dropmalformed_names_each_body_in_the_log(
    damaged: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "smspartner.spark"):
        table = read(damaged, mode="dropmalformed")

    assert table.num_rows == len(NUMBERS)
    assert "bad.xml" in caplog.text


def test_permissive_gives_a_row_that_says_what_is_wrong(damaged: Path) -> None:
    table = read(damaged, CORRUPT, mode="PERMISSIVE").to_pylist()

    wrong = [row for row in table if row["_corrupt_record"] is not None]
    assert len(table) == len(NUMBERS) + 1
    assert [(row["id"], row["file"]) for row in wrong] == [(None, str(damaged / "bad.xml"))]
    assert "bad.xml" in wrong[0]["_corrupt_record"]
    assert "<entry>" not in wrong[0]["_corrupt_record"]


def test_the_corrupt_record_column_alone_can_be_counted(damaged: Path) -> None:
    table = read(damaged, "bad STRING", mode="PERMISSIVE", columnNameOfCorruptRecord="bad")

    assert table.num_rows == len(NUMBERS) + 1


@pytest.mark.parametrize(
    ("schema", "options", "words"),
    [
        (None, {"mode": "IGNORE"}, "mode is one of FAILFAST"),
        (None, {"mode": "PERMISSIVE"}, "needs the column _corrupt_record STRING"),
        ("name STRING", {}, "no column 'name' in a body"),
        ("id INT", {}, "the column id is BIGINT, not INT"),
        (None, {"token": "TOKEN"}, "fetch it first"),
        (None, {"apiKey": "KEY"}, "fetch it first"),
        (None, {"smspartner.api-key": "KEY"}, "fetch it first"),
        (None, {"Authorization": "KEY"}, "fetch it first"),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(
    archive: Path, schema: str | None, options: dict[str, str], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        read(archive, schema, **options)
    assert "\n" not in str(caught.value)


def test_a_source_without_a_path_and_a_writer_are_refused() -> None:
    source = DefaultSource({})
    with pytest.raises(ConfigurationError, match="name files"):
        source.reader(schema_of(source.schema()))
    with pytest.raises(ConfigurationError, match="is for reading"):
        source.writer(StructType(), overwrite=True)
    assert source.name() == "smspartner"


# --- a real session -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    if shutil.which("java") is None:
        pytest.skip("no Java here: apt-get install default-jre-headless")
    from pyspark.sql import SparkSession  # noqa: PLC0415 - it looks for Java

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", value=False)
        session = builder.getOrCreate()
        session.sparkContext.setLogLevel("OFF")
        yield session
        session.stop()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of pyspark itself: pandas 3, sockets
def test_spark_finds_the_source_by_itself_and_reads_every_number(spark: Any, archive: Path) -> None:
    frame = spark.read.format("smspartner").load(str(archive))

    assert frame.count() == len(NUMBERS)
    assert {row.phone for row in frame.filter("stop_sms").collect()} == {
        number.phone for number in NUMBERS if number.stop_sms
    }
    assert spark.read.format("smspartner").load(f"{archive}/*.xml").count() == 101
    two = spark.read.format("smspartner").load([f"{archive}/r0.json", f"{archive}/r2.json"])
    assert two.select("file").distinct().count() == 2


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of pyspark itself: pandas 3, sockets
def test_a_wrong_body_fails_a_real_query_and_is_named(spark: Any, damaged: Path) -> None:
    source = spark.read.format("smspartner")
    with pytest.raises(Exception, match=r"bad\.xml"):
        source.load(str(damaged)).count()
    dropped = spark.read.format("smspartner").option("mode", "DROPMALFORMED")
    assert dropped.load(str(damaged)).count() == len(NUMBERS)
    kept = spark.read.format("smspartner").option("mode", "PERMISSIVE").schema(CORRUPT)
    assert kept.load(str(damaged)).filter("_corrupt_record IS NOT NULL").count() == 1
    with pytest.raises(Exception, match="is for reading"):
        spark.read.format("smspartner").load(f"{damaged}/r0.json").write.format("smspartner").mode(
            "append"
        ).save()
