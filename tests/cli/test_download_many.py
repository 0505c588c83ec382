"""``smspartner download`` of many rentals: each asked for once, none lost, all told."""

from __future__ import annotations

import io
import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from pathlib import Path
from signal import SIGTERM
from typing import Any

import msgspec
import posix_only
import pytest

from smspartner import Client, OutputError, Sandbox
from smspartner.cli import run
from smspartner.files.journal import NAME, Journal, asked, done
from smspartner.files.read import NumbersFile, open_numbers
from smspartner.files.write import Written, write_rows

#: Two with people who have opted out.
BOTH = ["n-200.as-a", "n-200.as-b"]
TOKENS = [f"n-{50 + place}.as-{place}" for place in range(5)]
NUMBERS = sum(range(50, 55))


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch, in_folder: Path) -> Iterator[Sandbox]:
    del in_folder
    with Sandbox(once=True, retry_after="0") as running:
        monkeypatch.setenv("SMSPARTNER_API_KEY", running.api_key)
        monkeypatch.setenv("SMSPARTNER_BASE_URL", running.url)
        yield running


def rows(path: Path) -> int:
    return len(path.read_text().splitlines()) - 1


def journal(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / NAME).read_text().splitlines()]


def counted(sandbox: Sandbox, tokens: list[str]) -> list[int]:
    return [sandbox.downloads(token) for token in tokens]


def test_each_rental_gets_a_file_of_its_own_in_a_folder(sandbox: Sandbox, in_folder: Path) -> None:
    assert run(["download", *TOKENS, "-o", "out/", "-q"]) == 0

    assert {path.name: rows(path) for path in (in_folder / "out").glob("*.csv")} == {
        f"{token}.csv": 50 + place for place, token in enumerate(TOKENS)
    }
    assert len(list((in_folder / "out").iterdir())) == len(TOKENS) + 1  # and the journal
    assert counted(sandbox, TOKENS) == [1] * len(TOKENS)


def test_all_of_them_go_to_one_file_with_their_tokens(sandbox: Sandbox, in_folder: Path) -> None:
    assert run(["download", *TOKENS, "-o", "all.csv", "-q"]) == 0

    lines = (in_folder / "all.csv").read_text().splitlines()
    assert lines[0] == "id,phone,stop_sms,token"
    assert {line.rpartition(",")[2] for line in lines[1:]} == set(TOKENS)
    assert rows(in_folder / "all.csv") == NUMBERS
    assert [path.name for path in (in_folder / "all.csv.bodies").iterdir()] == [NAME]
    assert counted(sandbox, TOKENS) == [1] * len(TOKENS)


