"""Phones in E.164: the territory decides the country code, and a doubt is None with a reason."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smspartner.errors import ConfigurationError
from smspartner.models import phones
from smspartner.models.phones import Normalised, _library, normalise

NO_DIGITS = "it holds something other than digits"
NO_NATIONAL = "it is neither 0 and nine digits nor a country code and a number"


@pytest.mark.parametrize(
    "phone",
    [
        "+33639980042",
        "0639980042",
        "33639980042",
        "0033639980042",
        "+33 6 39 98 00 42",
        "+33 (0)6 39 98 00 42",
        "+330639980042",
        "00 33 (0)6 39.98.00.42",
        "06 39 98 00 42",
        "06.39.98.00.42",
        "06-39-98-00-42",
        "06/39/98/00/42",
        "(06) 39 98 00 42",
        "06\N{NO-BREAK SPACE}39\N{NARROW NO-BREAK SPACE}98\N{THIN SPACE}00 42",
        "06\N{NON-BREAKING HYPHEN}39\N{EN DASH}98\N{MINUS SIGN}00 42",
        "\N{LEFT-TO-RIGHT EMBEDDING}+33 6 39 98 00 42\N{POP DIRECTIONAL FORMATTING}",
        "\ufeff0639980042\t",
        " 0639980042\n",
    ],
    ids=ascii,
)
def test_a_french_number_is_known_however_it_is_written(phone: str) -> None:
    assert normalise(phone) == Normalised("+33639980042", None, "FR", "mobile")


# One line for each territory and kind of the French plan. There are numbers for fiction in
# metropolitan France only; elsewhere the digits after the prefix are zeros.
@pytest.mark.parametrize(
    ("national", "abroad", "country", "kind"),
    [
        ("0199000000", "+33199000000", "FR", "fixed"),
        ("0261910000", "+33261910000", "FR", "fixed"),
        ("0353010000", "+33353010000", "FR", "fixed"),
        ("0465710000", "+33465710000", "FR", "fixed"),
        ("0536490000", "+33536490000", "FR", "fixed"),
        ("0612000000", "+33612000000", "FR", "mobile"),
        ("0695000000", "+33695000000", "FR", "mobile"),
        ("0698000000", "+33698000000", "FR", "mobile"),
        ("0712000000", "+33712000000", "FR", "mobile"),
        ("0800000000", "+33800000000", "FR", "special"),
        ("0912000000", "+33912000000", "FR", "voip"),
        ("0262000000", "+262262000000", "RE", "fixed"),
        ("0263000000", "+262263000000", "RE", "fixed"),
        ("0692000000", "+262692000000", "RE", "mobile"),
        ("0693000000", "+262693000000", "RE", "mobile"),
        ("0709200000", "+262709200000", "RE", "mobile"),
        ("0976200000", "+262976200000", "RE", "voip"),
        ("0947900000", "+262947900000", "RE", "voip"),
        ("0269000000", "+262269000000", "YT", "fixed"),
        ("0639000000", "+262639000000", "YT", "mobile"),
        ("0639970000", "+262639970000", "YT", "mobile"),
        ("0639990000", "+262639990000", "YT", "mobile"),
        ("0709350000", "+262709350000", "YT", "mobile"),
        ("0976900000", "+262976900000", "YT", "voip"),
        ("0590000000", "+590590000000", "GP", "fixed"),
        ("0598700000", "+590598700000", "GP", "fixed"),
        ("0690000000", "+590690000000", "GP", "mobile"),
        ("0691000000", "+590691000000", "GP", "mobile"),
        ("0709000000", "+590709000000", "GP", "mobile"),
        ("0947500000", "+590947500000", "GP", "voip"),
        ("0594000000", "+594594000000", "GF", "fixed"),
        ("0694000000", "+594694000000", "GF", "mobile"),
        ("0709300000", "+594709300000", "GF", "mobile"),
        ("0947600000", "+594947600000", "GF", "voip"),
        ("0596000000", "+596596000000", "MQ", "fixed"),
        ("0696000000", "+596696000000", "MQ", "mobile"),
        ("0697000000", "+596697000000", "MQ", "mobile"),
        ("0709100000", "+596709100000", "MQ", "mobile"),
        ("0947700000", "+596947700000", "MQ", "voip"),
        ("0508410000", "+508410000", "PM", "other"),
        ("0708450000", "+508708450000", "PM", "mobile"),
    ],
)
def test_the_prefix_decides_the_territory(
    national: str, abroad: str, country: str, kind: str
) -> None:
    found = normalise(national)
    assert (found.e164, found.reason, found.country, found.kind) == (abroad, None, country, kind)
    assert normalise("+33" + national[1:]) == found
    assert normalise("0033 (0)" + national[1:]) == found
    assert normalise(abroad) == found


def test_numbers_for_fiction_are_metropolitan_in_the_middle_of_mayottes() -> None:
    assert normalise("0639980000").e164 == "+33639980000"
    assert normalise("+33639989999").e164 == "+33639989999"
    assert normalise("0639970000").e164 == "+262639970000"
    assert normalise("0639990000").e164 == "+262639990000"
    assert normalise("+262639980042").reason == "+262 is not the country code of its prefix"


def test_saint_pierre_et_miquelon_has_six_digits_abroad() -> None:
    assert normalise("+508410000") == Normalised("+508410000", None, "PM", "other")
    assert normalise("+508708450000") == Normalised("+508708450000", None, "PM", "mobile")
    assert normalise("+508").reason == "it has too few or too many digits for its country"


@pytest.mark.parametrize(
    ("phone", "reason"),
    [
        ("", "it is empty"),
        (" .-\u202f", "it is empty"),
        ("unknown", NO_DIGITS),
        ("06 39 98 00 42 (mobile)", NO_DIGITS),
        ("O639980042", NO_DIGITS),
        ("06399800 4two", NO_DIGITS),
        (
            "\u0660\u0666\u0663\u0669\u0669\u0668\u0660\u0660\u0664\u0662",
            "it holds something other than digits",
        ),
        (
            "\uff10\uff16\uff13\uff19\uff19\uff18\uff10\uff10\uff14\uff12",
            "it holds something other than digits",
        ),
        ("++33639980042", NO_DIGITS),
        ("33+639980042", NO_DIGITS),
        ("+", NO_DIGITS),
        ("063998004", NO_NATIONAL),
        ("06399800421", NO_NATIONAL),
        ("639980042", NO_NATIONAL),
        ("112", NO_NATIONAL),
        ("36105", NO_NATIONAL),
        ("+3363998004", "it has too few or too many digits for its country"),
        ("+336399800421", "it has too few or too many digits for its country"),
        ("+33039980042", "it has too few or too many digits for its country"),
        ("+262100000000", "+262 is not the country code of its prefix"),
        ("+590692000000", "+590 is not the country code of its prefix"),
        ("0709400000", "its prefix belongs to no territory yet"),
        ("0708000000", "its prefix belongs to no territory yet"),
    ],
    ids=ascii,
)
def test_what_cannot_be_told_has_a_reason(phone: str, reason: str) -> None:
    found = normalise(phone)
    assert (found.e164, found.country, found.kind) == (None, None, None)
    assert found.reason == reason


@given(st.text())
def test_any_text_has_a_number_or_a_reason_and_never_raises(phone: str) -> None:
    found = normalise(phone)
    assert (found.e164 is None) != (found.reason is None)


@given(st.from_regex(r"0[1-9][0-9]{8}", fullmatch=True))
def test_every_french_number_keeps_its_nine_digits(phone: str) -> None:
    found = normalise(phone)
    if found.e164 is None:
        assert phone.startswith(("0708", "0709"))
    elif found.country == "PM" and phone.startswith("0508"):
        assert found.e164 == "+508" + phone[4:]
    else:
        assert found.e164.endswith(phone[1:])
        assert normalise(found.e164) == found


@pytest.mark.parametrize(
    ("phone", "country"),
    [("+33639980042", "BE"), ("0692000000", "RE"), ("0692000000", "GP"), ("0033639980042", "BE")],
)
def test_a_french_number_is_french_from_anywhere(phone: str, country: str) -> None:
    pytest.importorskip("phonenumbers", reason="the extra phone is not installed")
    assert normalise(phone, country=country) == normalise(phone)


@pytest.mark.parametrize(
    ("phone", "country", "found"),
    [
        ("+1 202-555-0100", "FR", Normalised("+12025550100", None, "US", "other")),
        ("0012025550100", "FR", Normalised("+12025550100", None, "US", "other")),
        ("0470 00 00 00", "BE", Normalised("+32470000000", None, "BE", "mobile")),
        ("+32 470 00 00 00", "FR", Normalised("+32470000000", None, "BE", "mobile")),
        ("+999123456", "FR", Normalised(None, "no country has such a number")),
        ("+32 1", "FR", Normalised(None, "no country has such a number")),
        ("+32 999 99", "FR", Normalised(None, "its country has no such number")),
    ],
)
def test_other_countries_are_told_by_libphonenumber(
    phone: str, country: str, found: Normalised
) -> None:
    pytest.importorskip("phonenumbers", reason="the extra phone is not installed")
    assert normalise(phone, country=country) == found


def test_a_country_that_does_not_exist_is_refused() -> None:
    pytest.importorskip("phonenumbers", reason="the extra phone is not installed")
    with pytest.raises(ConfigurationError, match="'XX' is not the code of a country"):
        normalise("0470000000", country="XX")


def test_other_countries_without_the_extra_have_a_reason_that_names_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(phones, "_library", lambda: None)
    reason = "other countries need the extra: pip install 'smspartner[phone]'"
    assert normalise("+12025550100") == Normalised(None, reason)
    assert normalise("+33639980042").e164 == "+33639980042"


def test_a_phone_is_masked_where_its_parts_are_shown() -> None:
    assert repr(normalise("0639980042")) == (
        "Normalised(e164='+33 6 •• •• •• 42', reason=None, country='FR', kind='mobile')"
    )
    assert "692000000" not in repr(normalise("0692000000"))


def test_french_numbers_do_not_load_libphonenumber() -> None:
    code = (
        "import sys; from smspartner.models.phones import normalise; "
        "normalise('+33639980042'), normalise('0692000000'), normalise('x'); "
        "print('phonenumbers' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("number", ["508550000", "508410000", "508708450000", "508590000"])
def test_a_number_of_saint_pierre_is_the_same_from_anywhere(number: str) -> None:
    abroad = normalise("+" + number)
    assert abroad.e164 == "+" + number
    assert abroad.kind == ("mobile" if "708" in number else "other")
    national = number.removeprefix("508") if "708" in number else number
    assert normalise("0" + national) == abroad


def test_what_may_stand_between_digits_is_every_white_space_there_is() -> None:
    white = [chr(code) for code in range(0x110000) if chr(code).isspace()]
    marks = [*" .-/()", "\u00ad", *map(chr, [*range(0x200B, 0x2016), *range(0x202A, 0x202F)])]
    marks += ["\u2060", "\u2066", "\u2067", "\u2068", "\u2069", "\u2212", "\ufeff"]
    assert phones.compact("".join([*white, *marks])) == ""
    kept = [chr(code) for code in range(0x110000) if chr(code) not in {*white, *marks}]
    assert phones.compact("".join(kept)) == "".join(kept)


def test_without_the_library_other_countries_have_no_e164(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "phonenumbers", None)
    _library.cache_clear()
    try:
        assert normalise("+32470123456").e164 is None
        assert normalise("0639980042").e164 == "+33639980042"
    finally:
        _library.cache_clear()
