"""The fixture that the package gives to the tests of others, each tried in a pytest of its own."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

import pytest

pytest_plugins = ["pytester"]

ROOT: Final = Path(__file__).resolve().parent.parent.parent
PLUGIN: Final = "smspartner.sandbox.pytest_plugin"

A_TEST: Final = """
import os
import pytest
from smspartner import Client, RentalUsedError

def test_first(smspartner_sandbox):
    with Client() as client:
        rental = client.download(smspartner_sandbox.token)
    assert list(rental) == list(smspartner_sandbox.expected())
    assert smspartner_sandbox.downloads() == 1

@pytest.mark.smspartner_sandbox(numbers=5, once=True)
def test_second(smspartner_sandbox):
    assert smspartner_sandbox.downloads() == 0
    with Client() as client:
        assert len(client.download(smspartner_sandbox.token)) == 5
        with pytest.raises(RentalUsedError):
            client.download(smspartner_sandbox.token)

def test_third():
    assert "SMSPARTNER_API_KEY" not in os.environ
    assert "SMSPARTNER_BASE_URL" not in os.environ
"""

NOTHING_LOADED: Final = """
import sys

def test_nothing_is_loaded():
    ours = {name for name in sys.modules if name.partition(".")[0] == "smspartner"}
    assert "smspartner.sandbox.pytest_plugin" in ours
    assert ours <= {"smspartner", "smspartner._version", "smspartner.errors",
                    "smspartner.sandbox", "smspartner.sandbox.pytest_plugin"}
    assert {"msgspec", "lxml", "defusedxml"}.isdisjoint(sys.modules)
"""


def run(pytester: pytest.Pytester, code: str) -> pytest.RunResult:
    pytester.makepyfile(code)
    options = ("-p", PLUGIN, "-p", "no:smspartner", "-p", "no:hypothesispytest", "-p", "no:xdist")
    return pytester.runpytest_subprocess(*options, "--strict-markers", "-W", "error", timeout=60)


def test_the_fixture_is_a_sandbox_that_the_environment_names(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SMSPARTNER_API_KEY", raising=False)
    monkeypatch.delenv("SMSPARTNER_BASE_URL", raising=False)
    run(pytester, A_TEST).assert_outcomes(passed=3)


@pytest.mark.parametrize(
    ("given", "what"), [("number=5, once=True", "number"), ("5", "a value without a name")]
)
def test_what_is_no_option_of_the_sandbox_is_said(
    pytester: pytest.Pytester, given: str, what: str
) -> None:
    code = f"""
import pytest

@pytest.mark.smspartner_sandbox({given})
def test_it(smspartner_sandbox):
    pass
"""
    done = run(pytester, code)
    done.assert_outcomes(errors=1)
    words = f"@pytest.mark.smspartner_sandbox cannot take {what}; its options are numbers, seed, *"
    done.stdout.fnmatch_lines([words])
    done.stdout.no_fnmatch_line("*Settings*")


def test_nothing_is_loaded_before_the_fixture_is_used(pytester: pytest.Pytester) -> None:
    run(pytester, NOTHING_LOADED).assert_outcomes(passed=1)


def test_the_package_tells_pytest_of_the_plugin() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"smspartner": PLUGIN}
