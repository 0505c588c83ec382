"""``smspartner inspect``: what is in a file, whatever it is, and no phone of it on the screen."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import posix_only
import pytest
from cases import unmeasured
from number_files import KINDS, TOKEN, numbers, write_body, write_export, write_kind

from smspartner import write
from smspartner.cli import run
from smspartner.files.read import open_numbers
from smspartner.files.summary import Summary, summarise
from smspartner.models.number import RentedNumber
from smspartner.sandbox.people import numbers_of

pytestmark = pytest.mark.usefixtures("in_folder")

MANY = list(numbers_of(0, 10_100))

#: Metropolitan and overseas, mobile, fixed and others, and phones without an E.164 form.
MIXED = [
    RentedNumber(1, "+33639980001", stop_sms=False),
    RentedNumber(2, "0639980001", stop_sms=True),  # the same phone
    RentedNumber(3, "06 39 98 00 02", stop_sms=False),
    RentedNumber(3, "+33639980003", stop_sms=False),  # the same id
    RentedNumber(2**70, "0692000000", stop_sms=True),
    RentedNumber(2**70, "+33692000001", stop_sms=True),  # the same id again
    RentedNumber(-5, "0199000000", stop_sms=False),
    RentedNumber(7, "0890000000", stop_sms=False),
    RentedNumber(8, "call me", stop_sms=False),
    RentedNumber(9, "call her", stop_sms=False),
    RentedNumber(10, "0639", stop_sms=False),
]


def inspected(capsys: pytest.CaptureFixture[str], *args: str) -> dict[str, Any]:
    assert run(["inspect", "--json", *args]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out.count("\n") == 1
    found: dict[str, Any] = json.loads(shown.out)
    return found


@pytest.mark.parametrize("name", KINDS)
def test_json_tells_what_is_in_a_file_of_any_kind(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    write_kind(tmp_path, name, MANY)
    assert inspected(capsys, name) == {
        "file": name,
        "kind": KINDS[name],
        "columns": ["id", "phone", "stop_sms"],
        "declared": 10_100 if "body" in KINDS[name] else None,
        "rentals": 1 if name == "numbers.db" else None,
        "numbers": 10_100,
        "opted_out": sum(number.stop_sms for number in MANY),
        "repeated_phones": 100,
        "both_flags": 0,
        "repeated_ids": 0,
        "countries": {"FR": 10_100},
        "overseas": 0,
        "kinds": {"mobile": 10_100},
        "without_e164": {},
    }


def test_countries_kinds_repetitions_and_reasons_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_export(tmp_path / "mixed.csv", MIXED)
    found = inspected(capsys, "mixed.csv")
    assert (found["numbers"], found["opted_out"]) == (11, 3)
    assert (found["repeated_phones"], found["repeated_ids"]) == (1, 2)
    assert found["countries"] == {"FR": 6, "RE": 2}
    assert found["overseas"] == 2
    assert found["kinds"] == {"mobile": 6, "fixed": 1, "special": 1}
    assert found["without_e164"] == {
        "it holds something other than digits": 2,
        "it is neither 0 and nine digits nor a country code and a number": 1,
    }


def test_other_countries_are_counted_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("phonenumbers", reason="the extra phone is not installed")
    phones = ["+3225550123", "+80012345678", "+15555550123"]  # the last is of no country's plan
    write_export(tmp_path / "n.jsonl", [RentedNumber(0, each, stop_sms=False) for each in phones])
    found = inspected(capsys, "n.jsonl")
    assert found["countries"] == {"BE": 1, "001": 1}
    assert sum(found["without_e164"].values()) == 1


def test_repetitions_are_counted_like_a_set_would(tmp_path: Path) -> None:
    ids = [n * n % 5003 - 2000 for n in range(20_000)]
    write_export(
        tmp_path / "n.csv", [RentedNumber(i, f"06399{i % 777:05}", stop_sms=False) for i in ids]
    )
    with open_numbers("n.csv") as source:
        found = summarise(source)
    assert found.repeated_ids == 20_000 - len(set(ids))
    assert found.repeated_phones == 20_000 - len({i % 777 for i in ids})


def test_what_a_file_does_not_say_is_not_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_export(tmp_path / "n.csv", MIXED, columns=["phone"])
    found = inspected(capsys, "n.csv")
    assert found["columns"] == ["phone"]
    assert (found["opted_out"], found["repeated_ids"], found["repeated_phones"]) == (None, None, 0)
    assert run(["inspect", "n.csv"]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"opted out of SMS +not known", shown)
    assert re.search(r"with an id that came before +not known", shown)


def test_a_file_with_e164_alone_is_read_by_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_export(tmp_path / "n.csv", MIXED, columns=["id", "e164"])
    found = inspected(capsys, "n.csv")
    assert found["countries"] == {"FR": 4}
    assert found["without_e164"] == {"the file has neither its phone nor an E.164 form": 3}


def test_a_database_is_inspected_as_a_whole_or_by_rental(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_export(tmp_path / "n.db", MANY[:5])
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("INSERT INTO rented_numbers VALUES ('b', 1, '0692000000', 1, NULL)")
    whole, one = inspected(capsys, "sqlite:///n.db"), inspected(capsys, "n.db", "--token", TOKEN)
    assert (whole["rentals"], whole["numbers"], whole["overseas"]) == (2, 6, 1)
    assert (one["rentals"], one["numbers"], one["overseas"]) == (2, 5, 0)


PLAIN = """\
'mixed.csv': CSV
  numbers                                                          11
  opted out of SMS                                                  3  27.3%
  with a phone that came before                                     1   9.1%
  people with both flags                                            1   9.1%
  with an id that came before                                       2  18.2%
  overseas territories                                              2  18.2%
  without an E.164 form                                             3  27.3%
