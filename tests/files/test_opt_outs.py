"""Opt-out lists: what can be one, what cannot, and how lists add up. Nobody is passed over."""

from __future__ import annotations

import base64
import contextlib
import email.message
import gzip
import hashlib
import io
import sqlite3
from array import array as builtin_array
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from number_files import numbers, through_pipe

from smspartner import StopList, open_numbers, write
from smspartner.errors import ConfigurationError
from smspartner.files.opt_outs import (
    UNREADABLE,
    OptOuts,
    as_opt_outs,
    blocks,
    number_set,
    read_opt_outs,
)
from smspartner.files.opt_outs.blocks import in_lines
from smspartner.models import stops
from smspartner.models.number import RentedNumber

ONE, TWO, THREE = "+33639980001", "+33639980002", "+33639980003"


def listed(tmp_path: Path, content: bytes, name: str = "stop.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        b"+33639980001\n0639980002\n",
        b"+33639980001\r\n0639980002",
        b"+33639980001\r0639980002\r",
        b"\xef\xbb\xbf+33639980001\n0639980002\n",
        b"name;phone;date\nAnne;06.39.98.00.01;2024-05-06\nBob;0033639980002;\n",
        b'"id"\t"phone"\n"1"\t"+33639980001"\n"2"\t"0639980002"\n',
        b"0639980001 0639980002\n",
        b"id,phone\n1,33639980001.0\n2,639980002.0\n",
        b'\xef\xbb\xbfid;phone;stop_sms\r\n1;"=""+33639980001""";true\r\n2;"=""0639980002""";true\r\n',
        "pr\xe9nom;t\xe9l\nZo\xe9;06\xa039 98 00 01\nBob;0639980002\n".encode("cp1252"),
        "pr\xe9nom;t\xe9l\nZo\xe9;06\xa039 98 00 01\nBob;0639980002\n".encode(),
        "pr\xe9nom;t\xe9l\nZo\xe9;0639980001\nBob;0639980002\n".encode("utf-16"),
        "\ufeffZo\xe9\t0639980001\r\nBob\t0639980002\r\n".encode("utf-16-le"),
        "\ufeffZo\xe9\t0639980001\r\nBob\t0639980002\r\n".encode("utf-16-be"),
        "Zo\xe9;0639980001\nBob;0639980002\n".encode("utf-32"),
        "\ufeffZo\xe9;0639980001\nBob;0639980002\n".encode("utf-32-be"),
        "Zo\xe9 0639980001\n".encode("cp1252") + "Zo\xe9 0639980002\n".encode(),
        b'{"success":true,"datas":[{"id":1,"phone":"+33639980001"},{"id":2,"phone":"+33639980002"}]}',
        b'"open \n0639980001\n"0639980002"\n;"\n',
    ],
    ids=lambda content: ascii(content)[2:30],
)
def test_text_of_any_kind_is_a_list(tmp_path: Path, content: bytes) -> None:
    opt_outs = read_opt_outs(listed(tmp_path, content))
    assert ONE in opt_outs
    assert TWO in opt_outs
    assert THREE not in opt_outs


def test_lists_add_up(tmp_path: Path) -> None:
    january = listed(tmp_path, b"0639980001\n0639980002\n", "january.csv")
    february = listed(tmp_path, b"0639980002\n", "february.csv")
    both = read_opt_outs(january, str(february))
    assert both.lists_with(ONE) == (str(january),)
    assert both.lists_with(TWO) == (str(january), str(february))
    assert THREE not in both
    assert THREE in both | OptOuts([THREE])
    assert repr(both) == f"OptOuts(2 lines of {january}, 1 line of {february})"


def test_no_name_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="needs the name of a list"):
        read_opt_outs()


# What cannot be a list.


def test_an_empty_list_is_an_error_whatever_is_ignored(tmp_path: Path) -> None:
    path = listed(tmp_path, b"")
    with pytest.raises(ConfigurationError, match=r"the opt-out list '.*stop\.csv' is empty"):
        read_opt_outs(path, ignore_unclear=True)


NO_PHONE = [b"\n\n\n", b"phone\n", b"id\n12345\n", b"06399", b"zero six trente-neuf"]


@pytest.mark.parametrize("content", NO_PHONE)
def test_a_list_without_a_phone_is_unclear(tmp_path: Path, content: bytes) -> None:
    path = listed(tmp_path, content)
    with pytest.raises(
        ConfigurationError, match=r"no phone in the \d lines? of .*ignore_unclear=True"
    ):
        read_opt_outs(path)
    assert ONE not in read_opt_outs(path, ignore_unclear=True)


