"""Whoever is on an opt-out list is left out, however the phone is spelled there."""

from __future__ import annotations

import base64
import html
import io
import quopri
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smspartner.errors import ConfigurationError
from smspartner.files.opt_outs import OptOuts, read_opt_outs
from smspartner.models import phones

PHONE, NEIGHBOUR = "+33639980042", "+33639980043"


def read(tmp_path: Path, content: bytes) -> OptOuts:
    path = tmp_path / "list.csv"
    path.write_bytes(content)
    return read_opt_outs(path)


def lines(*texts: object) -> OptOuts:
    return OptOuts(io.StringIO("".join(f"{text}\n" for text in texts)))


SPELLINGS = [
    # as people write it
    "0639980042",
    "06 39 98 00 42",
    "06.39.98.00.42",
    "06-39-98-00-42",
    "06/39/98/00/42",
    "06_39_98_00_42",
    "06:39:98:00:42",
    "06·39·98·00·42",
    "06 39 98 00 42 (mobile), le soir",
    "639980042",
    "639 980 042",
    "6.39.98.00.42",
    "+33639980042",
    "+33 6 39 98 00 42",
    "+33 (0)6 39 98 00 42",
    "+33(0)639980042",
    "+33 06 39 98 00 42",
    "(+33) 6 39 98 00 42",
    "0033639980042",
    "00 33 6 39 98 00 42",
    "0033(0)6 39 98 00 42",
    "33639980042",
    "336 39 98 00 42",
    "3 3 6 3 9 9 8 0 0 4 2",
    "0 6 3 9 9 8 0 0 4 2",
    "0 639 98 00 42",
    "(06) 39 98 00 42",
    "(06)39.98.00.42",
    "tel:+33-6-39-98-00-42",
    "+33 6\u201339\u201398\u201300\u201342",
    "06 39 98 00 42.",
    "« 06 39 98 00 42 »",
    "SMS STOP de 06 39 98 00 42 le 12/03",
    # as spreadsheets and programs write it
    '"33,639,980,042"',
    "33'639'980'042",
    "+33,6,39,98,00,42",
    "06;39;98;00;42",
    "06,39,98,00,42",
    "06|39|98|00|42",
    "06\t39\t98\t00\t42",
    "639980042.0",
    "33639980042.00",
    "639980042,00",
    "6.39980042E8",
    "3.3639980042E10",
    "3,3639980042E+10",
    "33.639980042E+9",
    "33 639 980 042,00",
    '="0639980042"',
    '"=""+33639980042"""',
    "'0639980042",
    "[PHONE: 0639980042]",
    '{"phone":639980042}',
    '{"cc":33,"nn":"639980042"}',
    '{"phone":"+33 6\\u00a039 98 00 42"}',
    "{'phone': '06\\xa039\\xa098\\xa000\\xa042'}",
    "INSERT INTO stop VALUES (17,'0639980042','2024-04-18');",
    'a:1:{s:5:"phone";s:10:"0639980042";}',
    "TEL;TYPE=CELL;VALUE=uri:tel:+33-6-39-98-00-42",
    "<td>06</td><td>39</td><td>98</td><td>00</td><td>42</td>",
    '<a href="tel:+33639980042">appeler</a>',
    '<font size="2">06</font><font size="2">39</font><font size="2">980042</font>',
    "<0639980042>",
    "\x1b[31m06\x1b[0m\x1b[32m39980042\x1b[0m",
    # beside other digits
    "18/04/2024 00:30 0639980042",
    "2024-04-18 00:30:01 0639980042",
    "2024-04-18T00:30:01.000Z 33639980042 STOP",
    "1;0639980042;75001;2024-04-18",
    "12 06 39 98 00 42",
    "1. 06 39 98 00 42",
    "2-06 39 98 00 42",
    "0639980042/0611223344",
    "0611223344 639980042",
    "639980042 0611223344",
    "06112233440639980042",
    "06399800420611223344",
    "0000012300639980042DUPONT  2024",
    "06 06 39 98 00 42",
    "id=1000 msisdn=33639980042 status=0",
    # escaped
    "06%2039%2098%2000%2042",
    "06%252039%25209800%252042",
    "%2B33639980042",
    "%30%36%33%39%39%38%30%30%34%32",
    "tel=33%206%2039%2098%2000%2042",
    "discount=5%0639980042",
    "06&nbsp;39&nbsp;98&nbsp;00&nbsp;42",
    "06&#160;39&#xa0;98&amp;#160;00&amp;amp;#160;42",
    "&#48;&#54;&#51;&#57;&#57;&#56;&#48;&#48;&#52;&#50;",
    "06&#10;39&#13;98 00 42",
    "06=C2=A039=C2=A098=2000=2042",
    "tel=0639980042",
    "tel=33639980042",
    "06_x0020_39_x00A0_980042",
    "06\\u{a0}39\\U000000a0980042",
    "06\\302\\24039\\302\\240980042",
    "{\\rtf1 06\\'a039\\'a098\\'a000\\'a042}",
    # marks that cannot be seen, digits of other scripts
    "06\u00a039\u202f98\u200900\u200742",
    "0639\u00ad980042",
    "\u200e06\u200b39\u206098\ufeff00\u202c42",
    "\u0660\u0666\u0663\u0669\u0669\u0668\u0660\u0660\u0664\u0662",
    "\uff10\uff16\uff13\uff19\uff19\uff18\uff10\uff10\uff14\uff12",
    "\uff0b\uff13\uff13 \uff16 39 98 00 42",
    "0\ufe0f\u20e36\ufe0f\u20e33\ufe0f\u20e39\ufe0f\u20e39\ufe0f\u20e38\ufe0f\u20e300\ufe0f\u20e342",
    "".join(chr(0x1D7CE + int(digit)) for digit in "0639980042"),
    "98\u00b2 06 39 98 00 42",
    "06 39 98\u00b2 00 42",
    # in pairs that were numbers, whose zeros are gone
    "6;39;98;0;42",
    "Anne,6,39,98,0,42,x",
    "06\t39\t98\t0\t42",
    "33|6|39|98|0|42",
    # over several lines that are one
    '"06 39\n98 00 42"',
    '1;"Zo\u00e9\n06 39 98\n00 42";x',
    "x" * 60 + "06 39 98=\n 00 42",
    "TEL;TYPE=CELL;VALUE=uri;PREF=1;X-LABEL=the one that works:+33 6 39\n 98 00 42",
    "06 39 98 \\\n00 42",
]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("cell", SPELLINGS, ids=ascii)
def test_a_phone_is_found_however_it_is_spelled(tmp_path: Path, cell: str, encoding: str) -> None:
    opt_outs = read(tmp_path, f"tel\n{cell}\n0639980099\n".encode(encoding))
    assert PHONE in opt_outs
    assert NEIGHBOUR not in opt_outs