by country
  FR France                                                         6  54.5%
  RE Réunion (overseas)                                             2  18.2%
by kind
  mobile                                                            6  54.5%
  fixed                                                             1   9.1%
  special                                                           1   9.1%
no E.164 form, because
  it holds something other than digits                              2  18.2%
  it is neither 0 and nine digits nor a country code and a number   1   9.1%
"""


def test_without_a_terminal_it_is_plain_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_export(tmp_path / "mixed.csv", MIXED)
    assert run(["inspect", "mixed.csv"]) == 0
    assert capsys.readouterr() == (PLAIN, "")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Return what runs a command with a terminal for its output, and returns what came there."""

    def on_terminal(*args: str, columns: int) -> str:
        ours, theirs = posix_only.openpty()
        with ThreadPoolExecutor() as reader, monkeypatch.context() as patch:
            seen = reader.submit(_all_of, ours)
            patch.setenv("TERM", "xterm")
            patch.setenv("COLUMNS", str(columns))
            with os.fdopen(theirs, "w", encoding="utf-8") as screen:
                patch.setattr(sys, "stdout", screen)
                assert run(args) == 0
            return seen.result(20).decode()

    return on_terminal


def _all_of(descriptor: int) -> bytes:
    written = b""
    # An OSError is how Linux says that the other side of a terminal is closed.
    with suppress(OSError), os.fdopen(descriptor, "rb", buffering=0) as stream:
        while chunk := stream.read(4096):
            written += chunk
    return written


def test_on_a_terminal_there_are_bars_and_no_phones(
    tmp_path: Path, terminal: Callable[..., str]
) -> None:
    write_export(tmp_path / "[bold]mixed.csv", MIXED)
    shown = terminal("inspect", "[bold]mixed.csv", columns=120)
    assert "'[bold]mixed.csv': CSV" in shown
    bars = {line.strip().split("  ")[0]: line.count("█") for line in shown.splitlines()}
    assert bars["mobile"] == 16
    assert bars["FR France"] == 16
    assert bars["fixed"] == 2
    assert bars["numbers"] == 0
    assert not re.search(r"\d{6}", shown)


def test_on_a_narrow_terminal_there_are_words_only(
    tmp_path: Path, terminal: Callable[..., str]
) -> None:
    write_export(tmp_path / "mixed.csv", MIXED)
    shown = terminal("inspect", "mixed.csv", columns=80)
    assert "█" not in shown
    assert re.search(r"FR France +6 +54\.5%", shown)


def test_a_count_that_does_not_match_is_shown_and_is_a_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    body = write_body(tmp_path / "b.json", 10)
    body.write_bytes(body.read_bytes().replace(b'"phoneNumbers":10', b'"phoneNumbers":12'))
    assert run(["inspect", "b.json"]) == 7
    shown = capsys.readouterr()
    assert re.search(r"numbers +10\n  declared +12\n", shown.out)
    assert "declared 12 numbers and sent 10" in shown.err


def test_standard_input_is_read(tmp_path: Path) -> None:
    with write_body(tmp_path / "b.xml", 10).open("rb") as body:
        done = subprocess.run(
            [sys.executable, "-m", "smspartner", "inspect", "-", "--json"],
            stdin=body,
            capture_output=True,
            check=True,
        )
    assert json.loads(done.stdout)["numbers"] == 10


CUT = (
    "'cut.xml': the XML body stops before its end; look for a whole copy, or ask SMS Partner to "
    "allow the download once more"
)