def test_all_of_them_go_to_one_database(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["download", *TOKENS, "-o", "all.db"]) == 0
    assert "5  rentals downloaded" in capsys.readouterr().err
    assert run(["inspect", "all.db", "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert (found["numbers"], found["rentals"]) == (NUMBERS, len(TOKENS))
    assert counted(sandbox, TOKENS) == [1] * len(TOKENS)


@pytest.mark.parametrize("output", ["out/", "all.csv", "all.db"])
def test_running_again_asks_for_nothing_again(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str], output: str
) -> None:
    assert run(["download", *TOKENS, "-o", output]) == 0
    capsys.readouterr()
    asked = len(sandbox.requests)

    assert run(["download", *TOKENS, "-o", output]) == 0

    assert "5  downloaded before, not asked for again" in capsys.readouterr().err
    assert len(sandbox.requests) == asked


@pytest.mark.parametrize(
    ("output", "gone", "then"),
    [
        ("out/", "", ["--to", "parquet"]),
        ("out/", f"out/{TOKENS[0]}.csv", []),
        ("all.csv", "all.csv", []),
        ("all.db", "all.db", []),
    ],
    ids=["another form", "a part", "the file", "the database"],
)
def test_what_is_not_where_it_is_wanted_is_not_called_done(
    sandbox: Sandbox,
    capsys: pytest.CaptureFixture[str],
    output: str,
    gone: str,
    then: list[str],
) -> None:
    assert run(["download", *TOKENS[:2], "-o", output, "-q"]) == 0
    if gone:
        Path(gone).unlink()
    requests = len(sandbox.requests)

    assert run(["download", *TOKENS[:2], "-o", output, "-q", *then]) == 9

    said = capsys.readouterr().err
    assert f"rental {TOKENS[0]}: it was downloaded before and written to" in said
    assert "nothing was asked for again" in said
    assert len(sandbox.requests) == requests
    assert run(["download", TOKENS[2], "--tokens", os.devnull, "-o", "new.db", "-q"]) == 0


def test_a_new_database_does_not_stand_for_the_one_that_was_deleted(sandbox: Sandbox) -> None:
    assert run(["download", *TOKENS[:2], "-o", "all.db", "-q"]) == 0
    Path("all.db").unlink()
    for _ in range(2):
        assert run(["download", *TOKENS[:3], "-o", "all.db", "-q"]) == 9
    assert counted(sandbox, TOKENS[:3]) == [1, 1, 1]


@pytest.mark.parametrize("killed", [False, True])
def test_bodies_that_the_library_has_saved_give_the_numbers_and_stay(
    sandbox: Sandbox,
    in_folder: Path,
    capsys: pytest.CaptureFixture[str],
    *,
    killed: bool,
) -> None:
    with Client(sandbox.api_key, base_url=sandbox.url) as client:
        assert all(each.state == "done" for each in client.download_many(TOKENS[:2], "out"))
    bodies = sorted(in_folder.glob("out/*.json"))
    if killed:  # before the last line, which the next run has added
        lines = [json.dumps(line | {"kept": None}) for line in journal(in_folder / "out")]
        (in_folder / "out" / NAME).write_text("\n".join(lines) + "\n")
    requests = len(sandbox.requests)

    for form in ("csv", "parquet", "csv"):
        assert run(["download", *TOKENS[:2], "-o", "out/", "--to", form]) == 0
        assert "  2  rentals downloaded" in capsys.readouterr().err
        assert len(list(in_folder.glob(f"out/*.{form}"))) == 2
    assert run(["download", *TOKENS[:2], "-o", "out/"]) == 0
    assert "  2  downloaded before" in capsys.readouterr().err

    assert sorted(in_folder.glob("out/*.json")) == bodies
    assert len(sandbox.requests) == requests


def test_a_folder_that_was_moved_is_known_again(sandbox: Sandbox, in_folder: Path) -> None:
    assert run(["download", *TOKENS[:2], "-o", "out/", "-q"]) == 0
    (in_folder / "out").rename(in_folder / "moved")
    assert run(["download", *TOKENS[:2], "-o", "moved/", "-q"]) == 0
    assert counted(sandbox, TOKENS[:2]) == [1, 1]


def test_tokens_come_from_a_file_with_blank_lines_and_duplicates(
    sandbox: Sandbox, in_folder: Path
) -> None:
    text = f"\ufeff{TOKENS[0]}\r\n\n  {TOKENS[1]}  \n{TOKENS[0]}\n{TOKENS[2]}"
    (in_folder / "tokens.txt").write_text(text)

    assert run(["download", TOKENS[0], "--tokens", "tokens.txt", "-o", "out/", "-q"]) == 0

    assert len(list((in_folder / "out").glob("*.csv"))) == 3
    assert counted(sandbox, TOKENS) == [1, 1, 1, 0, 0]


def test_one_that_fails_does_not_stop_the_others(
    sandbox: Sandbox, in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = [TOKENS[0], "fails", "unknown!", TOKENS[1]]
    for _ in range(2):  # the second time the journal knows
        assert run(["download", *wanted, "-o", "out/"]) == 9
        said = capsys.readouterr().err
        assert "rental fails: " in said
        assert "rental unknown!: " in said
    assert len(list((in_folder / "out").glob("*.csv"))) == 2
    assert counted(sandbox, TOKENS[:2]) == [1, 1]


def test_a_rental_that_is_ready_later_joins_the_file(
    sandbox: Sandbox, in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    late = "n-10.pace-0.6"
    assert run(["status", late]) == 8
    assert run(["download", *TOKENS, late, "-o", "all.csv", "-q"]) == 9
    assert rows(in_folder / "all.csv") == NUMBERS
    time.sleep(1.3)

    assert run(["download", *TOKENS, late, "-o", "all.csv"]) == 0

    assert rows(in_folder / "all.csv") == NUMBERS + 10
    assert counted(sandbox, [*TOKENS, late]) == [1] * 6
    assert "5  downloaded before" in capsys.readouterr().err


def test_a_file_that_is_finished_takes_no_further_rental(
    sandbox: Sandbox, in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["download", *TOKENS[:2], "-o", "all.csv", "-q"]) == 0
    before = (in_folder / "all.csv").read_bytes()

    assert run(["download", *TOKENS[:3], "-o", "all.csv", "-q"]) == 4

    assert "was finished before" in capsys.readouterr().err
    assert (in_folder / "all.csv").read_bytes() == before
    assert counted(sandbox, TOKENS[:3]) == [1, 1, 0]


def test_a_file_that_is_finished_is_not_written_over_by_other_rentals(
    sandbox: Sandbox, in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["download", *TOKENS[:2], "-o", "all.csv", "-q"]) == 0
    before = (in_folder / "all.csv").read_bytes()

    for again in ([], ["--again", TOKENS[2]]):
        assert run(["download", *TOKENS[2:4], *again, "-o", "all.csv", "-q"]) == 4
        said = capsys.readouterr().err
        assert f"was finished before, with 2 rentals ({TOKENS[0]} is one)" in said

    assert (in_folder / "all.csv").read_bytes() == before
    assert counted(sandbox, TOKENS[:4]) == [1, 1, 0, 0]


def test_a_file_that_is_gone_is_fetched_anew_only_with_again_for_all_that_was_in_it(
    sandbox: Sandbox, in_folder: Path
) -> None:
    sandbox.once = False
    command = ["download", *TOKENS[:2], "-o", "all.csv", "-q"]
    assert run(command) == 0
    again = [word for token in TOKENS[:2] for word in ("--again", token)]
    assert run([*command, *again]) == 4  # if one failed now, the file would lose it
    (in_folder / "all.csv").unlink()

    assert run([*command, *again[:2]]) == 4
    assert counted(sandbox, TOKENS[:2]) == [1, 1]
    assert run([*command, *again]) == 0

    assert rows(in_folder / "all.csv") == 50 + 51
    assert counted(sandbox, TOKENS[:2]) == [2, 2]


def test_a_file_that_is_finished_is_known_through_a_link_to_it(
    sandbox: Sandbox, in_folder: Path
) -> None:
    (in_folder / "link.csv").symlink_to("all.csv")
    assert run(["download", *TOKENS[:2], "-o", "link.csv", "-q"]) == 0
    assert run(["download", *TOKENS[2:4], "-o", "all.csv", "-q"]) == 4
    assert rows(in_folder / "all.csv") == 50 + 51
    assert sandbox.downloads(TOKENS[2]) == 0


def test_a_file_that_waits_for_a_rental_is_not_written_without_the_others_in_it(
    sandbox: Sandbox, in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["download", *TOKENS[:2], "fails", "-o", "all.csv", "-q"]) == 9
    capsys.readouterr()

    assert run(["download", *TOKENS[1:3], "-o", "all.csv", "-q"]) == 4
    assert f"is to hold the rental {TOKENS[0]} of another run too" in capsys.readouterr().err
    assert sandbox.downloads(TOKENS[2]) == 0

    assert run(["download", *TOKENS[:3], "-o", "all.csv", "-q"]) == 0
    assert rows(in_folder / "all.csv") == 50 + 51 + 52
    assert counted(sandbox, TOKENS[:3]) == [1] * 3


def test_a_body_that_came_to_its_place_before_a_kill_waits_for_the_file_like_any_other(
    sandbox: Sandbox, in_folder: Path
) -> None:
    folder = in_folder / "all.csv.bodies"
    folder.mkdir()
    body = folder / f"{TOKENS[0]}.json"
    line = asked(token=TOKENS[0], target=str(body), place=True)
    with Journal(folder) as opened:
        opened.add(done(line))  # as the next run settles it
    assert run(["save", TOKENS[0], "-o", str(body), "-q"]) == 0

    for _ in range(2):
        assert run(["download", TOKENS[0], "fails", "-o", "all.csv", "-q"]) == 9
        assert body.exists()
    assert run(["download", *TOKENS[:2], "-o", "all.csv", "-q"]) == 0

    assert rows(in_folder / "all.csv") == 50 + 51
    assert counted(sandbox, TOKENS[:2]) == [1, 1]


def test_a_finished_file_of_an_older_version_is_known_by_the_bodies_that_are_gone(
    sandbox: Sandbox, in_folder: Path
) -> None:
    (in_folder / "all.csv").write_text("id,phone,stop_sms,token\n")
    folder = in_folder / "all.csv.bodies"
    folder.mkdir()
    with Journal(folder) as opened:
        for token in TOKENS[:2]:
            body = folder / f"{token}.json"
            opened.add(done(asked(token=token, target=str(body), place=True), kept=body))

    assert run(["download", *TOKENS[:2], "-o", "all.csv", "-q"]) == 0
    assert run(["download", *TOKENS[:3], "-o", "all.csv", "-q"]) == 4

    assert sandbox.requests == []


def test_a_run_that_writes_the_file_without_a_rental_loses_none_that_another_run_has_fetched(
    sandbox: Sandbox,
    in_folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    command = ["download", *TOKENS[:2], "-o", "all.csv", "-q"]
    folder = in_folder / "all.csv.bodies"
    folder.mkdir()
    other = Journal(folder)
    with ExitStack() as held:  # what another run does while this one writes
        held.enter_context(other)
        held.enter_context(other.taken(TOKENS[1]))

        def meanwhile(*given: Any, **named: Any) -> Written:
            if sandbox.downloads(TOKENS[1]) == 0:
                held.close()
                assert run(command) == 8
                assert "another run is writing 'all.csv'" in capsys.readouterr().err
            return write_rows(*given, **named)

        monkeypatch.setattr("smspartner.cli.download_many.write_rows", meanwhile)
        assert run(command) == 9
    assert rows(in_folder / "all.csv") == 50

    assert run(command) == 0

    assert rows(in_folder / "all.csv") == 50 + 51
    assert counted(sandbox, TOKENS[:2]) == [1, 1]


def test_only_again_asks_a_second_time(sandbox: Sandbox, in_folder: Path) -> None:
    sandbox.once = False
    assert run(["download", *TOKENS[:2], "-o", "out/", "-q"]) == 0

    assert run(["download", *TOKENS[:2], "-o", "out/", "-q", "--again", TOKENS[1]]) == 0

    assert counted(sandbox, TOKENS[:2]) == [1, 2]
    assert len(list((in_folder / "out").iterdir())) == 3


def test_again_asks_for_a_rental_whose_body_waits_for_others_too(
    sandbox: Sandbox, in_folder: Path
) -> None:
    sandbox.once = False
    command = ["download", *TOKENS[:2], "fails", "-o", "all.csv", "-q"]
    assert run(command) == 9

    assert run([*command, "--again", TOKENS[1]]) == 9

    assert counted(sandbox, TOKENS[:2]) == [1, 2]
    assert len(list((in_folder / "all.csv.bodies").glob("*.json"))) == 2
    assert rows(in_folder / "all.csv") == 50 + 51


@pytest.mark.parametrize("output", ["out/", "all.csv", "all.db"])
@pytest.mark.parametrize("more", [["--exclude-stop"], ["--opt-outs", "list.txt"]], ids=" ".join)
def test_what_was_written_with_more_people_in_it_is_not_called_done(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str], output: str, more: list[str]
) -> None:
    sandbox.once = False
    assert run(["download", *BOTH, "-o", output, "-q"]) == 0
    assert run(["download", *BOTH, "-o", "phones/", "--columns", "phone,stop_sms", "-q"]) == 0
    Path("list.txt").write_text("".join(map(Path.read_text, Path("phones").glob("*.csv"))))

    assert run(["download", *BOTH, "-o", output, *more]) == 9

    said = capsys.readouterr().err
    name = "list.txt as it is now" if "list.txt" in more else "--exclude-stop"
    assert len(re.findall(f"before, without {name}: [0-9]+ numbers in it must not be", said)) == 2
    assert counted(sandbox, BOTH) == [2, 2]


@pytest.mark.parametrize("output", ["out/", "all.csv", "all.db"])
def test_a_list_that_has_grown_by_strangers_changes_nothing_and_is_looked_at_once(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    Path("list.txt").write_text("0639980001\n")
    command = ["download", *BOTH, "-o", output, "-q", "--opt-outs", "list.txt"]
    assert run(command) == 0
    Path("list.txt").write_text("0639980001\n0639989999\n")
    looked: list[object] = []

    def opened(file: str, *, token: str) -> AbstractContextManager[NumbersFile]:
        looked.append(file)
        return open_numbers(file, token=token)

    monkeypatch.setattr("smspartner.files.read.open_numbers", opened)
    assert run([*command, "--jobs", "1"]) == 0
    assert len(looked) == (1 if output == "all.csv" else 2)
    assert run(command) == 0
    assert len(looked) == (1 if output == "all.csv" else 2)
    assert counted(sandbox, BOTH) == [1, 1]


def test_parts_with_people_to_leave_out_are_written_anew_where_the_bodies_are_there(
    sandbox: Sandbox, in_folder: Path
) -> None:
    with Client(sandbox.api_key, base_url=sandbox.url) as client:
        assert all(each.state == "done" for each in client.download_many(BOTH, "out"))
    assert run(["download", *BOTH, "-o", "out/", "-q"]) == 0
    part = in_folder / "out" / f"{BOTH[0]}.csv"
    assert ",true" in part.read_text()
    assert run(["download", *BOTH, "-o", "out/", "-q", "--exclude-stop"]) == 0
    assert ",true" not in part.read_text()
    assert counted(sandbox, BOTH) == [1, 1]


@pytest.mark.parametrize("output", ["out/", "all.csv", "all.db"])
def test_the_same_lists_again_or_fewer_are_done_before(sandbox: Sandbox, output: str) -> None:
    Path("list.txt").write_text("0639980001\n")
    command = ["download", *TOKENS[:2], "-o", output, "-q"]
    assert run([*command, "--opt-outs", "list.txt", "--exclude-stop"]) == 0

    assert run([*command, "--exclude-stop", "--opt-outs", "list.txt"]) == 0
    assert run(command) == 0

    assert counted(sandbox, TOKENS[:2]) == [1, 1]


def test_a_file_that_misses_a_rental_is_written_anew_with_the_options_of_now(
    sandbox: Sandbox, in_folder: Path
) -> None:
    command = ["download", *TOKENS[:2], "fails", "-o", "all.csv", "-q"]
    assert run(command) == 9
    assert ",true," in (in_folder / "all.csv").read_text()

    assert run([*command, "--exclude-stop"]) == 9

    assert ",true," not in (in_folder / "all.csv").read_text()
    assert counted(sandbox, TOKENS[:2]) == [1, 1]


def test_where_all_fail_no_file_is_written(sandbox: Sandbox, in_folder: Path) -> None:
    assert run(["download", "fails", "unknown!", "-o", "all.csv", "-q"]) == 9
    assert not (in_folder / "all.csv").exists()
    assert sandbox.downloads("fails") == 0


@pytest.mark.parametrize("more", [[], ["--exclude-stop"]], ids=["alike", "stricter"])
def test_a_part_of_a_run_that_was_killed_is_taken_only_if_it_holds_nobody_else(
    sandbox: Sandbox, in_folder: Path, more: list[str]
) -> None:
    token, place = TOKENS[0], in_folder / "out" / f"{TOKENS[0]}.csv"
    place.parent.mkdir()
    line = asked(token=token, target=str(place), place=True)
    with Journal(place.parent) as opened:
        opened.add(msgspec.structs.replace(line, time=datetime(2026, 1, 1, tzinfo=UTC)))
    assert run(["download", token, "-o", str(place), "-q"]) == 0  # what the killed run had done

    command = ["download", token, TOKENS[1], "-o", "out/", "-q", *more]
    assert run(command) == (9 if more else 0)

    assert sandbox.downloads(token) == 1


def test_the_first_failure_can_stop_everything(sandbox: Sandbox) -> None:
    wanted = ["fails", *TOKENS]

    assert run(["download", *wanted, "-o", "out/", "--jobs", "1", "--on-error", "stop"]) == 5

    assert sum(counted(sandbox, TOKENS)) <= 1


@pytest.mark.parametrize("output", ["out/", "all.csv", "all.db"])
def test_a_body_that_was_left_is_finished_with_instead_of_asking_again(
    sandbox: Sandbox, in_folder: Path, capsys: pytest.CaptureFixture[str], output: str
) -> None:
    folder = in_folder / (output if output == "out/" else f"{output}.bodies")
    folder.mkdir()
    assert run(["save", TOKENS[0], "-o", str(folder / f"{TOKENS[0]}.json"), "-q"]) == 0

    assert run(["download", *TOKENS[:2], "-o", output]) == 0

    assert "  2  rentals downloaded" in capsys.readouterr().err
    assert counted(sandbox, TOKENS[:2]) == [1, 1]
    assert not list(folder.glob("*.json"))


@pytest.mark.parametrize("output", ["out/", "all.db"])
def test_a_body_goes_only_once_the_journal_has_its_last_line(
    sandbox: Sandbox, in_folder: Path, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    folder = in_folder / (output if output == "out/" else f"{output}.bodies")
    command = ["download", *TOKENS[:2], "-o", output, "-q"]
    with monkeypatch.context() as patch:
        patch.setattr("smspartner.cli.download_many._Work.over", lambda *_: None)  # killed before
        assert run(command) == 0
    assert [line["state"] for line in journal(folder)].count("done") == 2
    assert len(list(folder.glob("*.json"))) == 2

    assert run(command) == 0

    assert not list(folder.glob("*.json"))
    assert counted(sandbox, TOKENS[:2]) == [1, 1]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([], 2, "there is no token"),
        (["--tokens", "empty", "-o", "out/"], 2, "there is no token"),
        (["--tokens", "none", "-o", "out/"], 4, "cannot read the tokens in 'none'"),
        (["--tokens", "latin", "-o", "out/"], 4, "not text in UTF-8"),
        (["a", "b"], 4, "give -o"),
        (["a", "b", "-o", ""], 2, "it is empty; give the name of a file"),
        (["a", "-o", ""], 2, "it is empty; give the name of a file"),
        (["a", "-o", "a.csv", "--raw", ""], 2, "it is empty; give the name of a file"),
        (["a", "b", "-o", "out/", "--raw", "body"], 2, "--raw is for a single rental"),
        (["a", "b", "-o", "out/", "--wait"], 2, "--wait is for a single rental"),
        (["a", "b", "-o", "out/", "--to", "postgres"], 4, "one database"),
    ],
)
def test_what_cannot_work_is_told_before_anything_is_asked(
    sandbox: Sandbox,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    words: str,
) -> None:
    Path("empty").write_text("\n \n")
    Path("latin").write_bytes(b"\xe9")

    assert run(["download", *arguments]) == code

    said = capsys.readouterr().err
    assert words in said
    assert len(said.splitlines()) == 1
    assert sandbox.requests == []


@pytest.mark.parametrize("output", ["out/", "all.csv", "all.db"])
def test_rentals_whose_names_differ_by_case_only_are_refused_before_anything_is_asked(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str], output: str
) -> None:
    assert run(["download", "n-1.as-A", "n-1.as-a", "-o", output]) == 4
    assert "capital letters only" in capsys.readouterr().err
    assert sandbox.requests == []


@pytest.mark.parametrize(
    ("tokens", "code", "words"),
    [
        ("\ufeffn-3.as-1\r\n\r\nn-4.as-2".encode(), 0, ""),
        (b"n-3.as-\xe9\n", 4, "cannot read the tokens in '-': it is not text in UTF-8"),
    ],
)
def test_tokens_come_from_standard_input(
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    tokens: bytes,
    code: int,
    words: str,
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(tokens)))

    assert run(["download", "--tokens", "-", "-o", "out/", "-q"]) == code

    assert words in capsys.readouterr().err
    assert len(list(Path().glob("out/*.csv"))) == (0 if code else 2)
    assert bool(sandbox.requests) == (code == 0)


def test_the_column_of_the_tokens_is_there_where_only_one_of_several_came(
    sandbox: Sandbox, in_folder: Path
) -> None:
    assert run(["download", TOKENS[0], "fails", "-o", "all.csv", "-q"]) == 9
    assert (in_folder / "all.csv").read_text().startswith("id,phone,stop_sms,token\n")
    assert counted(sandbox, TOKENS[:1]) == [1]


def test_what_a_killed_run_has_left_in_the_folder_is_named(
    sandbox: Sandbox, in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (in_folder / "out").mkdir()
    (in_folder / "out" / ".smspartner-0000000000000000.body.part").write_bytes(b"{")
    assert run(["download", *TOKENS[:2], "-o", "out/", "-q"]) == 0
    assert "a run that was killed has left a body as far as it came" in capsys.readouterr().err
    assert counted(sandbox, TOKENS[:2]) == [1, 1]


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit")
@pytest.mark.parametrize("output", ["out/", "all.csv", "all.db"])
def test_once_something_cannot_be_written_nothing_more_is_asked_for(
    sandbox: Sandbox, output: str
) -> None:
    wanted = ["n-10.as-1", "n-2000.as-2", "n-10.as-3", "n-10.as-4"]
    program = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (80_000, -1))\n"
        "from smspartner.__main__ import main\n"
        f"sys.argv = ['smspartner', 'download', *{wanted}, '-o', {output!r}, '--jobs', '1']\n"
        "code = main()\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))  # what measures coverage writes too\n"
        "sys.exit(code)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 9, ended.stderr
    assert "rental n-2000.as-2: cannot write" in ended.stderr
    for token in wanted[2:]:
        assert f"rental {token}: it was not asked for" in ended.stderr
    assert counted(sandbox, wanted) == [1, 1, 0, 0]

    assert run(["download", *wanted, "-o", output, "-q"]) == 9  # what is lost stays so
    assert counted(sandbox, wanted) == [1, 1, 1, 1]


@pytest.mark.parametrize("output", ["out/", "all.csv", "all.db"])
def test_a_body_whose_numbers_cannot_be_written_is_kept_and_finished_with_by_the_next_run(
    sandbox: Sandbox,
    in_folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    output: str,
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OutputError("the disk is full")

    command = ["download", *TOKENS[:2], "-o", output, "-q", "--jobs", "1"]
    with monkeypatch.context() as patch:
        for module in ("smspartner.cli.download_many", "smspartner.files.many"):
            patch.setattr(f"{module}.write_rows", full)
        assert run(command) == (1 if output == "all.csv" else 9)
    said = capsys.readouterr().err
    assert "the disk is full" in said
    assert "kept in" in said
    assert "run this again" in said

    assert run(command) == 0

    assert counted(sandbox, TOKENS[:2]) == [1, 1]
    assert not list(in_folder.rglob("*.json"))


#: Once-only rentals that come, that come at the second request, and that fail in several ways.
COME = [f"n-{20 + place}.as-{place}" for place in range(175)]
BUSY = [f"n-{20 + place}.fault-503.times-1.as-{place}" for place in range(175, 180)]
FAIL = [*(f"fails.as-{n}" for n in range(10)), *(f"unknown!{n}" for n in range(10))]
SLOW = [token for group in zip(COME[::9], FAIL, strict=True) for token in group]
SLOW = [*SLOW, *BUSY, *(token for token in COME if token not in SLOW)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("output", "stops"),
    [
        ("out/", ["term"]),
        ("out/", ["kill"]),
        ("all.csv", ["kill", "term"]),
        ("all.db", ["kill", "term"]),
    ],
)
def test_stopped_anywhere_and_run_again_nothing_is_asked_twice_or_lost_in_silence(
    sandbox: Sandbox,
    in_folder: Path,
    capsys: pytest.CaptureFixture[str],
    output: str,
    stops: list[str],
) -> None:
    chance = random.Random(7)
    sandbox.delay = 0.03
    (in_folder / "tokens.txt").write_text("\n".join(SLOW))
    command = ["download", "--tokens", "tokens.txt", "-o", output, "--timeout", "1", "-q"]
    command += ["--jobs", "8"]
    for turn in range(4):
        running = subprocess.Popen(
            [sys.executable, "-m", "smspartner", *command], stderr=subprocess.DEVNULL
        )
        time.sleep(0.35 + chance.random() * 0.35)
        stop = stops[turn % len(stops)]
        running.send_signal(SIGTERM if stop == "term" else posix_only.SIGKILL)
        running.wait(30)

    assert run(command) == 9

    assert len(SLOW) == 200
    assert max(counted(sandbox, [*COME, *BUSY, *FAIL[:10]])) == 1
    folder = in_folder / (output if output == "out/" else f"{output}.bodies")
    last = {line["token"]: line for line in journal(folder)}
    came = [token for token in SLOW if last[token]["state"] == "done"]
    lost = [token for token in SLOW if last[token].get("error") == "DownloadLostError"]
    assert sorted({*came, *lost, *FAIL}) == sorted(SLOW)
    assert not {*came} & {*lost, *FAIL}
    if stops == ["term"]:
        assert lost == []
    expected = sum(int(token[2:].partition(".")[0]) for token in came)
    if output == "out/":
        assert sum(map(rows, folder.glob("*.csv"))) == expected
    elif output == "all.csv":
        assert rows(in_folder / output) == expected
    else:
        capsys.readouterr()
        assert run(["inspect", output, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["numbers"] == expected
