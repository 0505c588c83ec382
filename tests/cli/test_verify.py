"""``smspartner verify``: whether two files carry the same numbers, and where they first differ."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec
import posix_only
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from number_files import KINDS, TOKEN, write_body, write_export, write_kind

from smspartner.cli import run
from smspartner.files.compare import Comparison, Difference, Sighting, compare_files
from smspartner.models.masks import mask_phone
from smspartner.models.number import RentedNumber
from smspartner.sandbox.people import numbers_of

pytestmark = pytest.mark.usefixtures("in_folder")

#: More than two of the blocks that are compared at once.
MANY: Final = list(numbers_of(0, 9_000))
ALL: Final = ("id", "phone", "stop_sms")


def compared(left: str, right: str, *, any_order: bool = False) -> Comparison:
    """Compare files, and require that turning them round only turns the answer round."""
    found = compare_files(left, right, any_order=any_order)
    turned = compare_files(right, left, any_order=any_order)
    assert (turned.same, turned.columns, turned.left_out) == (
        found.same,
        found.columns,
        found.left_out,
    )
    assert turned.numbers == (found.numbers and found.numbers[::-1])
    assert (turned.first is None) == (found.first is None)
    if found.first and turned.first:
        assert turned.first == replace(found.first, left=found.first.right, right=found.first.left)
    return found


@pytest.mark.parametrize("any_order", [False, True], ids=["in order", "any order"])
@pytest.mark.parametrize(("one", "two"), [*pairwise(KINDS), ("numbers.db", "body.xml")])
def test_files_of_any_two_kinds_are_the_same(
    tmp_path: Path, one: str, two: str, *, any_order: bool
) -> None:
    for name in (one, two):
        write_kind(tmp_path, name, MANY)
    assert compared(one, two, any_order=any_order) == Comparison(
        same=True,
        ordered=not any_order and "numbers.db" not in (one, two),
        columns=ALL,
        left_out=(),
        numbers=(9_000, 9_000),
        rentals=tuple(1 if name == "numbers.db" else None for name in (one, two)),  # type: ignore[arg-type]
        first=None,
    )


def changed(number: RentedNumber, field: str) -> RentedNumber:
    others = {"id": 77, "phone": "+33739980077", "stop_sms": not number.stop_sms}
    return msgspec.structs.replace(number, **{field: others[field]})


@pytest.mark.parametrize("index", [0, 1, 4095, 4096, 8191, 8192, 8998])
@pytest.mark.parametrize("field", ALL)
def test_the_first_difference_is_found_wherever_it_is(
    tmp_path: Path, index: int, field: str
) -> None:
    write_export(tmp_path / "a.csv", MANY)
    numbers = list(MANY)
    numbers[index] = changed(numbers[index], field)
    numbers[-1] = changed(numbers[-1], "stop_sms")  # a later one changes nothing
    write_export(tmp_path / "b.jsonl", numbers)
    found = compared("a.csv", "b.jsonl")
    assert not found.same
    assert found.numbers is None
    assert found.first is not None
    assert found.first.left is not None
    assert found.first.right is not None
    assert found.first.left.index == found.first.right.index == index
    assert found.first.field == field
    assert "39980" not in found.first.left.text + found.first.right.text


def test_phones_are_shown_masked_and_told_apart_all_the_same(tmp_path: Path) -> None:
    def difference(one: str, two: str) -> Difference | None:
        write_export(tmp_path / "a.csv", [RentedNumber(1, one, stop_sms=False)])
        write_export(tmp_path / "b.csv", [RentedNumber(1, two, stop_sms=False)])
        return compare_files("a.csv", "b.csv").first

    shown = "+33 6 •• •• •• 42"
    assert difference("+33639980042", "+33639981142") == Difference(
        Sighting(0, shown), Sighting(0, shown), "phone", "they differ from character 9 on"
    )
    assert difference("+33639980042", "0639980042") == Difference(
        Sighting(0, shown),
        Sighting(0, "••••••••42"),
        "phone",
        "the same number, written differently",
    )
    different = difference("+33639980042", "+33639980043")
    assert different is not None
    assert different.remark is None


def test_a_missing_e164_differs_from_one_that_is_there(tmp_path: Path) -> None:
    write_export(tmp_path / "a.csv", MANY[:1], e164=True)
    (tmp_path / "b.csv").write_bytes((tmp_path / "a.csv").read_bytes()[:-13] + b"\n")
    found = compare_files("a.csv", "b.csv").first
    assert found is not None
    assert found.right == Sighting(0, "nothing")


@pytest.mark.parametrize("count", [0, 1, 4095, 4096, 4097, 8999])
def test_a_file_that_ends_early_is_different(tmp_path: Path, count: int) -> None:
    write_body(tmp_path / "a.xml", 9_000)
    write_export(tmp_path / "b.json", MANY[:count])
    found = compared("a.xml", "b.json")
    missing = MANY[count]
    text = f"id {missing.id}, phone +33 6 •• •• •• {missing.phone[-2:]}, stop_sms "
    assert found == Comparison(
        same=False,
        ordered=True,
        columns=ALL,
        left_out=(),
        numbers=(9_000, count),
        rentals=(None, None),
        first=Difference(Sighting(count, text + str(missing.stop_sms).lower()), None),
    )


def test_in_any_order_each_number_counts_as_often_as_it_comes(tmp_path: Path) -> None:
    one, two, three = MANY[:3]
    write_export(tmp_path / "a.csv", [one, two, two, three])
    write_export(tmp_path / "b.csv", [two, three, two, one])
    write_export(tmp_path / "c.csv", [three, two, one, one])
    assert compared("a.csv", "b.csv", any_order=True).same
    assert not compared("a.csv", "b.csv").same
    found = compared("a.csv", "c.csv", any_order=True)
    assert not found.same
    assert found.numbers == (4, 4)
    assert found.first is not None
    assert (found.first.left, found.first.right) == (
        Sighting(2, f"id {two.id}, phone +33 6 •• •• •• {two.phone[-2:]}, stop_sms false"),
        Sighting(3, f"id {one.id}, phone +33 6 •• •• •• {one.phone[-2:]}, stop_sms false"),
    )


def test_in_any_order_files_that_have_nothing_in_common_are_told_apart(tmp_path: Path) -> None:
    write_export(tmp_path / "a.csv", MANY)
    write_export(tmp_path / "b.csv", list(numbers_of(1, 5_000)))
    found = compared("a.csv", "b.csv", any_order=True)
    assert (found.same, found.numbers) == (False, (9_000, 5_000))
    assert found.first is not None
    assert found.first.left is not None
    assert found.first.right is not None


RECORDS = st.lists(
    st.builds(
        RentedNumber,
        st.integers(),
        st.sampled_from([f"+3363998{last:04d}" for last in range(4)]),
        st.booleans(),
    ),
    max_size=8,
)


@settings(max_examples=50)
@given(RECORDS, RECORDS)
def test_in_any_order_files_are_the_same_for_equal_multisets_only(
    tmp_path_factory: pytest.TempPathFactory, ones: list[RentedNumber], twos: list[RentedNumber]
) -> None:
    folder = tmp_path_factory.mktemp("any-order")
    paths = [write_export(folder / name, list(r)) for name, r in (("a.csv", ones), ("b.csv", twos))]
    found = compare_files(*paths, any_order=True)
    more, fewer = Counter(ones) - Counter(twos), Counter(twos) - Counter(ones)
    assert found.same == (not more and not fewer)
    if found.first is not None:
        for sighting, records, rest in (
            (found.first.left, ones, more),
            (found.first.right, twos, fewer),
        ):
            assert (sighting is None) == (not rest)
            assert sighting is None or records[sighting.index] in rest


def test_columns_that_one_side_lacks_are_not_compared_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped = [msgspec.structs.replace(number, stop_sms=False) for number in MANY[:100]]
    write_export(tmp_path / "a.csv", stopped, columns=["phone", "id"], e164=True)
    write_body(tmp_path / "b.json", 100)
    assert run(["verify", "a.csv", "b.json"]) == 0
    assert capsys.readouterr().out == (
        "the same 100 numbers in the same order (compared: id, phone)\n"
        "not compared, as only one of them has it: stop_sms, e164\n"
    )


def test_without_a_column_of_phones_in_common_nothing_is_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped = [msgspec.structs.replace(number, stop_sms=False) for number in MANY[:3]]
    write_export(tmp_path / "a.csv", stopped, columns=["e164", "id"])
    write_export(tmp_path / "b.csv", stopped, columns=["phone", "id"])
    assert run(["verify", "a.csv", "b.csv"]) == 4
    assert capsys.readouterr().err == (
        "smspartner: nothing to compare: 'a.csv' has id, e164, 'b.csv' has id, phone; "
        "export phone from both\n"
    )


def test_a_difference_is_explained_and_exits_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_body(tmp_path / "a.xml", 10)
    write_export(tmp_path / "b.csv", [*MANY[:7], changed(MANY[7], "phone"), MANY[8]])
    assert run(["verify", "a.xml", "b.csv"]) == 1
    last = MANY[7].phone[-2:]
    assert capsys.readouterr().out == (
        "different (compared: id, phone, stop_sms)\n"
        f"first at record 7 (counted from 0): phone is +33 6 •• •• •• {last} in a.xml, "
        "+33 7 •• •• •• 77 in b.csv\n"
    )
    assert run(["verify", "--any-order", "b.csv", "a.xml"]) == 1
    shown = capsys.readouterr().out
    assert "different, in any order (compared: id, phone, stop_sms)\n" in shown
    assert "only in b.csv: record 7 (counted from 0): id" in shown
    assert "only in a.xml: record 7 (counted from 0): id" in shown
    assert "b.csv has 9 numbers, a.xml has 10\n" in shown


def test_nothing_in_a_file_or_its_name_reaches_the_terminal_as_a_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_export(tmp_path / "\x1b[2J.csv", [RentedNumber(1, "+33639980\x1b\x9b", stop_sms=False)])
    write_export(tmp_path / "b.csv", MANY[:1])
    assert run(["verify", "--any-order", "\x1b[2J.csv", "b.csv"]) == 1
    shown = capsys.readouterr().out
    assert shown.replace("\n", "").isprintable()
    assert "�[2J.csv" in shown


def test_quiet_says_nothing_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_body(tmp_path / "a.xml", 10)
    write_body(tmp_path / "b.xml", 11)
    assert run(["verify", "-q", "a.xml", "b.xml"]) == 1
    assert run(["verify", "-q", "a.xml", "a.xml"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_database_has_no_order_and_one_rental_of_it_can_be_chosen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_export(tmp_path / "a.csv", MANY[:50][::-1])
    path = write_export(tmp_path / "b.db", MANY[:50])
    assert run(["verify", "a.csv", "b.db"]) == 0
    shown = capsys.readouterr()
    assert shown.out == "the same 50 numbers in any order (compared: id, phone, stop_sms)\n"
    assert shown.err == "the order is not compared: a database has none\n"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("INSERT INTO rented_numbers VALUES ('b', 1, '0639980099', 1, NULL)")
    assert run(["verify", "a.csv", "sqlite:///b.db", "--token", TOKEN]) == 0
    assert run(["verify", "a.csv", "b.db"]) == 1
    assert "b.db holds 2 rentals, all were compared; --token chooses one" in capsys.readouterr().out


def test_e164_of_a_database_counts_only_where_it_was_asked_for(tmp_path: Path) -> None:
    write_export(tmp_path / "a.csv", MANY[:50], e164=True)
    write_export(tmp_path / "with.db", MANY[:50], e164=True)
    write_export(tmp_path / "without.db", MANY[:50])
    assert compare_files("a.csv", "with.db").columns == (*ALL, "e164")
    without = compare_files("a.csv", "without.db")
    assert (without.same, without.columns, without.left_out) == (True, ALL, ("e164",))


def verify(*args: str, stdin: Path) -> subprocess.CompletedProcess[str]:
    with stdin.open("rb") as content:
        return subprocess.run(
            [sys.executable, "-m", "smspartner", "verify", *args],
            stdin=content,
            capture_output=True,
            text=True,
            check=False,
        )


def test_one_of_them_can_come_from_standard_input(tmp_path: Path) -> None:
    body = write_body(tmp_path / "a.xml", 100)
    write_export(tmp_path / "b.csv", MANY[:100])
    write_export(tmp_path / "c.csv", MANY[1:100])
    assert verify("-", "b.csv", stdin=body).returncode == 0
    done = verify("--any-order", "-", "c.csv", stdin=body)
    assert done.returncode == 1
    assert done.stdout == (
        "different, in any order (compared: id, phone, stop_sms)\n"
        f"only in -: record 0 (counted from 0): {said(MANY[0])}\n"
        "- has 100 numbers, c.csv has 99\n"
    )


def said(number: RentedNumber) -> str:
    phone, stop_sms = mask_phone(number.phone), str(number.stop_sms).lower()
    return f"id {number.id}, phone {phone}, stop_sms {stop_sms}"


def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    write_export(tmp_path / "b.csv", MANY[:9])
    posix_only.mkfifo(tmp_path / "pipe")
    content = write_body(tmp_path / "a.xml", 10).read_bytes()
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(content,))
    writer.start()
    found = compare_files("pipe", "b.csv", any_order=True)
    writer.join()
    assert (found.same, found.numbers) == (False, (10, 9))
    assert found.first == Difference(Sighting(9, said(MANY[9])), None)


BAD_INPUT: Final = {
    "missing": (["a.xml", "none.csv"], 2, "File 'none.csv' does not exist"),
    "folder": (["a.xml", "."], 2, "File '.' is a directory"),
    "png": (["a.xml", "a.png"], 7, "'a.png': it is binary"),
    "truncated": (["a.xml", "cut.json"], 7, "'cut.json': the JSON body stops before its end"),
    "late": (["cut.csv", "a.xml"], 7, "'cut.csv', line 5002: it has 2 instead of 3 cells"),
    "both from a pipe": (["-", "-"], 4, "standard input can be read only once"),
    "token": (["a.xml", "a.xml", "--token", "t"], 4, "a token chooses a rental of a database"),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_one_clear_line(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_body(tmp_path / "a.xml", 9_000)
    cut = write_body(tmp_path / "cut.json", 9_000)
    cut.write_bytes(cut.read_bytes()[:-10])
    csv = write_export(tmp_path / "cut.csv", MANY[:5_000])
    csv.write_bytes(csv.read_bytes() + b"1,+33639980042\n")
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1")
    args, code, words = BAD_INPUT[case]
    assert run(["verify", *args]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert words in shown.err
    assert not re.search(r"3998\d{4}", shown.err)
    lines = [line for line in shown.err.splitlines() if line and not line.startswith(("U", "T"))]
    assert len(lines) == 1


PROGRAM: Final = """
import sys
from smspartner.cli import run

assert run(["verify", *sys.argv[1:]]) == 0
with open("/proc/self/status") as status:
    print(next(line.split()[1] for line in status if line.startswith("VmHWM")), file=sys.stderr)
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("options", [[], ["--any-order"]], ids=["in order", "any order"])
def test_large_files_are_compared_with_flat_memory(tmp_path: Path, options: list[str]) -> None:
    write_body(tmp_path / "a.json", 200_000)
    write_body(tmp_path / "b.xml", 200_000)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "a.json", "b.xml", *options],
        capture_output=True,
        text=True,
        check=True,
    )
    # Measured, also for a million: 40 MiB either way.
    assert int(done.stderr) / 1024 < 60
