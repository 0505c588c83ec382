"""Numbers go to files and to SQLite: all of them, as they were sent, or none."""

from __future__ import annotations

import csv
import io
import stat
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from number_files import (
    ODD_PHONES,
    SourceError,
    as_dicts,
    as_rows,
    batches,
    dicts_in,
    disk_that_fills_up,
    failing,
    left_in,
    numbers,
    read,
)

from smspartner import write
from smspartner.errors import OutputError
from smspartner.files.rows import SEPARATORS, WriteOptions
from smspartner.files.write import write_rows
from smspartner.models.columns import COLUMNS
from smspartner.models.number import RentedNumber

FILES = ["numbers.csv", "numbers.jsonl", "numbers.json"]
TARGETS = [*FILES, "numbers.db"]
#: Workbooks too, which take 25 times as long: where few numbers are written.
ALL = [*TARGETS, "numbers.xlsx"]

# Every sink.


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 5000])
def test_every_sink_writes_all_numbers_in_order(tmp_path: Path, name: str, count: int) -> None:
    target = tmp_path / name
    written = write(batches(count), target, token="rental-1")
    assert dicts_in(target) == as_dicts(numbers(count))
    assert (written.rows, written.target, written.columns) == (count, str(target), COLUMNS)
    assert written.bytes == (None if name.endswith(".db") else target.stat().st_size)
    assert left_in(tmp_path) == [name]


@pytest.mark.parametrize("name", ALL)
def test_every_sink_gives_odd_phones_back_as_they_were(tmp_path: Path, name: str) -> None:
    odd = [RentedNumber(index, phone, index % 2 == 0) for index, phone in enumerate(ODD_PHONES)]
    write([odd], tmp_path / name, token="rental-1")
    assert dicts_in(tmp_path / name) == as_dicts(odd)


@pytest.mark.parametrize("name", TARGETS)
@given(phones=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)))
def test_every_sink_gives_any_text_back(
    tmp_path_factory: pytest.TempPathFactory, name: str, phones: list[str]
) -> None:
    records = [RentedNumber(index, phone, stop_sms=False) for index, phone in enumerate(phones)]
    target = tmp_path_factory.mktemp("any") / name
    write([records], target, token="rental-1")
    assert dicts_in(target) == as_dicts(records)


@pytest.mark.parametrize("name", ALL)
def test_every_file_is_private(tmp_path: Path, name: str) -> None:
    write(batches(10), tmp_path / name, token="rental-1")
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("before", [True, False], ids=["replacing", "new"])
def test_a_source_that_fails_leaves_the_target_as_it_was(
    tmp_path: Path,
    name: str,
    before: bool,  # noqa: FBT001 - a case of the test
) -> None:
    target = tmp_path / name
    if before:
        write(batches(10), target, token="rental-1")
    held = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(SourceError):
        write(failing(after=20), target, token="rental-1")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == held


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("before", [True, False], ids=["replacing", "new"])
def test_a_disk_that_fills_up_leaves_the_target_as_it_was(
    tmp_path: Path,
    name: str,
    before: bool,  # noqa: FBT001 - a case of the test
) -> None:
    target = tmp_path / name
    if before:
        write(batches(10), target, token="rental-1")
    held = dicts_in(target) if before else None
    with pytest.raises(OutputError, match="cannot write"), disk_that_fills_up(400_000):
        write(batches(100_000), target, token="rental-1")
    assert left_in(tmp_path) == ([name] if before else [])
    assert (dicts_in(target) if before else None) == held


@pytest.mark.parametrize("name", TARGETS)
def test_every_sink_holds_a_few_batches_and_not_the_rental(tmp_path: Path, name: str) -> None:
    tracemalloc.start()
    try:
        write(batches(60_000), tmp_path / name, token="rental-1")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * 1024 * 1024


