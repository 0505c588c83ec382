"""The fixture ``smspartner_sandbox``, for the tests of those who use this library.

pytest imports this module in every project where the package is installed, so it loads nothing
before the fixture is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from smspartner.sandbox.sandbox import Sandbox


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, for ``--strict-markers``."""
    config.addinivalue_line(
        "markers", "smspartner_sandbox(**options): options of the fixture's Sandbox"
    )


@pytest.fixture
def smspartner_sandbox(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Sandbox]:
    """Run a ``Sandbox`` that ``Client()`` and the command line find through the environment.

    ``@pytest.mark.smspartner_sandbox(numbers=5, once=True)`` gives it options.
    """
    from smspartner.sandbox.sandbox import Sandbox  # noqa: PLC0415 - see above

    marker = request.node.get_closest_marker("smspartner_sandbox")
    options = marker.kwargs if marker else {}
    known = [option.name for option in fields(Sandbox)]
    unknown = [name for name in options if name not in known]
    if unknown or (marker and marker.args):
        what = ", ".join(unknown) or "a value without a name"
        pytest.fail(
            f"@pytest.mark.smspartner_sandbox cannot take {what}; its options are "
            f"{', '.join(known)}",
            pytrace=False,
        )
    with Sandbox(**options) as running:
        monkeypatch.setenv("SMSPARTNER_API_KEY", running.api_key)
        monkeypatch.setenv("SMSPARTNER_BASE_URL", running.url)
        monkeypatch.delenv("SMSPARTNER_KEY_FILE", raising=False)
        yield running
