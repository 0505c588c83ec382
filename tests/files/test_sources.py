"""Where bodies are found: files, folders, patterns, remote addresses, plain or compressed."""

from __future__ import annotations

import errno
import gzip
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smspartner import ConfigurationError, DecodeError, TruncatedError
from smspartner.files.sources import find_bodies, open_body, size_of, stamp_of, would_find

BODY = b'{"success":true,"phoneNumbers":0,"datas":[]}'


def named(folder: Path, *names: str) -> list[str]:
    paths = [folder / name for name in names]
    for path in paths:
        path.write_bytes(BODY)
    return [str(path) for path in paths]


def whole(name: str) -> bytes:
    with open_body(name) as body:
        return b"".join(body.chunks())


def test_a_folder_gives_what_is_called_like_a_body(tmp_path: Path) -> None:
    bodies = named(
        tmp_path,
        *("a-2.json", "a.json", "b.xml", "c.XML.gz", "d.json.zst", "f.json-2.incomplete"),
        *("g.xml-2", "h.json.incomplete-3"),  # of earlier versions
    )
    named(
        tmp_path,
        "a.json.provenance.json",
        "smspartner-journal.jsonl",
        ".hidden.xml",
        "numbers.csv",
        "readme.txt",
    )
    (tmp_path / "folder.xml").mkdir()

    assert find_bodies(tmp_path) == bodies


def test_a_pattern_gives_what_it_matches_sorted(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    two, one = named(tmp_path, "r2.body", "r1.body")
    deep = named(tmp_path / "deep", "r0.body")

    assert find_bodies(f"{tmp_path}/*.body") == [one, two]
    assert find_bodies(f"{tmp_path}/**/*.body") == [*deep, one, two]


def test_files_are_taken_whatever_they_are_called_and_each_once(tmp_path: Path) -> None:
    files = named(tmp_path, "b", "a[1].xml", "c.csv")

    assert find_bodies([*map(Path, files), files[0]]) == files


@pytest.mark.parametrize("name", ["", "*.xml"])
def test_a_place_without_bodies_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="no bodies in"):
        find_bodies(tmp_path / name)


@pytest.mark.parametrize(
    ("paths", "words"),
    [([], "no bodies were given"), ([7], "a path is text")],
)
def test_what_cannot_be_a_place_is_refused(paths: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        find_bodies(paths)


def test_a_folder_that_cannot_be_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)

    with pytest.raises(ConfigurationError, match="Permission denied"):
        find_bodies(tmp_path)


def test_a_file_that_is_not_there_is_named_when_it_is_opened(tmp_path: Path) -> None:
    (name,) = find_bodies(tmp_path / "nothing.xml")

    with pytest.raises(ConfigurationError, match=r"nothing\.xml': cannot be read: No such file"):
        whole(name)
    with pytest.raises(ConfigurationError, match="No such file"):
        size_of(name)


def test_a_name_that_no_file_can_have_is_named_when_it_is_opened() -> None:
    with pytest.raises(ConfigurationError, match="not the name of a file"):
        whole("a\0b")


def compressed_with_gzip(content: bytes) -> bytes:
    return gzip.compress(content)


def compressed_with_zstandard(content: bytes) -> bytes:
    packed: bytes = pytest.importorskip("zstandard").ZstdCompressor().compress(content)
    return packed


Compress = Callable[[bytes], bytes]
every_compression = pytest.mark.parametrize(
    "compress", [compressed_with_gzip, compressed_with_zstandard]
)


@every_compression
def test_compression_is_told_by_content_and_not_by_name(tmp_path: Path, compress: Compress) -> None:
    path = tmp_path / "r.xml"
    path.write_bytes(compress(BODY) * 2)  # two members, as appending makes

    assert whole(str(path)) == BODY * 2
    assert size_of(str(path)) == path.stat().st_size


def test_gzip_that_stops_early_is_told(tmp_path: Path) -> None:
    path = tmp_path / "r.json.gz"
    path.write_bytes(gzip.compress(BODY)[:-4])

    with pytest.raises(TruncatedError, match=r"r\.json\.gz': what compresses it stops early"):
        whole(str(path))


@every_compression
def test_damaged_compression_is_told(tmp_path: Path, compress: Compress) -> None:
    path = tmp_path / "r"
    path.write_bytes(compress(BODY) + compress(BODY)[:4] + b"\xff" * 40)

    with pytest.raises(DecodeError, match="is damaged"):
        whole(str(path))