@pytest.mark.parametrize("name", TARGETS)
def test_a_rental_in_memory_can_be_written_as_one_batch(tmp_path: Path, name: str) -> None:
    write([tuple(numbers(10_000))], tmp_path / name, token="rental-1")
    assert dicts_in(tmp_path / name) == as_dicts(numbers(10_000))


# The forms of the files.


def test_csv_is_plain_and_the_same_everywhere(tmp_path: Path) -> None:
    write([numbers(2)], tmp_path / "numbers.csv")
    assert (tmp_path / "numbers.csv").read_bytes() == (
        b"id,phone,stop_sms\n1,+33639980000,true\n2,+33639980001,false\n"
    )


@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize("excel_safe", [False, True], ids=["plain", "for Excel"])
@pytest.mark.parametrize("columns", [COLUMNS, ("phone",)], ids=["three columns", "one column"])
def test_whatever_stands_between_cells_is_told_by_the_header(
    tmp_path: Path,
    separator: str,
    excel_safe: bool,  # noqa: FBT001 - a case of the test
    columns: tuple[str, ...],
) -> None:
    phones = [*filter(str.strip, ODD_PHONES), "a,b;c\td|e"]
    odd = [RentedNumber(index, phone, stop_sms=False) for index, phone in enumerate(phones)]
    options = WriteOptions(
        excel_safe=excel_safe, csv_separator=separator, columns=columns, exclude_stop=True
    )
    write_rows([odd], tmp_path / "numbers.csv", options=options)
    text = (tmp_path / "numbers.csv").read_text("utf-8-sig")
    assert text.startswith(separator.join(columns) + "\n")
    found = as_rows(odd) if len(columns) > 1 else [(phone,) for phone in phones]
    assert read(tmp_path / "numbers.csv") == found


def test_csv_for_spreadsheets_keeps_phones_as_text(tmp_path: Path) -> None:
    records = [*numbers(1), RentedNumber(2, '=HYPERLINK("x")', stop_sms=False)]
    write([records], tmp_path / "numbers.csv", excel_safe=True)
    assert (tmp_path / "numbers.csv").read_bytes().decode() == (
        "\ufeffid;phone;stop_sms\r\n"
        '1;"=""+33639980000""";true\r\n'
        '2;"=""=HYPERLINK(""""x"""")""";false\r\n'
    )


def test_csv_for_spreadsheets_lets_no_text_out_of_its_formula(tmp_path: Path) -> None:
    odd = [RentedNumber(index, phone, stop_sms=False) for index, phone in enumerate(ODD_PHONES)]
    write([odd], tmp_path / "numbers.csv", excel_safe=True)
    text = (tmp_path / "numbers.csv").read_bytes().decode("utf-8-sig")
    cells = [row["phone"] for row in csv.DictReader(io.StringIO(text, newline=""), delimiter=";")]
    for cell, phone in zip(cells, ODD_PHONES, strict=True):
        assert cell.startswith('="')
        assert cell.endswith('"')
        assert cell[2:-1].replace('""', "").count('"') == 0
        assert cell[2:-1].replace('""', '"') == phone


def test_json_has_the_names_of_python_one_record_a_line(tmp_path: Path) -> None:
    write([numbers(2)], tmp_path / "numbers.jsonl")
    write([numbers(2)], tmp_path / "numbers.json")
    lines = (
        b'{"id":1,"phone":"+33639980000","stop_sms":true}',
        b'{"id":2,"phone":"+33639980001","stop_sms":false}',
    )
    assert (tmp_path / "numbers.jsonl").read_bytes() == b"%b\n%b\n" % lines
    assert (tmp_path / "numbers.json").read_bytes() == b"[\n%b,\n%b\n]\n" % lines


@pytest.mark.parametrize("name", FILES)
def test_an_id_of_any_size_fits_into_text(tmp_path: Path, name: str) -> None:
    records = [RentedNumber(10**30, "+33639980042", stop_sms=True)]
    write([records], tmp_path / name)
    assert dicts_in(tmp_path / name) == as_dicts(records)