def hashed(kind: str, number: int) -> str:
    digest = hashlib.new(kind.removeprefix("base64 "), b"%d" % number)
    encoded = base64.b64encode(digest.digest()).decode()
    return encoded if kind.startswith("base64") else digest.hexdigest()


HASHES = ["md5", "sha1", "sha224", "sha256", "sha384", "sha512", "base64 md5", "base64 sha256"]


@pytest.mark.parametrize("line", ["{}", "a@b.fr;{}", '"{}",2024-01-05 10:12:33', "05/01/2024;{};7"])
@pytest.mark.parametrize("kind", HASHES)
def test_checksums_are_unclear(tmp_path: Path, kind: str, line: str) -> None:
    lines = [line.format(hashed(kind, number)) for number in range(99)]
    for text in (
        "\n".join(lines),
        "\n".join(lines).upper(),
        "hash\n0639980001\n" + "\n".join(lines),
    ):
        if text.isupper() and kind.startswith("base64"):
            continue
        with pytest.raises(
            ConfigurationError, match=r"most of .* have checksums|there is no phone"
        ):
            read_opt_outs(listed(tmp_path, text.encode()))
    both = [f"{text};0639980001" for text in lines]
    assert ONE in read_opt_outs(listed(tmp_path, "\n".join([*lines[:40], *both]).encode()))


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\n "])
def test_text_of_a_word_processor_is_refused(tmp_path: Path, before: bytes) -> None:
    content = before + rb"{\rtf1\ansi \f0\fs24 063\f1 9980001\par }"
    with pytest.raises(ConfigurationError, match="is RTF"):
        read_opt_outs(listed(tmp_path, content))


def test_unclear_lines_are_named_and_counted(tmp_path: Path) -> None:
    path = listed(tmp_path, b"0639980001\n" + b"063998OO42\n" * 13)
    with pytest.raises(
        ConfigurationError, match=r"line 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 3 more of"
    ):
        read_opt_outs(path)
    opt_outs = read_opt_outs(path, ignore_unclear=True)
    assert ONE in opt_outs
    assert [(found.unclear, found.lines) for found in opt_outs.lists] == [(13, 14)]


@pytest.mark.parametrize(
    "content",
    ["0639980001\n".encode("utf-16-le"), b"0639980001\n06399\x0080002\n", bytes(range(256))],
    ids=["utf-16 without a BOM", "a NUL", "binary"],
)
def test_what_is_no_text_is_refused_whatever_is_found_in_it(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ConfigurationError, match=r"stop\.csv' is not text: it holds the character"):
        read_opt_outs(listed(tmp_path, content))


def test_a_device_without_end_is_refused_at_once() -> None:
    with pytest.raises(ConfigurationError, match="'/dev/zero' is not text"):
        read_opt_outs("/dev/zero")


NO_LIST = {
    b"\x1f\x8b\x08": "unpack it first",
    b"\x28\xb5\x2f\xfd": "unpack it first",
    b"%PDF-1.7": "it is a PDF",
    b"PAR1": "stops before its end",
    b"PK\x03\x04": "no workbook that can be read",
    b"\xd0\xcf\x11\xe0\xa1": "no workbook that can be read",
}


@pytest.mark.parametrize(("mark", "words"), NO_LIST.items(), ids=str)
def test_a_file_of_another_kind_is_refused_with_what_to_do(
    tmp_path: Path, mark: bytes, words: str
) -> None:
    if mark == b"PAR1":
        pytest.importorskip("pyarrow", reason="the extra arrow is not installed")
    path = listed(tmp_path, mark + b"\n0639980001\n" * 9)
    with pytest.raises(ConfigurationError, match=f"cannot read the opt-out list: .*{words}"):
        read_opt_outs(path)


def test_a_compressed_list_is_refused(tmp_path: Path) -> None:
    path = listed(tmp_path, gzip.compress(b"0639980001\n"), "stop.csv.gz")
    with pytest.raises(ConfigurationError, match="unpack it first"):
        read_opt_outs(path)


