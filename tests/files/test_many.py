"""Many bodies at once: into a folder of parts or one target, each with an outcome of its own."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from smspartner import ConfigurationError, TruncatedError, write
from smspartner.files.many import SavedBodies, in_turn, parts_in, write_part
from smspartner.files.rows import Origin, WriteOptions
from smspartner.sandbox.bodies import render
from smspartner.sandbox.people import numbers_of


def saved(folder: Path, name: str, count: int, form: Any = "json", seed: int = 0) -> str:
    path = folder / name
    path.write_bytes(b"".join(render(count, form, seed=seed)))
    return str(path)


def test_several_bodies_go_to_one_target_each_row_says_which_it_is_of(tmp_path: Path) -> None:
    one, two = saved(tmp_path, "a.json", 2, seed=1), saved(tmp_path, "b.xml", 1, "xml", seed=2)
    bodies = SavedBodies([(Origin(file=one), one), (Origin(file=two), two)])

    written = write(bodies, tmp_path / "all.csv")

    lines = (tmp_path / "all.csv").read_text().splitlines()
    assert lines[0] == "id,phone,stop_sms,file"
    assert [line.rpartition(",")[2] for line in lines[1:]] == [one, one, two]
    assert written.rows == 3
    assert [(each.format, each.rows, each.declared) for each in bodies.facts.values()] == [
        ("json", 2, 2),
        ("xml", 1, 1),
    ]
    assert bodies.facts[one].size == Path(one).stat().st_size


def test_rentals_are_named_by_their_tokens(tmp_path: Path) -> None:
    one, two = saved(tmp_path, "a", 1, seed=1), saved(tmp_path, "b", 1, seed=2)
    bodies = SavedBodies([(Origin(token="T1"), one), (Origin(token="T2"), two)])

    write(bodies, tmp_path / "all.csv")

    lines = (tmp_path / "all.csv").read_text().splitlines()
    assert lines[0] == "id,phone,stop_sms,token"
    assert [line.rpartition(",")[2] for line in lines[1:]] == ["T1", "T2"]


def test_a_wrong_body_is_left_out_whole_or_stops_everything(tmp_path: Path) -> None:
    good, bad = saved(tmp_path, "a.json", 3), saved(tmp_path, "b.json", 3)
    Path(bad).write_bytes(Path(bad).read_bytes()[:-5])
    both = [(Origin(file=name), name) for name in (bad, good)]

    with pytest.raises(TruncatedError, match=r"b\.json"):
        write(SavedBodies(both), tmp_path / "all.csv")
    assert not (tmp_path / "all.csv").exists()
    skipping = SavedBodies(both, skip=True)
    assert write(skipping, tmp_path / "all.csv").rows == 3
    assert set(skipping.failures) == {bad}
    assert set(skipping.facts) == {good}


def test_a_part_is_named_after_its_body(tmp_path: Path) -> None:
    parts = parts_in(tmp_path, ["a/r1.json", "b/r1.xml"], None)

    assert list(parts.values()) == [tmp_path / "r1.json.csv", tmp_path / "r1.xml.csv"]
    assert parts_in(tmp_path, ["r.xml"], "parquet") == {"r.xml": tmp_path / "r.xml.parquet"}


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ("a:b?*.json", "a_b__.json.csv"),
        ("CON.xml", "_CON.xml.csv"),
        ("aux .xml", "_aux .xml.csv"),
        ("lpt1", "_lpt1.csv"),
        ("console.xml", "console.xml.csv"),
        ("numéros.xml", "numéros.xml.csv"),
        ("end. ", "end. .csv"),
    ],
)
def test_a_part_has_a_name_that_every_system_takes(tmp_path: Path, body: str, part: str) -> None:
    assert parts_in(tmp_path, [body], None) == {body: tmp_path / part}


@pytest.mark.parametrize("other", ["b/r1.json", "b/R1.JSON"])
def test_two_bodies_never_share_a_part(tmp_path: Path, other: str) -> None:
    with pytest.raises(ConfigurationError, match="would both be written"):
        parts_in(tmp_path, ["a/r1.json", other], None)


def test_a_database_is_no_folder_of_parts(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="sqlite is one database"):
        parts_in(tmp_path, ["r.xml"], "sqlite")


def test_a_part_is_written_whole_with_the_facts_of_its_body(tmp_path: Path) -> None:
    name = saved(tmp_path, "r.xml", 5, "xml")

    written, facts = write_part(
        name, tmp_path / "r.csv", None, WriteOptions(exclude_stop=True), Origin(file=name)
    )

    kept = [number for number in numbers_of(0, 5) if not number.stop_sms]
    assert (written.rows, facts.rows, facts.format) == (len(kept), 5, "xml")
    assert (tmp_path / "r.csv").read_text().count("\n") == len(kept) + 1


def test_no_more_than_so_many_are_at_work_at_once() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def work(item: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.002)
        with lock:
            running -= 1
        return item * item

    with ThreadPoolExecutor(8) as pool:
        found = {item: future.result() for item, future in in_turn(pool, work, range(20), 3)}

    assert found == {item: item * item for item in range(20)}
    assert most == 3


def test_leaving_early_begins_nothing_new_and_waits_for_what_has_begun() -> None:
    begun: list[int] = []
    ended: list[int] = []

    def work(item: int) -> None:
        begun.append(item)
        time.sleep(0.01 * item)
        ended.append(item)

    with ThreadPoolExecutor(8) as pool:
        turns = in_turn(pool, work, range(10), 3)
        next(turns)
        turns.close()

    assert sorted(begun) == sorted(ended)
    assert begun[0] == 0
    assert set(begun) <= {0, 1, 2}


def test_a_stop_says_how_much_is_finished_first(caplog: pytest.LogCaptureFixture) -> None:
    turns = in_turn(ThreadPoolExecutor(2), time.sleep, [0, 0.02, 0.02], 2)
    next(turns)

    with pytest.raises(KeyboardInterrupt):
        turns.throw(KeyboardInterrupt())

    assert caplog.messages == ["stopping; what has begun is finished first: 1"]


def test_a_thread_too_many_is_told_and_what_has_begun_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    start, begun, ended = threading.Thread.start, 0, 0

    def refuse(thread: threading.Thread) -> None:
        nonlocal begun
        begun += 1
        if begun > 2:
            raise RuntimeError("can't start new thread")
        start(thread)

    def work(seconds: float) -> None:
        nonlocal ended
        time.sleep(seconds)
        ended += 1

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(ConfigurationError, match="cannot have 3 jobs at work at once: can't start"):
        list(in_turn(ThreadPoolExecutor(3), work, [0.02] * 5, 3))
    assert ended == 2
