"""The site: the reference is complete, pictures stand alone, it builds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

import pytest
from docs_blocks import ROOT, prose_of
from docs_pictures import PICTURES, Promise, promised, promises
from floor_plan import rooms

import smspartner
from smspartner import SMSPartnerError

DOCS: Final = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))
REFERENCE: Final = [page for page in DOCS if page.startswith("docs/reference/")]
IMAGES: Final = sorted((ROOT / "docs" / "images").glob("*.svg"))


def test_every_public_name_is_in_the_reference() -> None:
    pages = "".join((ROOT / page).read_text() for page in REFERENCE)
    shown = dict(
        re.findall(
            r"^::: ([\w.]+)\n(?:    options:\n(?:      members: \[(.*)\])?)?", pages, re.MULTILINE
        )
    )

    for name in set(smspartner.__all__) - {"__version__"}:
        home = getattr(smspartner, name).__module__
        whole = f"{home}.{name}" in shown
        assert whole or home in shown, name
        assert whole or not shown[home] or name in shown[home].split(", "), name


def test_every_exception_has_its_advice() -> None:
    advice = prose_of("docs/handle-errors.md").split("## What to do")[1].split("\n## ")[0]

    for name in smspartner.__all__:
        value = getattr(smspartner, name)
        if isinstance(value, type) and issubclass(value, SMSPartnerError):
            assert name == "SMSPartnerError" or f"`{name}`" in advice, name


def test_the_design_names_files_that_are_there() -> None:
    page = (ROOT / "docs" / "design.md").read_text()
    there = {
        path.name for folder in ("smspartner", "tests") for path in (ROOT / folder).rglob("*.py")
    }

    named = re.findall(r"`(?:[\w/]*/)?(\w+\.py)`", page)
    assert len(named) > 10
    assert set(named) <= there


def test_every_room_has_its_paragraph() -> None:
    page = (ROOT / "docs" / "design.md").read_text()

    for room in set(rooms()) - {"__init__", "__main__", "_version"}:
        assert f"\n**{room}** " in page


def test_the_pictures_are_there() -> None:
    assert [path.stem for path in IMAGES] == [
        *("envelope-with-a-hole", "house", "promises", "terminal", "two-bodies", "way-of-a-datum")
    ]


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_that_is_made_shows_what_there_is(name: str) -> None:
    there = (ROOT / "docs" / "images" / f"{name}.svg").read_text()

    assert PICTURES[name]() == there, "run: python tests/support/docs_pictures.py"


@pytest.mark.parametrize("share", [0.001, 0.9, 1, 1.1, 1.3, 40])
def test_no_bar_of_a_promise_reaches_its_figures(share: float) -> None:
    picture = promises([Promise("XML", "at most 1x", "it", share, met=share <= 1)])
    bar = re.search(r'class="bar( missed)?" d="M(\d+) \d+h(\d+)(l8 )?', picture)
    line = re.search(r'class="line" d="M(\d+)', picture)
    figures = re.search(r'class="what" x="(\d+)" y="\d+">it,', picture)

    assert bar
    assert line
    assert figures
    end = int(bar[2]) + int(bar[3]) + (8 if bar[4] else 0)
    assert end < int(figures[1])
    assert (end > int(line[1])) is (bar[1] is not None) is (share > 1)
    assert 'height="88"' in picture


def test_the_home_page_says_which_promises_are_not_met() -> None:
    found = list(promised())
    missed = [each.what for each in found if not each.met]
    home = " ".join(prose_of("docs/index.md").split())

    assert f"{len(found) - len(missed)} of the {len(found)} promises are met" in home
    assert all(what in (ROOT / "docs" / "promises.md").read_text() for what in missed)


@pytest.mark.parametrize("image", IMAGES, ids=lambda path: str(path.stem))
def test_a_picture_stands_alone_and_says_what_it_shows(image: Path) -> None:
    text = image.read_text()
    root = ET.fromstring(text)  # noqa: S314 - our own file
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}

    assert {"title", "desc"} <= tags <= {"svg", "title", "desc", "style", "rect", "path", "text"}
    assert "prefers-color-scheme: dark" in text
    assert text.count("http") == 1, "the namespace alone: nothing is fetched"


def test_every_page_is_in_the_menu() -> None:
    menu = (ROOT / "mkdocs.yml").read_text().partition("\nnav:\n")[2]
    pages = re.findall(r": (\S+\.md)$", menu, re.MULTILINE)

    assert sorted(f"docs/{page}" for page in pages) == DOCS


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the site, built; a warning is a failure."""
    if find_spec("mkdocs") is None:
        pytest.skip("mkdocs is not installed: see CONTRIBUTING.md")
    folder = tmp_path_factory.mktemp("site")
    options = ("--strict", "--quiet", "--site-dir", str(folder))
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", *options],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    return folder


@pytest.mark.slow
def test_the_site_fetches_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        assert (
            re.findall(r'<(?:script|img|link)[^>]*(?:src|href)="(http[^"]+)', page.read_text())
            == []
        )


@pytest.mark.slow
def test_names_of_rules_in_the_reference_link_to_them(site: Path) -> None:
    there = set(re.findall(r'id="([^"]+)"', (site / "wire-format/index.html").read_text()))
    pages = [path.read_text() for path in (site / "reference").rglob("index.html")]
    linked = {name for page in pages for name in re.findall(r"\.\./wire-format/#([^\"]+)", page)}

    assert linked <= there
    assert {"r4-errors", "r7-scalars", "a4-status-of-a-rental"} <= linked


@pytest.mark.slow
def test_an_option_is_not_broken_behind_its_hyphen(site: Path) -> None:
    page = (site / "quickstart/index.html").read_text()

    assert '<span class="word">--exclude-stop</span>' in page
    assert ".word { white-space: nowrap; }" in (site / "assets/site.css").read_text()
    for cron in ("from-cron", "fr/cron"):
        assert "language-sh highlight" in (site / cron / "index.html").read_text()


@pytest.mark.slow
def test_the_reference_shows_no_marks_of_docstrings(site: Path) -> None:
    for path in (site / "reference").rglob("index.html"):
        page = path.read_text()
        assert "<p>::" not in page, path
        assert not re.search(r"<code>\([^()]*Error", page), path
    client = (site / "reference/client/index.html").read_text()
    assert 'href="#smspartner.client.async_client.AsyncClient"' in client
    assert 'href="#smspartner.client.async_client"' not in client


@pytest.mark.slow
def test_a_page_says_which_language_it_is_in(site: Path) -> None:
    for path in site.rglob("index.html"):
        page = path.read_text()
        french = path.relative_to(site).parts[0] == "fr"
        assert f'<html lang="{"fr" if french else "en"}"' in page, path
        assert ("Table of contents" in page) is not french
        assert ('placeholder="Rechercher"' in page) is french
