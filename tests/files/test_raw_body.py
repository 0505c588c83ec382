"""A body that arrived is never lost, and takes no other file's place."""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
from pathlib import Path
from typing import Final

import pytest
from number_files import disk_that_fills_up, left_in, mode_of

from smspartner.errors import (
    APIError,
    OutputError,
    RecordError,
    TruncatedError,
    UnknownFormatError,
)
from smspartner.files import atomic
from smspartner.files.atomic import Part
from smspartner.files.raw_body import RawBody

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
    assert raw.kept == tmp_path / "body-2.json"
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
    names = ["body.json.incomplete", "body.json-2.incomplete", "body.json-3.incomplete"]
    assert kept == [tmp_path / name for name in names]
    assert left_in(tmp_path) == sorted(names)
    assert {path.read_bytes() for path in kept if path} == {CHUNKS[0]}


@pytest.mark.parametrize(
    ("name", "second"),
    [
        ("body.json", "body-2.json"),
        ("n.csv.body.xml", "n.csv.body-2.xml"),
        ("body.json.gz", "body-2.json.gz"),
        ("body.ZST", "body-2.ZST"),
        ("body", "body-2"),
        (".json", ".json-2"),
        ("no. of the third, and last one", "no. of the third, and last one-2"),
        ("two\nlines.json\n", "two\nlines-2.json\n"),
        ("n" * 250 + ".json", "n" * 248 + "-2.json"),
    ],
)
def test_a_second_body_has_a_number_before_its_ending(
    tmp_path: Path, name: str, second: str
) -> None:
    for expected in (name, second):
        with RawBody(tmp_path / name) as raw:
            raw.write(b"{}")
        assert raw.kept == tmp_path / expected


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

    monkeypatch.setattr(Part, "_claimed", no_name)
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


def test_no_file_is_replaced_by_a_body(tmp_path: Path) -> None:
    kept = []
    for content in (b"first", b"second", b"third"):
        with RawBody(tmp_path / "body.json") as raw:
            raw.write(content)
        kept.append(raw.kept)
    names = ["body.json", "body-2.json", "body-3.json"]
    assert kept == [tmp_path / name for name in names]
    assert [path.read_bytes() for path in kept if path] == [b"first", b"second", b"third"]


def test_a_body_that_was_removed_meanwhile_is_an_error(tmp_path: Path) -> None:
    raw = RawBody(tmp_path / "body.json")
    with pytest.raises(OutputError, match="it was removed meanwhile"), raw:  # noqa: PT012
        raw.write(b"x")
        next(tmp_path.iterdir()).unlink()
    assert raw.kept is None
    assert left_in(tmp_path) == []


def test_a_body_is_named_though_no_further_file_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Path) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with RawBody(tmp_path / "body.json") as raw:
        raw.write(b"x")
        monkeypatch.setattr(atomic, "create_private", full)
    assert (tmp_path / "body.json").read_bytes() == b"x"


CODED: Final = gzip.compress(WHOLE)


def test_a_body_that_came_in_gzip_is_kept_decoded(tmp_path: Path) -> None:
    with RawBody(tmp_path / "body.json") as raw:
        raw.write_coded(CODED[:10])
        parts = sorted(path.read_bytes() for path in tmp_path.iterdir())
        raw.write_coded(CODED[10:])
        list(raw.tee(CHUNKS))
    assert parts == [b"", CODED[:10]]
    assert raw.kept == tmp_path / "body.json"
    assert (tmp_path / "body.json").read_bytes() == WHOLE
    assert left_in(tmp_path) == ["body.json"]
    assert raw.sha256 == hashlib.sha256(WHOLE).hexdigest()


def test_a_body_whose_gzip_has_no_good_end_is_kept_as_it_came(tmp_path: Path) -> None:
    raw = RawBody(tmp_path / "body.json", keep=False)
    with pytest.raises(TruncatedError) as caught, raw:  # noqa: PT012 - it is cut in there
        raw.write_coded(CODED)
        next(raw.tee(CHUNKS))
        raise TruncatedError
    kept = tmp_path / "body.json.incomplete"
    assert caught.value.kept == raw.kept == kept
    assert kept.read_bytes() == CODED
    assert left_in(tmp_path) == ["body.json.incomplete"]
    assert caught.value.__notes__ == [f"what came of the body is kept in {kept}"]


def test_a_body_that_decodes_to_its_end_is_kept_decoded_though_it_is_wrong(tmp_path: Path) -> None:
    raw = RawBody(tmp_path / "body.json", keep=False)
    with pytest.raises(RecordError), raw:  # noqa: PT012 - it fails in there
        raw.write_coded(CODED)
        list(raw.tee(CHUNKS))
        raise RecordError(0)
    assert raw.kept == tmp_path / "body.json"
    assert left_in(tmp_path) == ["body.json"]


def test_a_pipe_gets_the_decoded_body_only() -> None:
    with RawBody("/dev/null") as raw:
        raw.write_coded(CODED)
        list(raw.tee(CHUNKS))
    assert raw.size == len(WHOLE)


def test_a_name_that_was_claimed_before_a_stop_is_used_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(Part, "_move", stopped)
    with pytest.raises(KeyboardInterrupt), RawBody(tmp_path / "body.json") as raw:
        list(raw.tee(CHUNKS))
    assert left_in(tmp_path) == ["body.json"]
    assert (tmp_path / "body.json").read_bytes() == WHOLE
