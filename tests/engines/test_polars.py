"""Bodies as a lazy frame of Polars."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smspartner import ConfigurationError, TruncatedError, scan_polars
from smspartner.sandbox.bodies import render
from smspartner.sandbox.people import numbers_of

pl: Any = pytest.importorskip("polars", reason="the extra polars is not installed")
pytest.importorskip("pyarrow", reason="the extra arrow is not installed")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    for seed, form in enumerate(("json", "xml", "json")):
        content = b"".join(render(1000 + seed, form, seed=seed))
        (tmp_path / f"r{seed}.{form}").write_bytes(content)
    return tmp_path


NUMBERS = [number for seed in range(3) for number in numbers_of(seed, 1000 + seed)]


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_a_query_sees_every_number(archive: Path, engine: str) -> None:
    frame = scan_polars(archive)

    assert frame.select(pl.len()).collect(engine=engine).item() == len(NUMBERS)
    opted_out = frame.filter(pl.col("stop_sms")).select("phone").collect(engine=engine)
    assert opted_out["phone"].to_list() == [each.phone for each in NUMBERS if each.stop_sms]
    assert frame.collect_schema() == frame.collect(engine=engine).schema
    by_file = frame.group_by("file").len().collect(engine=engine)
    assert sorted(by_file["len"].to_list()) == [1000, 1001, 1002]


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_only_the_bodies_that_are_needed_are_read(archive: Path, engine: str) -> None:
    (archive / "r1.xml").write_bytes(b"<html>")

    head = scan_polars(archive).head(10).collect(engine=engine)

    assert head["id"].to_list() == [number.id for number in NUMBERS[:10]]


def test_columns_that_nobody_asks_for_are_not_made(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = scan_polars(archive, columns=["id", "e164"])
    monkeypatch.setattr("smspartner.files.bodies.e164_of_all", None)  # it is not called

    assert frame.select("id").collect().height == len(NUMBERS)


def test_errors_arrive_as_ours_unless_bodies_are_to_be_skipped(archive: Path) -> None:
    wrong = archive / "r1.xml"
    wrong.write_bytes(wrong.read_bytes()[:-30])

    with pytest.raises(TruncatedError, match=r"r1\.xml"):
        scan_polars(archive).collect()
    assert scan_polars(archive, on_error="skip").collect().height == 2002


def test_what_cannot_work_is_told_at_once(archive: Path) -> None:
    with pytest.raises(ConfigurationError, match="no column"):
        scan_polars(archive, columns=["nothing"])
    with pytest.raises(ConfigurationError, match="no bodies"):
        scan_polars(archive / "*.nothing")