@pytest.mark.parametrize("name", ["absent.csv", "", "a\0b"])
def test_a_list_that_is_not_there_is_named_once(name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot read the opt-out list") as caught:
        read_opt_outs(name)
    assert str(caught.value).count(repr(name)) == 1
    assert "Errno" not in str(caught.value)


# What ``write(…, opt_outs=…)`` takes.


class Stop:
    def __init__(self, phone: str) -> None:
        self.phone = phone


def series() -> Any:
    return pytest.importorskip("pandas").Series([639980001, 639980002])


def float_series() -> Any:
    return pytest.importorskip("pandas").Series([33639980001.0, 33639980002.0])


def without_header() -> Any:
    pandas = pytest.importorskip("pandas")
    return pandas.read_csv(io.StringIO("0639980001\n0639980002\n"), dtype=str)


def rounded(kind: str) -> Any:
    return pytest.importorskip("pandas").Series([33639980001.0], dtype=kind)


def rounded_arrow(kind: str) -> Any:
    numpy, pyarrow = pytest.importorskip("numpy"), pytest.importorskip("pyarrow")
    return pyarrow.array(numpy.array([60_000], kind))


def square() -> Any:
    return pytest.importorskip("numpy").array([[33639980001, 33639980002]])


def message() -> Any:
    found = email.message.Message()
    found["0639980001"] = "0639980002"
    return found


def array() -> Any:
    return pytest.importorskip("pyarrow").array(["0639980001", "0639980002"])


def polars() -> Any:
    return pytest.importorskip("polars").Series(["0639980001", "0639980002"])


GIVEN = {
    "a list": lambda: ["0639980001", "06 39 98 00 02"],
    "a set": lambda: {ONE, TWO},
    "numbers": lambda: (639980001, 33639980002),
    "floats": lambda: [639980001.0, Decimal(33639980002)],
    "a generator": lambda: (phone for phone in (ONE, TWO)),
    "an open file": lambda: io.StringIO("tel\n0639980001\n0639980002\n"),
    "stops": lambda: [Stop(ONE), Stop("0639980002")],
    "the stop list of an account": lambda: StopList(
        success=True, data=[stops.Stop(1, ONE), stops.Stop(2, "0639980002")]
    ),
    "a rental": lambda: [RentedNumber(1, ONE, stop_sms=True), RentedNumber(2, TWO, stop_sms=False)],
    "OptOuts": lambda: OptOuts([ONE, TWO]),
    "text over lines": lambda: ["+33 (0)6\n39 98 00 01", "06_39\u201398\r00,02"],
    "pandas": series,
    "pandas floats": float_series,
    "pyarrow": array,
    "polars": polars,
}


@pytest.mark.parametrize("kind", GIVEN)
def test_phones_come_in_any_iterable(kind: str) -> None:
    opt_outs = as_opt_outs(GIVEN[kind]())
    assert ONE in opt_outs
    assert TWO in opt_outs
    assert THREE not in opt_outs


def test_text_is_the_name_of_a_list(tmp_path: Path) -> None:
    path = listed(tmp_path, b"0639980001\n")
    assert ONE in as_opt_outs(path)
    assert ONE in as_opt_outs(str(path))
    with pytest.raises(ConfigurationError, match="cannot read the opt-out list '0639980001'"):
        as_opt_outs("0639980001")


REFUSED: dict[str, tuple[object, str]] = {
    "nothing": (None, "not NoneType"),
    "a number": (639980001, "not int"),
    "True": (True, "not bool"),
    "bytes": (b"0639980001", "not as bytes"),
    "a mapping": ({"0639980001": "Anne"}, "not as dict"),
    "a file of bytes": (io.BytesIO(b"0639980001\n"), "not bytes"),
    "a flag": ([True], "not bool"),
    "a missing one": ([ONE, None], "not NoneType"),
    "not a number": ([ONE, float("nan")], "not float"),
    "infinity": ([ONE, float("inf")], "not float"),
    "not a number, of decimals": ([Decimal("NaN")], "not Decimal"),
    "a signal": ([Decimal("sNaN")], "not Decimal"),
    "a large decimal": ([Decimal("1E+999999")], "not Decimal"),
    "a large number": ([10**5000], "not int"),
    "a fraction": ([639980001.5], "not float"),
    "too large to be exact": ([1e22], "not float"),
    "a list of lists": ([[ONE]], "not list"),
    "empty": ([], "opt_outs is empty"),
    "an empty set": (set(), "opt_outs is empty"),
    "a file that was read": (io.StringIO(), "opt_outs is empty"),
    "no phone": (["phone"], "no phone in the 1 item of 'opt-outs'"),
    "blank": ([""], "no phone in the 1 item of 'opt-outs'"),
    "unclear": (["063998OO42", ONE], "item 1 of 'opt-outs': not a phone"),
    "not all": ([ONE] * 5000 + ["n/a", ""], "item 5001, 5002 of 'opt-outs': not a phone"),
    "a date": (["2024-11-26T10:00:00"], "item 1 of 'opt-outs': not a phone"),
    "a time": (["2024-11-26 10:00:00"], "item 1 of 'opt-outs': not a phone"),
    "an error": ([ONE, "#N/A"], "item 2 of 'opt-outs': not a phone"),
    "lines of a table": (["Anne;0639980001;x"], "item 1 of 'opt-outs': not a phone"),
    "names of files": (["stops_2024-11-26_1430.csv"], r"give read_opt_outs\(\*names\)"),
    "a name among phones": ([ONE] * 9000 + ["stops_202411261430.xlsx"], "the name of a file"),
    "spoiled": ([ONE, "3,36E+10"], "item 2 of 'opt-outs' has a phone that a spreadsheet"),
}


#: A table gives the names of its columns, which can be a phone; others have lost digits.
REFUSED_COLUMNS: dict[str, tuple[Callable[[], Any], str]] = {
    "a table without header": (without_header, "not as DataFrame; of a table, give the column"),
    "an array of rows": (square, "not as ndarray"),
    "an array without rows": (lambda: square()[0, :1].reshape(()), "not as ndarray"),
    "arrays": (lambda: list(square()), "not ndarray"),
    "a kind of mapping": (message, "not as Message"),
    "float32": (lambda: rounded("float32"), "32 bits or fewer have lost digits"),
    "Float32": (lambda: rounded("Float32"), "32 bits or fewer have lost digits"),
    "float32 of Arrow": (lambda: rounded_arrow("float32"), "32 bits or fewer have lost digits"),
    "float16 of Arrow": (lambda: rounded_arrow("float16"), "32 bits or fewer have lost digits"),
    "an array of floats": (lambda: builtin_array("f", [33639980001.0]), "have lost digits"),
}


@pytest.mark.parametrize("kind", REFUSED_COLUMNS)
def test_what_gives_other_things_than_phones_is_an_error(kind: str) -> None:
    given, words = REFUSED_COLUMNS[kind]
    with pytest.raises(ConfigurationError, match=words):
        as_opt_outs(given())


@pytest.mark.parametrize("kind", REFUSED)
def test_anything_else_is_an_error_that_shows_no_phone(kind: str) -> None:
    given, words = REFUSED[kind]
    with pytest.raises(ConfigurationError, match=words) as caught:
        as_opt_outs(given)
    assert "6399800" not in str(caught.value)


@pytest.mark.parametrize("name", ["stops 202411261430", "20241126-0930", "0639980001"])
def test_names_of_files_that_are_there_are_no_phones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    listed(tmp_path, b"0639980001\n", name)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match="the name of a file"):
        write([numbers(5)], "numbers.csv", opt_outs=[name])