@pytest.mark.parametrize(
    "cell",
    [b"06\xa039\xa098\xa000\xa042", b"06\x9639\x9698\x9600\x9642", b"Zo\xe9\xe906\xb739\xb7980042"],
)
def test_the_marks_of_windows_1252_stand_between_digits(tmp_path: Path, cell: bytes) -> None:
    assert PHONE in read(tmp_path, b"Zo\xe9;" + cell + b"\n")


@pytest.mark.parametrize(
    "lines",
    ["06 39 98\n00 42", "06\n39\n98\n00\n42", "+33 6\n39 98 00 42", "Anne 06 39\n98 00 42 soir"],
)
def test_a_phone_may_be_broken_over_lines_that_hold_no_other(tmp_path: Path, lines: str) -> None:
    assert PHONE in read(tmp_path, f"tel\n0639980099\n{lines}\n0639980098\n".encode())


def test_lines_with_other_digits_do_not_run_together() -> None:
    opt_outs = lines("0639980099 2024-06-18", "0639980098", "75001", "0639980097")
    for phone in ("+33618063998", "+33618063998", "+33750010639"):
        assert phone not in opt_outs


@pytest.mark.parametrize("mark", ["\u00b2", "\u2460", "\u00bd", "\u2171"], ids=ascii)
def test_only_decimal_digits_count(mark: str) -> None:
    assert PHONE in lines(f"06 39 98{mark} 00 42")


