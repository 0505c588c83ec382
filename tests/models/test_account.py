"""``GET me``: the documented pair of samples, and the credits in both formats."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec
import pytest

import smspartner
from smspartner import APIKeyInvalidError, Client, DecodeError, Sandbox
from smspartner.decoders.whole import decode_answer
from smspartner.models.account import Account, Credits, User
from smspartner.sandbox.wire import Format, Named, Nulls, Value, to_bytes

FORMATS: Final[tuple[Format, ...]] = ("json", "xml")
every_format = pytest.mark.parametrize("form", FORMATS)

#: The provider's own pair, word for word: names are kept in one place and lost in another, and
#: short texts are no CDATA sections.
PAIR: Final[dict[Format, bytes]] = {
    "json": (
        b'{"success":true,"code":200,"user":{"username":"exemple@email.com","firstname":"John",'
        b'"lastname":"Doe"},"credits":{"creditSms":269070,"creditSmsECO":444551,'
        b'"creditHlr":2044937,"toSend":0,"solde":"10224.688","currency":"EUR",'
        b'"balance":"10224.688"}}'
    ),
    "xml": (
        b"<result><entry>true</entry><entry>200</entry><entry><username>exemple@email.com"
        b"</username><firstname>John</firstname><lastname>Doe</lastname></entry><entry>"
        b"<entry>269070</entry><entry>444551</entry><entry>2044937</entry><entry>0</entry>"
        b"<entry><![CDATA[10224.688]]></entry><entry><![CDATA[EUR]]></entry>"
        b"<entry><![CDATA[10224.688]]></entry></entry></result>"
    ),
}
ACCOUNT: Final = Account(
    success=True,
    code=200,
    user=User(username="exemple@email.com", firstname="John", lastname="Doe"),
    credits=Credits(
        sms=269070,
        sms_eco=444551,
        hlr=2044937,
        to_send=0,
        solde=Decimal("10224.688"),
        currency="EUR",
        balance=Decimal("10224.688"),
    ),
)


@every_format
def test_the_documented_pair_is_one_account(form: Format) -> None:
    assert decode_answer(PAIR[form], Account) == ACCOUNT


@every_format
def test_money_is_an_exact_decimal_and_never_a_float(form: Format) -> None:
    found = decode_answer(PAIR[form], Account).credits
    assert found is not None
    assert [(type(money), str(money)) for money in (found.solde, found.balance)] == [
        (Decimal, "10224.688"),
        (Decimal, "10224.688"),
    ]


def test_a_json_number_is_read_with_the_digits_it_has() -> None:
    body = PAIR["json"].replace(b'"solde":"10224.688"', b'"solde":10224.6880000000000000001')
    found = decode_answer(body, Account).credits
    assert found is not None
    assert str(found.solde) == "10224.6880000000000000001"


def pair_as_value(**changes: Value) -> dict[str, Value]:
    value = msgspec.json.decode(PAIR["json"])
    return {**value, "user": Named(value["user"]), **changes}


def read(value: Value, form: Format, nulls: Nulls = "dropped") -> Account:
    return decode_answer(to_bytes(value, form, nulls=nulls), Account)


@pytest.mark.parametrize("nulls", ["dropped", "kept"])
@pytest.mark.parametrize("absent", ["code", "user", "credits"])
@every_format
def test_a_part_that_is_absent_is_none(form: Format, absent: str, nulls: Nulls) -> None:
    expected = msgspec.structs.replace(ACCOUNT, **{absent: None})
    assert read(pair_as_value(**{absent: None}), form, nulls) == expected


@every_format
def test_names_are_read_by_name_whatever_their_order(form: Format) -> None:
    user = Named(lastname="Doe", phone="-", username="exemple@email.com", firstname="John")
    assert read(pair_as_value(user=user), form) == ACCOUNT


@every_format
def test_names_that_are_absent_move_nothing(form: Format) -> None:
    user = Named(username="exemple@email.com", firstname=None, lastname="Doe")
    found = read(pair_as_value(user=user), form).user
    assert found == User(username="exemple@email.com", lastname="Doe")


def test_credits_that_lost_an_entry_are_refused_and_never_shifted() -> None:
    for gap in ("creditSms", "creditSmsECO", "creditHlr", "toSend", "solde", "currency", "balance"):
        credits_ = {**msgspec.json.decode(PAIR["json"])["credits"], gap: None}
        value = pair_as_value(credits=credits_)
        assert read(value, "json") == read(value, "json", "kept") == read(value, "xml", "kept")
        with pytest.raises(DecodeError, match="several ways"):
            read(value, "xml")


@every_format
@pytest.mark.parametrize("wrong", ["many", "1.5", True, ""], ids=repr)
def test_credits_that_are_no_integer_are_refused(wrong: Value, form: Format) -> None:
    credits_ = {**msgspec.json.decode(PAIR["json"])["credits"], "creditSmsECO": wrong}
    with pytest.raises(DecodeError):
        read(pair_as_value(credits=credits_), form)


@every_format
@pytest.mark.parametrize("nulls", ["dropped", "kept"])
@pytest.mark.parametrize("wrong", ["many", ""])
@pytest.mark.parametrize("field", ["solde", "balance"])
def test_money_that_is_no_number_is_refused_and_moves_nothing(
    field: str, wrong: str, nulls: Nulls, form: Format
) -> None:
    # Without the wrong one this could be the order that has no solde, and one entry more.
    counts = dict.fromkeys(("creditSms", "creditSmsECO", "creditHlr", "toSend"))
    credits_ = {**counts, "solde": "1", "currency": "EUR", "balance": "1", field: wrong}
    with pytest.raises(DecodeError):
        read(pair_as_value(credits=credits_), form, nulls)


@every_format
def test_the_flag_decides_even_where_the_credits_came_along(form: Format) -> None:
    value = {**pair_as_value(code=10), "success": False}
    with pytest.raises(APIKeyInvalidError):
        read(value, form)


# --- Client.credits -------------------------------------------------------------------------------


@every_format
def test_the_client_reads_the_credits_from_either_format(form: Format) -> None:
    sample = msgspec.json.decode(PAIR["json"])["credits"]
    with (
        Sandbox(credits=sample) as sandbox,
        Client(sandbox.api_key, base_url=sandbox.url) as client,
    ):
        assert client.credits(format=form) == ACCOUNT
    last = sandbox.requests[-1]
    assert (last.path, last.format, last.token) == ("/v1/me", form, "")


@every_format
def test_credits_need_the_right_key(sandbox: Sandbox, form: Format) -> None:
    with (
        Client("not-this-key", base_url=sandbox.url) as client,
        pytest.raises(APIKeyInvalidError) as caught,
    ):
        client.credits(format=form)
    assert "not-this-key" not in f"{caught.value} {caught.value!r}"


# --- docs/adding-an-endpoint.md -------------------------------------------------------------------

PACKAGE: Final = Path(smspartner.__file__).parent
PAGE: Final = Path(__file__).resolve().parent.parent.parent / "docs" / "adding-an-endpoint.md"


def lines_of_code(node: ast.ClassDef | ast.FunctionDef, source: str) -> list[str]:
    """Return the lines of a class or function but for blanks, comments, docstring and imports."""
    taken = range(node.lineno, (node.end_lineno or 0) + 1)
    if ast.get_docstring(node) is not None:
        docstring = node.body[0]
        taken_by_it = range(docstring.lineno, (docstring.end_lineno or 0) + 1)
        found = [number for number in taken if number not in taken_by_it]
    else:
        found = list(taken)
    imports = {each.lineno for each in ast.walk(node) if isinstance(each, ast.ImportFrom)}
    lines = (source.splitlines()[number - 1] for number in found if number not in imports)
    return [line.partition("  #")[0] for line in lines if line.partition("#")[0].strip()]


def definitions(module: str, *names: str) -> Iterator[list[str]]:
    source = (PACKAGE / module).read_text()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name in names:
            yield lines_of_code(node, source)


def test_the_page_counts_the_lines_that_the_credits_endpoint_took() -> None:
    structs = list(definitions("models/account.py", "User", "Credits", "Account"))
    methods = list(definitions("client/account.py", "credits"))
    assert (len(structs), len(methods)) == (3, 1)

    said = re.search(
        r"\*\*(\d+) lines of structs\*\* .*\*\*(\d+) lines of method\*\*", PAGE.read_text()
    )

    assert said is not None, "the page no longer says how many lines it takes"
    assert [int(number) for number in said.groups()] == [
        sum(map(len, structs)),
        sum(map(len, methods)),
    ]


def test_the_page_shows_the_lines_as_they_stand_in_the_package() -> None:
    page = PAGE.read_text()
    for module, *names in (
        ("models/account.py", "User", "Credits", "Account"),
        ("client/account.py", "credits"),
    ):
        for lines in definitions(module, *names):
            for line in lines:
                assert line.strip() in page


def test_the_page_has_the_documented_pair_word_for_word() -> None:
    page = PAGE.read_text()
    for body in PAIR.values():
        assert body.decode() in page


def test_nothing_else_in_the_package_knows_the_endpoint() -> None:
    """No decoder, reader or transport has a line about accounts or their credits."""
    knowing = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if re.search(r"credit(Sms|Hlr)|\bAccount\b|\bsolde\b", path.read_text())
    }
    assert knowing - {"__init__.py"} == {
        "models/account.py",
        "cli/credits.py",
        "client/account.py",
        "client/async_client.py",
        "sandbox/endpoints.py",
    }
