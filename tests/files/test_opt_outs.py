"""Opt-out lists: whoever is on one is left out, however the list is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from number_files import numbers, through_pipe

from smspartner import write
from smspartner.cli import run
from smspartner.errors import ConfigurationError
from smspartner.files.opt_outs import SuppressionList, read_suppression
from smspartner.files.spotting import spot
from smspartner.models import phones

ONE, TWO, THREE = "+33639980001", "+33639980002", "+33639980003"


def listed(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "stop.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        b"+33639980001\n0639980002\n",
        b"+33639980001\r\n0639980002",
        b"+33639980001\r0639980002\r",
        b"\xef\xbb\xbf+33639980001\n0639980002\n",
        b"phone\n+33639980001\n06 39 98 00 02\n",
        b"name;phone;date\nAnne;06.39.98.00.01;2024-05-06\nBob;0033639980002;\n",
        b"date,name,phone\n2024-05-06,Anne,+33 (0)6 39 98 00 01\n,Bob,06-39-98-00-02\n",
        b'"id"\t"phone"\n"1"\t"+33639980001"\n"2"\t"0639980002"\n',
        b"1|+33639980001\n2|0639980002\n",
        b"0639980001 0639980002\n",
        b"0639980001/0639980002\n",
        b"Anne 06 39 98 00 01 (mobile)\nBob tel. 0639980002, calls only\n",
        b"id;phone\n1;639980001\n2;33639980002\n",
        b"id,phone\n1,33639980001.0\n2,639980002.0\n",
        b'\xef\xbb\xbfid;phone;stop_sms\r\n1;"=""+33639980001""";true\r\n2;"=""0639980002""";true\r\n',
        "prénom;téléphone\nZoé;06\N{NO-BREAK SPACE}39 98 00 01\nBob;0639980002\n".encode("latin-1"),
        "prénom;téléphone\nZoé;06\N{NO-BREAK SPACE}39 98 00 01\nBob;0639980002\n".encode(),
        "prénom;téléphone\nZoé;0639980001\nBob;0639980002\n".encode("utf-16"),
        b"+33639980001\n0639980001\n0639980002\n0639980002\n",
        "Zoé 0639980001\n".encode("latin-1") + "Zoé 0639980002\n".encode(),
    ],
    ids=lambda content: ascii(content)[2:30],
)
def test_phones_are_found_however_a_list_is_written(tmp_path: Path, content: bytes) -> None:
    suppression = read_suppression(listed(tmp_path, content))
    assert suppression.phones == 2
    assert ONE in suppression
    assert TWO in suppression
    assert THREE not in suppression


def test_phones_are_compared_however_the_rental_writes_them(tmp_path: Path) -> None:
    suppression = read_suppression(listed(tmp_path, b"0639980001\n0692000000\n"))
    for phone in ("+33639980001", "0639980001", "06 39 98 00 01", "0033 639 980 001"):
        assert phone in suppression
    for phone in ("+262692000000", "0692000000", "+33692000000"):
        assert phone in suppression
    assert 33639980001 not in suppression


def test_what_has_no_e164_is_compared_as_text(tmp_path: Path) -> None:
    suppression = read_suppression(listed(tmp_path, b"+33639980001\n36105\n+999 12 34 567\n"))
    assert "36105" in suppression
    assert "36 105" in suppression
    assert "+999 1234567" in suppression
    assert "36106" not in suppression
    assert suppression.phones == 2


def test_lines_and_phones_are_counted_honestly(tmp_path: Path) -> None:
    content = b"phone\n0639980001\n\n+33639980001\n0639980002;0639980003\nnobody\n"
    suppression = read_suppression(listed(tmp_path, content))
    assert (suppression.lines, suppression.phones) == (6, 3)
    assert repr(suppression) == "SuppressionList(3 phones from 6 lines)"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n\n",
        b"phone\n",
        b"id,date\n12345,2024-05-06\n",
        b"0639980001\n"[:6],
        bytes(range(1, 256)).replace(b"0123456789", b""),
    ],
    ids=["empty", "blank", "header", "no phones", "short", "bytes"],
)
def test_a_list_that_would_suppress_nobody_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = listed(tmp_path, content)
    with pytest.raises(ConfigurationError, match=r"no phone in the \d+ lines of .*stop\.csv"):
        read_suppression(path)


