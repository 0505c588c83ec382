"""The two READMEs say the same; CONTRIBUTING and CHANGELOG keep up."""

from __future__ import annotations

import ast
import re
from typing import Final

import pytest
from docs_blocks import ROOT, Block, blocks_of, headings_of, prose_of

import smspartner

READMES: Final = ("README.md", "README.fr.md")


@pytest.mark.parametrize("page", READMES)
def test_a_readme_is_read_in_two_minutes(page: str) -> None:
    assert len((ROOT / page).read_text().splitlines()) <= 60


def test_the_french_readme_has_the_structure_of_the_english_one() -> None:
    english, french = (headings_of(page) for page in READMES)

    assert [level for level, _ in french] == [level for level, _ in english]
    assert french[0] == english[0]
    english_text, french_text = (prose_of(page) for page in READMES)
    for sign in ("|---", "\n- ", "\n| "):
        assert french_text.count(sign) == english_text.count(sign), sign


def test_the_french_readme_has_the_commands_of_the_english_one() -> None:
    english, french = ([bare(block) for block in blocks_of(page)] for page in READMES)

    assert french == english


def bare(block: Block) -> tuple[str, str]:
    """Return a block without its comments."""
    if block.kind == "python":
        return block.kind, ast.dump(ast.parse(block.text))
    return block.kind, re.sub(r"\s+#.*$", "", block.text, flags=re.MULTILINE)


FRENCH: Final = [
    "README.fr.md",
    *(path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs" / "fr").glob("*.md"))),
]


@pytest.mark.parametrize("page", FRENCH)
def test_a_french_page_is_set_as_french_is(page: str) -> None:
    prose = re.sub(r"`[^`]*`", "", prose_of(page))

    assert not re.findall(r"\w'\w", prose), "a straight apostrophe"
    assert not re.findall(r" [:;?!»]|« ", prose), "the space before : ; ? ! » does not break"
    assert not re.findall(r"\b(?:tu|ton|ta|tes|toi)\b", prose, re.IGNORECASE), "vouvoiement"


@pytest.mark.parametrize("page", READMES)
def test_the_figures_of_the_readmes_are_those_of_the_last_measurement(page: str) -> None:
    results = (ROOT / "benchmarks" / "RESULTS.md").read_text()
    named = re.findall(r"(?:JSON|XML) (\d+) (?:times|fois)", prose_of(page))
    measured = [
        re.search(rf"\| {re.escape(what)} .*\| +([\d.]+)x \(", results)
        for what in (
            "JSON, faster than json.loads + dataclass",
            "XML, faster than lxml tree + loop",
        )
    ]

    assert [int(figure) for figure in named] == [int(float(it[1])) for it in measured if it]


#: Pages that say how to set up.
SET_UP: Final = (
    *(*READMES, "CONTRIBUTING.md", "docs/quickstart.md"),
    "docs/fr/premier-telechargement.md",
)


def test_set_up_commands_are_those_of_the_readme() -> None:
    set_up = [block.text for block in blocks_of("README.md") if "python3 -m venv" in block.text]
    others = [block.text for page in SET_UP for block in blocks_of(page) if "venv" in block.first]

    assert len(set_up) == 2
    assert {text for text in others if text.startswith("python3")} == set(set_up)


def test_the_changelog_has_this_version_and_a_place_for_the_next() -> None:
    versions = [text for level, text in headings_of("CHANGELOG.md") if level == 2]

    assert versions[0] == "[Unreleased]"
    assert versions[1].startswith(f"[{smspartner.__version__}]")
    changes = {text for level, text in headings_of("CHANGELOG.md") if level == 3}
    assert changes <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
