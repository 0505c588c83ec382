"""Files are whole or absent, private, and a body that arrived is never lost."""

from __future__ import annotations

import hashlib
import io
import os
import signal
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from number_files import disk_that_fills_up, left_in

from smspartner.errors import (
    APIError,
    OutputError,
    RecordError,
    TruncatedError,
    UnknownFormatError,
)
from smspartner.files import output
from smspartner.files.atomic import RawBody, atomic_writer, check_writable, open_output
from smspartner.files.output import open_file


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def without_privileges() -> Iterator[None]:
    """Permissions mean nothing to root: be nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def write_to(name: str) -> None:
    with atomic_writer(name) as file:
        file.write(b"x")


def test_a_file_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "numbers.csv"
    with atomic_writer(target) as file:
        file.write(b"id,phone\n")
        file.flush()
        assert not target.exists()
    assert target.read_bytes() == b"id,phone\n"
    assert left_in(tmp_path) == ["numbers.csv"]


def test_a_file_on_its_way_is_hidden_and_private(tmp_path: Path) -> None:
    with umask(0), atomic_writer(tmp_path / "numbers.csv"):
        (part,) = tmp_path.iterdir()
        assert part.name.startswith(".")
        assert part.name.endswith(".part")
        assert mode_of(part) == 0o600
        assert not list(tmp_path.glob("*.csv"))


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_a_failure_leaves_what_was_there_and_nothing_else(
    tmp_path: Path, error: type[BaseException]
) -> None:
    target = tmp_path / "numbers.csv"
    target.write_bytes(b"before")
    with pytest.raises(error), atomic_writer(target) as file:  # noqa: PT012 - writes, then fails
        file.write(b"half" * 1_000_000)
        raise error
    assert target.read_bytes() == b"before"
    assert left_in(tmp_path) == ["numbers.csv"]


@pytest.mark.parametrize("before", [0o644, 0o666, 0o400])
def test_a_file_that_is_replaced_is_private_whatever_it_was(tmp_path: Path, before: int) -> None:
    target = tmp_path / "numbers.csv"
    target.write_bytes(b"before")
    target.chmod(before)
    with umask(0), atomic_writer(target) as file:
        file.write(b"after")
    assert (target.read_bytes(), mode_of(target)) == (b"after", 0o600)


@pytest.mark.parametrize("exists", [True, False], ids=["to a file", "to nothing yet"])
def test_a_symbolic_link_stays_one_and_its_target_is_written(tmp_path: Path, exists: bool) -> None:  # noqa: FBT001 - a case of the test
    folder = tmp_path / "real"
    folder.mkdir()
    real, link = folder / "data.csv", tmp_path / "link.csv"
    if exists:
        real.write_bytes(b"before")
    link.symlink_to(real)
    with atomic_writer(link) as file:
        file.write(b"after")
    assert link.is_symlink()
    assert real.read_bytes() == b"after"
    assert left_in(folder) == ["data.csv"]


def test_a_named_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[bytes] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()))
    reader.start()
    with atomic_writer(pipe) as file:
        file.write(b"through the pipe")
        assert file.tell() == 16
    reader.join(timeout=10)
    assert received == [b"through the pipe"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_device_is_written_to_and_not_replaced() -> None:
    with atomic_writer("/dev/null") as file:
        file.write(b"gone")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_a_full_device_is_an_error_that_says_so() -> None:
    with (
        pytest.raises(OutputError, match="cannot write '/dev/full': the disk is full"),
        atomic_writer("/dev/full") as file,
    ):
        file.write(b"x")


def test_an_open_file_of_this_process_is_added_to_and_not_replaced(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        log.write(b"first,")
        log.flush()
        with atomic_writer(f"/dev/fd/{log.fileno()}") as file:
            file.write(b"second")
    assert (tmp_path / "log").read_bytes() == b"first,second"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing/numbers.csv", "its folder does not exist; create it first"),
        ("folder", "it is a folder; give the name of a file in it"),
        ("folder/", "it is a folder; give the name of a file in it"),
        ("", "it is a folder; give the name of a file in it"),
        ("file/numbers.csv", "a part of its path is a file, not a folder; choose another path"),
        ("n" * 300, "the name is too long; choose a shorter one"),
        ("a\0b", "it is not the name of a file"),
        ("a\ud800b", "it is not the name of a file"),
        ("loop/numbers.csv", "Too many levels of symbolic links"),
    ],
    ids=lambda value: ascii(value)[:24],
)
@pytest.mark.parametrize("way", [check_writable, write_to], ids=["check", "write"])
def test_what_cannot_be_written_is_one_line_that_says_what_to_do(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    reason: str,
    way: Callable[[str], None],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    before = left_in(tmp_path)
    with pytest.raises(OutputError) as caught:
        way(name)
    assert str(caught.value) == f"cannot write {name!r}: {reason}"
    assert left_in(tmp_path) == before


def test_a_folder_without_permission_is_an_error_that_says_so(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(0o500)
    with (
        without_privileges(),
        pytest.raises(OutputError, match="permission denied; change its rights, or choose"),
    ):
        check_writable(folder / "numbers.csv")
    assert left_in(folder) == []


def test_a_disk_that_fills_up_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "numbers.csv"
    target.write_bytes(b"before")
    with (
        pytest.raises(OutputError, match="larger than allowed here"),
        disk_that_fills_up(65_536),
        atomic_writer(target) as file,
    ):
        file.write(bytes(2_000_000))
    assert target.read_bytes() == b"before"
    assert left_in(tmp_path) == ["numbers.csv"]


def test_an_error_of_the_block_is_not_taken_for_one_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), atomic_writer(tmp_path / "numbers.csv"):
        raise PermissionError("of the source")


def test_checking_leaves_nothing_and_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "there").write_bytes(b"before")
    for name in ("there", "not there"):
        check_writable(tmp_path / name)
    check_writable("-")
    check_writable("/dev/null")
    assert left_in(tmp_path) == ["there"]
    assert (tmp_path / "there").read_bytes() == b"before"


def test_a_dash_is_standard_output_after_what_was_printed(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    sys.stdout.write("printed\n")
    with open_output("-") as file:
        file.write(b"written\n")
        assert file.tell() == 8
    sys.stdout.write("after\n")
    sys.stdout.flush()
    assert capfdbinary.readouterr().out == b"printed\nwritten\nafter\n"


def test_standard_output_that_nobody_reads_any_more_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    stream = os.fdopen(writing, "w")
    monkeypatch.setattr(sys, "stdout", stream)
    with (
        pytest.raises(OutputError, match="the program that was reading it has stopped"),
        open_output("-") as file,
    ):
        file.write(b"x" * 100)
    monkeypatch.undo()
    with pytest.raises(BrokenPipeError):
        stream.close()


def test_standard_output_that_takes_text_only_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    with pytest.raises(OutputError, match="takes text only"):
        open_output("-").__enter__()


# A raw body.

CHUNKS = [b'{"success":true,', b'"phoneNumbers":0,', b'"datas":[]}']
WHOLE = b"".join(CHUNKS)


def test_a_body_is_on_disk_before_it_is_passed_on(tmp_path: Path) -> None:
    with RawBody(tmp_path / "body.json") as raw:
        for number, chunk in enumerate(raw.tee(CHUNKS), start=1):
            (part,) = tmp_path.iterdir()
            assert part.read_bytes() == b"".join(CHUNKS[:number])
            assert part.read_bytes().endswith(chunk)
            assert mode_of(part) == 0o600
    assert (tmp_path / "body.json").read_bytes() == WHOLE
    assert raw.kept == tmp_path / "body.json"
    assert (raw.size, raw.complete) == (len(WHOLE), True)
    assert raw.sha256 == hashlib.sha256(WHOLE).hexdigest()


def fail(raw: RawBody, chunks: list[bytes], error: BaseException) -> None:
    """Let a block around a body fail after some chunks, or after the last one."""
    with raw:
        passed = raw.tee(CHUNKS)
        for _ in chunks:
            next(passed)
        if chunks == CHUNKS:
            assert list(passed) == []
        raise error


@pytest.mark.parametrize("keep", [True, False])
def test_a_body_that_arrived_whole_is_kept_when_decoding_fails(tmp_path: Path, keep: bool) -> None:  # noqa: FBT001 - a case of the test
    raw = RawBody(tmp_path / "body.json", keep=keep)
    with pytest.raises(RecordError):
        fail(raw, CHUNKS, RecordError(0))
    assert raw.kept == tmp_path / "body.json"
    assert raw.kept is not None
    assert raw.kept.read_bytes() == WHOLE
    assert mode_of(raw.kept) == 0o600


@pytest.mark.parametrize("keep", [True, False])
def test_a_body_that_is_kept_for_a_failure_replaces_nothing(tmp_path: Path, keep: bool) -> None:  # noqa: FBT001 - a case of the test
    (tmp_path / "body.json").write_bytes(b"an earlier one")
    raw = RawBody(tmp_path / "body.json", keep=keep)
    with pytest.raises(RecordError):
        fail(raw, CHUNKS, RecordError(0))
    assert raw.kept == tmp_path / "body.json-2"
    assert raw.kept is not None
    assert raw.kept.read_bytes() == WHOLE
    assert (tmp_path / "body.json").read_bytes() == b"an earlier one"


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("error", [RecordError(0), KeyboardInterrupt()], ids=repr)
def test_what_arrived_of_a_body_is_kept_under_a_name_that_says_so(
    tmp_path: Path,
    error: BaseException,
    keep: bool,  # noqa: FBT001 - a case of the test
) -> None:
    kept = []
    for _ in range(3):
        raw = RawBody(tmp_path / "body.json", keep=keep)
        with pytest.raises(type(error)):
            fail(raw, CHUNKS[:1], error)
        kept.append(raw.kept)
    names = ["body.json.incomplete", "body.json.incomplete-2", "body.json.incomplete-3"]
    assert kept == [tmp_path / name for name in names]
    assert left_in(tmp_path) == names
    assert {path.read_bytes() for path in kept if path} == {CHUNKS[0]}


def test_a_body_that_stops_early_is_incomplete_though_no_more_of_it_came(tmp_path: Path) -> None:
    raw = RawBody(tmp_path / "body.json")
    with pytest.raises(TruncatedError):
        fail(raw, CHUNKS, TruncatedError())
    assert raw.kept == tmp_path / "body.json.incomplete"


@pytest.mark.parametrize("keep", [True, False])
def test_a_body_that_is_left_early_does_not_take_the_place_of_an_earlier_one(
    tmp_path: Path,
    keep: bool,  # noqa: FBT001 - a case of the test
) -> None:
    (tmp_path / "body.json").write_bytes(b"an earlier one")
    with RawBody(tmp_path / "body.json", keep=keep) as raw:
        next(raw.tee(iter(CHUNKS)))
    assert (tmp_path / "body.json").read_bytes() == b"an earlier one"
    assert left_in(tmp_path) == ["body.json", *(["body.json.incomplete"] if keep else [])]
    assert raw.kept == (tmp_path / "body.json.incomplete" if keep else None)


def test_a_body_that_is_not_open_says_how_to_open_it(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="with RawBody"):
        RawBody(tmp_path / "body.json").write(b"x")


def test_a_safety_copy_is_gone_when_all_went_well(tmp_path: Path) -> None:
    with RawBody(tmp_path / "body.json", keep=False) as raw:
        assert list(raw.tee(CHUNKS)) == CHUNKS
    assert raw.kept is None
    assert left_in(tmp_path) == []


def test_nothing_is_kept_of_a_body_that_never_came(tmp_path: Path) -> None:
    raw = RawBody(tmp_path / "body.json")
    with pytest.raises(TruncatedError):
        fail(raw, [], TruncatedError())
    assert raw.kept is None
    assert left_in(tmp_path) == []


def an_error_page(status: int) -> UnknownFormatError:
    error = UnknownFormatError("a page")
    error.http_status = status
    return error


@pytest.mark.parametrize("error", [APIError(32), an_error_page(502), an_error_page(404)], ids=repr)
def test_a_refusal_is_not_kept_as_the_body_of_a_rental(tmp_path: Path, error: Exception) -> None:
    (tmp_path / "body.json").write_bytes(b"an earlier one")
    raw = RawBody(tmp_path / "body.json")
    with pytest.raises(type(error)):
        fail(raw, CHUNKS, error)
    assert raw.kept is None
    assert left_in(tmp_path) == ["body.json"]
    assert (tmp_path / "body.json").read_bytes() == b"an earlier one"


def test_a_body_goes_beside_the_file_that_a_link_points_to(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real" / "body.json")
    raw = RawBody(tmp_path / "link")
    with pytest.raises(RecordError):
        fail(raw, CHUNKS[:1], RecordError(0))
    assert raw.kept == (tmp_path / "real" / "body.json.incomplete").resolve()
    assert raw.kept is not None
    assert raw.kept.read_bytes() == CHUNKS[0]


def test_a_body_that_fills_the_disk_is_kept_as_far_as_it_came(tmp_path: Path) -> None:
    raw = RawBody(tmp_path / "body.json")
    with (
        pytest.raises(OutputError, match="larger than allowed here"),
        disk_that_fills_up(65_536),
        raw,
    ):
        list(raw.tee([bytes(10_000)] * 10))
    assert raw.kept == tmp_path / "body.json.incomplete"
    assert raw.kept is not None
    assert raw.kept.stat().st_size == 65_536


def test_a_body_that_has_no_place_is_refused_before_its_first_byte(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="its folder does not exist"):
        RawBody(tmp_path / "missing" / "body.json").__enter__()


def test_a_body_in_no_known_format_is_kept_where_the_service_called_it_right(
    tmp_path: Path,
) -> None:
    raw = RawBody(tmp_path / "body.json")
    with pytest.raises(UnknownFormatError):
        fail(raw, CHUNKS, an_error_page(200))
    assert (tmp_path / "body.json").read_bytes() == b"".join(CHUNKS)


@pytest.mark.parametrize("size", [243, 245, 255])
@pytest.mark.parametrize("error", [RecordError(0), TruncatedError()], ids=repr)
def test_what_arrived_is_kept_under_a_name_as_long_as_names_may_be(
    tmp_path: Path, size: int, error: Exception
) -> None:
    (tmp_path / ("n" * size)).write_bytes(b"an earlier one")
    raw = RawBody(tmp_path / ("n" * size))
    with pytest.raises(type(error)):
        fail(raw, CHUNKS, error)
    assert raw.kept
    assert raw.kept.read_bytes() == b"".join(CHUNKS)
    assert (tmp_path / ("n" * size)).read_bytes() == b"an earlier one"
    assert len(left_in(tmp_path)) == 2


def test_what_cannot_be_named_stays_hidden_and_the_error_is_the_first_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = RawBody(tmp_path / "body.json")

    def no_name(*_: object) -> Path:
        raise OutputError

    monkeypatch.setattr(output, "_claim", no_name)
    with pytest.raises(RecordError) as caught:
        fail(raw, CHUNKS, RecordError(0))
    assert [caught.value.kept] == list(tmp_path.iterdir())
    assert raw.kept
    assert raw.kept.name.startswith(".smspartner-")
    assert raw.kept.read_bytes() == b"".join(CHUNKS)


def test_what_went_to_a_device_is_not_kept() -> None:
    raw = RawBody("/dev/null")
    with pytest.raises(RecordError):
        fail(raw, CHUNKS, RecordError(0))
    assert raw.kept is None


def test_a_body_can_go_to_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    with RawBody("-") as raw:
        raw.write(b"whole")
    assert capfdbinary.readouterr().out == b"whole"


def test_a_body_can_go_to_a_device() -> None:
    with RawBody("/dev/null") as raw:
        raw.write(b"gone")
    assert raw.kept == Path("/dev/null")


def test_a_body_that_was_not_opened_or_is_closed_takes_nothing(tmp_path: Path) -> None:
    raw = RawBody(tmp_path / "body.json")
    with pytest.raises(OutputError, match="open the body first"):
        raw.write(b"x")
    with raw:
        raw.write(b"x")
    with pytest.raises(OutputError, match="open the body first"):
        raw.write(b"y")
    with pytest.raises(OutputError, match="has had its body"), raw:
        raise AssertionError
    assert (tmp_path / "body.json").read_bytes() == b"x"


def test_the_note_says_what_is_there_and_not_what_the_name_looks_like(tmp_path: Path) -> None:
    def fail() -> None:
        with RawBody(tmp_path / "a.incomplete.json") as raw:
            list(raw.tee([b"x"]))
            raise RuntimeError

    with pytest.raises(RuntimeError) as caught:
        fail()
    assert caught.value.__notes__[0].startswith("the body is kept in ")


def test_closed_standard_output_takes_no_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(OutputError, match="it is closed; give a file name"), open_output("-"):
        raise AssertionError


def test_a_body_that_has_its_name_already_stays_there(tmp_path: Path) -> None:
    output = open_file(str(tmp_path / "body.json"))
    output.write_through(b"x")
    assert output.commit() == output.commit_aside(".incomplete") == tmp_path / "body.json"
    assert [path.name for path in tmp_path.iterdir()] == ["body.json"]


def test_a_stop_while_a_file_is_being_made_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Path.resolve

    def interrupted(path: Path, *, strict: bool = False) -> Path:
        signal.raise_signal(signal.SIGINT)
        return made(path, strict=strict)

    monkeypatch.setattr(Path, "resolve", interrupted)
    with pytest.raises(KeyboardInterrupt):
        open_file(str(tmp_path / "n.csv"))
    assert list(tmp_path.iterdir()) == []