def test_a_workbook_is_not_a_list(tmp_path: Path) -> None:
    path = listed(tmp_path, b"PK\x03\x04" + b"0639980001" * 10)
    with pytest.raises(ConfigurationError, match="is a workbook: save it as CSV"):
        read_suppression(path)


NO_TEXT = {
    "utf-16 without a BOM": "0639980001\n0639980002\n".encode("utf-16-le"),
    "a NUL": b"0639980001\n06399\x0080002\n",
    "binary": bytes(range(256)),
}


@pytest.mark.parametrize("content", NO_TEXT.values(), ids=NO_TEXT)
def test_a_list_that_is_not_text_is_refused_whatever_is_found_in_it(
    tmp_path: Path, content: bytes
) -> None:
    with pytest.raises(ConfigurationError, match=r"line \d of .*stop\.csv' is not text: save"):
        read_suppression(listed(tmp_path, content))


NO_LIST = {
    b"\xd0\xcf\x11\xe0\xa1": r"old workbook \(\.xls\); save the sheet as CSV",
    b"\x1f\x8b\x08": "unpack it first",
    b"\x28\xb5\x2f\xfd": "unpack it first",
    b"%PDF-1.7": "it is a PDF",
    b"PAR1": "stops before its end",
}


@pytest.mark.parametrize(("mark", "words"), NO_LIST.items(), ids=str)
def test_a_file_of_another_kind_is_refused_with_what_to_do(
    tmp_path: Path, mark: bytes, words: str
) -> None:
    if mark == b"PAR1":
        pytest.importorskip("pyarrow", reason="the extra arrow is not installed")
    path = listed(tmp_path, mark + b"\n0639980001\n" * 9)
    with pytest.raises(ConfigurationError, match=f"cannot read the opt-out list: .*{words}"):
        read_suppression(path)


@pytest.mark.parametrize(
    "cell",
    ["3,36E+10", "3.36399E+10", "3E+10", "6.39980001e+11", "6,4E+08", "6.4E+8", "3.36E10", "6.4E8"],
)
def test_phones_that_a_spreadsheet_spoiled_are_an_error(tmp_path: Path, cell: str) -> None:
    path = listed(tmp_path, f"phone\n0639980001\n{cell}\n".encode())
    with pytest.raises(ConfigurationError, match=r"line 3 of .* export the list again"):
        read_suppression(path)


@pytest.mark.parametrize(
    "text", ["a3f2-1e10-4e11", "ref.3E10", "3E10bis", "2024E10x", "3E10"], ids=ascii
)
def test_parts_of_identifiers_are_not_taken_for_spoiled_phones(tmp_path: Path, text: str) -> None:
    assert ONE in read_suppression(listed(tmp_path, f"{text};0639980001\n".encode()))


TWO_IN_A_CELL = [
    "06 39 98 00 01 / 06 39 98 00 02",
    "06 39 98 00 01 - 06 39 98 00 02",
    "06 39 98 00 01 06 39 98 00 02",
    "06.39.98.00.01 ou 06.39.98.00.02",
    "+33 6 39 98 00 01 +33 6 39 98 00 02",
    "+33 6 39 98 00 01 / 06 39 98 00 02 / 32",
    "(06) 39 98 00 01 / (06).39.98.00.02",
    "0639980001-0639980002",
]


@pytest.mark.parametrize("cell", TWO_IN_A_CELL)
def test_every_phone_in_a_cell_counts(tmp_path: Path, cell: str) -> None:
    suppression = read_suppression(listed(tmp_path, f"tel\n{cell}\n".encode()))
    assert ONE in suppression
    assert TWO in suppression
    assert (suppression.phones, suppression.unclear) == (2, 0)


