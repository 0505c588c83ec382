"""``Client.download_many``: bodies of many rentals in a folder, each asked for once."""

from __future__ import annotations

import errno
import inspect
import json
import os
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import pytest
from number_files import mode_of
from twin import Connect

from smspartner import (
    Client,
    ConfigurationError,
    DownloadLostError,
    OutputError,
    RentalFailedError,
    Sandbox,
    TruncatedError,
    open_bodies,
)
from smspartner.client.arguments import require_tokens
from smspartner.client.many import Save, file_name, saving
from smspartner.client.stopped import arrived
from smspartner.files.journal import Entry, Journal, asked
from smspartner.transport import Abort

TOKENS = [f"n-{5 + place}.as-{place}" for place in range(6)]
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(once=True) as running:
        yield running


@pytest.fixture
def client(connect: Connect, sandbox: Sandbox) -> Iterator[Client]:
    with connect(sandbox.api_key, base_url=sandbox.url) as running:
        yield running


@pytest.mark.parametrize("format_", ["json", "xml"])
def test_bodies_come_into_a_folder_and_are_one_table(
    client: Client, tmp_path: Path, format_: str
) -> None:
    outcomes = list(client.download_many(TOKENS, tmp_path / "rentals" / "in", format=format_))

    assert {outcome.token: outcome.numbers for outcome in outcomes} == {
        token: 5 + place for place, token in enumerate(TOKENS)
    }
    assert {outcome.state for outcome in outcomes} == {"done"}
    assert mode_of(tmp_path / "rentals" / "in") == 0o700
    lines = (tmp_path / "rentals" / "in" / "smspartner-journal.jsonl").read_text().splitlines()
    targets = {json.loads(line)["target"] for line in lines}
    assert targets == {str(outcome.path) for outcome in outcomes}
    assert all(outcome.path and outcome.path.suffix == f".{format_}" for outcome in outcomes)
    batches = open_bodies(tmp_path / "rentals" / "in").rentals()
    assert sum(len(batch) for _, found in batches for batch in found) == sum(range(5, 11))