def test_what_is_twice_encoded_is_twice_undone() -> None:
    for cell in (
        quote(quote("06 39 98 00 42")),
        html.escape(html.escape("06&nbsp;39&nbsp;980042")),
        quopri.encodestring("06\u00a039\u00a0980042".encode()).decode(),
    ):
        assert PHONE in lines(cell)


def test_what_is_escaped_without_end_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="item 2 of 'opt-outs' is escaped many times over"):
        lines("0639980099", "06%" + "25" * 20 + "2039980042")


MARKS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Nd", "Cs"], exclude_characters='\n\r"\0'),
    max_size=3,
)


@given(
    digits=st.integers(100_000_000, 999_999_999).map(str),
    prefix=st.sampled_from(["0", "+33", "0033", "33", "+33 0", "", "+262 ", "0596 "]),
    marks=st.lists(MARKS, min_size=20, max_size=20),
    before=st.sampled_from(["", "2024-04-18 00:30 ", "Zo\u00e9;17;", "+32470000000;"]),
    after=st.sampled_from(["", ";75001", " 0611223344", " puis 98\u00b2"]),
)
def test_any_phone_is_found_with_any_marks_between_its_digits(
    digits: str, prefix: str, marks: list[str], before: str, after: str
) -> None:
    spelled = "".join(digit + mark for digit, mark in zip(prefix + digits, marks, strict=False))
    # What has a meaning of its own is tested above: here a mark is a mark.
    for meaning in "%&=\\<_\x1bEe":
        spelled = spelled.replace(meaning, " ")
    line = f"{before}{spelled}{after}"
    opt_outs = OptOuts(io.StringIO(line), ignore_unclear=True)
    assert "+33" + digits in opt_outs


@given(st.sets(st.integers(100_000_000, 999_999_999), min_size=2, max_size=50).map(sorted))
def test_strangers_are_not_left_out(numbers: list[int]) -> None:
    stranger, *others = numbers
    opt_outs = OptOuts([f"+33{number}" for number in others])
    # What begins with 33 is also read as nine digits that do.
    if not str(stranger).startswith("33"):
        assert f"+33{stranger}" not in opt_outs


