"""Many bodies: ours against each engine's own reader, a shell loop, and ten lines of Python.

    python -m benchmarks.many            # 8 minutes; the table of docs/at-scale.md is made anew
    python -m benchmarks.many --quick    # small; print only

Spark is measured where there is Java. What is compared takes turns, and each time is the wall's:
medians over the rounds, ratios within each round. The first round warms up and does not count.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.machine import about
from benchmarks.measure import Spread
from benchmarks.memory import ROOT
from smspartner import open_bodies, scan_polars
from smspartner.sandbox.bodies import render

_PAGE: Final = ROOT / "docs" / "at-scale.md"
#: What the table replaces there.
_PLACE: Final = re.compile(r"(<!-- measured -->\n).*?(<!-- end -->)", re.DOTALL)
#: XML as Spark reads it: entries in entries, all of them texts.
_SPARK_XML: Final = "entry ARRAY<STRUCT<entry: ARRAY<STRUCT<entry: ARRAY<STRING>>>>>"
_SPARK_JSON: Final = "datas ARRAY<STRUCT<id: BIGINT, phone: STRING, stopSms: BOOLEAN>>"


class Effort(NamedTuple):
    """How much is measured.

    Attributes:
        bodies: of each format, for engines.
        numbers: in each of them.
        rounds: how often everything has a turn, the warming up not counted.
    """

    bodies: int
    numbers: int
    rounds: int


class Case(NamedTuple):
    """Two ways to the same numbers.

    Attributes:
        what: is done.
        rival: what the other way is called.
        ours: does it, and returns how many numbers it saw.
        theirs: does the same.
        bar: what the ratio of ours to theirs is at most.
        slow: whether one round is enough, as theirs takes a minute.
    """

    what: str
    rival: str
    ours: Callable[[], int]
    theirs: Callable[[], int]
    bar: float
    slow: bool = False


def main() -> None:
    """Measure, print the table, and put it into its page."""
    parser = argparse.ArgumentParser("python -m benchmarks.many", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small; print only")
    parser.add_argument("--rounds", type=int, metavar="N")
    options = parser.parse_args()
    effort = Effort(4, 5_000, 1) if options.quick else Effort(20, 50_000, 5)
    effort = effort._replace(rounds=options.rounds or effort.rounds)
    with tempfile.TemporaryDirectory() as folder, spark_session() as spark:
        text = table(list(cases(Path(folder), effort, spark)), effort)
    print(text)
    if not options.quick:
        page = _PAGE.read_text()
        _PAGE.write_text(_PLACE.sub(lambda found: f"{found[1]}\n{text}\n{found[2]}", page))


def cases(folder: Path, effort: Effort, spark: Any) -> Iterator[Case]:
    """Write the bodies, and yield what is compared."""
    js, xml = (_archive(folder / form, form, effort.bodies, effort.numbers) for form in FORMS)
    yield Case(
        "Polars, JSON", "`polars.read_json`", lambda: _polars(js), lambda: _own_polars(js), 1
    )
    yield Case("DuckDB, JSON", "`read_json`", lambda: _duckdb(js), lambda: _own_duckdb(js), 1)
    if spark is not None:
        yield Case(
            "Spark, JSON",
            "`spark.read.json`",
            lambda: _spark(spark, js),
            lambda: _own_spark_json(spark, js),
            1,
        )
        yield Case(
            "Spark, XML",
            '`spark.read.format("xml")`',
            lambda: _spark(spark, xml),
            lambda: _own_spark_xml(spark, xml),
            0.5,
        )
    small = _archive(folder / "100", "json", 100, 20)
    yield Case(
        "100 bodies of 20 numbers to CSV files",
        "a shell loop of `smspartner decode`",
        lambda: _decode(small, folder / "parts/"),
        lambda: _loop(small, folder / "loop"),
        0.1,
        slow=True,
    )
    mixed = folder / "500"
    for place in range(500):
        _body(mixed, FORMS[place % 2], place, effort.numbers // 100)
    yield Case(
        f"500 bodies of {effort.numbers // 100} numbers to one CSV file",
        "ten lines of Python: `json.loads`, an lxml tree, `csv.writer`",
        lambda: _decode(mixed, folder / "all.csv"),
        lambda: _ten_lines(mixed, folder / "ten.csv"),
        1,
    )
    both = folder / "both"
    # Enough that half a second for starting two processes hardly counts.
    for place in range(2 * effort.bodies):
        _body(both, FORMS[place % 2], place, 3 * effort.numbers)
    yield Case(
        f"{2 * effort.bodies} bodies of {3 * effort.numbers:,} numbers to CSV files, `--jobs 2`",
        "`--jobs 1`",
        lambda: _decode(both, folder / "two/", "--jobs", "2"),
        lambda: _decode(both, folder / "one/", "--jobs", "1"),
        1 / 1.6,
    )


def table(found: list[Case], effort: Effort) -> str:
    """Return what was measured as a table in Markdown, and on what."""
    lines = [
        "| what | against | seconds, ours | seconds, theirs | ours / theirs | at most | met |",
        "| --- | --- | ---: | ---: | ---: | ---: | --- |",
    ]
    for case in found:
        rounds = range(1) if case.slow else range(effort.rounds + 1)
        pairs = [_round(case, number) for number in rounds][-effort.rounds :]
        ratio = Spread.of(ours / theirs for ours, theirs in pairs)
        ours, theirs = (Spread.of(side).median for side in zip(*pairs, strict=True))
        lines.append(
            f"| {case.what} | {case.rival} | {ours:.2f} | {theirs:.2f} | {ratio.median:.2f} "
            f"({ratio.low:.2f} to {ratio.high:.2f}) | {case.bar:.3g} | "
            f"{'yes' if ratio.median <= case.bar else '**no**'} |"
        )
    where = dict(about())
    machine = ", ".join(where[name] for name in ("processor", "memory", "Python"))
    told = (
        f"Engines read {effort.bodies} bodies of {effort.numbers:,} numbers in each format, and "
        "count the numbers and the opt-outs, and take the largest phone. Medians of "
        f"{effort.rounds} rounds, with the smallest and the largest ratio. {machine}."
    )
    return "\n".join([*lines, "", *textwrap.wrap(told, 110)])


def _round(case: Case, number: int) -> tuple[float, float]:
    """Return the seconds of ours and of theirs, who begins in every other round."""
    sides = [case.ours, case.theirs]
    taken = {}
    counts = set()
    for side in sides if number % 2 else reversed(sides):
        _say(f"{case.what}, round {number}")
        start = time.perf_counter()
        counts.add(side())
        taken[side] = time.perf_counter() - start
    assert len(counts) == 1, f"{case.what}: {counts}"
    return taken[case.ours], taken[case.theirs]


FORMS: Final = ("json", "xml")


def _archive(folder: Path, form: Any, bodies: int, numbers: int) -> Path:
    for seed in range(bodies):
        _body(folder, form, seed, numbers)
    return folder


def _body(folder: Path, form: Any, seed: int, numbers: int) -> None:
    folder.mkdir(exist_ok=True)
    with (folder / f"r{seed:03}.{form}").open("wb") as file:
        file.writelines(render(numbers, form, seed=seed))


# --- engines: each counts numbers and opt-outs --------------------------


def _polars(folder: Path) -> int:
    return _seen_by_polars(scan_polars(folder))  # makes only the columns that are asked for


def _own_polars(folder: Path) -> int:
    import polars as pl  # noqa: PLC0415 - each only where it is measured

    frames = [
        pl.read_json(path).lazy().select(pl.col("datas").explode()).unnest("datas")
        for path in sorted(folder.iterdir())
    ]
    return _seen_by_polars(pl.concat(frames).rename({"stopSms": "stop_sms"}))


def _seen_by_polars(frame: Any) -> int:
    import polars as pl  # noqa: PLC0415

    asked = (pl.col("id").count(), pl.col("phone").max(), pl.col("stop_sms").sum())
    return int(frame.select(*asked).collect()["id"].item())


_SQL: Final = "SELECT count(id), max(phone), count(*) FILTER (WHERE {}) FROM {}"


def _duckdb(folder: Path) -> int:
    import duckdb  # noqa: PLC0415

    numbers = open_bodies(folder, columns=["id", "phone", "stop_sms"])
    assert numbers.columns  # DuckDB finds it by its name
    return int(duckdb.execute(_SQL.format("stop_sms", "numbers")).fetchall()[0][0])


def _own_duckdb(folder: Path) -> int:
    import duckdb  # noqa: PLC0415

    rows = f"(SELECT unnest(datas, recursive := true) FROM read_json('{folder}/*.json'))"  # noqa: S608 - ours
    return int(duckdb.execute(_SQL.format('"stopSms"', rows)).fetchall()[0][0])


@contextmanager
def spark_session() -> Iterator[Any]:
    """Yield a session of Spark on two cores, None where there is no Java or no pyspark."""
    if find_spec("pyspark") is None or shutil.which("java") is None:
        print("no Spark here: pip install 'smspartner[spark]', apt-get install a Java runtime")
        yield None
        return
    from pyspark.sql import SparkSession  # noqa: PLC0415

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    logging.getLogger("py4j").setLevel(logging.ERROR)
    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", value=False)
    session = builder.config("spark.ui.showConsoleProgress", value=False).getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    try:
        yield session
    finally:
        session.stop()


def _spark(spark: Any, folder: Path) -> int:
    source = spark.read.format("smspartner").schema("id BIGINT, phone STRING, stop_sms BOOLEAN")
    return _seen_by_spark(source.load(str(folder)))


def _own_spark_json(spark: Any, folder: Path) -> int:
    bodies = spark.read.schema(_SPARK_JSON).json(str(folder))
    rows = bodies.selectExpr("explode(datas) AS d")
    return _seen_by_spark(rows.selectExpr("d.id", "d.phone", "d.stopSms AS stop_sms"))


def _own_spark_xml(spark: Any, folder: Path) -> int:
    source = spark.read.format("xml").option("rowTag", "result").schema(_SPARK_XML)
    entries = source.load(str(folder)).selectExpr("explode(entry) AS e")
    rows = entries.selectExpr("explode(e.entry) AS r")
    return _seen_by_spark(
        rows.selectExpr(
            "CAST(r.entry[0] AS BIGINT) AS id",
            "r.entry[1] AS phone",
            "CAST(r.entry[2] AS BOOLEAN) AS stop_sms",
        )
    )


def _seen_by_spark(frame: Any) -> int:
    asked = ("count(id)", "max(phone)", "count_if(stop_sms)")
    return int(frame.selectExpr(*asked).collect()[0][0])


# --- commands: each makes CSV ---------------------------------------------------------------------


def _decode(bodies: Path, output: Path, *more: str) -> int:
    is_folder = output.suffix != ".csv"
    shutil.rmtree(output, ignore_errors=True)
    target = f"{output}/" if is_folder else str(output)
    _smspartner("decode", str(bodies), "-o", target, "-q", *more)
    return _lines(*output.glob("*.csv")) if is_folder else _lines(output)


def _loop(bodies: Path, output: Path) -> int:
    output.mkdir(exist_ok=True)
    ours = f"{sys.executable} -m smspartner decode"
    script = f'for body in "$1"/*; do {ours} "$body" -o "$2/${{body##*/}}.csv" -q; done'
    subprocess.run(["sh", "-c", script, "sh", bodies, output], check=True, cwd=ROOT)  # noqa: S603, S607 - ours
    return _lines(*output.glob("*.csv"))


#: What people write who have no such command; it takes any body for a whole one.
_TEN_LINES: Final = """
import csv, json, sys
from pathlib import Path
from lxml import etree
with open(sys.argv[2], "w", newline="") as file:
    out = csv.writer(file)
    out.writerow(["id", "phone", "stop_sms", "file"])
    for path in sorted(Path(sys.argv[1]).iterdir()):
        if path.suffix == ".json":
            rows = [list(each.values()) for each in json.loads(path.read_bytes())["datas"]]
        else:
            rows = [[e.text for e in each] for each in etree.parse(path).getroot()[2]]
        out.writerows([*row, path] for row in rows)
"""


def _ten_lines(bodies: Path, output: Path) -> int:
    subprocess.run([sys.executable, "-c", _TEN_LINES, bodies, output], check=True)  # noqa: S603 - ours
    return _lines(output)


def _smspartner(*arguments: str) -> None:
    command = [sys.executable, "-m", "smspartner", *arguments]
    subprocess.run(command, check=True, cwd=ROOT)  # noqa: S603 - our own program


def _lines(*paths: Path) -> int:
    """Return how many numbers are in CSV files; a rival's time includes it as ours does."""
    return sum(path.read_bytes().count(b"\n") - 1 for path in paths)


def _say(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")


if __name__ == "__main__":
    main()
