"""PostgreSQL, against a real server that is started here and stopped again."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from number_files import ODD_PHONES, SourceError, batches, check, failing, numbers, write_body

from smspartner import open_bodies, write
from smspartner.errors import ConfigurationError, OutputError
from smspartner.files.formats import postgres
from smspartner.files.formats.postgres import PostgreSQLSink
from smspartner.files.rows import WriteOptions
from smspartner.files.write import write_rows
from smspartner.models.number import RentedNumber

psycopg = pytest.importorskip("psycopg", reason="the extra postgres is not installed")

PASSWORD = "ninety nine/percent@home"  # noqa: S105 - of a server that lives for seconds
QUOTED = "ninety%20nine%2Fpercent%40home"
Table = list[tuple[object, ...]]


@pytest.fixture
def renter(address: str, server: str) -> Iterator[str]:
    """Return the address of somebody who has a password."""
    with psycopg.connect(address, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE renter LOGIN PASSWORD '{PASSWORD}'")
        admin.execute("GRANT CREATE ON SCHEMA public TO renter")
        yield f"postgresql://renter:{QUOTED}@/rentals{server}"
        admin.execute("DROP OWNED BY renter")
        admin.execute("DROP ROLE renter")


def table(address: str) -> Table:
    with psycopg.connect(address) as connection:
        query = "SELECT * FROM rented_numbers ORDER BY token, id"
        found: Table = connection.execute(query).fetchall()
        return found


def stored(token: str, records: list[RentedNumber]) -> Table:
    return [(token, each.id, each.phone, each.stop_sms, None) for each in records]


@pytest.mark.parametrize("count", [0, 1, 5000])
def test_all_numbers_are_in_the_table(address: str, count: int) -> None:
    written = write(batches(count), address, token="rental-1")
    assert table(address) == stored("rental-1", numbers(count))
    assert (written.rows, written.bytes) == (count, None)
    assert written.target == "postgresql://postgres@/rentals"


def test_writing_twice_gives_the_same_table(address: str) -> None:
    write(batches(2000), address, token="rental-1")
    once = table(address)
    write(batches(2000), address, token="rental-1")
    assert table(address) == once


def test_writing_twice_leaves_rows_that_are_right_alone(address: str) -> None:
    versions = []
    for _ in range(2):
        write(batches(500), address, token="rental-1")
        with psycopg.connect(address) as connection:
            query = "SELECT DISTINCT xmin::text FROM rented_numbers"
            versions.append(connection.execute(query).fetchall())
    assert versions[0] == versions[1]


def test_a_rental_is_in_the_table_as_it_was_exported_last(address: str) -> None:
    write([numbers(10)], address, token="a", e164=True)
    write([numbers(3)], address, token="b")
    changed = [RentedNumber(1, "+33639989999", stop_sms=False), *numbers(4)[1:]]
    write([changed], address, token="a", exclude_stop=True)
    assert table(address) == [*stored("a", changed), *stored("b", numbers(3))]


def test_the_phone_in_e164_stands_beside_what_was_sent(address: str) -> None:
    records = [
        RentedNumber(1, "06 39 98 00 42", stop_sms=True),
        RentedNumber(2, "unknown", stop_sms=False),
    ]
    write([records], address, token="a", e164=True)
    assert table(address) == [
        ("a", 1, "06 39 98 00 42", True, "+33639980042"),
        ("a", 2, "unknown", False, None),
    ]


def test_odd_phones_come_back_as_they_were(address: str) -> None:
    odd = [RentedNumber(index, phone, stop_sms=False) for index, phone in enumerate(ODD_PHONES)]
    write([odd], address, token="rental-1")
    assert table(address) == stored("rental-1", odd)


def test_an_id_that_comes_twice_is_one_row_the_last_one(address: str) -> None:
    records = [
        RentedNumber(1, "+33639980001", stop_sms=False),
        RentedNumber(1, "+33639980002", stop_sms=True),
    ]
    write([records], address, token="rental-1")
    assert table(address) == stored("rental-1", records[1:])


@pytest.mark.parametrize("identifier", [2**63 - 1, -(2**63)])
def test_an_id_of_64_bits_fits(address: str, identifier: int) -> None:
    records = [RentedNumber(identifier, "+33639980042", stop_sms=False)]
    write([records], address, token="rental-1")
    assert table(address) == stored("rental-1", records)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (RentedNumber(2**63, "+33639980042", stop_sms=False), "the id of record 3 "),
        (RentedNumber(4, "+3363998\0", stop_sms=False), "0x00"),
    ],
    ids=["id", "NUL"],
)
def test_a_record_that_does_not_fit_leaves_the_table_as_it_was(
    address: str, record: RentedNumber, message: str
) -> None:
    write([numbers(3)], address, token="rental-1")
    with pytest.raises(OutputError, match=message) as caught:
        write([[*numbers(3), record]], address, token="rental-1")
    assert "3363998" not in str(caught.value)
    assert table(address) == stored("rental-1", numbers(3))


def test_a_source_that_fails_leaves_the_table_as_it_was(address: str) -> None:
    write([numbers(3)], address, token="rental-1")
    with pytest.raises(SourceError):
        write(failing(after=20), address, token="rental-1")
    assert table(address) == stored("rental-1", numbers(3))


def test_a_source_that_fails_leaves_no_table_where_none_was(address: str) -> None:
    with pytest.raises(SourceError):
        write(failing(after=20), address, token="rental-1")
    with psycopg.connect(address) as connection:
        found = connection.execute("SELECT to_regclass('rented_numbers')").fetchone()
    assert found == (None,)


def test_a_server_that_goes_away_leaves_the_table_as_it_was(address: str) -> None:
    write([numbers(3)], address, token="rental-1")

    def killed() -> Iterator[list[RentedNumber]]:
        yield from batches(20_000)
        with psycopg.connect(address, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = 'rentals' AND pid <> pg_backend_pid()"
            )
        yield from batches(20_000)

    with pytest.raises(OutputError, match="cannot write postgresql://postgres@/rentals: "):
        write(killed(), address, token="rental-1")
    assert table(address) == stored("rental-1", numbers(3))


def test_a_table_of_that_name_with_another_shape_is_an_error(address: str) -> None:
    with psycopg.connect(address) as connection:
        connection.execute("CREATE TABLE rented_numbers (x int)")
    with pytest.raises(OutputError, match="column") as caught:
        write([numbers(3)], address, token="rental-1")
    assert "\n" not in str(caught.value)


def test_a_password_opens_the_door(renter: str) -> None:
    check(renter, token="rental-1")
    written = write([numbers(3)], renter, token="rental-1")
    assert written.target == "postgresql://renter@/rentals"
    assert table(renter) == stored("rental-1", numbers(3))


@pytest.fixture
def clerk(address: str, server: str) -> Iterator[str]:
    """Return the address of somebody who may use what tables there are, and make none."""
    with psycopg.connect(address, autocommit=True) as admin:
        admin.execute("CREATE ROLE clerk LOGIN")
        yield f"postgresql://clerk@/rentals{server}"
        admin.execute("DROP OWNED BY clerk")
        admin.execute("DROP ROLE clerk")


def test_who_may_not_make_tables_can_write_to_the_one_that_is_there(
    address: str, clerk: str
) -> None:
    write([numbers(2)], address, token="a")
    with psycopg.connect(address) as connection:
        rights = "SELECT, INSERT, UPDATE, DELETE"
        connection.execute(f"GRANT {rights} ON rented_numbers TO clerk")
    check(clerk, token="b")
    for _ in range(2):
        write([numbers(3)], clerk, token="b")
    assert table(address) == [*stored("a", numbers(2)), *stored("b", numbers(3))]


@pytest.mark.parametrize("right", ["SELECT", "INSERT", "UPDATE", "DELETE", "TABLE"])
def test_a_right_that_is_missing_is_found_before_a_download(
    address: str, clerk: str, right: str
) -> None:
    rights = {"SELECT", "INSERT", "UPDATE", "DELETE"} - {right}
    if right != "TABLE":
        write([numbers(2)], address, token="rental-1")
        with psycopg.connect(address) as connection:
            connection.execute(f"GRANT {', '.join(rights)} ON rented_numbers TO clerk")
    with pytest.raises(OutputError, match=r"permission denied for (table rented|schema public)"):
        check(clerk, token="rental-1")


def test_a_table_with_another_shape_is_found_before_a_download(address: str) -> None:
    with psycopg.connect(address) as connection:
        connection.execute("CREATE TABLE rented_numbers (token text, id int, phone text)")
    with pytest.raises(OutputError, match="column"):
        check(address, token="rental-1")


def test_a_check_changes_nothing(address: str) -> None:
    check(address, token="rental-1")
    with psycopg.connect(address) as connection:
        found = connection.execute("SELECT to_regclass('rented_numbers')").fetchone()
    assert found == (None,)
    write([numbers(3)], address, token="rental-1")
    check(address, token="rental-1")
    assert table(address) == stored("rental-1", numbers(3))


def write_together(address: str, rentals: dict[str, list[list[RentedNumber]]]) -> None:
    """Write rentals at the same time: all of them read their last number at the same moment."""
    ready = threading.Barrier(sum(map(len, rentals.values())), timeout=20)
    failures: list[BaseException] = []

    def writer(token: str, records: list[RentedNumber]) -> None:
        def source() -> Iterator[list[RentedNumber]]:
            yield records
            ready.wait()

        try:
            write(source(), address, token=token)
        except BaseException as error:  # noqa: BLE001 - for the main thread
            failures.append(error)

    threads = [
        threading.Thread(target=writer, args=(token, records))
        for token, versions in rentals.items()
        for records in versions
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_writers_of_several_rentals_make_one_table_together(address: str) -> None:
    write_together(address, {token: [numbers(3)] for token in "abcd"})
    assert table(address) == [row for token in "abcd" for row in stored(token, numbers(3))]


def test_a_writer_does_not_wait_for_another_ones_download(address: str) -> None:
    def first() -> Iterator[list[RentedNumber]]:
        yield numbers(3)
        write([numbers(2)], address, token="b")  # it would wait for ever
        assert table(address) == stored("b", numbers(2))

    write(first(), address, token="a")
    assert table(address) == [*stored("a", numbers(3)), *stored("b", numbers(2))]


def test_of_two_writers_of_a_rental_one_is_the_last(address: str) -> None:
    write([numbers(1, start=99)], address, token="a")
    with psycopg.connect(address) as connection:
        # What is between the statements of a writer by chance takes some time here.
        connection.execute(
            "CREATE FUNCTION pause() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END'"
        )
        connection.execute(
            "CREATE TRIGGER slow AFTER DELETE ON rented_numbers EXECUTE FUNCTION pause()"
        )
    versions = [numbers(3), numbers(3, start=10)]
    write_together(address, {"a": versions})
    assert table(address) in [stored("a", version) for version in versions]


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_the_last_writer_wins_whatever_the_server_is_set_to(address: str, level: str) -> None:
    with psycopg.connect(address, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE rentals SET default_transaction_isolation = '{level}'")
    versions = [numbers(3), numbers(3, start=10)]
    write_together(address, {"a": versions})
    assert table(address) in [stored("a", version) for version in versions]


def test_a_token_that_is_not_text_is_refused_as_such(address: str) -> None:
    with pytest.raises(ConfigurationError, match="the rental's token is not text"):
        write([numbers(1)], address, token="\udcff")


def everything_said(error: BaseException | None) -> str:
    """Return what an error and all that came with it say."""
    said = ""
    while error is not None:
        said += f"{error} {error!r} {error.args} "
        error = error.__cause__ or error.__context__
    return said


@pytest.mark.parametrize("action", [check, lambda *args, **more: write([], *args, **more)])
def test_a_wrong_password_is_an_error_that_does_not_show_it(renter: str, action: Any) -> None:
    wrong = renter.replace(QUOTED, "s3cr3t-but-wrong")
    with pytest.raises(OutputError, match="password authentication failed") as caught:
        action(wrong, token="rental-1")
    assert "s3cr3t" not in everything_said(caught.value)


@pytest.mark.parametrize(
    "target",
    [
        "postgresql://me:s3cr3t%zz@host/database",
        "postgresql://me:s3@cr3t@host/database",
        "postgresql://me:s3cr3t@[::1/database",
        "postgresql://me:s3cr3t@host/database?nothing=like-it",
        "postgresql://me:s3cr3t%E9@host/database",
        "postgresql://%FF:s3cr3t@host/database",
        "postgresql://me:s3cr3t\udce9@host/database",
        f"postgresql://me:s3cr3t@{'h' * 64}.example/database",
    ],
)
def test_an_address_that_cannot_be_read_is_an_error_that_does_not_show_it(target: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot read the address postgresql://") as caught:
        check(target, token="rental-1")
    assert "\n" not in str(caught.value)
    said = everything_said(caught.value)
    assert "s3cr3t" not in said
    assert "cr3t@host" not in said


def test_a_blank_in_an_address_is_an_error_that_does_not_show_it() -> None:
    # Older versions of libpq take it for a part of the password.
    with pytest.raises((ConfigurationError, OutputError), match="postgresql://") as caught:
        check("postgresql://me:s3cr3t word@host.invalid/database", token="rental-1")
    assert "s3cr3t" not in everything_said(caught.value)


def test_a_server_that_is_not_there_is_an_error_that_does_not_show_the_password(
    tmp_path: Path,
) -> None:
    target = f"postgresql://me:s3cr3t@/database?host={tmp_path}"
    with pytest.raises(OutputError, match="cannot write postgresql://me@/database: ") as caught:
        check(target, token="rental-1")
    said = everything_said(caught.value)
    assert "s3cr3t" not in said
    assert "\n" not in str(caught.value)


def test_an_extra_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'smspartner\[postgres\]'"):
        check("postgresql://host/database", token="rental-1")


# One table for many rentals.


def test_an_id_that_comes_twice_keeps_the_stop_of_either(address: str) -> None:
    twice = [
        RentedNumber(1, "+33639980001", stop_sms=True),
        RentedNumber(1, "+33639980002", stop_sms=False),
    ]
    write([twice], address, token="a")
    assert table(address) == [("a", 1, "+33639980002", True, None)]


def test_a_rental_without_numbers_is_noted(address: str) -> None:
    for token, records in (("a", numbers(3)), ("b", []), ("b", []), ("c", [])):
        write([records], address, token=token)
    with psycopg.connect(address) as connection:
        found = connection.execute("SELECT token FROM empty_rentals ORDER BY token").fetchall()
    assert found == [("b",), ("c",)]


def test_the_name_of_the_body_is_a_column_when_asked_for(address: str, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="the extra arrow is not installed")
    write([numbers(1)], address, token="a")
    write_body(tmp_path / "r1.json", 2)
    write(open_bodies(tmp_path / "r1.json"), address)
    with psycopg.connect(address) as connection:
        query = "SELECT token, file, count(*) FROM rented_numbers GROUP BY 1, 2 ORDER BY 3"
        found = connection.execute(query).fetchall()
    name = str(tmp_path / "r1.json")
    assert found == [("a", None, 1), (name, name, 2)]


def test_a_further_rental_costs_what_the_first_did(address: str) -> None:
    seconds = []
    for token, count in (("a", 20_000), ("b", 20_000), ("b", 19_000)):
        start = time.perf_counter()
        write(batches(count), address, token=token)
        seconds.append(time.perf_counter() - start)
        with psycopg.connect(address, autocommit=True) as admin:
            admin.execute("ANALYZE rented_numbers")
    assert max(seconds[1:]) < 5 * seconds[0]


# Found before a download.

KEYED = "CREATE TABLE rented_numbers ({}, PRIMARY KEY (token, id))"
USUAL = "token text, id bigint, phone text, stop_sms boolean, e164 text"
UNFIT = {
    "a narrower phone": (USUAL.replace("phone text", "phone varchar(10)"), "phone is character"),
    "a narrower id": (USUAL.replace("bigint", "integer"), "its column id is integer; make it big"),
    "a phone that is a number": (USUAL.replace("phone text", "phone bigint"), "phone is bigint"),
    "no e164": (USUAL.replace(", e164 text", ""), "its column e164 is missing; make it text"),
    "a further column": (f"{USUAL}, list text NOT NULL", 'null value in column "list"'),
    "a check": (f"{USUAL}, CHECK (token LIKE 'x%')", "violates check constraint"),
}


@pytest.mark.parametrize(("columns", "message"), UNFIT.values(), ids=UNFIT)
def test_a_table_that_cannot_take_the_rows_is_found_before_a_download(
    address: str, columns: str, message: str
) -> None:
    with psycopg.connect(address) as connection:
        connection.execute(KEYED.format(columns))
    with pytest.raises(OutputError, match=message):
        check(address, token="rental-1")


def test_a_policy_that_refuses_the_rows_is_found_before_a_download(
    address: str, clerk: str
) -> None:
    write([numbers(2)], address, token="a")
    with psycopg.connect(address) as connection:
        connection.execute("GRANT ALL ON rented_numbers TO clerk")
        connection.execute("ALTER TABLE rented_numbers ENABLE ROW LEVEL SECURITY")
        connection.execute("CREATE POLICY own ON rented_numbers USING (token = 'theirs')")
    with pytest.raises(OutputError, match="violates row-level security policy"):
        check(clerk, token="b")
    check(clerk, token="theirs")


def test_a_check_never_sets_off_a_trigger(address: str) -> None:
    write([numbers(2)], address, token="a")
    with psycopg.connect(address) as connection:
        connection.execute(
            "CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN RAISE EXCEPTION ''set off''; END'"
        )
        connection.execute(
            "CREATE TRIGGER never BEFORE INSERT ON rented_numbers EXECUTE FUNCTION never()"
        )
    check(address, token="a")
    with pytest.raises(OutputError, match="set off"):
        write([numbers(3)], address, token="a")
    assert table(address) == stored("a", numbers(2))


# Waiting.


@pytest.mark.parametrize("way", ["check", "write"])
def test_a_deadline_bounds_the_wait_for_a_lock(
    address: str, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    write([numbers(2)], address, token="a")
    with psycopg.connect(address) as other:
        other.execute("LOCK TABLE rented_numbers IN ACCESS EXCLUSIVE MODE")
        start = time.monotonic()
        if way == "write":
            monkeypatch.setattr(PostgreSQLSink, "check", lambda *_: None)
        options = WriteOptions(token="a", deadline=0.5)
        with pytest.raises(OutputError, match="the deadline has passed"):
            write_rows([numbers(3)], address, options=options)
        assert time.monotonic() - start < 5
    assert table(address) == stored("a", numbers(2))


def test_a_server_that_gives_up_first_has_kept_the_deadline(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Never(threading.Timer):
        def run(self) -> None:
            self.finished.wait()

    monkeypatch.setattr(postgres, "threading", SimpleNamespace(Event=threading.Event, Timer=Never))
    write([numbers(2)], address, token="a")
    with psycopg.connect(address) as other:
        other.execute("LOCK TABLE rented_numbers IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(OutputError, match="the deadline has passed"):
            write_rows([numbers(3)], address, options=WriteOptions(token="a", deadline=0.3))


def test_a_deadline_bounds_the_wait_for_a_server_that_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"postgresql://me@127.0.0.1:{silent.getsockname()[1]}/rentals"
        start = time.monotonic()
        with pytest.raises(OutputError, match="timeout"):
            check(address, token="a", deadline=1)
        assert time.monotonic() - start < 5


PEER_THAT_GOES_SILENT = """
import logging, socket, sys, threading, time
from smspartner.errors import OutputError
from smspartner.files.formats.postgres import PostgreSQLSink
from smspartner.files.rows import WriteOptions
from smspartner.files.write import write_rows
from smspartner.sandbox.people import numbers_of

