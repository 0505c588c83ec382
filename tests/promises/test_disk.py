"""A disk that fails under a download: old files stay, one line says what to do, the body is kept.

What files and raw bodies do on their own is tested in ``files/test_atomic.py``, each sink in
``files/test_write.py``; here it is the way from the service to the disk as a whole.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import posix_only
import pytest
from number_files import disk_that_fills_up, left_in
from rawserver import Peer, RawServer, Script, head

from smspartner import Client, OutputError, Sandbox
from smspartner.cli import run
from smspartner.sandbox import body_size, render

pytestmark = pytest.mark.usefixtures("service")

KIB: Final = 1024
COUNT: Final = 20_000
SANDBOX: Final = {"numbers": COUNT}
SIZE: Final = body_size(COUNT, "json")
OLD: Final = b"what was there before"

FULL: Final = "the disk is full; free some space, or choose another folder"
COUNTED: Final = "the service may have counted this download: ask SMS Partner to allow it once more"
READ_ONLY: Final = ("the file system is read-only; choose another folder", "permission denied")


@contextmanager
def disk(place: Path, size: int) -> Iterator[Path]:
    """Mount an empty disk of so many bytes, and be in it."""
    if posix_only.geteuid() != 0:
        pytest.skip("only root can mount a disk; the tests with a limit on file sizes do run")
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
    before = Path.cwd()
    os.chdir(place)
    try:
        yield place
    finally:
        os.chdir(before)
        subprocess.run(["umount", str(place)], check=True)  # noqa: S607 - ours


def bodies(form: str) -> bytes:
    return b"".join(render(COUNT, form))


def told(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return what was said on standard error; nothing else was printed."""
    shown = capsys.readouterr()
    assert shown.out == ""
    return [line.removeprefix("smspartner: ") for line in shown.err.splitlines()]


def kept_line(name: str, *options: str) -> str:
    if name.endswith(".incomplete"):
        return f"what came of the body is kept in {name}"
    command = " ".join(["smspartner decode", name, *options])
    return f"the body is kept in {name}; to read it later: {command}"


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize("raw", [None, "body"], ids=["safety copy", "raw"])
@pytest.mark.parametrize("room", [20 * KIB, 200 * KIB], ids=lambda room: f"{room // KIB} KiB")
def test_a_disk_that_is_full_before_the_body_is_whole_keeps_what_came(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str, raw: str | None, room: int
) -> None:
    with disk(tmp_path / "disk", room) as folder:
        (folder / "n.csv").write_bytes(OLD)
        more = ["--raw", raw] if raw else []
        assert run(["download", f"n-{COUNT}", "-o", "n.csv", "--format", form, *more]) == 1
        name = raw or f"n.csv.body.{form}"
        assert told(capsys) == [
            f"rental n-{COUNT}: cannot write {name!r}: {FULL}",
            kept_line(f"{name}.incomplete"),
            COUNTED,
        ]
        assert left_in(folder) == sorted(["n.csv", f"{name}.incomplete"])
        assert (folder / "n.csv").read_bytes() == OLD
        kept = folder / f"{name}.incomplete"
        assert bodies(form).startswith(kept.read_bytes())
        assert room - 8 * KIB <= kept.stat().st_size < room
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@pytest.mark.parametrize("target", ["n.csv", "n.jsonl", "n.json", "n.arrow", "n.parquet", "n.db"])
def test_a_disk_with_room_for_the_body_alone_keeps_it_whole_and_the_old_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    room = SIZE + 28 * KIB
    with disk(tmp_path / "disk", room) as folder:
        run(["download", "n-3", "-o", target, "-q"])
        before = (folder / target).read_bytes()
        assert run(["download", f"n-{COUNT}", "-o", target]) == 1
        said, kept = told(capsys)
        assert said.startswith(f"cannot write {target!r}: ")
        assert "full" in said
        assert kept == kept_line(f"{target}.body.json", "-o", target, "--token", f"n-{COUNT}")
        assert left_in(folder) == [target, f"{target}.body.json"]
        assert (folder / target).read_bytes() == before
        assert (folder / f"{target}.body.json").read_bytes() == bodies("json")


