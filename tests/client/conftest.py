"""What a test of the client states holds of ``Client`` and of ``AsyncClient``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twin import Connect, note_threads

from smspartner import Client, Sandbox


@pytest.fixture(autouse=True)
def _others() -> None:
    note_threads()


@pytest.fixture
def client(connect: Connect, sandbox: Sandbox) -> Iterator[Client]:
    """Return a client of the sandbox that makes each request once."""
    with connect(sandbox.api_key, base_url=sandbox.url, retries=0) as made:
        yield made