def test_what_is_no_phone_is_in_no_list() -> None:
    with pytest.raises(ConfigurationError, match="a phone is text or a whole number"):
        assert None in OptOuts([ONE])
    assert 639980001 in OptOuts([ONE])


def test_text_is_no_list_of_phones() -> None:
    with pytest.raises(ConfigurationError, match="not as str"):
        OptOuts("0639980001")


# Large lists, and long lines.


def whole(chunks: Iterable[str]) -> OptOuts:
    opt_outs = OptOuts([ONE])
    opt_outs.lists[0].read(in_lines(chunks))
    return opt_outs


def test_a_line_without_end_is_read_in_pieces(tmp_path: Path) -> None:
    phones = [f"+3363998{number:04}" for number in range(0, 10_000, 7)]
    for between in ('","stopSms":false},{"id":17,"phone":"', "&nbsp;" * 20, "0"):
        listing = between.join(phone[3:] if between == "0" else phone for phone in phones)
        content = f"[0{listing * (2**21 // len(listing))}]"
        assert len(content) > 2**20
        opt_outs = read_opt_outs(listed(tmp_path, content.encode()))
        assert all(phone in opt_outs for phone in phones)


def test_a_phone_may_be_cut_anywhere_between_two_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "_LONGEST", 4096)
    for start in range(4096 - 60, 4096 + 10):
        for spelled in ("06 39 98 00 02", "639980002", "06%2039%20980002"):
            text = "x" * start + f" {spelled} " + "y" * 4096
            assert TWO in whole([text[:start], text[start:], "\n"])


