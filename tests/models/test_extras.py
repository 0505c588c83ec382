"""Libraries of extras: what is not installed can be, by pasting what the error says."""

from __future__ import annotations

import shlex
import sys

import pytest

from smspartner.errors import ConfigurationError
from smspartner.models.extras import load


def test_a_library_that_is_there_is_returned() -> None:
    assert load("json", "nothing") is sys.modules["json"]


@pytest.mark.parametrize("install", ["smspartner[arrow]", "smspartner[arrow] pandas"])
def test_what_is_missing_can_be_installed_by_pasting(
    install: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ConfigurationError) as caught:
        load("pandas", install)
    said, _, command = str(caught.value).partition(": ")
    assert said == "pandas is not installed"
    assert shlex.split(command) == ["pip", "install", *install.split()]
