"""Many bodies as one table: all of a body's rows or none, and every wrong one named."""

from __future__ import annotations

import gzip
import pickle
from pathlib import Path
from typing import Any

import pytest

from smspartner import (
    ConfigurationError,
    CountMismatchError,
    RentedNumber,
    SMSPartnerError,
    TruncatedError,
    open_bodies,
    read_batches,
)
from smspartner.files import bodies as bodies_module
from smspartner.sandbox.bodies import render
from smspartner.sandbox.people import numbers_of

pyarrow: Any = pytest.importorskip("pyarrow", reason="the extra arrow is not installed")

WRONG = {
    "truncated.json": b'{"success":true,"phoneNumbers":1,"datas":[{"id":1,"phone":"+33639980001"',
    "refused.xml": b"<result><entry>false</entry><entry>10</entry><entry>non</entry></result>",
    "miscounted.json": b'{"success":true,"phoneNumbers":2,"datas":[]}',
    "page.xml": b"<html><body>502</body></html>",
    "shifted.xml": b"<result><entry>true</entry><entry>1</entry><entry><entry>"
    b"<entry>+33639980001</entry><entry>false</entry></entry></entry></result>",
}


def body(count: int, form: Any, seed: int = 0) -> bytes:
    return b"".join(render(count, form, seed=seed))


def archive(folder: Path) -> list[RentedNumber]:
    """Write four bodies into a folder and return their numbers in order."""
    (folder / "r1.json").write_bytes(body(10, "json", 1))
    (folder / "r2.xml").write_bytes(body(20, "xml", 2))
    (folder / "r3.xml.gz").write_bytes(gzip.compress(body(30, "xml", 3)))
    (folder / "r4.json").write_bytes(body(0, "json", 4))
    return [*numbers_of(1, 10), *numbers_of(2, 20), *numbers_of(3, 30)]


def wrong_ones(folder: Path) -> None:
    for name, content in WRONG.items():
        (folder / name).write_bytes(content)


def rows(table: Any) -> list[RentedNumber]:
    columns = (table.column(name).to_pylist() for name in ("id", "phone", "stop_sms"))
    return [RentedNumber(*values) for values in zip(*columns, strict=True)]


def test_a_folder_is_one_table_that_says_which_body_a_number_is_from(tmp_path: Path) -> None:
    numbers = archive(tmp_path)

    opened = open_bodies(tmp_path)
    table = opened.to_arrow()

    assert rows(table) == numbers
    files = [Path(name).name for name in table.column("file").to_pylist()]
    assert files == ["r1.json"] * 10 + ["r2.xml"] * 20 + ["r3.xml.gz"] * 30
    assert pyarrow.table(opened).equals(table)
    assert repr(opened) == "Bodies(4 files, columns=id, phone, stop_sms, file)"
    assert opened.skipped == []


def test_the_schema_is_exact_whatever_the_columns(tmp_path: Path) -> None:
    archive(tmp_path)

    table = open_bodies(tmp_path, columns=["file", "e164", "id"]).to_arrow()

    assert table.schema == pyarrow.schema(
        [
            pyarrow.field("file", pyarrow.utf8(), nullable=False),
            pyarrow.field("e164", pyarrow.utf8(), nullable=True),
            pyarrow.field("id", pyarrow.int64(), nullable=False),
        ]
    )
    assert all(phone.startswith("+33") for phone in table.column("e164").to_pylist())


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_body_stops_the_table_and_is_named(tmp_path: Path, name: str) -> None:
    archive(tmp_path)
    (tmp_path / name).write_bytes(WRONG[name])

    with pytest.raises(SMSPartnerError) as caught:
        open_bodies(tmp_path).to_arrow()

    assert caught.value.file == str(tmp_path / name)
    assert str(caught.value).startswith(f"'{tmp_path / name}': ")


def test_wrong_bodies_can_be_left_out_each_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    numbers = archive(tmp_path)
    wrong_ones(tmp_path)
    opened = open_bodies(tmp_path, on_error="skip")

    for _ in range(2):  # the second time as the first
        assert rows(opened.to_arrow()) == numbers
        assert {Path(error.file or "").name for error in opened.skipped} == set(WRONG)
    assert all(name in caplog.text for name in WRONG)


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize("held", [0, 10_000, 1 << 40])
def test_no_row_leaves_a_body_before_its_end_is_proved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, held: int
) -> None:
    monkeypatch.setattr(bodies_module, "HELD", held)
    monkeypatch.setattr("smspartner.models.arrow.GROUP", 500)
    path = tmp_path / "r"
    path.write_bytes(body(3000, form))
    batches = list(read_batches(str(path)))
    assert rows(pyarrow.Table.from_batches(batches)) == list(numbers_of(0, 3000))
    path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(TruncatedError):
        next(read_batches(str(path)))


def test_reading_one_body_is_a_plain_function_that_pickles(tmp_path: Path) -> None:
    (tmp_path / "r").write_bytes(body(5, "xml"))
    again = pickle.loads(pickle.dumps(read_batches))  # noqa: S301 - our own bytes

    (batch,) = again(str(tmp_path / "r"), columns=["phone"])

    assert batch.to_pydict() == {"phone": [number.phone for number in numbers_of(0, 5)]}


def test_a_count_that_does_not_match_gives_no_row(tmp_path: Path) -> None:
    (tmp_path / "r").write_bytes(b"".join(render(5, "json", seed=0, declared=7)))

    with pytest.raises(CountMismatchError):
        next(read_batches(str(tmp_path / "r")))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"columns": ["phones"]}, "no column 'phones'; there are id, phone"),
        ({"columns": []}, "one or more"),
        ({"columns": ["id", "id"]}, "each only once"),
        ({"on_error": "ignore"}, "'raise' or 'skip'"),
    ],
)
def test_arguments_are_checked_before_anything_is_read(
    tmp_path: Path, arguments: dict[str, Any], words: str
) -> None:
    archive(tmp_path)

    with pytest.raises(ConfigurationError, match=words):
        open_bodies(tmp_path, **arguments)
