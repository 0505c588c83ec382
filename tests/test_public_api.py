"""The public surface: names, imports, and what a repr shows."""

from __future__ import annotations

import pickle
import pkgutil
import subprocess
import sys
from contextlib import suppress
from importlib import import_module
from importlib.metadata import version
from logging import Logger
from typing import Any, Final

import pytest
from cases import unmeasured

import smspartner
from smspartner.models.masks import mask_phone
from smspartner.models.number import RentedNumber

#: What the design promises to other people's code.
PROMISED: Final = {
    *("Client", "RentedNumber", "Rental", "ResponseReader", "Sandbox"),
    *("decode", "iter_decode", "register_decoder", "__version__", "Limits"),
    *("SMSPartnerError", "APIError", "APIKeyMissingError", "APIKeyInvalidError"),
    *("TokenMissingError", "RentalNotFoundError", "TransportError", "DeadlineError"),
    *("RedirectError", "DecodeError", "UnknownFormatError", "UnsafeXMLError", "TruncatedError"),
    *("RecordError", "CountMismatchError", "LimitError"),
}
#: What a bare import must not load: parsers, HTTP, and everything that is an extra.
HEAVY: Final = (
    *("requests", "urllib3", "lxml", "defusedxml", "msgspec", "click", "rich", "pyarrow"),
    *("pandas", "psycopg", "phonenumbers", "http.server", "sqlite3", "csv", "ssl", "json"),
)


# Names


def test_public_names_are_sorted_and_there() -> None:
    assert smspartner.__all__ == sorted(smspartner.__all__)
    assert len(set(smspartner.__all__)) == len(smspartner.__all__)
    assert set(smspartner.__all__) >= PROMISED


@pytest.mark.parametrize("name", smspartner.__all__)
def test_each_public_name_can_be_imported(name: str) -> None:
    namespace: dict[str, Any] = {}
    exec(f"from smspartner import {name}", namespace)  # noqa: S102 - names of our own

    assert namespace[name] is getattr(smspartner, name)
    assert name in dir(smspartner)


@pytest.mark.parametrize("name", [name for name in smspartner.__all__ if name != "__version__"])
def test_each_public_name_says_what_it_is(name: str) -> None:
    assert len(getattr(smspartner, name).__doc__) > 20


def test_every_logger_is_one_that_users_set_by_the_name_of_the_package() -> None:
    names = set()
    for found in pkgutil.walk_packages(smspartner.__path__, "smspartner."):
        with suppress(ImportError):  # an extra that is not here
            module = import_module(found.name)
            names |= {each.name for each in vars(module).values() if isinstance(each, Logger)}
    assert "smspartner" in names
    assert {name.partition(".")[0] for name in names} == {"smspartner"}


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = smspartner.nothing
    with pytest.raises(ImportError):
        import_module("smspartner.nothing")


def test_the_version_is_that_of_the_package() -> None:
    assert smspartner.__version__ == version("smspartner")


# Imports


def loaded_by(code: str) -> set[str]:
    """Return the modules that are loaded after running code in a fresh interpreter."""
    run = subprocess.run(
        [sys.executable, "-I", "-c", f"{code}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        env=unmeasured(),
    )
    return set(run.stdout.split())


def test_importing_the_package_loads_nothing_heavy() -> None:
    loaded = loaded_by("import smspartner\nsmspartner.APIError")

    assert "smspartner.errors" in loaded
    assert loaded & {*HEAVY, "dataclasses"} == set()  # 12 ms of 33, which only Limits needs


def test_reading_json_loads_no_xml_and_no_http() -> None:
    body = b'{"success":true,"datas":[]}'

    loaded = loaded_by(f"import smspartner\nsmspartner.decode({body!r}, 'json')")

    assert "msgspec" in loaded
    assert loaded & {"lxml", "defusedxml", "requests", "urllib3", "click", "rich"} == set()


def test_reading_xml_loads_no_http() -> None:
    loaded = loaded_by(
        "import smspartner\nsmspartner.decode(b'<r><entry>true</entry><entry>0</entry></r>')"
    )

    assert {"lxml", "defusedxml"} <= loaded
    assert loaded & {"requests", "urllib3", "click", "rich", "pyarrow"} == set()


@pytest.mark.parametrize("module", ["errors"])
def test_modules_at_the_bottom_import_nothing_heavy(module: str) -> None:
    assert loaded_by(f"import smspartner.{module}") & set(HEAVY) == set()


# What a repr shows


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("+33639980042", "+33 6 •• •• •• 42"),
        ("+33139980042", "+33 1 •• •• •• 42"),
        ("0639980042", "••••••••42"),
        ("+33 6 39 98 00 42", "•••••••••••••••42"),
        ("+336399800421", "•••••••••••21"),
        ("+33039980042", "••••••••••42"),
        ("+٣٣٦٣٩٩٨٠٠٤٢", "••••••••••٤٢"),
        ("+33639980042\n", "•••••••••••2\n"),
        ("+262692998004", "•••••••••••04"),
        ("1234567", "•••••67"),
        ("123456", "••••••"),
        ("1", "•"),
        ("", ""),
    ],
)
def test_a_phone_is_masked(phone: str, shown: str) -> None:
    assert mask_phone(phone) == shown


def test_the_repr_of_a_number_masks_its_phone() -> None:
    number = RentedNumber(7, "+33639980042", stop_sms=True)

    assert repr(number) == "RentedNumber(id=7, phone='+33 6 •• •• •• 42', stop_sms=True)"
    assert str(number) == repr(number)
    assert "39980042" not in f"{number} {[number]} {number!r:>99}"


def test_a_number_is_a_value() -> None:
    number = RentedNumber(7, "+33639980042", stop_sms=True)

    assert number == RentedNumber(7, "+33639980042", stop_sms=True)
    assert len({number, RentedNumber(7, "+33639980042", stop_sms=True)}) == 1
    assert pickle.loads(pickle.dumps(number)) == number  # noqa: S301 - our own bytes
    with pytest.raises(AttributeError):
        number.phone = "x"  # type: ignore[misc]
