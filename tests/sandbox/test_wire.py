"""The serializer's rules, against bodies that the real one made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, get_args

import pytest

from smspartner.sandbox.wire import Nulls, to_bytes

CORPUS: Final = Path(__file__).parent.parent.parent / "fixtures"


def corpus_pairs() -> list[Any]:
    return [
        pytest.param(nulls, path, id=f"{nulls}-{path.stem}")
        for nulls in get_args(Nulls)
        for path in sorted(CORPUS.rglob(f"nulls-{nulls}/*.json"))
        if path.name != "outcomes.json"
    ]


def test_the_corpus_is_there() -> None:
    assert len(corpus_pairs()) == 301


@pytest.mark.parametrize(("nulls", "path"), corpus_pairs())
def test_the_serializer_is_imitated_byte_for_byte(nulls: Nulls, path: Path) -> None:
    value = json.loads(path.read_bytes())
    assert to_bytes(value, "json", nulls=nulls) == path.read_bytes()
    assert to_bytes(value, "xml", nulls=nulls) == path.with_suffix(".xml").read_bytes()


@pytest.mark.parametrize(
    "path", sorted(CORPUS.rglob("nulls-dropped/*.xml")), ids=lambda path: path.stem
)
def test_nulls_are_dropped_as_the_real_serializer_drops_them(path: Path) -> None:
    kept = path.parent.parent / "nulls-kept" / path.with_suffix(".json").name
    value = json.loads(kept.read_bytes())
    assert to_bytes(value, "xml", nulls="dropped") == path.read_bytes()
    assert to_bytes(value, "json", nulls="dropped") == path.with_suffix(".json").read_bytes()