ONE_IN_A_CELL = [
    # something before it, or after it
    "1. 06 39 98 00 01",
    "12 06 39 98 00 01",
    "2024-01-12 06 39 98 00 01",
    "2024-01-06 06 39 98 00 01",
    "2024-01-02 0639980001",
    "06 39 98 00 01 12/03/2024",
    "12/03/2024 12:30 06 39 98 00 01",
    "mobile 06 39 98 00 01 (STOP)",
    # the 0 lost, and grouped
    "6 39 98 00 01",
    "639 980 001",
    "639\N{NARROW NO-BREAK SPACE}980\N{NARROW NO-BREAK SPACE}001",
    "639.980.001",
    "6.39.98.00.01",
    "6-39-98-00-01",
    "336 39 98 00 01",
    # numbers as programs write them
    "639980001.00",
    "33639980001.00",
    "639980001,00",
    "6.39980001E8",
    "3.3639980001E10",
    "3,3639980001E+10",
    # other marks
    "06·39·98·00·01",
    "06_39_98_00_01",
    "06:39:98:00:01",
    "06,39,98,00,01",
    "\uff10\uff16\uff13\uff19\uff19\uff18\uff10\uff10\uff10\uff11",
    "+33 (0)6 39 98 00 01",
    "<0639980001>",
    '{"phone":639980001}',
]


@pytest.mark.parametrize("cell", ONE_IN_A_CELL, ids=ascii)
def test_a_phone_is_found_whatever_is_around_it_or_between_its_digits(
    tmp_path: Path, cell: str
) -> None:
    suppression = read_suppression(listed(tmp_path, f"tel\n{cell}\n0639980002\n".encode()))
    assert ONE in suppression
    assert suppression.unclear == 0


def test_zeros_that_java_leaves_off_are_put_back(tmp_path: Path) -> None:
    suppression = read_suppression(listed(tmp_path, b"6.399801E8\n0639980002\n"))
    assert "+33639980100" in suppression


@pytest.mark.parametrize(
    ("cell", "phone"),
    [
        ("639980042", "639980042"),
        ("+33639980042", "639980042"),
        ("639980042", "+33639980042"),
        ("639980042.0", "639980042.0"),
        ("0639 98 0042x", "0639 98 0042x"),
        ("call 06399800", "call 06399800"),
    ],
)
def test_who_is_in_the_list_is_never_in_the_export(tmp_path: Path, cell: str, phone: str) -> None:
    suppression = read_suppression(listed(tmp_path, f"{cell}\n0639980001\n".encode()))
    assert phone in suppression


@pytest.mark.parametrize("extra", [True, False], ids=["with the extra", "without"])
@pytest.mark.parametrize(
    ("cell", "phone"),
    [
        ("0032470000000", "+32470000000"),
        ("+32 470 00 00 00", "0032470000000"),
        ("0041 790000000", "+41 79 000 00 00"),
        ("+32 (0)470 00 00 00", "+32470000000"),
        ("Anne +32 470 00 00 00 (mobile)", "+32470000000"),
        ("+32 470 00 00 00 / 06 39 98 00 01", "+32470000000"),
        ("32470000000", "+32470000000"),
    ],
)
def test_phones_of_other_countries_are_compared_with_and_without_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cell: str, phone: str, *, extra: bool
) -> None:
    if extra:
        pytest.importorskip("phonenumbers", reason="the extra phone is not installed")
    else:
        monkeypatch.setattr(phones, "_library", lambda: None)
    suppression = read_suppression(listed(tmp_path, f"{cell}\n0639980001\n".encode()))
    assert phone in suppression
    assert ONE in suppression
    assert "+32470000001" not in suppression


