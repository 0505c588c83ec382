"""``smspartner decode``: what is no body says what it is, and which command reads it."""

from __future__ import annotations

from pathlib import Path

import pytest
from bodies import json_body
from number_files import EXPORTS, numbers, write_kind

from smspartner.cli import run

pytestmark = pytest.mark.usefixtures("in_folder")


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_is_named_with_the_command_that_reads_it(
    name: str, in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_kind(in_folder, name, numbers(3))
    assert run(["decode", name, "-q"]) == 7
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(
        f"smspartner: '{name}': it is no body of the service but an export ("
    )
    assert said.err.endswith(f"to see what is in it: smspartner inspect {name}\n")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x1f\x8b\x08", "what compresses it stops early"),
        (b"PK\x03\x04", "it is no workbook that can be read: "),
        (
            b"\x7fELF\x02\x01\x01\0",
            "it is binary, and neither Parquet, Arrow, SQLite nor a workbook",
        ),
        (b"\x89\xff\xfe", "it is binary, and neither Parquet, Arrow, SQLite nor a workbook"),
        (b"", "it is empty; there is nothing to read"),
        (b"hello", "it begins with 'hello'; give the file as it came"),
        (json_body("")[:-1], "stops before its end"),
        (b'{"success":false,"code":61,"message":"non"}', "non (code 61)"),
    ],
)
def test_a_file_that_cannot_be_decoded_is_one_line_that_names_it(
    content: bytes, words: str, in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (in_folder / "a b").write_bytes(content)
    assert run(["decode", "a b", "-q"]) == (5 if b"61" in content else 7)
    said = capsys.readouterr().err
    assert said.startswith("smspartner: 'a b': ")
    assert words in said
    assert len(said.splitlines()) == 1


def test_a_good_body_is_not_taken_for_something_else_where_the_format_is_wrong(
    in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (in_folder / "body.json").write_bytes(json_body(""))
    assert run(["decode", "body.json", "--format", "xml"]) == 7
    assert "export" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "header"),
    [(",", "id,phone"), ("tab", "id\tphone"), ("\\t", "id\tphone"), ("|", "id|phone")],
)
def test_the_separator_of_csv_can_be_chosen(
    in_folder: Path, capsys: pytest.CaptureFixture[str], given: str, header: str
) -> None:
    (in_folder / "body.json").write_bytes(json_body('{"id":1,"phone":"1;2","stopSms":false}'))
    command = ["decode", "body.json", "-o", "n.csv", "--excel-safe", "--csv-separator", given]
    assert run([*command, "-q"]) == 0
    assert (in_folder / "n.csv").read_text("utf-8-sig").startswith(header)
    assert run(["verify", "body.json", "n.csv"]) == 0
    assert capsys.readouterr().out.startswith("the same 1 numbers in the same order")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["-o", "n.csv", "--csv-separator", ":"], 2, "it is one of , ; tab |, not ':'"),
        (["-o", "n.csv", "--csv-separator", ""], 2, "it is one of , ; tab |, not ''"),
        (["-o", "n.jsonl", "--csv-separator", ","], 4, "--csv-separator is for CSV, not for jsonl"),
    ],
)
def test_a_separator_that_cannot_be_is_refused(
    in_folder: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    words: str,
) -> None:
    (in_folder / "body.json").write_bytes(json_body(""))
    assert run(["decode", "body.json", *arguments]) == code
    assert words in capsys.readouterr().err


def test_numbers_on_further_sheets_are_said(
    in_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("xlsxwriter", reason="the extra excel is not installed")
    monkeypatch.setattr("smspartner.files.formats.xlsx.SHEET_ROWS", 2)
    (in_folder / "body.json").write_bytes(
        json_body(
            '{"id":1,"phone":"1","stopSms":false},' * 2 + '{"id":2,"phone":"2","stopSms":true}'
        )
    )
    assert run(["decode", "body.json", "-o", "n.xlsx"]) == 0
    assert capsys.readouterr().err.splitlines() == [
        "smspartner: n.xlsx: the 3 numbers are on 2 sheets, as one holds 2",
        "3 numbers written to n.xlsx; 1 of them has opted out (--exclude-stop leaves them out)",
    ]
    assert run(["decode", "body.json", "-o", "n.xlsx", "-q"]) == 0
    assert capsys.readouterr().err == ""
