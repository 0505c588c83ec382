"""Opt-out lists: whoever is on one is left out, however the list is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from export_support import numbers

from smspartner import export
from smspartner.errors import ConfigurationError
from smspartner.export import ExportOptions
from smspartner.suppress import read_suppression

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
        "0639980001\n".encode("utf-16-le"),
        bytes(range(256)).replace(b"0123456789", b""),
    ],
    ids=["empty", "blank", "header", "no phones", "short", "utf-16 without a BOM", "binary"],
)
def test_a_list_that_would_suppress_nobody_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = listed(tmp_path, content)
    with pytest.raises(ConfigurationError, match=r"no phone in the \d+ lines of .*stop\.csv"):
        read_suppression(path)


def test_a_workbook_is_not_a_list(tmp_path: Path) -> None:
    path = listed(tmp_path, b"PK\x03\x04" + b"0639980001" * 10)
    with pytest.raises(ConfigurationError, match="is a workbook: save it as CSV"):
        read_suppression(path)


@pytest.mark.parametrize("cell", ["3,36E+10", "3.36399E+10", "3E+10", "6.39980001e+11"])
def test_phones_that_a_spreadsheet_spoiled_are_an_error(tmp_path: Path, cell: str) -> None:
    path = listed(tmp_path, f"phone\n0639980001\n{cell}\n".encode())
    with pytest.raises(ConfigurationError, match=r"line 3 of .* export the list again"):
        read_suppression(path)


@pytest.mark.parametrize("name", ["missing.csv", "", "a\0b"])
def test_a_list_that_cannot_be_read_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot read the opt-out list"):
        read_suppression(tmp_path / name)


def test_an_export_leaves_out_who_is_on_the_list(tmp_path: Path) -> None:
    suppression = read_suppression(listed(tmp_path, b"0639980001\n0639980003\n0639989999\n"))
    options = ExportOptions(suppress=suppression)
    written = export.write([numbers(5)], tmp_path / "numbers.csv", options=options)
    assert (written.rows, written.suppressed) == (3, 2)
    assert ONE not in (tmp_path / "numbers.csv").read_text()


def test_our_own_exports_can_be_lists(tmp_path: Path) -> None:
    for name, options in (
        ("a.csv", ExportOptions()),
        ("b.csv", ExportOptions(excel_safe=True)),
        ("c.jsonl", ExportOptions()),
    ):
        export.write([numbers(50)], tmp_path / name, options=options)
        assert read_suppression(tmp_path / name).phones == 50