@pytest.mark.parametrize("more", [[], ["--json"], ["--html", "report.html"]])
def test_a_file_that_is_wrong_does_not_stop_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str]
) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.json", "b.json", "c.json", "d.json"):
        write_body(tmp_path / "in" / name, 10)
    (tmp_path / "in" / "a.json").write_bytes(b'{"success":true,"datas":[')
    whole = (tmp_path / "in" / "b.json").read_bytes()
    (tmp_path / "in" / "b.json").write_bytes(whole.replace(b":10", b":12", 1))
    assert run(["inspect", "in", *more]) == 9
    out, said = capsys.readouterr()
    lines = said.splitlines()
    assert lines[0].startswith("smspartner: 'in/a.json': the JSON body stops before its end; look")
    assert lines[1].startswith("smspartner: the service declared 12 numbers and sent 10; do not")
    assert lines[2] == "smspartner: the file is 'in/b.json'"
    assert len(lines) == 3 + ("--html" in more)
    shown = "" if "--html" in more else "bcd"
    assert "".join(name for name in "abcd" if f"in/{name}.json" in out) == shown


BAD_INPUT = {
    "missing": (["none.csv"], 2, "Path 'none.csv' does not exist"),
    "folder": (["empty"], 4, "no file in 'empty' is called like one with numbers in it"),
    "address": (["postgresql://me:secret@db/x"], 2, "give the name of a file"),
    "png": (["a.png"], 7, "'a.png': it is binary"),
    "empty": (["empty.csv"], 7, "'empty.csv': it is empty"),
    "html": (["page.html"], 7, "'page.html': the answer is an HTML page"),
    "truncated": (["cut.xml"], 7, CUT),
    "no phones": (["names.csv"], 7, "'names.csv', line 1: no column is called phone or e164"),
    "refusal": (["no.json"], 5, "Location introuvable (code 32)"),
    "token": (["good.csv", "--token", "t"], 2, "--token chooses a rental of a database"),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_one_clear_line(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1")
    (tmp_path / "empty.csv").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "page.html").write_text("<html><body>0639980042</body></html>")
    (tmp_path / "names.csv").write_text("id,name\n1,Anne\n")
    (tmp_path / "good.csv").write_text("id,phone\n1,0639980042\n")
    (tmp_path / "no.json").write_text(
        '{"success":false,"code":32,"message":"Location introuvable"}'
    )
    cut = write_body(tmp_path / "cut.xml", 2000)
    cut.write_bytes(cut.read_bytes()[:-100])
    args, code, words = BAD_INPUT[case]
    assert run(["inspect", *args]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert words in shown.err
    assert "secret" not in shown.err
    assert "39980042" not in shown.err
    lines = [line for line in shown.err.splitlines() if line and not line.startswith(("U", "T"))]
    assert len(lines) == 1


def test_help_loads_nothing_of_it() -> None:
    code = (
        "import sys; from smspartner.cli import run; run(['--help']); "
        "print([name for name in sys.modules if name.startswith(('smspartner.files.read', "
        "'smspartner.files.summary', 'smspartner.files.compare', 'rich', 'pyarrow', 'sqlite3'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=unmeasured(),
    )
    assert "inspect" in done.stdout
    assert done.stdout.endswith("\n[]\n")


def test_memory_is_as_promised() -> None:
    found = Summary(["id", "phone"])
    phones = [f"+3363998{n:04}" for n in range(5_000)]
    for start in range(0, 50_000, 5_000):
        found.add({"id": list(range(start, start + 5_000)), "phone": phones})
    held = [found._phones, found._ids]
    size = sum(sys.getsizeof(bucket) for each in held for bucket in each._buckets)
    assert 16 <= size / 50_000 < 20  # arrays grow by an eighth at a time
    assert (found.repeated_phones, found.repeated_ids) == (45_000, 0)


def test_one_phone_behind_two_spellings_is_one_person_and_both_flags_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spelled = [
        ("+33639980042", True),
        ("06 39 98 00 42", False),
        ("0033639980042", False),
        ("+999 12 34", False),
        ("00999-1234", True),
        ("+999 56 78", True),
        ("nobody", False),
        ("9" * 50, False),
    ]
    write_export(tmp_path / "a.csv", [RentedNumber(at, *each) for at, each in enumerate(spelled)])
    assert run(["inspect", "a.csv", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["repeated_phones"], shown["both_flags"]) == (3, 2)
    write_export(tmp_path / "b.csv", [RentedNumber(1, "0639980042", False)], columns=["phone"])
    assert run(["inspect", "b.csv", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["both_flags"] is None


@pytest.mark.parametrize("command", [["inspect"], ["verify", "a.db"]])
def test_a_token_is_stripped_as_everywhere(tmp_path: Path, command: list[str]) -> None:
    write([numbers(3)], tmp_path / "a.db", token="rental-1")
    assert run([*command, "a.db", "--token", " rental-1 "]) == 0
