"""``smspartner decode`` of many bodies: all rows or none of each, and every wrong one named."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import posix_only
import pytest

from smspartner.cli import run
from smspartner.files.bodies import Proved, proved
from smspartner.files.journal import NAME, Journal
from smspartner.files.sources import Body, open_body
from smspartner.sandbox.bodies import render

pytestmark = pytest.mark.usefixtures("in_folder")

WRONG = {
    "cut.json": b'{"success":true,"phoneNumbers":1,"datas":[{"id":1,"phone":"+33639980001"',
    "no.xml": b"<result><entry>false</entry><entry>10</entry><entry>non</entry></result>",
    "count.json": b'{"success":true,"phoneNumbers":2,"datas":[]}',
}


def archive(folder: Path, bodies: int = 4, size: int = 20) -> int:
    """Write bodies of both formats and return how many numbers they hold."""
    folder.mkdir()
    for seed in range(bodies):
        form: Any = ("json", "xml")[seed % 2]
        (folder / f"r{seed}.{form}").write_bytes(b"".join(render(size, form, seed=seed)))
    return bodies * size


def journal(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / NAME).read_text().splitlines()]


def rows(path: Path) -> int:
    return len(path.read_text().splitlines()) - 1


def test_a_folder_goes_to_one_file_that_says_which_body_a_number_is_of(
    in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    count = archive(in_folder / "in")

    assert run(["decode", "in", "-o", "all.csv"]) == 0

    assert rows(in_folder / "all.csv") == count
    assert (in_folder / "all.csv").read_text().startswith("id,phone,stop_sms,file\n")
    said = capsys.readouterr().err
    assert "4  bodies read" in said
    assert "80  numbers written" in said
    assert [(line["state"], line["rows"]) for line in journal(in_folder)] == [("done", 20)] * 4


def test_what_is_wrong_is_named_and_stops_nothing_else(
    in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    count = archive(in_folder / "in")
    for name, content in WRONG.items():
        (in_folder / "in" / name).write_bytes(content)

    assert run(["decode", "in", "-o", "all.csv"]) == 9

    assert rows(in_folder / "all.csv") == count
    said = capsys.readouterr().err
    assert all(f"'in/{name}'" in said for name in WRONG)
    failures = [line for line in journal(in_folder) if line["state"] == "failed"]
    assert {line["source"] for line in failures} == {f"in/{name}" for name in WRONG}
    assert {line["error"] for line in failures} == {
        "TruncatedError",
        "APIKeyInvalidError",
        "CountMismatchError",
    }


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_each_body_gets_a_file_of_its_own_in_a_folder(in_folder: Path, jobs: str) -> None:
    archive(in_folder / "in")
    (in_folder / "in" / "cut.json").write_bytes(WRONG["cut.json"])

    assert run(["decode", "in/*", "-o", "out/", "--to", "jsonl", "--jobs", jobs, "-q"]) == 9

    parts = sorted(path.name for path in (in_folder / "out").iterdir())
    assert parts == [f"r{i}.{('json', 'xml')[i % 2]}.jsonl" for i in range(4)] + [NAME]
    assert (in_folder / "out").stat().st_mode & 0o777 == 0o700


def test_running_again_reads_only_what_is_new_or_has_changed(
    in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive(in_folder / "in")
    assert run(["decode", "in", "-o", "out/"]) == 0
    later = time.time() + 5
    os.utime(in_folder / "in" / "r0.json", (later, later))
    (in_folder / "out" / "r1.xml.csv").unlink()
    capsys.readouterr()

    assert run(["decode", "in", "-o", "out/"]) == 0

    said = capsys.readouterr().err
    assert "2  bodies read\n" in said
    assert "2  read before, unchanged" in said


def test_a_body_that_is_named_twice_is_read_once(in_folder: Path) -> None:
    count = archive(in_folder / "in")
    assert run(["decode", "in", f"{in_folder}/in", "./in/r0.json", "-o", "all.csv", "-q"]) == 0
    assert rows(in_folder / "all.csv") == count


@pytest.mark.parametrize(
    "arguments",
    [
        ["in", "-o", "in/all.json"],
        ["in/", "-o", "in/", "--to", "json"],
        ["in/*", "-o", "in/all.csv"],
        ["./in/../in/*.*", "-o", "in/all.db"],
    ],
    ids=" ".join,
)
def test_what_the_next_run_would_read_as_a_body_is_not_written(
    in_folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    archive(in_folder / "in")
    before = sorted(in_folder.rglob("*"))
    assert run(["decode", *arguments]) == 4
    said = capsys.readouterr().err
    assert "would be read as a body by the next run" in said
    assert len(said.splitlines()) == 1
    assert sorted(in_folder.rglob("*")) == before


def test_what_lies_elsewhere_is_read_once(
    in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("fsspec", reason="the extra remote is not installed")
    archive(in_folder / "in", 1)
    for said in ("1  bodies read", "1  read before, unchanged"):
        assert run(["decode", f"file://{in_folder}/in", "-o", "out/"]) == 0
        assert said in capsys.readouterr().err


def test_other_options_write_everything_again(
    in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive(in_folder / "in")
    assert run(["decode", "in", "-o", "out/"]) == 0
    (in_folder / "list.txt").write_text("0639980000\n")
    for more in (["--exclude-stop"], ["--suppress", "list.txt"], ["--suppress", "list.txt"]):
        capsys.readouterr()
        assert run(["decode", "in", "-o", "out/", *more]) == 0
        assert "4  bodies read" in capsys.readouterr().err


def test_the_first_wrong_body_can_stop_everything(in_folder: Path) -> None:
    archive(in_folder / "in")
    (in_folder / "in" / "a.json").write_bytes(WRONG["count.json"])

    assert run(["decode", "in", "-o", "all.csv", "--on-error", "stop"]) == 7
    assert not (in_folder / "all.csv").exists()
    assert [line["source"] for line in journal(in_folder)] == ["in/a.json"]
    assert run(["decode", "in", "-o", "out/", "--on-error", "stop"]) == 7
    assert journal(in_folder / "out")[-1]["error"] == "CountMismatchError"


def test_a_body_that_an_older_file_has_replaced_is_read_again(
    in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive(in_folder / "in")
    (in_folder / "old.json").write_bytes(b"".join(render(3, "json", seed=9)))
    os.utime(in_folder / "old.json", (5, 5))
    assert run(["decode", "in", "-o", "out/"]) == 0
    (in_folder / "old.json").replace(in_folder / "in" / "r0.json")
    capsys.readouterr()

    assert run(["decode", "in", "-o", "out/"]) == 0

    assert "1  bodies read\n" in capsys.readouterr().err
    assert rows(in_folder / "out" / "r0.json.csv") == 3


@pytest.mark.parametrize("when", ["before it is opened", "while it is read"])
def test_a_body_that_is_replaced_while_it_is_read_is_read_by_the_next_run(
    in_folder: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    archive(in_folder / "in", 1)
    (in_folder / "new.json").write_bytes(b"".join(render(3, "json", seed=9)))

    def replace() -> None:
        if (in_folder / "new.json").exists():
            (in_folder / "new.json").replace(in_folder / "in" / "r0.json")

    def opened(name: str) -> AbstractContextManager[Body]:
        if when == "before it is opened":
            replace()
        return open_body(name)

    def read(body: Body) -> Proved:
        found = proved(body)
        replace()
        return found

    monkeypatch.setattr("smspartner.files.many.open_body", opened)
    monkeypatch.setattr("smspartner.files.many.proved", read)
    for _ in range(2):
        assert run(["decode", "in", "-o", "out/", "-q"]) == 0

    assert rows(in_folder / "out" / "r0.json.csv") == 3


def test_what_lies_elsewhere_is_read_again_once_it_has_changed_and_its_password_stays_secret(
    in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fsspec: Any = pytest.importorskip("fsspec", reason="the extra remote is not installed")
    place = "me:secret@host/r1.json"
    for count in (3, 4):
        fsspec.filesystem("memory").pipe(f"/{place}", b"".join(render(count, "json")))
        assert run(["decode", f"memory://{place}", "-o", "out/"]) == 0
        assert rows(in_folder / "out" / "r1.json.csv") == count
    assert "secret" not in (in_folder / "out" / NAME).read_text()
    assert "secret" not in capsys.readouterr().err


def test_a_link_to_nothing_is_no_silent_loss(
    in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive(in_folder / "in", 1)
    (in_folder / "in" / "r9.json").symlink_to("nothing")

    assert run(["decode", "in", "-o", "out/"]) == 9

    assert "'in/r9.json': cannot be read: No such file" in capsys.readouterr().err


def test_one_body_of_a_pattern_has_the_column_that_several_have(in_folder: Path) -> None:
    archive(in_folder / "in", 2)
    assert run(["decode", "in/*.xml", "-o", "all.csv", "-q"]) == 0
    assert (in_folder / "all.csv").read_text().startswith("id,phone,stop_sms,file\n")


def test_a_body_that_changes_while_it_is_read_stops_the_file_and_is_in_the_journal(
    in_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive(in_folder / "in", 2)

    def changed(body: Body) -> Proved:
        found = proved(body)
        Path(body.name).write_bytes(b"".join(render(3, "json", seed=9)))
        return found

    monkeypatch.setattr("smspartner.files.bodies.HELD", 0)  # each is read twice
    monkeypatch.setattr("smspartner.files.many.proved", changed)

    assert run(["decode", "in", "-o", "all.csv"]) == 7

    said = capsys.readouterr().err
    assert "it changed while it was read" in said
    assert len(said.splitlines()) == 1
    assert not (in_folder / "all.csv").exists()
    assert [(line["source"], line["state"]) for line in journal(in_folder)] == [
        ("in/r0.json", "failed")
    ]


def test_what_a_killed_run_has_left_in_the_folder_is_named(
    in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive(in_folder / "in", 1)
    (in_folder / "out").mkdir()
    (in_folder / "out" / ".smspartner-0000000000000000.part").write_bytes(b"id")

    assert run(["decode", "in", "-o", "out/", "-q"]) == 0

    assert "a run that was killed has left an unfinished export" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit")
@pytest.mark.parametrize("output", ["out/", "all.csv"])
def test_a_disk_that_fills_up_half_way_is_told_and_leaves_nothing_half(
    in_folder: Path, output: str
) -> None:
    archive(in_folder / "in", 2)
    (in_folder / "in" / "r9.json").write_bytes(b"".join(render(5_000, "json")))
    program = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, -1))\n"
        "from smspartner.__main__ import main\n"
        f"sys.argv = ['smspartner', 'decode', 'in', '-o', {output!r}, '-q']\n"
        "code = main()\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))  # what measures coverage writes too\n"
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert "Traceback" not in done.stderr
    assert "the file would be larger than allowed here" in done.stderr
    if output == "all.csv":
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
        assert sorted(path.name for path in in_folder.iterdir()) == ["in", NAME]
        assert journal(in_folder) == []
    else:
        assert done.returncode == 9
        parts = {path.name for path in (in_folder / "out").iterdir()}
        assert parts == {"r0.json.csv", "r1.xml.csv", NAME}
        states = {line["source"]: line["state"] for line in journal(in_folder / "out")}
        assert states == {"in/r0.json": "done", "in/r1.xml": "done", "in/r9.json": "failed"}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="no groups of processes there")
def test_ctrl_c_in_a_terminal_reaches_every_process_and_is_said_once(in_folder: Path) -> None:
    archive(in_folder / "in", 40, 2000)
    command = [sys.executable, "-m", "smspartner", "decode", "in", "-o", "out/", "--jobs", "2"]
    for after in (0.4, 0.5, 0.6, 0.7, 0.8):
        running = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        time.sleep(after)
        posix_only.killpg(running.pid, signal.SIGINT)
        said = running.communicate(timeout=60)[1]
        assert "Traceback" not in said
        assert running.returncode in {0, 130}, said
        assert [path.name for path in in_folder.glob("out/.*")] == []


def test_where_every_body_is_wrong_nothing_is_replaced(in_folder: Path) -> None:
    (in_folder / "in").mkdir()
    for name, content in WRONG.items():
        (in_folder / "in" / name).write_bytes(content)
    (in_folder / "all.csv").write_text("before")

    assert run(["decode", "in", "-o", "all.csv"]) != 0

    assert (in_folder / "all.csv").read_text() == "before"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["in", "-o", "all.csv", "--format", "xml"], 2, "--format is for a single body"),
        (["in", "-o", "all.csv", "--token", "T"], 2, "--token is for a single body"),
        (["in", "-o", "all.csv", "--provenance"], 2, "--provenance is for a single body"),
        (["empty", "-o", "all.csv"], 4, "no bodies in"),
        (["in", "-o", "out/", "--to", "sqlite"], 4, "one database"),
        (["in", "none.xml", "-o", "all.csv"], 2, "there is no 'none.xml' ("),
        (["in", "all.csv", "-o", "b.csv"], 2, "there is no 'all.csv' ("),
        (["-", "-o", "out/"], 2, "- is standard input, which is read alone"),
        (["in", "-", "-o", "all.csv"], 2, "- is standard input, which is read alone"),
        (["in", "-o", ""], 2, "it is empty; give the name of a file"),
        (["", "-o", "all.csv"], 2, "it is empty; give the name of a file"),
        (["in", "a l.csv"], 2, "there is no 'a l.csv'; did you mean -o 'a l.csv'?"),
        (["in", "old.csv"], 2, "not like a body; did you mean -o old.csv?"),
        (["in", "postgresql://me:secret@h/d"], 2, "did you mean -o postgresql://me@h/d?"),
    ],
)
def test_what_cannot_work_is_one_line(
    in_folder: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    words: str,
) -> None:
    archive(in_folder / "in")
    (in_folder / "empty").mkdir()
    (in_folder / "old.csv").touch()

    assert run(["decode", *arguments]) == code

    out, said = capsys.readouterr()
    assert out == ""
    assert words in said
    assert len(said.splitlines()) == 1
    assert sorted(path.name for path in in_folder.iterdir()) == ["empty", "in", "old.csv"]


def test_nothing_is_fetched_for_what_is_not_there(
    in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive(in_folder / "in")
    assert run(["decode", "none.xml", "--opt-outs-account", "--base-url", "http://[::1]:1/"]) == 2
    assert "there is no 'none.xml'" in capsys.readouterr().err


@pytest.mark.parametrize("screen", [False, True])
def test_the_screen_gets_no_journal_but_each_failure(
    in_folder: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    screen: bool,  # noqa: FBT001 - a case of the test
) -> None:
    monkeypatch.setattr("smspartner.cli.total.is_watched", lambda: screen)
    monkeypatch.setenv("COLUMNS", "200")
    archive(in_folder / "in", 1)
    for number in range(25):
        (in_folder / "in" / f"x{number}.json").write_bytes(WRONG["count.json"])

    assert run(["decode", "in"]) == 9

    out, said = capfd.readouterr()
    assert len(out.splitlines()) == 21
    assert said.count("declared 2 numbers and sent 0") == 25
    assert "\nstandard output" in said
    assert "journal" not in said
    assert run(["decode", "in", "--on-error", "stop"]) == 7
    assert [path.name for path in in_folder.iterdir()] == ["in"]


@pytest.mark.skipif(sys.platform == "win32", reason="no such devices there")
@pytest.mark.parametrize("output", ["/dev/stdout", "/dev/null", "link"])
def test_a_device_gets_no_journal_beside_it(
    in_folder: Path, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    archive(in_folder / "in")
    (in_folder / "link").symlink_to("/dev/null")
    made: list[Path] = []

    class Noted(Journal):
        def __init__(self, folder: Path) -> None:
            made.append(folder)
            super().__init__(in_folder)

    monkeypatch.setattr("smspartner.cli.decode_many.Journal", Noted)
    assert run(["decode", "in", "--to", "csv", "-q", "-o", output]) == 0
    assert made == []


def test_bodies_folders_and_patterns_are_not_taken_for_a_target(in_folder: Path) -> None:
    archive(in_folder / "in")
    (in_folder / "kept.csv.body.json").write_bytes(WRONG["count.json"])
    (in_folder / "rentals.db").mkdir()
    (in_folder / "rentals.db" / "a.xml").write_bytes((in_folder / "in" / "r1.xml").read_bytes())
    for last, code in {"kept.csv.body.json": 9, "rentals.db": 0, "*.db/*.xml": 0, "-": 2}.items():
        assert run(["decode", "in", last]) == code


def test_many_failures_are_counted_and_the_journal_has_them_all(
    in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive(in_folder / "in", 1)
    for number in range(25):
        (in_folder / "in" / f"x{number}.json").write_bytes(WRONG["count.json"])

    assert run(["decode", "in", "-o", "all.csv", "-q"]) == 9

    said = capsys.readouterr().err
    assert "and 5 more" in said
    assert sum(line["state"] == "failed" for line in journal(in_folder)) == 25


class Broken(ThreadPoolExecutor):
    """A pool of which the system has killed a process."""

    def submit(self, *_: Any, **__: Any) -> Future[Any]:
        raise BrokenProcessPool


def test_a_process_that_was_killed_is_one_line_and_the_next_run_goes_on(
    in_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive(in_folder / "in")
    with monkeypatch.context() as patch:
        patch.setattr("smspartner.cli.decode_many._workers", lambda *_: Broken(1))
        assert run(["decode", "in", "-o", "out/", "--jobs", "2"]) == 1
    said = capsys.readouterr().err
    assert "a process that reads bodies was killed" in said
    assert len(said.splitlines()) == 1

    assert run(["decode", "in", "-o", "out/", "--jobs", "2"]) == 0


def test_a_compressed_body_is_read_as_it_is(in_folder: Path) -> None:
    import gzip  # noqa: PLC0415 - here alone

    archive(in_folder / "in", 1)
    packed = gzip.compress((in_folder / "in" / "r0.json").read_bytes())
    (in_folder / "r0.json.gz").write_bytes(packed)

    assert run(["decode", "r0.json.gz", "-o", "n.csv", "-q"]) == 0
    assert rows(in_folder / "n.csv") == 20
