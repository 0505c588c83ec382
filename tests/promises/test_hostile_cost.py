"""What the worst bodies cost: none of a mebibyte more than 5 s or 100 MiB."""

from __future__ import annotations

import json
import subprocess
import sys

import costly_bodies as costly
import pytest
from costly_bodies import BODIES, Cost


@pytest.fixture(scope="module")
def costs() -> dict[str, Cost]:
    """Measure every costly body, each in a process of its own."""
    run = subprocess.run(
        [sys.executable, costly.__file__], capture_output=True, text=True, check=True, timeout=300
    )
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    return {name: Cost(*cost) for name, *cost in rows}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="a child is forked for each body")
@pytest.mark.parametrize("name", BODIES)
def test_no_body_of_a_mebibyte_costs_more_than_five_seconds_or_100_mebibytes(
    name: str, costs: dict[str, Cost]
) -> None:
    cost = costs[name]

    assert cost.seconds < 5
    assert cost.mebibytes < 100
    assert "foreign" not in cost.outcome
    assert cost.outcome != "killed"


def test_the_costly_bodies_are_a_mebibyte() -> None:
    for name, make in BODIES.items():
        assert 0.8 * costly.SIZE < len(make()) <= 1.01 * costly.SIZE, name
