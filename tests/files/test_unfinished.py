"""Whatever stops a program, and whenever: no hidden file, and no body that is lost."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final
from unittest.mock import Mock

import posix_only
import pytest
from number_files import left_in

from smspartner.cli.transfer import name_left_behind
from smspartner.errors import OutputError, TruncatedError
from smspartner.files import atomic, raw_body, targets, unfinished
from smspartner.files.atomic import atomic_writer
from smspartner.files.raw_body import RawBody
from smspartner.files.targets import check_writable
from smspartner.files.unfinished import Register, left_behind, private_folder

OLD: Final = b"what was there before"
NEW: Final = b"what is new"
MODULES: Final = (atomic, raw_body, targets, unfinished)
CODE: Final = {module.__file__ for module in MODULES}
#: More instructions than any of the deeds takes.
MOST: Final = 20_000


@pytest.fixture(autouse=True)
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    """Return a register that a test may close."""
    fresh = Register()
    for module in MODULES:
        monkeypatch.setattr(module, "register", fresh)
    return fresh


def export(folder: Path) -> None:
    with atomic_writer(folder / "file") as file:
        file.write(NEW)


def body(folder: Path) -> None:
    with RawBody(folder / "file") as raw:
        list(raw.tee([NEW[:4], NEW[4:]]))


def cut_body(folder: Path) -> None:
    with RawBody(folder / "file") as raw:
        list(raw.tee([NEW[:4]]))
        raise TruncatedError


def safety_copy(folder: Path) -> None:
    with RawBody(folder / "file", keep=False) as raw:
        list(raw.tee([NEW[:4], NEW[4:]]))


def coded_body(folder: Path) -> None:
    with RawBody(folder / "file") as raw:
        raw.write_coded(gzip.compress(NEW))
        list(raw.tee([NEW[:4]]))
        raise TruncatedError


def check(folder: Path) -> None:
    check_writable(folder / "file")


def temporary_folder(folder: Path) -> None:
    with private_folder(folder / "file") as made:
        (made / "part").write_bytes(NEW)


DEEDS: Final = [temporary_folder, export, body, cut_body, safety_copy, coded_body, check]


def notes(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        yield from getattr(error, "__notes__", ())
        error = error.__context__


def gunzipped(content: bytes) -> bytes:
    """Decode gzip as far as it goes."""
    return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(content)


class Stop(BaseException):
    """What a handler of a signal raises."""


@contextmanager
def stopped_at(step: int) -> Iterator[Callable[[], bool]]:
    """Raise ``Stop`` before the n-th instruction of the modules; yield whether it was raised."""
    left = step

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        if frame.f_code.co_filename not in CODE:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            left -= 1
            if left == 0:
                raise Stop
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield lambda: left <= 0
    finally:
        sys.settrace(before)


@pytest.mark.filterwarnings("ignore:.*unclosed file")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("stride", [11, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("deed", DEEDS, ids=lambda f: f.__name__)
def test_a_stop_before_any_instruction_leaves_nothing_hidden_or_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deed: Callable[[Path], None], stride: int
) -> None:
    def stop_everywhere() -> None:
        for step in range(1, MOST, stride):
            register = Register()
            for module in MODULES:
                monkeypatch.setattr(module, "register", register)
            if not stop_at(step, deed, tmp_path, register):
                return
        pytest.fail("it takes more instructions than it should")

    # In a thread, as an exception of a trace function stays in the state of its thread.
    with ThreadPoolExecutor(1) as executor:
        executor.submit(stop_everywhere).result()


def stop_at(step: int, deed: Callable[[Path], None], folder: Path, register: Register) -> bool:
    """Stop a deed before its n-th instruction and check what is there; say whether it has one."""
    for path in folder.iterdir():
        path.unlink()
    (folder / "file").write_bytes(OLD)
    told = ""
    with stopped_at(step) as stopped:
        try:
            deed(folder)
        except (Stop, TruncatedError) as stop:
            told = "\n".join(notes(stop))
    told = "\n".join([told, *register.settle_all()])
    found = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert found.pop("file") in ({OLD, NEW} if deed is export else {OLD})
    for name, content in found.items():
        assert deed in {body, cut_body, safety_copy, coded_body}
        assert not name.startswith(".")
        assert content
        assert NEW.startswith(gunzipped(content) if content[:1] == b"\x1f" else content)
        assert f"{folder / name}" in told or content == NEW  # it was finished before
    return stopped()


def test_a_program_that_ends_begins_no_file(tmp_path: Path, register: Register) -> None:
    assert register.settle_all() == []
    with pytest.raises(OutputError, match="the program is ending"):
        export(tmp_path)
    assert left_in(tmp_path) == []


def test_what_cannot_be_settled_is_told_and_does_not_keep_the_rest_from_it(
    tmp_path: Path, register: Register
) -> None:
    def fails() -> None:
        raise PermissionError("no")

    register.add(tmp_path / "a", fails)
    register.add(tmp_path / "b", lambda: "b is kept")
    assert register.settle_all() == [f"{tmp_path / 'a'} stays: no", "b is kept"]


KILLED: Final = """
import os, signal
from smspartner.files.atomic import atomic_writer
from smspartner.files.raw_body import RawBody
with RawBody("body") as raw, atomic_writer("n.csv") as file:
    raw.write(b"x")
    {deed}