@pytest.mark.parametrize("extra", [True, False], ids=["with the extra", "without"])
@pytest.mark.parametrize(
    ("cell", "phone", "neighbour"),
    [
        ("0032470000000", "+32470000000", "+32470000001"),
        ("+32 470 00 00 00", "0032470000000", "+32470000001"),
        ("0041 790000000", "+41 79 000 00 00", "+41790000001"),
        ("+32 (0)470 00 00 00", "+32470000000", "+32470000001"),
        ("Anne +32 470 00 00 00 (mobile)", "+32470000000", "+32470000001"),
        ("+32 470 00 00 00 / 06 39 98 00 01", "+32470000000", "+32470000001"),
        ("32470000000", "+32470000000", "+32470000001"),
        ("Anne;32470000000;2024-04-18", "+32470000000", "+32470000001"),
        ("Anne;32470000000.0;x", "+32470000000", "+32470000001"),
        ("07911 123456", "+447911123456", "+447911123556"),
        ("+44 (0)7911 123456;12", "+447911123456", "+447911123556"),
        ("44 7911 123456", "+447911123456", "+447911123556"),
        ("(212) 555-1234", "+12125551234", "+12125551334"),
        ("+45 32 12 34 56;12", "+4532123456", "+4532123457"),
        ("32 12 34 56", "+4532123456", "+4532123457"),
        ("+687 75 12 34", "+687751234", "+687751235"),
        ("75 12 34", "+687751234", "+687751235"),
        ("Teva;+689 87 12 34 56;2024", "+68987123456", "+68987123457"),
        ("87 12 34 56", "+68987123456", "+68987123457"),
        ("681 72 12 34", "+681721234", "+681721235"),
        ("+508 41 12 34", "+508411234", "+508411235"),
        ("0508 41 12 34", "+508411234", "+508411235"),
        ("41 12 34", "+508411234", "+508411235"),
        ("0692 12 34 56", "+262692123456", "+262692123457"),
        ("+262 692 12 34 56", "0692123456", "0692123457"),
        ("36105", "36 105", "36106"),
        ("+ 44207946 0018 (17)", "+442079460018", "+442079460118"),
        ("594694 20 12 34 (17)", "+594694201234", "+594694201235"),
        ("01 00 00 00 00", "+33100000000", "+33100000001"),
    ],
)
def test_phones_of_other_countries_are_found(
    monkeypatch: pytest.MonkeyPatch, cell: str, phone: str, neighbour: str, *, extra: bool
) -> None:
    if extra:
        pytest.importorskip("phonenumbers", reason="the extra phone is not installed")
    else:
        monkeypatch.setattr(phones, "_library", lambda: None)
    opt_outs = lines(cell, "0639980001")
    assert phone in opt_outs
    assert neighbour not in opt_outs


@pytest.mark.parametrize(
    ("cell", "phone"),
    [
        ("639980042", "639980042"),
        ("+33639980042", "639980042"),
        ("639980042", "+33639980042"),
        ("639980042.0", "639980042.0"),
        ("0639 98 0042x", "0639 98 0042x"),
        ("call 06399800", "call 06399800"),
        (639980042, "0033 (0)6 39 98 00 42"),
        (33639980042.0, "33639980042"),
        ("06%2039%2098%2000%2042", "06%2039%2098%2000%2042"),
    ],
)
def test_a_phone_is_compared_however_the_rental_spells_it(cell: object, phone: str) -> None:
    assert phone in lines(cell, "0639980001")


def test_the_lowest_phone_of_nine_digits_is_one() -> None:
    assert "+33100000000" in OptOuts(["0100000000"])


def test_a_rented_phone_without_digits_is_left_out() -> None:
    opt_outs = OptOuts(["0639980001"])
    for phone in ("", "unknown", "3,36E+10", "000 000 000"):
        assert phone in opt_outs
        assert opt_outs.lists_with(phone) == ("without digits to compare",)


UNCLEAR = [
    "063998OO42",
    "O6 39 9B 00 42",
    "+33 6 39 9B 00 42",
    "+33 6 39 98 OO 42",
    "06 39 98 0O 4Z",
    "06399800\u041e2",
    "063998004l",
    "63998OO42",
]


@pytest.mark.parametrize("cell", UNCLEAR, ids=ascii)
def test_letters_that_look_like_digits_are_unclear(tmp_path: Path, cell: str) -> None:
    content = f"tel\n0639980001\n{cell}\n1;Bob;{cell};x\n".encode()
    with pytest.raises(ConfigurationError, match=r"line 3, 4 of '.*list\.csv': letters that look"):
        read(tmp_path, content)


CLEAR = [
    "Oslo 0639980001 Oslo",
    "0639980001 S",
    "l0 06 39 98 00 01",
    "2024-04-18;Olivier;0639980001;B2B",
    "550e8400-e29b-41d4-a716-446655440000;0639980001",
    "FR76 3000 1007 9412 3456 7890 185 0639980001",
    "REF12O4567;0639980001",
    "O 06 39 98 00 01 O",
]


@pytest.mark.parametrize("line", CLEAR)
def test_other_letters_are_clear(line: str) -> None:
    assert "+33639980001" in lines(line)