def test_a_body_can_be_read_again_unless_it_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_bytes(BODY)
    with open_body(str(path)) as body:
        assert b"".join(body.chunks()) == b"".join(body.chunks()) == BODY
        path.write_bytes(BODY + b" ")
        with pytest.raises(DecodeError, match="changed while it was read"):
            list(body.chunks())


def test_remote_addresses_are_read_through_fsspec(tmp_path: Path) -> None:
    pytest.importorskip("fsspec", reason="the extra remote is not installed")
    one, two = named(tmp_path, "r1.json", "r2.xml")
    named(tmp_path, "numbers.csv")
    addresses = [f"file://{one}", f"file://{two}"]

    assert find_bodies(f"file://{tmp_path}") == addresses
    assert find_bodies(f"file://{tmp_path}/*.xml") == addresses[1:]
    assert find_bodies(addresses[0]) == addresses[:1]
    assert whole(addresses[0]) == BODY
    assert size_of(addresses[0]) == len(BODY)


def test_an_extra_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    monkeypatch.setitem(sys.modules, "fsspec.core", None)

    with pytest.raises(ConfigurationError, match=r"pip install 'smspartner\[remote\]'"):
        find_bodies("s3://bucket/r.xml")


def test_what_a_remote_file_system_raises_is_ours_without_the_password() -> None:
    pytest.importorskip("fsspec", reason="the extra remote is not installed")
    address = "nonsense://me:secret@bucket/r.xml"

    for use in (find_bodies, whole, size_of):
        with pytest.raises(ConfigurationError) as caught:
            use(address)
        assert "secret" not in str(caught.value)


def test_a_link_to_nothing_is_a_body_of_its_folder_that_cannot_be_read(tmp_path: Path) -> None:
    named(tmp_path, "r1.json")
    (tmp_path / "r2.json").symlink_to(tmp_path / "nothing")

    one, two = find_bodies(tmp_path)

    assert whole(one) == BODY
    with pytest.raises(ConfigurationError, match=r"r2\.json': cannot be read: No such file"):
        whole(two)


def test_a_body_that_has_changed_has_another_stamp(tmp_path: Path) -> None:
    fsspec: Any = pytest.importorskip("fsspec", reason="the extra remote is not installed")
    memory = fsspec.filesystem("memory")
    memory.pipe("/changed/r1.json", BODY)
    first, other = named(tmp_path, "r1.json", "r2.json")
    for name in (first, "memory://changed/r1.json"):
        assert stamp_of(name) == stamp_of(name) is not None
    stamps = {stamp_of(first), stamp_of("memory://changed/r1.json")}
    times = Path(first).stat()
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    Path(other).replace(first)  # as a copy that keeps the time of its original
    memory.pipe("/changed/r1.json", BODY)
    assert not {stamp_of(first), stamp_of("memory://changed/r1.json")} & stamps
    for name in ("nothing.json", "memory://changed/r2.json", "nul\0.json"):
        assert stamp_of(name) is None


def test_one_body_under_several_names_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    named(tmp_path / "in", "r1.json", "r2.json")
    Path("in/r3.json").symlink_to("r1.json")
    Path("in/r4.json").hardlink_to("in/r2.json")
    Path("link").symlink_to("in")

    spellings = [
        "./in/r2.json",
        "in",
        f"{tmp_path}/in",
        "link",
        "in/*.json",
        f"{tmp_path}/in/r1.json",
    ]
    assert find_bodies(spellings) == ["./in/r2.json", "in/r1.json"]
    assert find_bodies(["in/none.json", "./in/none.json"]) == ["in/none.json", "./in/none.json"]


def test_an_address_of_a_file_is_that_file(tmp_path: Path) -> None:
    pytest.importorskip("fsspec", reason="the extra remote is not installed")
    (name,) = named(tmp_path, "r1.json")
    assert find_bodies([name, f"file://{name}"]) == [name]


@pytest.mark.parametrize(
    ("path", "file", "found"),
    [
        ("in", "in/all.json", True),
        ("in/", "link/all.json", True),
        ("link", "in/all.json", True),
        ("in", "in/all.csv", False),
        ("in", "in/deep/all.json", False),
        ("in", "all.json", False),
        ("in/*", "in/all.csv", True),
        ("link/*.json", "in/all.json", True),
        ("in/*.json", "in/all.csv", False),
        ("in/*.json", "in/deep/all.json", False),
        ("**/*.json", "in/deep/all.json", True),
        ("in/r1.json", "in/r1.json", False),
    ],
)
def test_what_a_folder_or_a_pattern_will_find_is_known_before_it_is_there(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    path: str,
    file: str,
    found: bool,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in/deep").mkdir(parents=True)
    Path("link").symlink_to("in")
    assert would_find(path, file) is found
