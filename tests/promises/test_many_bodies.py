"""500 bodies, ten of them wrong: every way reads the same rows and names the same ten."""

from __future__ import annotations

import csv
import json
import logging
import os
import random
import shutil
import sys
from collections import Counter
from pathlib import Path
from signal import SIGTERM, Signals
from typing import Any

import posix_only
import pytest
from killing import Forks

from smspartner import SMSPartnerError, open_bodies, scan_polars
from smspartner.cli import run
from smspartner.files.journal import NAME
from smspartner.sandbox.bodies import render
from smspartner.sandbox.people import numbers_of

parquet: Any = pytest.importorskip("pyarrow.parquet", reason="the extra arrow is not installed")
compute: Any = pytest.importorskip("pyarrow.compute")

#: How many numbers each body has that is right, by the name of its file.
Sizes = dict[str, int]


def cut(body: bytes) -> bytes:
    return body[: len(body) // 2]


def refused(_: bytes) -> bytes:
    return b'{"success":false,"code":61,"message":"non"}'


def miscounted(body: bytes) -> bytes:
    return body.replace(b'"phoneNumbers":', b'"phoneNumbers":9').replace(
        b"<entry>true</entry>", b"<entry>true</entry>\n  <entry>999999</entry>", 1
    )


def page(_: bytes) -> bytes:
    return b"<html><body>502 Bad Gateway</body></html>"


def shifted(_: bytes) -> bytes:
    return (
        b"<result><entry>true</entry><entry>1</entry><entry><entry><entry>+33639980001</entry>"
        b"<entry>false</entry></entry></entry></result>"
    )


@pytest.fixture
def archive(tmp_path: Path) -> tuple[Path, Sizes, set[str]]:
    """Write the bodies; return their folder, the sizes of the right ones, and the wrong ones."""
    folder = tmp_path / "archive"
    folder.mkdir()
    chance = random.Random(5)
    sizes: Sizes = {}
    wrong: set[str] = set()
    faults = (cut, refused, miscounted, page, shifted)
    for place in range(500):
        form: Any = chance.choice(("json", "xml"))
        size = chance.choice((0, 1, 3, 20, 50, 200, 1500))
        name = str(folder / f"r{place:03}.{form}")
        body = b"".join(render(size, form, seed=place))
        if place % 50 == 7:
            body = faults[place // 50 % len(faults)](b"".join(render(20, form, seed=place)))
            wrong.add(name)
        else:
            sizes[name] = size
        Path(name).write_bytes(body)
    return folder, sizes, wrong


def phones_of(sizes: Sizes) -> Counter[str]:
    found: Counter[str] = Counter()
    for name, size in sizes.items():
        found.update(number.phone for number in numbers_of(int(Path(name).stem[1:]), size))
    return found


@pytest.mark.slow
def test_every_way_reads_the_same_rows_and_names_the_same_ten(
    archive: tuple[Path, Sizes, set[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, sizes, wrong = archive
    expected = phones_of(sizes)

    table = open_bodies(folder, on_error="skip")
    assert Counter(table.to_arrow().column("phone").to_pylist()) == expected
    assert {error.file for error in table.skipped} == wrong

    assert run(["decode", str(folder), "-o", str(tmp_path / "all.parquet"), "-q"]) == 9
    read = parquet.read_table(tmp_path / "all.parquet")
    assert Counter(read.column("phone").to_pylist()) == expected
    assert failed_in(tmp_path) == wrong

    parts = tmp_path / "parts"
    assert run(["decode", str(folder), "-o", f"{parts}/", "--jobs", "2", "-q"]) == 9
    assert sum(len(path.read_text().splitlines()) - 1 for path in parts.glob("*.csv")) == sum(
        expected.values()
    )
    assert {path.name.removesuffix(".csv") for path in parts.glob("*.csv")} == {
        Path(name).name for name in sizes
    }
    assert failed_in(parts) == wrong
    capsys.readouterr()


def failed_in(folder: Path) -> set[str]:
    lines = map(json.loads, (folder / NAME).read_text().splitlines())
    return {line["source"] for line in lines if line["state"] == "failed"}


@pytest.mark.slow
def test_polars_reads_the_same_rows_and_names_the_same_ten(
    archive: tuple[Path, Sizes, set[str]], caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("polars", reason="the extra polars is not installed")
    folder, sizes, wrong = archive

    frame = scan_polars(folder, on_error="skip").collect()

    assert Counter(frame["phone"].to_list()) == phones_of(sizes)
    assert {name for name in wrong if name in caplog.text} == wrong
    with pytest.raises(SMSPartnerError) as caught:
        scan_polars(folder).collect()
    assert caught.value.file in wrong


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of pyspark itself
def test_spark_reads_the_same_rows_and_names_the_same_ten(
    archive: tuple[Path, Sizes, set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyspark", reason="the extra spark is not installed")
    if shutil.which("java") is None:
        pytest.skip("no Java here: apt-get install default-jre-headless")
    from pyspark.sql import SparkSession  # noqa: PLC0415 - an extra

    logging.getLogger("py4j").setLevel(logging.ERROR)
    folder, sizes, wrong = archive
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", value=False)
    session = builder.getOrCreate()
    try:
        session.sparkContext.setLogLevel("OFF")
        schema = "phone STRING, file STRING, _corrupt_record STRING"
        source = session.read.format("smspartner").option("mode", "PERMISSIVE").schema(schema)
        rows = source.load(str(folder)).toArrow()
    finally:
        session.stop()

    is_right = compute.is_null(rows["_corrupt_record"])
    assert Counter(rows.filter(is_right)["phone"].to_pylist()) == phones_of(sizes)
    assert set(rows.filter(compute.invert(is_right))["file"].to_pylist()) == wrong


@pytest.mark.slow
def test_stopped_fifty_times_and_run_again_the_rows_are_the_same(
    archive: tuple[Path, Sizes, set[str]], tmp_path: Path
) -> None:
    folder, sizes, wrong = archive
    chance = random.Random(11)
    ends: Counter[int] = Counter()
    with Forks(os.environ) as forks:

        def decode(
            output: str, jobs: str, stop: Signals = SIGTERM, after: float | None = None
        ) -> int:
            args = ["decode", str(folder), "-o", output, "--jobs", jobs, "-q"]
            code = forks.run(args, tmp_path, stop, after=after).code
            ends[code] += 1
            if code == 9:
                assert_the_same(tmp_path / output, sizes, wrong)
            return code

        for output in ("parts/", "all.csv"):
            for _ in range(25):
                # Two processes need a while to begin.
                jobs, longest = chance.choice([("1", 0.3)] * 5 + [("2", 1.0)])
                stop = chance.choice((SIGTERM, posix_only.SIGKILL))
                if decode(output, jobs, stop, chance.uniform(0, longest)) == 9:
                    begin_anew(tmp_path / output)
            assert decode(output, "2") == 9
    assert sum(ends.values()) == 52
    assert ends[9] < 12, ends  # the others were stopped


def assert_the_same(output: Path, sizes: Sizes, wrong: set[str]) -> None:
    parts = sorted(output.glob("*.csv")) if output.is_dir() else [output]
    if output.is_dir():
        assert [part.name for part in parts] == [f"{Path(name).name}.csv" for name in sizes]
    found: Counter[str] = Counter()
    for part in parts:
        with part.open() as lines:
            found.update(row["phone"] for row in csv.DictReader(lines))
    assert found == phones_of(sizes)
    assert failed_in(output if output.is_dir() else output.parent) == wrong


def begin_anew(output: Path) -> None:
    if output.is_dir():
        shutil.rmtree(output)
    else:
        output.unlink()