home, listening = sys.argv[1], socket.create_server(("127.0.0.1", 0))
silent = threading.Event()

def forward(one, two):
    while data := one.recv(65536):
        silent.wait(60) if silent.is_set() else two.sendall(data)

def serve():
    client, _ = listening.accept()
    server = socket.socket(socket.AF_UNIX)
    server.connect(f"{home}/.s.PGSQL.5432")
    for pair in ((client, server), (server, client)):
        threading.Thread(target=forward, args=pair, daemon=True).start()

def numbers():
    yield list(numbers_of(0, 3000))
    silent.set()
    for _ in range(int(sys.argv[2])):
        yield list(numbers_of(0, 3000))

from smspartner.files.formats.postgres import PostgreSQLSink
PostgreSQLSink.check = lambda *_: None
threading.Thread(target=serve, daemon=True).start()
address = f"postgresql://postgres@127.0.0.1:{listening.getsockname()[1]}/rentals?sslmode=disable"
start = time.monotonic()
try:
    write_rows(numbers(), address, options=WriteOptions(token="a", deadline=1))
except OutputError as error:
    print(str(error).partition(": ")[2], time.monotonic() - start < 8)
"""


@pytest.mark.parametrize("more", [0, 400], ids=["while it waits", "while rows are sent"])
def test_a_peer_that_goes_silent_is_left_at_the_deadline_in_one_line(
    address: str, server: str, more: int
) -> None:
    assert address
    home = server.removeprefix("?host=")
    command = [sys.executable, "-c", PEER_THAT_GOES_SILENT, home, str(more)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("the deadline has passed True\n", "")


def test_ctrl_c_is_heard_while_a_lock_is_waited_for(address: str) -> None:
    write([numbers(2)], address, token="a")
    with psycopg.connect(address) as other:
        other.execute("LOCK TABLE rented_numbers IN ACCESS EXCLUSIVE MODE")
        start = time.monotonic()
        threading.Timer(0.3, signal.raise_signal, [signal.SIGINT]).start()
        with pytest.raises(KeyboardInterrupt):
            check(address, token="a")
        assert time.monotonic() - start < 5