def test_its_threads_are_named_for_those_who_look_for_them(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: list[str] = []
    save = Save.fetch

    def fetch(self: Save, token: str, place: Path | None) -> dict[str, Any]:
        names.append(threading.current_thread().name)
        return save(self, token, place)

    monkeypatch.setattr(Save, "fetch", fetch)
    assert len(list(client.download_many(TOKENS, tmp_path))) == len(names) == 6
    assert all(name.startswith("smspartner") for name in names)


def test_a_path_from_an_earlier_run_holds_in_other_folders_too(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = [TOKENS[0], "n-50.fault-cut"]
    (tmp_path / "in").mkdir()
    for current, folder in ((tmp_path, "out"), (tmp_path / "in", "../out")):
        monkeypatch.chdir(current)
        found = {each.token: each for each in client.download_many(tokens, folder)}
        assert found[tokens[0]].path == tmp_path / "out" / f"{tokens[0]}.json"
    error = found[tokens[1]].error
    assert error
    assert error.kept == tmp_path / "out" / f"{tokens[1]}.json.incomplete"


def test_a_folder_may_have_a_name_that_is_not_utf_8(client: Client, tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    done, cut = client.download_many([TOKENS[0], "n-50.fault-cut"], folder, jobs=1)
    assert done.path
    assert done.path.exists()
    assert isinstance(cut.error, DownloadLostError | TruncatedError)


def test_running_again_asks_for_nothing(client: Client, sandbox: Sandbox, tmp_path: Path) -> None:
    first = {outcome.token: outcome.path for outcome in client.download_many(TOKENS, tmp_path)}

    again = list(client.download_many([*TOKENS, TOKENS[0]], tmp_path))

    assert {outcome.state for outcome in again} == {"before"}
    assert {outcome.token: outcome.path for outcome in again} == first
    assert [sandbox.downloads(token) for token in TOKENS] == [1] * 6


def test_without_resuming_all_are_asked_for(
    client: Client, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.once = False
    list(client.download_many(TOKENS[:2], tmp_path))

    outcomes = list(client.download_many(TOKENS[:2], tmp_path, resume=False))

    assert [sandbox.downloads(token) for token in TOKENS[:2]] == [2, 2]
    assert {outcome.state for outcome in outcomes} == {"done"}
    assert len(list(tmp_path.glob("*.json*"))) == 5  # nothing is replaced; and the journal


def test_the_second_body_of_a_rental_is_not_called_like_that_of_another_one(
    client: Client, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.once = False
    for name in ("n-5.as-a.json", "n-5.as-a again.json", "n-5.as-a again-2.json"):
        (outcome,) = client.download_many(["n-5.as-a"], tmp_path, resume=False)
        assert outcome.path == tmp_path / name
    (outcome,) = client.download_many(["n-5.as-a-2"], tmp_path)
    assert outcome.path == tmp_path / "n-5.as-a-2.json"


def test_what_is_wrong_with_one_is_in_its_outcome(client: Client, tmp_path: Path) -> None:
    for _ in range(2):
        found = {each.token: each for each in client.download_many(["fails", TOKENS[0]], tmp_path)}
        assert isinstance(found["fails"].error, RentalFailedError)
        assert "rental fails: " in str(found["fails"].error)
        assert found["fails"].state == "failed"
        assert found[TOKENS[0]].error is None


def test_a_failure_that_cost_nothing_is_asked_for_again(
    connect: Connect, sandbox: Sandbox, tmp_path: Path
) -> None:
    rental = "n-5.fault-503.times-1"
    with connect(sandbox.api_key, base_url=sandbox.url, retries=0) as client:
        (first,) = client.download_many([rental], tmp_path)
        (second,) = client.download_many([rental], tmp_path)

    assert first.error is not None
    assert first.error.retryable
    assert (second.state, second.numbers) == ("done", 5)
    assert sandbox.downloads(rental) == 1
    # It surely was not handed out, so nothing asks what became of it.
    assert [request.path.rpartition("/")[2] for request in sandbox.requests] == ["download"] * 2


def test_a_body_that_no_file_could_be_opened_for_is_asked_for_by_the_next_run(
    client: Client, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_many(_path: Path) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    with monkeypatch.context() as patch:
        patch.setattr("smspartner.files.atomic.create_private", too_many)
        failures = [outcome.error for outcome in client.download_many(TOKENS, tmp_path, jobs=1)]
    assert all(isinstance(error, OutputError) and error.retryable for error in failures)
    assert sandbox.requests == []

    outcomes = list(client.download_many(TOKENS, tmp_path))

    assert {outcome.state for outcome in outcomes} == {"done"}


def test_a_journal_that_is_full_hides_no_body_and_lets_nothing_more_be_asked_for(
    client: Client, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = Journal.add

    def full(self: Journal, entry: Entry) -> Entry:
        if entry.state == "failed":
            raise OutputError("the disk is full")
        return add(self, entry)

    monkeypatch.setattr(Journal, "add", full)
    tokens = ["n-50.fault-cut", *TOKENS]
    cut, *others = client.download_many(tokens, tmp_path, jobs=1)

    assert cut.error
    assert cut.error.kept == tmp_path / "n-50.fault-cut.json.incomplete"
    assert cut.error.__notes__[-1] == "nor could the journal be told: the disk is full"
    assert all("was not asked for" in str(each.error) for each in others)
    assert {request.token for request in sandbox.requests} == {tokens[0]}


def test_a_run_that_was_killed_behind_its_download_is_settled_by_the_status(
    client: Client, sandbox: Sandbox, tmp_path: Path
) -> None:
    place = tmp_path / f"{TOKENS[0]}.json"
    line = asked(token=TOKENS[0], target=str(place), place=True)
    with Journal(tmp_path) as journal:
        journal.add(msgspec.structs.replace(line, time=LONG_AGO))
    client.save(TOKENS[0], place)

    (outcome,) = client.download_many([TOKENS[0]], tmp_path)

    assert (outcome.state, outcome.path) == ("before", place)
    assert sandbox.downloads(TOKENS[0]) == 1


def test_a_second_download_that_was_killed_behind_its_rename_is_settled_by_the_status(
    client: Client, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.once = False
    for name in ("n-5.json", "n-5 again.json", "n-5 again-2.json"):
        list(client.download_many(["n-5"], tmp_path, resume=False))
        journal = tmp_path / "smspartner-journal.jsonl"
        *lines, _done = journal.read_bytes().splitlines(keepends=True)
        journal.write_bytes(b"".join(lines))

        (outcome,) = client.download_many(["n-5"], tmp_path)

        assert (outcome.state, outcome.path) == ("before", tmp_path / name)
    assert sandbox.downloads("n-5") == 3


def test_what_is_left_of_a_killed_request_is_waited_for(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused: list[float] = []
    monkeypatch.setattr("smspartner.client.stopped.pause", paused.append)
    with Journal(tmp_path) as journal:
        line = asked(token=TOKENS[0], target="t")
        for time in (LONG_AGO, line.time, datetime(2126, 1, 1, tzinfo=UTC)):
            known = msgspec.structs.replace(line, time=time)
            assert not arrived(journal, known, client, patience=30)

    assert paused == [pytest.approx(30, abs=5), 30]  # a clock that was set back, too


def test_what_was_counted_by_the_end_of_a_killed_request_is_not_asked_for(
    client: Client, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def counted_meanwhile(_seconds: float) -> None:
        client.save(TOKENS[0], tmp_path / "elsewhere")

    monkeypatch.setattr("smspartner.client.stopped.pause", counted_meanwhile)
    with Journal(tmp_path) as journal:
        line = journal.add(asked(token=TOKENS[0], target="t"))
        for _ in range(2):  # the second time, the service says so at once: there is no pause
            with pytest.raises(DownloadLostError):
                arrived(journal, line, client, patience=30)

    assert sandbox.downloads(TOKENS[0]) == 1
    assert len(list(tmp_path.glob("elsewhere*"))) == 1


def test_a_name_that_a_killed_run_had_claimed_is_no_body(
    client: Client, sandbox: Sandbox, tmp_path: Path
) -> None:
    place = tmp_path / "in" / f"{TOKENS[0]}.json"
    line = asked(token=TOKENS[0], target=str(place), place=True)
    place.parent.mkdir()
    with Journal(place.parent) as journal:
        journal.add(msgspec.structs.replace(line, time=LONG_AGO))
    client.save(TOKENS[0], tmp_path / "elsewhere")
    place.touch()

    (outcome,) = client.download_many([TOKENS[0]], place.parent)

    assert isinstance(outcome.error, DownloadLostError)
    assert "of 2026-01-01 00:00:00+00:00 was stopped, and its status is downloaded (5)" in (
        str(outcome.error)
    )
    assert sandbox.downloads(TOKENS[0]) == 1


def test_left_early_nothing_new_is_asked(client: Client, sandbox: Sandbox, tmp_path: Path) -> None:
    outcomes = client.download_many(TOKENS, tmp_path, jobs=2)
    next(outcomes)
    outcomes.close()  # type: ignore[attr-defined]

    assert 1 <= sum(sandbox.downloads(token) for token in TOKENS) <= 3
    assert {each.state for each in client.download_many(TOKENS, tmp_path)} == {"before", "done"}
    assert [sandbox.downloads(token) for token in TOKENS] == [1] * 6


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"tokens": "TOKEN"}, "a list of tokens"),
        ({"tokens": [7]}, "a rental's token is text"),
        ({"jobs": 0}, "jobs="),
        ({"jobs": "4"}, "jobs="),
        ({"format": "yaml"}, "unknown format"),
    ],
)
def test_arguments_are_checked_before_anything_is_asked(
    client: Client, sandbox: Sandbox, tmp_path: Path, arguments: dict[str, Any], words: str
) -> None:
    given: dict[str, Any] = {"tokens": TOKENS, "folder": tmp_path} | arguments

    with pytest.raises(ConfigurationError, match=words):
        client.download_many(**given)
    assert sandbox.requests == []


def test_the_client_for_event_loops_has_the_same_defaults() -> None:
    ours, shared = (inspect.signature(each).parameters for each in (Client.download_many, saving))
    names = ("jobs", "resume", "format")
    assert [ours[name].default for name in names] == [shared[name].default for name in names]


def test_a_folder_that_cannot_be_made_is_told(client: Client, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(OutputError, match="cannot write"):
        client.download_many(TOKENS, tmp_path / "file" / "in")


@pytest.mark.parametrize(
    ("token", "name"),
    [
        ("n-5.as-1", "n-5.as-1"),
        ("..", ".."),
        ("nullify", "nullify"),
        ("COM10", "COM10"),
        ("x" * 150,) * 2,
    ],
)
def test_a_token_that_is_a_legal_name_is_the_name_of_its_file(token: str, name: str) -> None:
    assert file_name(token) == name


@pytest.mark.parametrize(
    ("token", "beginning"),
    [
        ("a/b", "a_2Fb-"),
        ("é", "_C3_A9-"),
        ("nul", "_nul-"),
        ("Con.x", "_Con.x-"),
        ("COM¹", "COM_C2_B9-"),
        ("x" * 400, "x" * 150 + "-"),
    ],
)
def test_every_other_token_has_a_legal_name_of_its_own(token: str, beginning: str) -> None:
    name = file_name(token)

    assert re.fullmatch(re.escape(beginning) + "[0-9a-f]{16}", name)
    assert name not in {file_name(token + "/"), file_name(beginning[:-1])}


def test_tokens_count_once_and_blank_ones_not_at_all() -> None:
    assert require_tokens([" a", "b", "a ", "", " \n"]) == ["a", "b"]


def test_rentals_whose_names_differ_by_case_only_are_refused_before_anything_is_asked(
    sandbox: Sandbox, client: Client, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match="capital letters only"):
        client.download_many(["n-1.as-A", "n-1.as-a"], tmp_path / "out")
    assert sandbox.requests == []
    assert not (tmp_path / "out").exists()


def test_a_rental_that_is_ended_before_it_was_sent_is_asked_for_at_once_by_the_next_run(
    client: Client, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    abort = Abort()

    def connect(*_: object) -> NoReturn:
        abort()
        raise OSError

    with monkeypatch.context() as patch, abort:
        patch.setattr("socket.socket.connect", connect)
        (ended,) = client.download_many(TOKENS[:1], tmp_path)
    assert ended.error
    assert ended.error.retryable

    (outcome,) = client.download_many(TOKENS[:1], tmp_path)

    assert outcome.state == "done"
    assert [request.path.rpartition("/")[2] for request in sandbox.requests] == ["download"]


def test_rentals_that_are_ended_stay_asked_in_the_journal(sandbox: Sandbox, tmp_path: Path) -> None:
    abort = Abort()
    with Client(sandbox.api_key, base_url=sandbox.url) as client, abort:
        tokens = ["fault-stall-recorded.as-ended", "n-5.as-never"]
        threading.Timer(0.3, abort).start()
        ended, never = client.download_many(tokens, tmp_path, jobs=1)

    assert "abort()" in str(ended.error)
    assert "ended by abort() before it was asked for" in str(never.error)
    assert sandbox.downloads("n-5.as-never") == 0
    with Journal(tmp_path) as journal:
        assert [entry.state for entry in journal.entries().values()] == ["asked"]
