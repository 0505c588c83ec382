"""SQLite: one table, which shows each rental as it was exported last."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from number_files import (
    SourceError,
    as_dicts,
    batches,
    check,
    dicts_in,
    disk_that_fills_up,
    failing,
    left_in,
    numbers,
    read,
)

from smspartner import write
from smspartner.errors import ConfigurationError, OutputError
from smspartner.files.formats import sqlite
from smspartner.files.read import open_numbers
from smspartner.files.rows import WriteOptions
from smspartner.files.write import write_rows
from smspartner.models.number import RentedNumber


def table(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT * FROM rented_numbers ORDER BY token, id").fetchall()


def test_writing_twice_gives_the_same_table(tmp_path: Path) -> None:
    target = tmp_path / "numbers.db"
    write(batches(2000), target, token="rental-1")
    once = table(target)
    write(batches(2000), f"sqlite:///{target}", token="rental-1")
    assert table(target) == once
    assert len(once) == 2000


def test_a_rental_is_in_the_table_as_it_was_exported_last(tmp_path: Path) -> None:
    target = tmp_path / "numbers.db"
    write([numbers(10)], target, token="a", e164=True)
    write([numbers(3)], target, token="b")
    changed = [RentedNumber(1, "+33639989999", stop_sms=False), *numbers(4)[1:]]
    write([changed], target, token="a", exclude_stop=True)
    assert table(target) == [
        ("a", 1, "+33639989999", 0, None),
        ("a", 2, "+33639980001", 0, None),
        ("a", 3, "+33639980002", 0, None),
        ("a", 4, "+33639980003", 0, None),
        ("b", 1, "+33639980000", 1, None),
        ("b", 2, "+33639980001", 0, None),
        ("b", 3, "+33639980002", 0, None),
    ]


def test_an_id_that_comes_twice_is_one_row_the_last_one(tmp_path: Path) -> None:
    records = [
        RentedNumber(1, "+33639980001", stop_sms=False),
        RentedNumber(1, "+33639980002", stop_sms=True),
    ]
    write([records], tmp_path / "numbers.db", token="rental-1")
    assert table(tmp_path / "numbers.db") == [("rental-1", 1, "+33639980002", 1, None)]


def test_phones_are_text_in_the_database(tmp_path: Path) -> None:
    records = [RentedNumber(1, "0639980042", stop_sms=False)]
    write([records], tmp_path / "numbers.db", token="a", e164=True)
    with closing(sqlite3.connect(tmp_path / "numbers.db")) as database:
        types = database.execute("SELECT typeof(phone), typeof(e164) FROM rented_numbers")
        assert types.fetchall() == [("text", "text")]
    assert table(tmp_path / "numbers.db") == [("a", 1, "0639980042", 0, "+33639980042")]


def test_other_tables_of_a_database_stay(tmp_path: Path) -> None:
    target = tmp_path / "crm.db"
    with closing(sqlite3.connect(target)) as database, database:
        database.execute("CREATE TABLE mine (x)")
        database.execute("INSERT INTO mine VALUES (1)")
    write([numbers(3)], target, token="rental-1")
    with closing(sqlite3.connect(target)) as database:
        assert database.execute("SELECT x FROM mine").fetchall() == [(1,)]


def test_a_table_of_that_name_with_another_shape_is_an_error(tmp_path: Path) -> None:
    target = tmp_path / "crm.db"
    with closing(sqlite3.connect(target)) as database, database:
        database.execute("CREATE TABLE rented_numbers (x)")
    with pytest.raises(OutputError, match=r"cannot write '.*crm\.db': SQLite says"):
        write([numbers(3)], target, token="rental-1")


def test_a_file_that_is_no_database_is_found_before_a_download(tmp_path: Path) -> None:
    (tmp_path / "numbers.db").write_bytes(b"not a database, but long enough for a header" * 10)
    with pytest.raises(OutputError, match="SQLite says file is not a database"):
        check(tmp_path / "numbers.db", token="rental-1")


@pytest.mark.parametrize(
    "target", ["sqlite://numbers.db", "sqlite:///", "-"], ids=["two slashes", "no file", "stdout"]
)
def test_sqlite_needs_a_file(target: str) -> None:
    with pytest.raises(ConfigurationError, match="SQLite needs a file"):
        check(target, to="sqlite", token="rental-1")


@pytest.mark.parametrize("name", ["a%20b?c#d.db", ":memory:", "file:x.db"])
def test_a_file_name_of_a_database_is_taken_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write([numbers(1)], f"sqlite:///{name}", token="rental-1")
    assert left_in(tmp_path) == [name]


@pytest.mark.parametrize("target", ["numbers.db", "postgresql://host/database"])
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "a database needs the rental's token"),
        (
            {"token": "a", "columns": ("id", "stop_sms")},
            "a database takes all of id, phone, stop_sms",
        ),
    ],
    ids=["no token", "no phone"],
)
def test_a_database_needs_the_key_of_its_rows_and_all_columns(
    target: str, wrong: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        check(target, **wrong)


def test_a_wal_is_as_private_as_its_database(tmp_path: Path) -> None:
    target = tmp_path / "numbers.db"
    write([numbers(1)], target, token="rental-1")
    with closing(sqlite3.connect(target)) as reader:
        reader.execute("PRAGMA journal_mode = wal").fetchone()
        reader.execute("SELECT * FROM rented_numbers").fetchone()
        write(batches(2000), target, token="rental-1")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(["numbers.db", "numbers.db-wal", "numbers.db-shm"], 0o600)


@pytest.mark.parametrize("identifier", [2**63, -(2**63) - 1, 10**30])
def test_an_id_beyond_64_bits_is_an_error_that_names_the_record(
    tmp_path: Path, identifier: int
) -> None:
    records = [*numbers(1200), RentedNumber(identifier, "+33639980042", stop_sms=False)]
    with pytest.raises(OutputError, match=r"the id of record 1200 \(counted from 0\)"):
        write([records[:700], records[700:]], tmp_path / "numbers.db", token="rental-1")
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("identifier", [2**63 - 1, -(2**63)])
def test_an_id_of_64_bits_fits_into_a_database(tmp_path: Path, identifier: int) -> None:
    records = [RentedNumber(identifier, "+33639980042", stop_sms=False)]
    write([records], tmp_path / "numbers.db", token="rental-1")
    assert dicts_in(tmp_path / "numbers.db") == as_dicts(records)


def test_a_writer_does_not_wait_for_another_ones_download(tmp_path: Path) -> None:
    target = tmp_path / "numbers.db"

    def first() -> Iterator[list[RentedNumber]]:
        yield numbers(10)
        write([numbers(3)], target, token="second")

    write(first(), target, token="first")
    assert [row[0] for row in table(target)] == ["first"] * 10 + ["second"] * 3


def test_a_writer_that_fails_takes_no_other_writers_data_along(tmp_path: Path) -> None:
    target = tmp_path / "numbers.db"

    def first() -> Iterator[list[RentedNumber]]:
        yield numbers(10)
        write([numbers(3)], target, token="second")
        raise SourceError

    with pytest.raises(SourceError):
        write(first(), target, token="first")
    assert [row[0] for row in table(target)] == ["second"] * 3


def test_a_writer_waits_for_another_one_and_hears_ctrl_c_meanwhile(tmp_path: Path) -> None:
    target = tmp_path / "numbers.db"
    write([numbers(1)], target, token="rental-1")
    with closing(sqlite3.connect(target, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.2, other.execute, ["COMMIT"]).start()
        write([numbers(3)], target, token="rental-1")
        assert len(table(target)) == 3

        other.execute("BEGIN IMMEDIATE")
        start = time.monotonic()
        threading.Timer(0.2, signal.raise_signal, [signal.SIGINT]).start()
        with pytest.raises(KeyboardInterrupt):
            write([numbers(4)], target, token="rental-1")
        assert time.monotonic() - start < 5
        other.execute("ROLLBACK")
    assert len(table(target)) == 3


def test_a_deadline_bounds_the_wait_for_another_writer(tmp_path: Path) -> None:
    target = tmp_path / "numbers.db"
    write([numbers(1)], target, token="rental-1")
    with closing(sqlite3.connect(target, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        start = time.monotonic()
        with pytest.raises(OutputError, match="database is locked"):
            check(target, token="rental-1", deadline=0.2)
        options = WriteOptions(token="rental-1", deadline=0.2)
        with pytest.raises(OutputError, match="database is locked"):
            write_rows([numbers(3)], target, options=options)
        assert 0.4 <= time.monotonic() - start < 5


@pytest.mark.parametrize("kind", ["IMMEDIATE", "EXCLUSIVE"])
def test_another_writer_is_waited_for(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "numbers.db"
    write([numbers(1)], target, token="rental-1")
    with closing(sqlite3.connect(target, isolation_level=None, check_same_thread=False)) as other:
        other.execute(f"BEGIN {kind}")
        timer = threading.Timer(0.3, lambda: other.execute("COMMIT"))
        timer.start()
        assert write([numbers(3)], target, token="rental-1").rows == 3
        timer.join()


@pytest.mark.parametrize("limit", [0, 512, 20_000])
def test_a_first_export_that_fails_leaves_no_database(tmp_path: Path, limit: int) -> None:
    (tmp_path / "link.db").symlink_to(tmp_path / "numbers.db")
    for name in ("numbers.db", "link.db"):
        with disk_that_fills_up(limit), pytest.raises(OutputError):
            write([numbers(3000)], tmp_path / name, token="rental-1")
        assert left_in(tmp_path) == ["link.db"]
    (tmp_path / "numbers.db").touch()  # not made by the export
    with disk_that_fills_up(limit), pytest.raises(OutputError):
        write([numbers(3000)], tmp_path / "numbers.db", token="rental-1")
    assert left_in(tmp_path) == ["link.db", "numbers.db"]


@pytest.mark.parametrize("first", ["COMMIT", "SELECT 1"])
def test_a_database_that_was_made_goes_again_if_nothing_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    def stopped(database: sqlite3.Connection, *_: object) -> None:
        database.execute(first)
        raise KeyboardInterrupt

    monkeypatch.setattr(sqlite, "_merge", stopped)
    with pytest.raises(KeyboardInterrupt):
        write([numbers(3)], tmp_path / "numbers.db", token="rental-1")
    assert left_in(tmp_path) == (["numbers.db"] if first == "COMMIT" else [])


def test_a_database_that_another_export_takes_back_loses_no_rows_in_silence(tmp_path: Path) -> None:
    target = tmp_path / "numbers.db"
    target.touch()
    with closing(sqlite3.connect(target, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")

        def fail() -> None:
            target.unlink()
            other.execute("ROLLBACK")

        timer = threading.Timer(0.3, fail)
        timer.start()
        with pytest.raises(OutputError):
            write([numbers(3)], target, token="rental-1")
        timer.join()


def test_an_id_that_comes_twice_keeps_the_stop_of_either(tmp_path: Path) -> None:
    twice = [
        RentedNumber(1, "+33639980001", stop_sms=True),
        RentedNumber(1, "+33639980002", stop_sms=False),
    ]
    write([twice], tmp_path / "numbers.db", token="rental-1")
    assert table(tmp_path / "numbers.db") == [("rental-1", 1, "+33639980002", 1, None)]


def test_a_rental_without_numbers_is_a_rental(tmp_path: Path) -> None:
    target = tmp_path / "numbers.db"
    write([numbers(3)], target, token="full")
    write([], target, token="empty")
    write([], target, token="empty")
    with open_numbers(target, token="empty") as found:
        assert (list(found.batches()), found.rentals) == ([], 2)
    with pytest.raises(ConfigurationError, match="no rental of this token; it has 2 of other ones"):
        read(target, token="unknown")


def test_a_further_column_that_must_not_be_null_is_found_before_a_download(tmp_path: Path) -> None:
    target = tmp_path / "crm.db"
    write([numbers(3)], target, token="rental-1")
    with closing(sqlite3.connect(target)) as database:
        database.execute("CREATE TABLE again AS SELECT * FROM rented_numbers")
        database.execute("DROP TABLE rented_numbers")
        database.execute(KEYED.format("phone, e164, list TEXT NOT NULL"))
    with pytest.raises(OutputError, match=r"NOT NULL constraint failed: rented_numbers\.list"):
        check(target, token="rental-1")


def test_a_check_never_sets_off_a_trigger(tmp_path: Path) -> None:
    target = tmp_path / "crm.db"
    write([numbers(3)], target, token="rental-1")
    with closing(sqlite3.connect(target)) as database:
        database.execute(
            "CREATE TRIGGER never AFTER INSERT ON rented_numbers BEGIN SELECT RAISE(ABORT, 'no'); "
            "END"
        )
    check(target, token="rental-1")
    with pytest.raises(OutputError, match="SQLite says no"):
        write([numbers(4)], target, token="rental-1")
    assert len(table(target)) == 3


def test_a_failure_leaves_no_new_database_behind_a_link_either(tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(tmp_path / "numbers.db")
    check(link, token="rental-1")
    with pytest.raises(SourceError):
        write(failing(after=2), link, token="rental-1")
    assert left_in(tmp_path) == ["link.db"]
    write([numbers(3)], link, token="rental-1")
    assert len(table(tmp_path / "numbers.db")) == 3


KEYED = "CREATE TABLE rented_numbers (token TEXT, id INT, {}, stop_sms, PRIMARY KEY (token, id))"
UNFIT = {
    "a view": ("CREATE VIEW rented_numbers AS SELECT 1", "it is a view"),
    "no key": ("CREATE TABLE rented_numbers (token,id,phone,stop_sms,e164)", "ON CONFLICT clause"),
    "another shape": ("CREATE TABLE rented_numbers (x)", "SQLite says"),
    "integers": (KEYED.format("phone INT, e164 TEXT"), "phone is INT, which makes numbers of"),
    "numeric": (KEYED.format("phone TEXT, e164 NUMERIC"), "its column e164 is NUMERIC"),
}


@pytest.mark.parametrize(("table_there", "message"), UNFIT.values(), ids=UNFIT)
def test_a_table_that_cannot_take_the_rows_is_found_before_a_download(
    tmp_path: Path, table_there: str, message: str
) -> None:
    target = tmp_path / "crm.db"
    with closing(sqlite3.connect(target)) as database:
        database.execute(table_there)
    before = target.read_bytes()
    with pytest.raises(OutputError, match=message):
        check(target, token="rental-1")
    assert target.read_bytes() == before


def test_a_database_that_cannot_be_written_is_found_before_a_download(tmp_path: Path) -> None:
    target = tmp_path / "numbers.db"
    write([numbers(3)], target, token="rental-1")
    # The rights of a file do not stop root; a folder in the place of the journal does.
    (tmp_path / "numbers.db-journal").mkdir()
    with pytest.raises(OutputError, match=r"cannot write '.*numbers\.db'"):
        check(target, token="rental-1")


@pytest.mark.parametrize("there", [b"", None], ids=["an empty file", "a database"])
def test_a_check_changes_nothing(tmp_path: Path, there: bytes | None) -> None:
    target = tmp_path / "numbers.db"
    if there is None:
        write([numbers(3)], target, token="rental-1")
    else:
        target.write_bytes(there)
    before = target.read_bytes()
    check(target, token="another")
    assert target.read_bytes() == before
    assert left_in(tmp_path) == ["numbers.db"]


def test_a_token_that_is_not_text_is_refused_as_such(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="the rental's token is not text"):
        write([numbers(1)], tmp_path / "numbers.db", token="\udcff")


@pytest.mark.parametrize("name", ["file/x.db", "missing/x.db", "x" * 300 + ".db", "a\0b.db"])
def test_a_place_where_no_database_can_be_is_found_before_a_download(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        check(tmp_path / name, token="rental-1")


def test_a_name_that_is_not_utf_8_is_a_name(tmp_path: Path) -> None:
    target = tmp_path / os.fsdecode(b"num\xe9ros.db")
    write(batches(10), target, token="t")
    with closing(sqlite3.connect(os.fsencode(target))) as database:
        assert database.execute("SELECT count(*) FROM rented_numbers").fetchone() == (10,)
