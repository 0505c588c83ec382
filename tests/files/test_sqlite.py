"""SQLite: one table, which shows each rental as it was exported last."""

from __future__ import annotations

import contextlib
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from number_files import SourceError, as_dicts, batches, dicts_in, failing, left_in, numbers

from smspartner.errors import ConfigurationError, OutputError
from smspartner.files import write as export
from smspartner.files.write import ExportOptions
from smspartner.models.number import RentedNumber

TOKEN = ExportOptions(token="rental-1")


def table(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT * FROM rented_numbers ORDER BY token, id").fetchall()


def options(token: str, *, e164: bool = False, exclude_stop: bool = False) -> ExportOptions:
    return ExportOptions(token=token, e164=e164, exclude_stop=exclude_stop)


def test_writing_twice_gives_the_same_table(tmp_path: Path) -> None:
    target = tmp_path / "numbers.db"
    export.write(batches(2000), target, options=TOKEN)
    once = table(target)
    export.write(batches(2000), f"sqlite:///{target}", options=TOKEN)
    assert table(target) == once
    assert len(once) == 2000


def test_a_rental_is_in_the_table_as_it_was_exported_last(tmp_path: Path) -> None:
    target = tmp_path / "numbers.db"
    export.write([numbers(10)], target, options=options("a", e164=True))
    export.write([numbers(3)], target, options=options("b"))
    changed = [RentedNumber(1, "+33639989999", stop_sms=False), *numbers(4)[1:]]
    export.write([changed], target, options=options("a", exclude_stop=True))
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
    export.write([records], tmp_path / "numbers.db", options=TOKEN)
    assert table(tmp_path / "numbers.db") == [("rental-1", 1, "+33639980002", 1, None)]


def test_phones_are_text_in_the_database(tmp_path: Path) -> None:
    records = [RentedNumber(1, "0639980042", stop_sms=False)]
    export.write([records], tmp_path / "numbers.db", options=options("a", e164=True))
    with closing(sqlite3.connect(tmp_path / "numbers.db")) as database:
        types = database.execute("SELECT typeof(phone), typeof(e164) FROM rented_numbers")
        assert types.fetchall() == [("text", "text")]
    assert table(tmp_path / "numbers.db") == [("a", 1, "0639980042", 0, "+33639980042")]


def test_other_tables_of_a_database_stay(tmp_path: Path) -> None:
    target = tmp_path / "crm.db"
    with closing(sqlite3.connect(target)) as database, database:
        database.execute("CREATE TABLE mine (x)")
        database.execute("INSERT INTO mine VALUES (1)")
    export.write([numbers(3)], target, options=TOKEN)
    with closing(sqlite3.connect(target)) as database:
        assert database.execute("SELECT x FROM mine").fetchall() == [(1,)]


def test_a_table_of_that_name_with_another_shape_is_an_error(tmp_path: Path) -> None:
    target = tmp_path / "crm.db"
    with closing(sqlite3.connect(target)) as database, database:
        database.execute("CREATE TABLE rented_numbers (x)")
    with pytest.raises(OutputError, match=r"cannot write '.*crm\.db': SQLite says"):
        export.write([numbers(3)], target, options=TOKEN)


def test_a_file_that_is_no_database_is_found_before_a_download(tmp_path: Path) -> None:
    (tmp_path / "numbers.db").write_bytes(b"not a database, but long enough for a header" * 10)
    with pytest.raises(OutputError, match="SQLite says file is not a database"):
        export.check(tmp_path / "numbers.db", options=TOKEN)


@pytest.mark.parametrize(
    "target", ["sqlite://numbers.db", "sqlite:///", "-"], ids=["two slashes", "no file", "stdout"]
)
def test_sqlite_needs_a_file(target: str) -> None:
    with pytest.raises(ConfigurationError, match="SQLite needs a file"):
        export.check(target, to="sqlite", options=TOKEN)


@pytest.mark.parametrize("name", ["a%20b?c#d.db", ":memory:", "file:x.db"])
def test_a_file_name_of_a_database_is_taken_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    export.write([numbers(1)], f"sqlite:///{name}", options=TOKEN)
    assert left_in(tmp_path) == [name]


@pytest.mark.parametrize("target", ["numbers.db", "postgresql://host/database"])
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (ExportOptions(), "a database needs the rental's token"),
        (
            ExportOptions(token="a", columns=("id", "stop_sms")),
            "a database takes all of id, phone, stop_sms",
        ),
    ],
    ids=["no token", "no phone"],
)
def test_a_database_needs_the_key_of_its_rows_and_all_columns(
    target: str, wrong: ExportOptions, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        export.check(target, options=wrong)


@pytest.mark.parametrize("journal", ["journal", "wal"])
def test_a_journal_is_as_private_as_its_database(tmp_path: Path, journal: str) -> None:
    target = tmp_path / "numbers.db"
    seen: dict[str, int] = {}

    def watched() -> Iterator[list[RentedNumber]]:
        for batch in batches(2000):
            yield batch
            seen.update(
                (path.name, stat.S_IMODE(path.stat().st_mode)) for path in tmp_path.iterdir()
            )

    if journal == "wal":
        export.write([numbers(1)], target, options=TOKEN)
        with closing(sqlite3.connect(target)) as database:
            database.execute("PRAGMA journal_mode = wal")
    export.write(watched(), target, options=TOKEN)
    assert f"numbers.db-{journal}" in seen
    assert set(seen.values()) == {0o600}


@pytest.mark.parametrize("identifier", [2**63, -(2**63) - 1, 10**30])
def test_an_id_beyond_64_bits_is_an_error_that_names_the_record(
    tmp_path: Path, identifier: int
) -> None:
    records = [*numbers(1200), RentedNumber(identifier, "+33639980042", stop_sms=False)]
    with pytest.raises(OutputError, match=r"the id of record 1200 \(counted from 0\)"):
        export.write([records[:700], records[700:]], tmp_path / "numbers.db", options=TOKEN)
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("identifier", [2**63 - 1, -(2**63)])
def test_an_id_of_64_bits_fits_into_a_database(tmp_path: Path, identifier: int) -> None:
    records = [RentedNumber(identifier, "+33639980042", stop_sms=False)]
    export.write([records], tmp_path / "numbers.db", options=TOKEN)
    assert dicts_in(tmp_path / "numbers.db") == as_dicts(records)


def test_two_writers_of_a_new_database_both_succeed(tmp_path: Path) -> None:
    target = tmp_path / "numbers.db"
    assert behind_a_writer(target, lambda: None) == "written"
    assert [row[0] for row in table(target)] == ["first"] * 10 + ["second"] * 3


@pytest.mark.parametrize("removed_late", [False, True], ids=["at once", "late"])
def test_a_writer_that_fails_takes_no_other_writers_data_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, removed_late: bool
) -> None:
    target, unlink = tmp_path / "numbers.db", Path.unlink

    def slowly(path: Path, missing_ok: bool = False) -> None:  # noqa: FBT001, FBT002 - Path's own
        time.sleep(0.3)
        unlink(path, missing_ok)

    def fail() -> None:
        if removed_late:
            monkeypatch.setattr(Path, "unlink", slowly)
        raise SourceError

    assert behind_a_writer(target, fail) == "written"
    assert table(target) == [("second", *row) for row in rows(3)]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def behind_a_writer(target: Path, end: Callable[[], None]) -> str:
    """Write a rental while another writer of a new database is at work, which then ends so."""
    at_work, go_on = threading.Event(), threading.Event()
    outcome = []

    def first() -> Iterator[list[RentedNumber]]:
        yield numbers(10)
        at_work.set()
        go_on.wait(10)
        end()

    def write_first() -> None:
        with contextlib.suppress(SourceError):
            export.write(first(), target, options=options("first"))

    def write_second() -> None:
        try:
            export.write([numbers(3)], target, options=options("second"))
        except OutputError as error:
            outcome.append(str(error))
        else:
            outcome.append("written")

    threads = [threading.Thread(target=write_first), threading.Thread(target=write_second)]
    threads[0].start()
    at_work.wait(10)
    threads[1].start()
    time.sleep(0.2)  # until it waits for the lock
    go_on.set()
    for thread in threads:
        thread.join()
    return outcome[0]