def test_base64_is_not_taken_for_phones(tmp_path: Path) -> None:
    content = b"Content-Transfer-Encoding: base64\n\n" + base64.b64encode(b"0639980042\n" * 40)
    with pytest.raises(ConfigurationError, match="base64"):
        read(tmp_path, content)


@pytest.mark.parametrize(
    "cell",
    [
        "3,36E+10",
        "3.36399E+10",
        "-3.36E+10",
        "3.36e+10",
        "3,36 E+10",
        "3,36\u00a0E+10",
        "It is 3.36E+10.",
        "3E+10",
        "6,4E+08",
        "6.4E+8",
        "3.36E10",
        "6.4E8",
        "33,6E+9",
        "1,23E+12",
    ],
)
def test_phones_that_a_spreadsheet_spoiled_are_an_error(tmp_path: Path, cell: str) -> None:
    with pytest.raises(ConfigurationError, match=r"line 3 of .* export the list again"):
        read(tmp_path, f"phone\n0639980001\n{cell}\n".encode())


def test_a_spoiled_phone_is_seen_beside_other_cells(tmp_path: Path) -> None:
    for line in (
        "3.36E+10,75001",
        "17,3.36E+10,75001",
        '"3,36E+10";75001',
        "17;3,36E+10;0611223344",
    ):
        with pytest.raises(ConfigurationError, match=r"line 2 of .* export the list again"):
            read(tmp_path, f"0639980001\n{line}\n".encode())


def test_zeros_that_java_leaves_off_are_put_back() -> None:
    assert "+33639980100" in lines("6.399801E8")


@pytest.mark.parametrize(
    "text",
    ["a3f2-1e10-4e11", "ref.3E10", "3E10bis", "2024E10x", "3E10", "1.5E+3", "1.5E+18", "6.4E-8"],
    ids=ascii,
)
def test_other_numbers_with_an_exponent_are_left_alone(text: str) -> None:
    assert "+33639980001" in lines(f"{text};0639980001")


# fmt: off
ERRORS = [
    "#ERROR!", "###", "########", "#NAME?", "#NOM?", "#VALUE!", "#VALEUR!", "#REF!", "#N/A", "#n/a",
    "#DIV/0!", "#NV", "#BEZUG!", "#N/B", "#\u00a1VALOR!", "#\u00bfNOMBRE?", "#\u0418\u041c\u042f?",
    "#\u041d/\u0414", "#YOK", "#SPILL!", "#Deleted", "#GETTING_DATA", "#HI\u00c1NYZIK", "#I/T",
    "#N/A Field Not Applicable", "#VALEUR !", "Err:502", "Err :502",
]
# fmt: on


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize(
    "line",
    ["{}", "Anne;{};2024-01-05", "Anne,{}", '"Anne","{}"', "Anne\t{}\t05/01/2024 10:12", "a; {} ;b",
     '{{"name":"Anne","phone":"{}"}}', "<td>Anne</td><td>{}</td>", "Anne|{}|x", "'{}", "={};x"],
)  # fmt: skip
def test_an_error_of_a_spreadsheet_is_unclear(error: str, line: str) -> None:
    with pytest.raises(ConfigurationError, match="item 2 of 'opt-outs': an error of a spreadsheet"):
        lines("0639980001", line.format(error), "0639980002")


NO_ERRORS = [
    "# people who have opted out, January;0639980001",
    "#0639980001",
    "0639980001;#vip",
    "0639980001;#4711;#A-12",
    "0639980001;a #HASH;x",
    '<td bgcolor="#FFFFFF">0639980001</td>',
    "td { color: #000; background:#fff }",
    "0639980001;https://example.org/#TOP",
    "0639980001;Error: 502;Terr:502",
    "C#,0639980001,F#",
    "#",
]


@pytest.mark.parametrize("line", NO_ERRORS)
def test_what_else_has_that_sign_is_clear(line: str) -> None:
    assert "+33639980001" in lines("#Mobile;Date", line, "0639980001")