def test_the_body_that_was_kept_makes_the_file_once_there_is_room(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    room = SIZE + 28 * KIB
    with disk(tmp_path / "disk", room):
        assert run(["download", f"n-{COUNT}", "-o", "n.csv"]) == 1
        command = told(capsys)[1].rpartition(": smspartner ")[2].split()
        command[command.index("-o") + 1] = str(tmp_path / "n.csv")
        assert run(command) == 0
    assert (tmp_path / "n.csv").read_bytes().count(b"\n") == COUNT + 1


@pytest.mark.parametrize("raw", [None, "body"], ids=["safety copy", "raw"])
def test_a_limit_on_file_sizes_is_a_full_disk_with_another_reason(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    raw: str | None,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("n.csv").write_bytes(OLD)
    with disk_that_fills_up(64 * KIB):
        assert run(["download", f"n-{COUNT}", "-o", "n.csv", *(["--raw", raw] if raw else [])]) == 1
    said, *more = told(capsys)
    assert "larger than allowed here" in said
    name = f"{raw or 'n.csv.body.json'}.incomplete"
    assert more == [kept_line(name), COUNTED]
    assert left_in(tmp_path) == sorted(["n.csv", name])
    assert Path("n.csv").read_bytes() == OLD
    assert Path(name).read_bytes() == bodies("json")[: 64 * KIB]


def test_a_disk_that_is_full_for_save_leaves_the_old_body(tmp_path: Path, sandbox: Sandbox) -> None:
    with disk(tmp_path / "disk", 200 * KIB) as folder, Client() as client:
        (folder / "body").write_bytes(OLD)
        with pytest.raises(OutputError, match=FULL):
            client.save(sandbox.token, "body")
        assert (folder / "body").read_bytes() == OLD
        assert bodies("json").startswith((folder / "body.incomplete").read_bytes())


@contextmanager
def read_only(place: Path) -> Iterator[Path]:
    """Be in a folder with an old file in which nothing can be written."""
    if posix_only.geteuid() != 0:
        place.mkdir()
        (place / "n.csv").write_bytes(OLD)
        place.chmod(0o500)
        before = Path.cwd()
        os.chdir(place)
        yield place
        os.chdir(before)
        place.chmod(0o700)
        return
    with disk(place, 64 * KIB) as folder:
        (folder / "n.csv").write_bytes(OLD)
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)  # noqa: S607
        yield folder


@pytest.mark.parametrize(
    "more",
    [["-o", "n.csv"], ["-o", "new.parquet"], ["-o", "n.db"], ["-o", "-"], ["-o", "-", "--raw=b"]],
    ids=" ".join,
)
def test_a_folder_that_cannot_be_written_is_found_out_before_a_download_is_spent(
    tmp_path: Path, sandbox: Sandbox, capsys: pytest.CaptureFixture[str], more: list[str]
) -> None:
    asked = len(sandbox.requests)
    with read_only(tmp_path / "disk") as folder:
        assert run(["download", sandbox.token, *more]) == 1
        (said,) = told(capsys)
        assert any(reason in said for reason in READ_ONLY)
        assert left_in(folder) == ["n.csv"]
        assert (folder / "n.csv").read_bytes() == OLD
    assert len(sandbox.requests) == asked


# --- in the middle --------------------------------------------------------------------------------


def interrupted_by(deed: Callable[[], None], folder: Path, files: int) -> Script:
    """Return a service that does something once half of its body is being written.

    Args:
        deed: what it does.
        folder: what it does something to.
        files: how many unfinished files there are by then.
    """
    body = bodies("json")
    half = len(body) // 2

    def script(peer: Peer) -> None:
        peer.send(head("Content-Type: application/json", f"Content-Length: {len(body)}"))
        peer.send(body[:half])
        give_up = time.monotonic() + 10
        while not has_arrived(folder, files):
            assert time.monotonic() < give_up
            time.sleep(0.005)
        deed()
        peer.send(body[half:])

    return script


def has_arrived(folder: Path, files: int) -> bool:
    """Say whether a body is being written, in one of so many unfinished files."""
    try:
        parts = list(folder.parent.rglob(".*.part"))
        sizes = [part.stat().st_size for part in parts]
    except FileNotFoundError:  # one that only tried whether it could be made
        return False
    return len(parts) == files and any(sizes)


def removed(folder: Path) -> None:
    """Remove a folder, also while somebody makes files in it."""
    while folder.exists():
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with an old file; the current one is another."""
    place = tmp_path / "place"
    place.mkdir()
    (place / "n.csv").write_bytes(OLD)
    monkeypatch.chdir(tmp_path)
    return place


def replaced(path: Path) -> Callable[[], None]:
    """Return the deed of putting a folder with something in it where a file is, or should be."""

    def deed() -> None:
        path.unlink(missing_ok=True)
        path.mkdir()
        (path / "inside").write_bytes(OLD)

    return deed


def test_a_target_that_became_a_folder_stays_one_and_the_body_is_kept(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with RawServer(interrupted_by(replaced(folder / "n.csv"), folder, 2)) as server:
        assert run(["download", "t", "-o", "place/n.csv", "--base-url", server.url]) == 1
    assert told(capsys) == [
        "cannot write 'place/n.csv': it is a folder; give the name of a file in it",
        "the finished file is kept in place/n-2.csv",
        kept_line("place/n.csv.body.json", "-o", "place/n.csv", "--token", "t"),
    ]
    assert left_in(folder) == ["n-2.csv", "n.csv", "n.csv.body.json"]
    assert (folder / "n-2.csv").read_bytes().count(b"\n") == COUNT + 1
    assert left_in(folder / "n.csv") == ["inside"]
    assert (folder / "n.csv.body.json").read_bytes() == bodies("json")


def test_a_raw_target_that_became_a_folder_does_not_lose_the_body(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with RawServer(interrupted_by(replaced(folder / "b.json"), folder, 2)) as server:
        command = ["download", "t", "-q", "-o", "place/n.csv", "--raw", "place/b.json"]
        assert run([*command, "--base-url", server.url]) == 0
    assert told(capsys) == [f"place/b.json is there already: {kept_line('place/b-2.json')}"]
    assert left_in(folder) == ["b-2.json", "b.json", "n.csv"]
    assert (folder / "b-2.json").read_bytes() == bodies("json")
    assert (folder / "n.csv").read_bytes().count(b"\n") == COUNT + 1


def test_a_body_to_save_whose_place_became_a_folder_is_kept_beside_it(folder: Path) -> None:
    path = folder / "body"
    with (
        RawServer(interrupted_by(replaced(path), folder, 1)) as server,
        Client("k", base_url=server.url) as client,
    ):
        assert client.save("t", path).path == folder / "body-2"
    assert left_in(folder) == ["body", "body-2", "n.csv"]
    assert (folder / "body-2").read_bytes() == bodies("json")


@pytest.mark.parametrize("more", [[], ["--raw", "place/b.json"]], ids=["safety copy", "raw"])
def test_a_folder_that_is_removed_is_one_clear_line_and_is_not_made_again(
    folder: Path, capsys: pytest.CaptureFixture[str], more: list[str]
) -> None:
    with RawServer(interrupted_by(lambda: removed(folder), folder, 2)) as server:
        command = ["download", "t", "-o", "place/n.csv", *more, "--base-url", server.url]
        assert run(command) == 1
    (said,) = told(capsys)
    assert said.startswith("cannot write 'place/")
    assert said.endswith("its folder does not exist; create it first")
    assert not folder.exists()


def test_a_folder_that_is_removed_does_not_take_the_body_elsewhere_with_it(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with RawServer(interrupted_by(lambda: removed(folder), folder, 2)) as server:
        command = ["download", "t", "-o", "place/n.csv", "--raw", "b.json"]
        assert run([*command, "--base-url", server.url]) == 1
    assert told(capsys) == [
        "cannot write 'place/n.csv': its folder does not exist; create it first",
        kept_line("b.json", "-o", "place/n.csv", "--token", "t"),
    ]
    assert (tmp_path / "b.json").read_bytes() == bodies("json")
