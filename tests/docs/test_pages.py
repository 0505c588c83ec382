"""The README and the docs: every block runs, tables are what the code says, links resolve."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlsplit

import pytest
from docs_blocks import (
    BODIES,
    ROOT,
    RUNNABLE,
    Block,
    Runner,
    blocks_of,
    headings_of,
    matches,
    prose_of,
    slug,
)
from docs_tables import TABLES, names_in, remade

from smspartner import Sandbox, decoders, errors
from smspartner.decoders.whole import decode_answer
from smspartner.models import account, status
from smspartner.models import envelope as answers

DOCS: Final = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))
READMES: Final = ("README.md", "README.fr.md")
PAGES: Final = (*READMES, "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", *DOCS)

_DEMO: Final = "it installs, and is run word for word by .ci/run"
#: Blocks that cannot be run here: the page and the first words of the block, and why.
NOT_RUN: Final = {
    ("README.md", "python3 -m venv .venv && .venv/bin/pip install -q '.[cli]'"): _DEMO,
    ("README.md", "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]'"): _DEMO,
    ("README.fr.md", "python3 -m venv .venv && .venv/bin/pip install -q '.[cli]'"): _DEMO,
    ("README.fr.md", "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]'"): _DEMO,
    ("docs/quickstart.md", "python3 -m venv .venv && .venv/bin/pip install -q '.[cli]'"): _DEMO,
    (
        "docs/fr/premier-telechargement.md",
        "python3 -m venv .venv && .venv/bin/pip install -q '.[cli]'",
    ): _DEMO,
    ("CONTRIBUTING.md", "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]'"): _DEMO,
    ("CONTRIBUTING.md", ".venv/bin/pip install -q -U 'pip>=25.1'"): "it installs; .ci/run runs it",
    ("CONTRIBUTING.md", ".ci/run"): "it runs these tests",
    (
        "docs/at-scale.md",
        "frame = spark.read",
    ): "it needs Java: engines/test_spark.py",
}
#: What a ``body`` comment may name.
STRUCTS: Final = {
    each.__name__: each for each in (answers.RentalAnswer, status.RentalStatus, account.Account)
}

every_page = pytest.mark.parametrize("page", PAGES)


def not_run(block: Block) -> bool:
    return any(page == block.page and block.text.startswith(start) for page, start in NOT_RUN)


@pytest.fixture
def runner(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Runner]:
    """Yield what runs the blocks of a page: with the key ``…`` and the rental ``TOKEN``."""
    if "postgresql" in request.getfixturevalue("page"):
        parts = urlsplit(request.getfixturevalue("address"))
        monkeypatch.setenv("PGHOST", parse_qs(parts.query)["host"][0])
        monkeypatch.setenv("PGUSER", parts.username or "")
    monkeypatch.setattr(decoders, "_loaders", dict(decoders._loaders))
    with Sandbox(numbers=1000, api_key="…", token="TOKEN") as sandbox:
        monkeypatch.setenv("SMSPARTNER_BASE_URL", sandbox.url)
        monkeypatch.setenv("SMSPARTNER_API_KEY", sandbox.api_key)
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.chdir(tmp_path)
        yield Runner()


@pytest.mark.parametrize(
    ("printed", "shown", "same"),
    [
        ("12 numbers\n", "12 numbers\n", True),
        ("12 numbers\n", "1… numbers\n", True),
        ("one\ntwo\nthree\n", "one\n…\nthree\n", True),
        ("12 numbers\n", "13 numbers\n", False),
        ("12 numbers\nand more\n", "12 numbers\n", False),
        ("", "…\n12\n", False),
    ],
)
def test_what_is_printed_is_compared_line_by_line(printed: str, shown: str, *, same: bool) -> None:
    assert matches(printed, shown) is same


@every_page
def test_every_block_runs_and_prints_what_the_page_says(page: str, runner: Runner) -> None:
    for block in blocks_of(page):
        if block.kind == "php" and shutil.which("php") is None:
            continue
        if block.kind in (*RUNNABLE, "setup") and not not_run(block):
            printed = runner.run(block)
            if block.prints is not None:
                assert matches(printed, block.prints), f"{block} prints:\n{printed}"


def test_the_list_of_blocks_that_are_not_run_is_exact() -> None:
    blocks = [block for page in PAGES for block in blocks_of(page) if not_run(block)]

    assert all(NOT_RUN.values())
    assert len(blocks) == len(NOT_RUN)


@every_page
def test_every_block_is_of_a_kind_that_is_looked_at(page: str) -> None:
    for block in blocks_of(page):
        assert block.kind in (*RUNNABLE, *BODIES, "setup"), str(block)


@every_page
def test_bodies_are_read_and_the_two_formats_of_one_are_equal(page: str) -> None:
    bodies = [(block, read_body(block)) for block in blocks_of(page) if block.kind in BODIES]

    for (first, json_said), (second, xml_said) in pairwise(bodies):
        if (first.kind, second.kind) == BODIES:
            assert json_said == xml_said, f"{first} and {second}"


def read_body(block: Block) -> object:
    """Return what a body gives: the struct, or what the service says no with."""
    try:
        return decode_answer(block.text.encode(), STRUCTS[block.body])
    except errors.APIError as error:
        return (type(error), error.code, error.message)


@pytest.mark.parametrize("page", DOCS)
def test_the_tables_of_a_page_are_those_of_the_code(page: str) -> None:
    text = (ROOT / page).read_text()

    assert remade(text) == text, "run: python tests/support/docs_tables.py"


def test_every_table_is_shown_once_and_every_command_has_one() -> None:
    shown = [name for page in DOCS for name in names_in((ROOT / page).read_text())]
    from smspartner.cli import _COMMANDS  # noqa: PLC0415 - private, only its names are wanted

    assert sorted(shown) == sorted([*TABLES, *(f"options-{name}" for name in _COMMANDS)])


@every_page
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose_of(page)):
        if urlsplit(target).scheme:
            continue
        path, _, anchor = target.partition("#")
        found = (ROOT / page).parent / path if path else ROOT / page
        assert found.exists(), f"{page}: {target}"
        if anchor:
            name = found.resolve().relative_to(ROOT).as_posix()
            assert anchor in {slug(text) for _, text in headings_of(name)}, f"{page}: {target}"


@every_page
def test_headings_have_anchors_of_their_own(page: str) -> None:
    if page == "CHANGELOG.md":
        return  # each version has the same headings
    anchors = [slug(text) for _, text in headings_of(page)]

    assert len(set(anchors)) == len(anchors)
    assert not any("--" in anchor for anchor in anchors), "the site would shorten it"
    assert headings_of(page)[0][0] == 1


def test_rules_and_facts_that_the_code_names_are_explained() -> None:
    known = set(re.findall(r"^### ([RA]\d+) ", prose_of("docs/wire-format.md"), re.MULTILINE))
    known |= set(
        re.findall(r"^- \*\*(A\d+\.\d+)\*\*", prose_of("docs/wire-format.md"), re.MULTILINE)
    )
    sources = [path.read_text() for path in (ROOT / "smspartner").rglob("*.py")]
    named = {name for text in sources for name in _names_of_rules(text)}

    assert {f"R{number}" for number in range(1, 13)} | {
        f"A{number}" for number in range(1, 10)
    } <= known
    assert named <= known
    assert len(named) > 15


def _names_of_rules(text: str) -> Iterator[str]:
    for phrase in re.findall(r"(?:rules?|facts?|\() ?((?:[RA]\d+(?:\.\d+)?(?:, | and )?)+)", text):
        yield from re.findall(r"[RA]\d+(?:\.\d+)?", phrase)
