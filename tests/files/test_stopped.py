"""Who has opted out in any record is left out in all of them, whatever is written where."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from number_files import dicts_in, skip_without_extra

from smspartner import Rental, open_numbers, write
from smspartner.errors import OutputError
from smspartner.files import stopped
from smspartner.files.many import SavedBodies
from smspartner.files.rows import Origin
from smspartner.models.number import RentedNumber

PHONE = "+33639980040"
OTHER = RentedNumber(2, "+33639980041", stop_sms=False)
STOP = RentedNumber(1, PHONE, stop_sms=True)
#: The same phone in another record.
SPELLINGS = [PHONE, "0639980040", "0033639980040", "+33 (0)6 39 98 00 40", "06.39.98.00.40"]


@pytest.fixture(params=[1 << 18, 0], ids=["in memory", "in a file"], autouse=True)
def _waiting(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let records wait in memory, and in a file."""
    monkeypatch.setattr(stopped, "HELD", request.param)


def again(phone: str) -> RentedNumber:
    return RentedNumber(3, phone, stop_sms=False)


def left(numbers: Iterable[object], folder: Path) -> list[Any]:
    """Return the ids that are written."""
    write(numbers, folder / "left.csv", exclude_stop=True)
    return [row["id"] for row in dicts_in(folder / "left.csv")]


@pytest.mark.parametrize("phone", SPELLINGS)
@pytest.mark.parametrize("stop", SPELLINGS)
def test_one_stop_leaves_out_all_records_of_a_phone(tmp_path: Path, phone: str, stop: str) -> None:
    said_no = RentedNumber(1, stop, stop_sms=True)
    assert left([OTHER, again(phone), said_no], tmp_path) == [2]
    assert left([said_no, OTHER, again(phone)], tmp_path) == [2]


@pytest.mark.parametrize(
    "name",
    [f"numbers.{ending}" for ending in ("csv", "jsonl", "json", "db", "parquet", "arrow", "xlsx")],
)
def test_it_does_so_wherever_the_numbers_go(tmp_path: Path, name: str) -> None:
    skip_without_extra(name)
    written = write([again(PHONE), OTHER, STOP], tmp_path / name, exclude_stop=True, token="a")
    with open_numbers(tmp_path / name) as source:
        assert [phone for batch in source.batches() for phone in batch["phone"]] == [OTHER.phone]
    assert (written.rows, written.left_out_stop, written.opted_out) == (1, 2, 0)


def test_nothing_goes_to_a_pipe_before_the_last_record_was_read(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    write([again(PHONE), OTHER, STOP], "-", exclude_stop=True)
    assert capfdbinary.readouterr().out == b"id,phone,stop_sms\n2,+33639980041,false\n"


SHAPES: dict[str, Callable[[list[RentedNumber]], Any]] = {
    "a rental": lambda numbers: Rental(tuple(numbers)),
    "read once": iter,
    "lists": lambda numbers: [[number] for number in numbers],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_numbers_of_any_shape_are_read_to_their_end_first(tmp_path: Path, shape: str) -> None:
    people = [RentedNumber(10 + at, f"+3363998{at:04d}", stop_sms=False) for at in range(9000)]
    stops = [RentedNumber(9999, f"06 39 98 {at // 100:02d} {at % 100:02d}", True) for at in (0, 42)]
    wanted = [number.id for number in people if number.id not in {10, 52}]
    assert left(SHAPES[shape]([*people, *stops]), tmp_path) == wanted


def body(path: Path, *numbers: RentedNumber) -> str:
    records = ",".join(
        f'{{"id":{number.id},"phone":"{number.phone}","stopSms":{str(number.stop_sms).lower()}}}'
        for number in numbers
    )
    path.write_text(f'{{"success":true,"datas":[{records}]}}')
    return str(path)


def test_a_stop_in_one_body_counts_in_all_that_are_written_with_it(tmp_path: Path) -> None:
    one, two = body(tmp_path / "1.json", again(PHONE)), body(tmp_path / "2.json", OTHER, STOP)
    bodies = SavedBodies([(Origin("a"), one), (Origin("b"), two)])
    written = write(bodies, tmp_path / "numbers.db", exclude_stop=True)
    assert (written.rows, written.left_out_stop) == (1, 2)
    with open_numbers(tmp_path / "numbers.db") as source:
        assert source.rentals == 2  # the one without numbers is known, too


def test_an_id_that_has_opted_out_is_left_out_whatever_its_phone(tmp_path: Path) -> None:
    moved = RentedNumber(STOP.id, "+33639980099", stop_sms=False)
    assert left([moved, OTHER, STOP], tmp_path) == [2]


def test_an_id_means_nothing_in_another_rental(tmp_path: Path) -> None:
    namesake = RentedNumber(STOP.id, "+33639980099", stop_sms=False)
    one, two = body(tmp_path / "1.json", namesake), body(tmp_path / "2.json", STOP)
    bodies = SavedBodies([(Origin("a"), one), (Origin("b"), two)])
    assert write(bodies, tmp_path / "numbers.csv", exclude_stop=True).rows == 1


def test_what_has_no_digits_to_compare_is_compared_as_it_stands(tmp_path: Path) -> None:
    unknown = [RentedNumber(at, "unknown", stop_sms=at == 1) for at in range(3)]
    assert left([*unknown, RentedNumber(7, "hidden", stop_sms=False)], tmp_path) == [7]


def test_what_waits_is_written_as_it_came(tmp_path: Path) -> None:
    odd = [RentedNumber(10**30, " 06 ", False), RentedNumber(-5, "\U0001f4de", False)]
    assert left([*odd, STOP], tmp_path) == [10**30, -5]
    half = RentedNumber(99, "+3363998\ud800", stop_sms=False)
    with pytest.raises(OutputError, match=r"the phone of record 1 \(counted from 0\)"):
        write([OTHER, half], tmp_path / "half.csv", exclude_stop=True)


def test_no_room_to_wait_is_an_error_and_the_target_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(stopped, "HELD", 0)
    monkeypatch.setattr(stopped, "TemporaryFile", full)
    (tmp_path / "numbers.csv").write_text("before")
    with pytest.raises(OutputError, match="cannot write 'a temporary file': the disk is full"):
        write([OTHER, STOP], tmp_path / "numbers.csv", exclude_stop=True)
    assert (tmp_path / "numbers.csv").read_text() == "before"
