"""Fixtures that the tests of reader and decoders share."""

from __future__ import annotations

import os

import pytest
from cases import SetWindow
from hypothesis import settings

from smspartner.decoders import reader

pytest_plugins = ["postgres_server"]

# A shared machine has slow moments: no single example has a deadline, whole files do. What gates
# a change draws the same examples each time; on a developer's machine they are new ones.
settings.register_profile(
    "smspartner", deadline=None, print_blob=True, derandomize="CI" in os.environ
)
settings.load_profile("smspartner")


def pytest_xdist_auto_num_workers() -> int:
    """Answer ``-n auto``: one more than there are processors, as many tests wait for a socket."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture
def set_window(monkeypatch: pytest.MonkeyPatch) -> SetWindow:
    """Return a function that sets how many bytes are decoded at once.

    A tiny window takes bodies of a few hundred bytes through everything that otherwise only
    bodies above 64 KiB meet: head, slices, guessed and true cuts, growth, end.
    """

    def set_to(size: int) -> None:
        monkeypatch.setattr(reader, "WINDOW", size)

    return set_to