"""


@pytest.mark.parametrize("kill", [True, False], ids=["killed", "still running"])
def test_what_a_killed_process_has_left_is_found(tmp_path: Path, kill: bool) -> None:  # noqa: FBT001 - a case of the test
    deed = "os.kill(os.getpid(), signal.SIGKILL)" if kill else "print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED.format(deed=deed)],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        process.stdout.readline()
        if kill:
            assert process.wait(timeout=10) == -posix_only.SIGKILL
        found = left_behind(tmp_path)
        assert len(found) == (2 if kill else 0)
        assert (
            sorted(path.name.endswith(".body.part") for path in found)
            == [False, True][: len(found)]
        )
        process.communicate(b"\n", timeout=10)


def test_only_files_of_ours_are_taken_for_left_behind(tmp_path: Path) -> None:
    (tmp_path / ".smspartner-a").mkdir()
    posix_only.mkfifo(tmp_path / ".smspartner-a.part")
    (tmp_path / ".smspartner-b.part").symlink_to("nothing")
    (tmp_path / ".hidden.part").touch()
    assert left_behind(tmp_path) == []


def test_what_cannot_be_looked_at_is_not_taken_for_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".smspartner-a.part").touch()
    assert len(left_behind(tmp_path)) == 1
    monkeypatch.setattr(unfinished, "lock_file", Mock(side_effect=OSError("no locks here")))
    assert left_behind(tmp_path) == []


def test_a_forked_process_settles_only_what_it_has_made(
    tmp_path: Path, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    register.add(tmp_path / "a", lambda: "a is kept")
    monkeypatch.setattr("os.getpid", lambda: 0)
    register.add(tmp_path / "b", lambda: "b is kept")
    assert register.settle_all() == ["b is kept"]


def test_a_folder_that_cannot_be_made_leaves_nothing_to_settle(
    tmp_path: Path, register: Register
) -> None:
    with pytest.raises(FileNotFoundError), private_folder(tmp_path / "missing" / "file"):
        pass
    assert register.settle_all() == []


def test_a_forked_process_leaves_the_folder_to_its_parent(
    tmp_path: Path, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    with private_folder(tmp_path / "file") as folder:
        monkeypatch.setattr("os.getpid", lambda: 0)
    assert folder.is_dir()
    monkeypatch.undo()
    monkeypatch.setattr(unfinished, "register", register)
    assert register.settle_all() == []
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_was_left_is_named_with_what_removes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    left = tmp_path / ".smspartner-a.part"
    left.mkdir() if kind == "folder" else left.touch()
    name_left_behind(str(tmp_path / "n.xlsx"))
    rm = "rm -r" if kind == "folder" else "rm"
    assert capsys.readouterr().err.endswith(f"; delete it: {rm} {left}\n")