def rows(count: int) -> list[tuple[object, ...]]:
    return [(each.id, each.phone, each.stop_sms, None) for each in numbers(count)]


def test_a_database_that_is_removed_while_it_is_written_is_no_success(tmp_path: Path) -> None:
    target = tmp_path / "numbers.db"

    def removing() -> Iterator[list[RentedNumber]]:
        yield numbers(3)
        target.unlink()

    with pytest.raises(OutputError, match=r"numbers\.db"):
        export.write(removing(), target, options=TOKEN)


def test_a_failure_leaves_no_new_database_behind_a_link_either(tmp_path: Path) -> None:
    link = tmp_path / "link.db"
    link.symlink_to(tmp_path / "numbers.db")
    export.check(link, options=TOKEN)
    with pytest.raises(SourceError):
        export.write(failing(after=2), link, options=TOKEN)
    assert left_in(tmp_path) == ["link.db"]
    export.write([numbers(3)], link, options=TOKEN)
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
        export.check(target, options=TOKEN)
    assert target.read_bytes() == before


def test_a_database_that_cannot_be_written_is_found_before_a_download(tmp_path: Path) -> None:
    target = tmp_path / "numbers.db"
    export.write([numbers(3)], target, options=TOKEN)
    # The rights of a file do not stop root; a folder in the place of the journal does.
    (tmp_path / "numbers.db-journal").mkdir()
    with pytest.raises(OutputError, match=r"cannot write '.*numbers\.db'"):
        export.check(target, options=TOKEN)


@pytest.mark.parametrize("there", [b"", None], ids=["an empty file", "a database"])
def test_a_check_changes_nothing(tmp_path: Path, there: bytes | None) -> None:
    target = tmp_path / "numbers.db"
    if there is None:
        export.write([numbers(3)], target, options=TOKEN)
    else:
        target.write_bytes(there)
    before = target.read_bytes()
    export.check(target, options=options("another"))
    assert target.read_bytes() == before
    assert left_in(tmp_path) == ["numbers.db"]


def test_a_token_that_is_not_text_is_refused_as_such(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="the rental's token is not text"):
        export.write([numbers(1)], tmp_path / "numbers.db", options=options("\udcff"))


@pytest.mark.parametrize("name", ["file/x.db", "missing/x.db", "x" * 300 + ".db", "a\0b.db"])
def test_a_place_where_no_database_can_be_is_found_before_a_download(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write"):
        export.check(tmp_path / name, options=TOKEN)