def test_a_field_may_be_cut_anywhere_between_two_blocks() -> None:
    for start in range(2**15 - 30, 2**15 + 5):
        text = f"{'x' * 79}\n" * 500 + 'a;"06 39\n98 00 02"\n' + "y\n" * 9000
        assert TWO in whole([text[:start], text[start:]])
        assert TWO in whole([text[at : at + start] for at in range(0, len(text), start)])


def test_lines_are_counted_once_where_fields_may_be_open() -> None:
    content = 'a;"06 39 98 OO 02"\n' * 20_000 + "0639980001\n"
    found = whole([content[at : at + 5000] for at in range(0, len(content), 5000)]).lists[0]
    assert (found.lines, found.unclear, found.unclear_lines) == (20_001, 20_000, [*range(1, 11)])


def test_a_line_of_nothing_but_digits_takes_no_time(tmp_path: Path) -> None:
    lines = ["1" * 40_000, "1 " * 40_000, "0 6 " * 20_000, "+33 " * 20_000, "1," + "1" * 40_000]
    lines += [
        '"' * 40_000,
        "&" * 40_000,
        "<" * 40_000,
        "O1" * 40_000,
        "=\t" * 40_000,
        "1E+" * 9_000,
    ]
    content = "\n".join(["0639980001", *lines, "1" * 2**21])
    # Measured: 2 s for all of them.
    assert ONE in read_opt_outs(listed(tmp_path, content.encode()), ignore_unclear=True)


def test_many_numbers_are_held_in_bitmaps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Many of one page, and each of them often.
    monkeypatch.setattr(number_set, "_OFTEN", 1000)
    content = "".join(f"063998{number:04}\n" for number in range(10_000)) * 4
    opt_outs = read_opt_outs(listed(tmp_path, content.encode()))
    assert all(f"+3363998{number:04}" in opt_outs for number in range(0, 10_000, 97))
    assert "+33639970001" not in opt_outs


# Exports and pipes.


def test_an_export_leaves_out_who_is_on_the_list(tmp_path: Path) -> None:
    opt_outs = read_opt_outs(listed(tmp_path, b"0639980001\n0639980003\n0639989999\n"))
    written = write([numbers(5)], tmp_path / "numbers.csv", opt_outs=opt_outs)
    assert (written.rows, written.left_out_listed) == (3, 2)
    assert written.left_out_by == {str(tmp_path / "stop.csv"): 2}
    assert ONE not in (tmp_path / "numbers.csv").read_text()


def test_our_own_exports_can_be_lists(tmp_path: Path) -> None:
    kinds: dict[str, dict[str, Any]] = {
        "a.csv": {},
        "b.csv": {"excel_safe": True},
        "c.jsonl": {},
        "d.json": {},
        "e.db": {"token": "rental-1"},
    }
    for name, options in kinds.items():
        write([numbers(50)], tmp_path / name, **options)
        opt_outs = read_opt_outs(tmp_path / name)
        assert all(number.phone in opt_outs for number in numbers(50))


@pytest.mark.parametrize("name", ["stop.parquet", "stop.arrow"])
@pytest.mark.parametrize("columns", [("phone",), ("e164",)])
def test_an_export_that_is_no_text_is_a_list_too(
    tmp_path: Path, name: str, columns: tuple[str]
) -> None:
    pytest.importorskip("pyarrow", reason="the extra arrow is not installed")
    write([numbers(3000)], tmp_path / name, columns=columns, exclude_stop=True)
    opt_outs = read_opt_outs(tmp_path / name)
    assert [found.lines for found in opt_outs.lists] == [3000 * 6 // 7]
    assert ONE in opt_outs


@pytest.mark.parametrize("name", ["stop.parquet", "stop.arrow"])
def test_an_export_with_a_further_column_is_refused(tmp_path: Path, name: str) -> None:
    arrow = pytest.importorskip("pyarrow", reason="the extra arrow is not installed")
    found = arrow.table({"phone": [ONE], "mobile": [TWO]})
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow.parquet").write_table(found, tmp_path / name)
    else:
        with arrow.ipc.new_file(str(tmp_path / name), found.schema) as file:
            file.write_table(found)
    with pytest.raises(ConfigurationError, match="phones can be in 'mobile', too"):
        read_opt_outs(tmp_path / name)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("ALTER TABLE rented_numbers ADD COLUMN mobile TEXT", "mobile"),
        ("CREATE TABLE customers (tel TEXT)", "customers"),
        ("CREATE VIEW customers AS SELECT '0639980099' tel", "customers"),
        ("CREATE VIRTUAL TABLE customers USING fts5(tel)", "customers"),
        (
            "ALTER TABLE rented_numbers ADD COLUMN mobile GENERATED ALWAYS AS ('0639980099')",
            "mobile",
        ),
    ],
)
def test_a_database_with_more_in_it_is_refused(tmp_path: Path, change: str, words: str) -> None:
    write([numbers(5)], tmp_path / "a.db", token="rental-1")
    with contextlib.closing(sqlite3.connect(tmp_path / "a.db")) as database:
        database.execute("ANALYZE")
        assert ONE in read_opt_outs(tmp_path / "a.db")
        database.executescript(change)
    with pytest.raises(ConfigurationError, match=f"phones can be in '{words}"):
        read_opt_outs(tmp_path / "a.db")