def test_a_phone_abroad_suppresses_nobody_in_france(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = listed(tmp_path, b"+39 0639980042\n0639980001\n")
    for _ in range(2):
        assert "+33639980042" not in read_suppression(path)
        monkeypatch.setattr(phones, "_library", lambda: None)


def test_what_looks_like_a_phone_and_is_not_understood_is_counted(tmp_path: Path) -> None:
    lines = ["name;tel", "Anne;06 39 98 00 01", "Bob;06 39 98 00 4", "Zo;06399800420639980043"]
    suppression = read_suppression(listed(tmp_path, "\n".join(lines).encode()))
    assert (suppression.phones, suppression.unclear, suppression.first_unclear) == (1, 2, 3)


def test_what_fails_beside_a_phone_that_is_understood_is_counted_too(tmp_path: Path) -> None:
    content = b"06 39 98 00 01 / 06 39 98 00 4\n0639980002;+33 6 39 98 00 4\n"
    assert read_suppression(listed(tmp_path, content)).unclear == 2


def test_identifiers_and_times_beside_a_phone_are_no_phones(tmp_path: Path) -> None:
    content = b"1234567890123;2024-05-06 12:30:45;0639980001;550e8400-e29b-41d4-446655440000\n"
    suppression = read_suppression(listed(tmp_path, content))
    assert (suppression.phones, suppression.unclear, suppression.first_unclear) == (1, 0, None)


def test_a_line_of_nothing_but_digits_takes_no_time(tmp_path: Path) -> None:
    lines = ["1" * 40_000, "1 " * 40_000, "0 6 " * 20_000, "+33 " * 20_000, "1," + "1" * 40_000]
    content = "\n".join(["0639980001", *lines])
    # Measured: 0.5 s for all of them; looking at each digit again from each other one took 20.
    assert ONE in read_suppression(listed(tmp_path, content.encode()))


@pytest.mark.parametrize("name", ["missing.csv", "", "a\0b"])
def test_a_list_that_cannot_be_read_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot read the opt-out list"):
        read_suppression(tmp_path / name)


def test_an_export_leaves_out_who_is_on_the_list(tmp_path: Path) -> None:
    suppression = read_suppression(listed(tmp_path, b"0639980001\n0639980003\n0639989999\n"))
    written = write([numbers(5)], tmp_path / "numbers.csv", opt_outs=suppression)
    assert (written.rows, written.left_out_listed) == (3, 2)
    assert ONE not in (tmp_path / "numbers.csv").read_text()


def test_our_own_exports_can_be_lists(tmp_path: Path) -> None:
    for name, options in (
        ("a.csv", {}),
        ("b.csv", {"excel_safe": True}),
        ("c.jsonl", {}),
        ("d.json", {}),
        ("e.db", {"token": "rental-1"}),
    ):
        write([numbers(50)], tmp_path / name, **options)
        assert read_suppression(tmp_path / name).phones == 50


@pytest.mark.parametrize("name", ["stop.parquet", "stop.arrow"])
@pytest.mark.parametrize("columns", [("phone",), ("e164",)])
def test_an_export_that_is_no_text_is_a_list_too(
    tmp_path: Path, name: str, columns: tuple[str]
) -> None:
    pytest.importorskip("pyarrow", reason="the extra arrow is not installed")
    write([numbers(3000)], tmp_path / name, columns=columns, exclude_stop=True)
    suppression = read_suppression(tmp_path / name)
    assert suppression.phones == 3000 * 6 // 7
    assert ONE in suppression


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_list_can_come_through_a_pipe(tmp_path: Path, encoding: str) -> None:
    content = "0639980001\n0639980002".encode(encoding)
    suppression = through_pipe(tmp_path, content, read_suppression)
    assert isinstance(suppression, SuppressionList)
    assert (suppression.lines, suppression.phones) == (2, 2)


def test_an_export_that_is_no_text_does_not_come_through_a_pipe(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="a file and not a pipe"):
        through_pipe(tmp_path, b"PAR1\n", read_suppression)


@pytest.mark.parametrize("options", [[], ["--quiet"]], ids=["", "quiet"])
def test_the_command_line_says_what_is_not_understood(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str]
) -> None:
    path = listed(tmp_path, b"0639980001\n06 39 98 00 4\n06 39 98 00 5\n")
    body = tmp_path / "body.json"
    body.write_bytes(b'{"success":true,"datas":[{"id":1,"phone":"+33639980001","stopSms":false}]}')
    output = tmp_path / "numbers.csv"
    assert run(["decode", str(body), "-o", str(output), "--suppress", str(path), *options]) == 0
    warned = capsys.readouterr().err.splitlines()[0]
    assert warned == (
        f"not understood in {path}: 2 that look like phones, the first in line 2; correct them, "
        "or these people are not left out"
    )


@pytest.mark.parametrize("name", ["absent.csv", "\0"])
def test_a_list_that_is_not_there_is_named_once(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_suppression(name)
    assert str(caught.value).count(repr(name)) == 1
    assert "Errno" not in str(caught.value)


def test_a_number_that_no_territory_has_is_unclear_in_a_list() -> None:
    found = spot("call 07 08 99 99 99, or not")
    assert (found.e164, found.abroad, found.unclear) == (set(), set(), 1)
