"""What is written of the records, and which sink writes it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from number_files import (
    as_dicts,
    batches,
    check,
    dicts_in,
    left_in,
    numbers,
    skip_without_extra,
    write_body,
)

import smspartner
from smspartner import Rental, TruncatedError, open_bodies, write
from smspartner.errors import ConfigurationError, OutputError
from smspartner.files import sinks
from smspartner.files.rows import Rows, WriteOptions
from smspartner.files.sinks import sink_for
from smspartner.models.masks import mask_target
from smspartner.models.number import RentedNumber

FILES = ["numbers.csv", "numbers.jsonl", "numbers.json"]
TARGETS = [*FILES, "numbers.db"]


# What is written of the records.


@pytest.mark.parametrize("name", TARGETS)
def test_who_has_opted_out_is_left_out_when_asked_for(tmp_path: Path, name: str) -> None:
    written = write(batches(1000), tmp_path / name, exclude_stop=True, token="rental-1")
    wanted = [number for number in numbers(1000) if not number.stop_sms]
    assert dicts_in(tmp_path / name) == as_dicts(wanted)
    assert (written.rows, written.left_out_stop) == (len(wanted), 1000 - len(wanted))


@pytest.mark.parametrize("name", TARGETS)
def test_who_is_suppressed_is_left_out(tmp_path: Path, name: str) -> None:
    written = write(
        [numbers(5)], tmp_path / name, opt_outs={"+33639980001", "+33639980003"}, token="rental-1"
    )
    assert [row["id"] for row in dicts_in(tmp_path / name)] == [1, 3, 5]
    assert (written.rows, written.left_out_listed) == (3, 2)


def test_the_phone_in_e164_stands_beside_what_was_sent(tmp_path: Path) -> None:
    records = [
        RentedNumber(index, phone, stop_sms=False)
        for index, phone in enumerate(["06 39 98 00 42", "unknown", "0692000000"])
    ]
    for name in FILES:
        write([records], tmp_path / name, e164=True)
    assert (tmp_path / "numbers.csv").read_text() == (
        "id,phone,stop_sms,e164\n"
        "0,06 39 98 00 42,false,+33639980042\n"
        "1,unknown,false,\n"
        "2,0692000000,false,+262692000000\n"
    )
    e164 = ["+33639980042", None, "+262692000000"]
    assert [row["e164"] for row in dicts_in(tmp_path / "numbers.jsonl")] == e164
    assert [row["e164"] for row in dicts_in(tmp_path / "numbers.json")] == e164


def test_columns_can_be_chosen_and_ordered(tmp_path: Path) -> None:
    write([numbers(1)], tmp_path / "numbers.csv", columns=("stop_sms", "phone"))
    write([numbers(1)], tmp_path / "numbers.jsonl", columns=("stop_sms", "phone"))
    assert (tmp_path / "numbers.csv").read_text() == "stop_sms,phone\ntrue,+33639980000\n"
    assert (tmp_path / "numbers.jsonl").read_text() == '{"stop_sms":true,"phone":"+33639980000"}\n'


def test_a_row_of_one_empty_cell_is_not_a_blank_line(tmp_path: Path) -> None:
    write(
        [[RentedNumber(1, "unknown", stop_sms=False)]],
        tmp_path / "n.csv",
        columns=["e164"],
        exclude_stop=True,
    )
    assert (tmp_path / "n.csv").read_text() == 'e164\n""\n'


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (("id", "phone"), "without the column stop_sms nobody sees who has opted out"),
        (("id", "name"), "no column 'name'; there are id, phone, stop_sms, e164"),
        ((), "the columns must be one or more, each only once"),
        (("stop_sms", "stop_sms"), "the columns must be one or more"),
    ],
    ids=["no stop_sms", "unknown", "none", "twice"],
)
def test_columns_that_cannot_work_are_refused(columns: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        WriteOptions(columns=columns)


def test_stop_sms_may_go_where_nobody_has_opted_out_any_more(tmp_path: Path) -> None:
    write([numbers(2)], tmp_path / "numbers.csv", columns=("id", "phone"), exclude_stop=True)
    assert (tmp_path / "numbers.csv").read_text() == "id,phone\n2,+33639980001\n"


# The registry.


@pytest.mark.parametrize(
    ("target", "to", "name"),
    [
        ("numbers.csv", None, "csv"),
        ("NUMBERS.CSV", None, "csv"),
        ("numbers.ndjson", None, "jsonl"),
        ("numbers.json", None, "json"),
        ("numbers.parquet", None, "parquet"),
        ("numbers.feather", None, "arrow"),
        ("numbers.sqlite", None, "sqlite"),
        ("sqlite:///numbers", None, "sqlite"),
        ("postgresql://host/database", None, "postgresql"),
        ("postgres://host/database", None, "postgresql"),
        ("-", None, "csv"),
        ("-", "jsonl", "jsonl"),
        ("numbers.txt", "csv", "csv"),
        ("numbers.csv", "ndjson", "jsonl"),
        ("numbers", "JSON", "json"),
    ],
)
def test_the_target_or_the_user_tells_the_sink(target: str, to: str | None, name: str) -> None:
    assert sink_for(target, to).name == name
    assert sink_for(Path(target) if "://" not in target else target, to).name == name


ENDINGS = ".csv .jsonl .ndjson .json .parquet .arrow .feather .xlsx .db .sqlite .sqlite3"


@pytest.mark.parametrize(
    ("target", "to", "words"),
    [
        ("numbers.docx", None, f"'numbers.docx': known are {ENDINGS}"),
        ("numbers.parqet", None, f"'numbers.parqet': did you mean .parquet? known are {ENDINGS}"),
        ("numbers", None, f"'numbers': it has no extension; known are {ENDINGS}"),
        (".csv", None, f"'.csv': it has no extension; known are {ENDINGS}"),
        ("numbers.csv", "Excel", "the format 'Excel': did you mean xlsx? known are csv jsonl json"),
        ("numbers.csv", "cvs", "the format 'cvs': did you mean csv? known are csv jsonl json"),
        (
            "mysql://me:secret@host/database",
            None,
            "'mysql://me@host/database': known are sqlite:// postgresql://",
        ),
    ],
)
def test_a_target_without_a_sink_is_an_error_that_names_the_nearest_and_lists_all(
    target: str, to: str | None, words: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        sink_for(target, to)
    assert str(caught.value).startswith(f"cannot write {words}")
    assert "secret" not in str(caught.value)


def test_somebody_elses_sink_is_found_and_gets_what_ours_get(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Counting:
        name = "counting"
        endings = (".count",)
        schemes = ()
        extra = None
        seen: list[tuple[object, ...]]

        def check(self, target: str, options: WriteOptions) -> None: ...

        def write(self, rows: Rows, target: str, options: WriteOptions) -> None:  # noqa: ARG002
            self.seen = [row for batch in rows for row in batch]

    monkeypatch.setattr(sinks, "sinks", dict(sinks.sinks))
    sink = Counting()
    smspartner.register_sink(sink)
    written = write([numbers(3)], "x.count", exclude_stop=True)
    assert sink.seen == [(2, "+33639980001", False), (3, "+33639980002", False)]
    assert (written.rows, written.bytes) == (2, None)


@pytest.mark.parametrize("name", ["numbers.jsonl", "numbers.db"])
def test_the_form_for_spreadsheets_is_refused_where_there_is_none(
    tmp_path: Path, name: str
) -> None:
    with pytest.raises(ConfigurationError, match="excel_safe= is for CSV, not for"):
        check(tmp_path / name, excel_safe=True, token="rental-1")
    with pytest.raises(ConfigurationError, match="csv_separator= is for CSV, not for"):
        check(tmp_path / name, csv_separator=";", token="rental-1")


@pytest.mark.parametrize("name", TARGETS)
def test_asking_first_finds_a_folder_that_is_missing(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match="its folder does not exist; create it first"):
        check(tmp_path / "missing" / name, token="rental-1")


@pytest.mark.parametrize("name", TARGETS)
def test_asking_first_leaves_nothing_behind(tmp_path: Path, name: str) -> None:
    check(tmp_path / name, token="rental-1")
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("to", ["csv", "jsonl", "json"])
def test_standard_output_takes_text(to: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    written = write([numbers(3)], "-", to=to)
    out = capfdbinary.readouterr().out
    assert out.count(b"+3363998") == 3
    assert written.bytes == len(out)


@pytest.mark.parametrize("to", ["parquet", "arrow", "xlsx"])
def test_standard_output_takes_no_file_that_is_no_text(to: str) -> None:
    skip_without_extra(f"numbers.{to}")
    with pytest.raises(ConfigurationError, match=f"{to} needs a file"):
        check("-", to=to)


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("numbers.csv", "numbers.csv"),
        ("sqlite:///a@b?c.db", "sqlite:///a@b?c.db"),
        (
            "postgresql://me:secret@db.example:5432/rentals",
            "postgresql://me@db.example:5432/rentals",
        ),
        ("postgresql://me:secret@[::1]:5432/rentals", "postgresql://me@[::1]:5432/rentals"),
        ("postgresql://me@/rentals?password=secret", "postgresql://me@/rentals"),
        ("postgresql:///rentals?host=/run/x&password=secret", "postgresql:///rentals"),
        ("postgresql://me:sec@ret@host/rentals", "postgresql://…"),
        ("postgresql://me:sec/ret@host/rentals", "postgresql://…"),
        ("postgresql://me:sec?ret@host/rentals", "postgresql://…"),
        ("postgresql://me:sec#ret@host/rentals", "postgresql://…"),
        ("postgresql://me:secret@[::1/rentals", "postgresql://…"),
        ("postgresql://me:secret", "postgresql://…"),
    ],
)
def test_a_target_is_shown_without_its_password(target: str, shown: str) -> None:
    assert mask_target(target) == shown


@given(password=st.text(min_size=5), host=st.sampled_from(["host", "host:5432", "[::1]", ""]))
def test_no_password_is_ever_shown(password: str, host: str) -> None:
    for target in (f"x://me:{password}@{host}/db", f"x://{host}/db?password={password}"):
        assert password not in mask_target(target).removeprefix("x://me@").removeprefix("x://")


# What is imported.


def test_importing_the_exports_loads_no_extra() -> None:
    code = (
        "import sys, smspartner.files.write; "
        "print([name for name in ('pyarrow', 'psycopg', 'pandas', 'polars', 'phonenumbers',"
        " 'requests', 'lxml', 'smspartner.models.phones') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", [*TARGETS, "numbers.parquet", "numbers.arrow", "numbers.xlsx"])
def test_a_phone_with_half_a_character_is_an_error_that_names_the_record(
    tmp_path: Path, name: str
) -> None:
    skip_without_extra(name)
    half = RentedNumber(99, "+3363998\ud800", stop_sms=False)
    with pytest.raises(OutputError, match=r"the phone of record 1002 \(counted from 0\)"):
        write([numbers(1000), [*numbers(2), half]], tmp_path / name, token="rental-1")
    assert left_in(tmp_path) == []


# One call, any shape.

MANY = numbers(10_000)
SHAPES: dict[str, Callable[[], object]] = {
    "a rental": lambda: Rental(tuple(MANY)),
    "its numbers": lambda: Rental(tuple(MANY)).numbers,
    "a generator": lambda: (number for number in MANY),
    "lists": lambda: batches(10_000),
    "lists of all sizes": lambda: [MANY[:1], [], tuple(MANY[1:9000]), MANY[9000:]],
    "both": lambda: [*MANY[:5000], MANY[5000:9000], *MANY[9000:]],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_numbers_of_any_shape_are_written(tmp_path: Path, shape: str) -> None:
    written = write(SHAPES[shape](), tmp_path / "numbers.csv")
    assert dicts_in(tmp_path / "numbers.csv") == as_dicts(MANY)
    assert (written.rows, written.opted_out) == (10_000, len(range(0, 10_000, 7)))


@pytest.mark.parametrize(
    "wrong",
    ["numbers.csv", b"body", {"id": 1}, 3, None, [1], [[1]], [None], [(MANY[0], "x")], [{"id": 1}]],
    ids=repr,
)
def test_what_is_no_numbers_is_refused_and_the_target_stays(tmp_path: Path, wrong: object) -> None:
    (tmp_path / "numbers.csv").write_text("before")
    with pytest.raises(ConfigurationError, match="give a rental, a stream, or an iterable of"):
        write(wrong, tmp_path / "numbers.csv")
    assert (tmp_path / "numbers.csv").read_text() == "before"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": "id"}, r"the columns must be a list of names: columns=\['id'\]"),
        ({"columns": ["id"]}, "without the column stop_sms"),
        ({"token": "  "}, "the rental's token must not be empty"),
        ({"to": "docx"}, "cannot write the format 'docx'"),
    ],
)
def test_arguments_are_checked_before_the_first_number_is_read(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    taken = []

    def watched() -> Iterator[RentedNumber]:
        for number in MANY:
            taken.append(number)
            yield number

    with pytest.raises(ConfigurationError, match=message):
        write(watched(), tmp_path / "numbers.csv", **options)
    assert taken == []


@pytest.mark.parametrize("name", FILES)
def test_a_rental_tells_its_token_when_asked_to(tmp_path: Path, name: str) -> None:
    columns = ["token", "id", "phone", "stop_sms", "file"]
    write(numbers(2), tmp_path / name, columns=columns, token="rental-1")
    content = (tmp_path / name).read_text()
    assert content.count("rental-1") == 2
    assert content.count("file") == (1 if name.endswith("csv") else 2)


def archive(folder: Path) -> list[Path]:
    pytest.importorskip("pyarrow", reason="the extra arrow is not installed")
    folder.mkdir()
    return [write_body(folder / name, count) for name, count in (("a.json", 3), ("b.xml", 5))]


@pytest.mark.parametrize("name", [*FILES, "numbers.parquet"])
def test_numbers_of_several_bodies_say_which_body_they_are_from(tmp_path: Path, name: str) -> None:
    one, two = map(str, archive(tmp_path / "archive"))
    written = write(open_bodies(tmp_path / "archive"), tmp_path / name)
    assert (written.rows, written.columns) == (8, ("id", "phone", "stop_sms", "file"))
    if name.endswith(".parquet"):
        pyarrow = pytest.importorskip("pyarrow.parquet")
        found = pyarrow.read_table(tmp_path / name)["file"].to_pylist()
    else:
        text = (tmp_path / name).read_text()
        found = [one] * text.count(one) + [two] * text.count(two)
    assert found == [one] * 3 + [two] * 5


def test_each_body_is_a_rental_of_a_database(tmp_path: Path) -> None:
    one, two = map(str, archive(tmp_path / "archive"))
    bodies = open_bodies([one, two])
    write([numbers(3)], tmp_path / "numbers.db", token="rental-1")
    for _ in range(2):  # the column is made only once
        write(bodies, tmp_path / "numbers.db")
    with closing(sqlite3.connect(tmp_path / "numbers.db")) as database:
        query = "SELECT token, file, count(*) FROM rented_numbers GROUP BY token ORDER BY 1"
        found = database.execute(query).fetchall()
    assert sorted(found, key=str) == sorted(
        [(one, one, 3), (two, two, 5), ("rental-1", None, 3)], key=str
    )


@pytest.mark.parametrize("held", [None, 100], ids=["held", "read twice"])
def test_a_wrong_body_is_left_out_whole_or_stops_the_export(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: int | None
) -> None:
    one, two = archive(tmp_path / "archive")
    if held is not None:
        monkeypatch.setattr("smspartner.files.bodies.HELD", held)
    two.write_bytes(two.read_bytes()[:-30])
    skipping = open_bodies([str(one), str(two)], on_error="skip")
    assert write(skipping, tmp_path / "numbers.csv").rows == 3
    assert [error.file for error in skipping.skipped] == [str(two)]
    with pytest.raises(TruncatedError):
        write(open_bodies([str(one), str(two)]), tmp_path / "numbers.jsonl")
    assert not (tmp_path / "numbers.jsonl").exists()


def test_a_rental_of_which_everybody_is_left_out_is_an_empty_file(tmp_path: Path) -> None:
    stopped = [RentedNumber(1, "+33639980042", stop_sms=True)]
    written = write(stopped, tmp_path / "numbers.csv", exclude_stop=True)
    assert (tmp_path / "numbers.csv").read_text() == "id,phone,stop_sms\n"
    assert (written.rows, written.left_out_stop, written.opted_out) == (0, 1, 0)