def test_both_columns_of_an_export_count(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow", reason="the extra arrow is not installed")
    found = arrow.table({"phone": ["unknown", TWO], "e164": [ONE, None]})
    pytest.importorskip("pyarrow.parquet").write_table(found, tmp_path / "a.parquet")
    opt_outs = read_opt_outs(tmp_path / "a.parquet")
    assert ONE in opt_outs
    assert TWO in opt_outs


ADDED = [
    "0639980002",
    "06 39 98 00 02",
    "Bob\t06\t39\t98\t00\t02",
    "06\xa039\xa098\xa000\xa002",
    "06_39_98_00_02",
    "06:39:98:00:02;x",
    "Zo\xe9 +33 (0)6.39.98.00.02",
    "x06\u201339\u201398\u201300\u201302\r",
]


@pytest.mark.parametrize("added", ADDED)
@pytest.mark.parametrize("other", ["utf-8", "cp1252", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-be"])
@pytest.mark.parametrize("before", ["", " ", "\ufeff"], ids=ascii)
def test_a_list_in_two_encodings_is_read_in_both(
    tmp_path: Path, encoding: str, other: str, added: str, before: str
) -> None:
    first = "\ufeff0639980001 \u2013 Zo\xe9, \u20ac\n".encode(encoding)
    more = f"{before}{added}\n".encode(other, "ignore")
    for content in (first + more, first + more[:-1], first + more + first[2:]):
        opt_outs = read_opt_outs(listed(tmp_path, content), ignore_unclear=True)
        assert ONE in opt_outs
        assert TWO in opt_outs
        assert THREE not in opt_outs


def test_lines_of_a_wide_list_are_counted_once(tmp_path: Path) -> None:
    content = "063998OO42\n" + "0639980001\n" * 50_000 + "063998OO42\n"
    found = read_opt_outs(listed(tmp_path, content.encode("utf-16")), ignore_unclear=True).lists[0]
    assert (found.lines, found.unclear, found.unclear_lines) == (50_002, 2, [1, 50_002])


def test_a_rented_phone_with_letters_for_digits_is_left_out() -> None:
    assert OptOuts([TWO]).lists_with("+336 3998OO01") == (UNREADABLE,)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_list_can_come_through_a_pipe(tmp_path: Path, encoding: str) -> None:
    content = "0639980001\n0639980002".encode(encoding)
    opt_outs = through_pipe(tmp_path, content, read_opt_outs)
    assert isinstance(opt_outs, OptOuts)
    assert ONE in opt_outs
    assert TWO in opt_outs


@pytest.mark.parametrize("mark", [b"PAR1\n", b"PK\x03\x04"])
def test_what_is_no_text_does_not_come_through_a_pipe(tmp_path: Path, mark: bytes) -> None:
    with pytest.raises(ConfigurationError, match="a file and not a pipe"):
        through_pipe(tmp_path, mark, read_opt_outs)


@pytest.mark.parametrize("name", ["n.csv", "n.json", "n.jsonl", "n.parquet", "n.xlsx", "n.db"])
def test_a_rental_of_which_everybody_is_on_a_list_is_an_empty_export(
    tmp_path: Path, name: str
) -> None:
    people = [RentedNumber(place, f"+3363998000{place}", stop_sms=False) for place in range(3)]
    written = write(
        [people], tmp_path / name, token="t", opt_outs=[number.phone for number in people]
    )
    assert (written.rows, written.left_out_listed) == (0, 3)
    with open_numbers(tmp_path / name) as found:
        assert sum(len(batch["phone"]) for batch in found.batches()) == 0
