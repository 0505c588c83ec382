"""``smspartner inspect --html``: one page for people, with nobody's phone and nothing to load."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from number_files import KINDS, mode_of, numbers, read, write_kind

from smspartner import RentedNumber, write
from smspartner.cli import run

pytestmark = pytest.mark.usefixtures("in_folder")

HOSTILE = '<img src=x onerror="alert(1)"> & 0639980042.csv'


class Page(HTMLParser):
    """What is in a page: its tags, their attributes, and the texts of its cells."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self.source = path.read_text("utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data.strip())


def digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def folder_of_all(folder: Path) -> Path:
    """Return a folder of files of every kind, and of others that hold no numbers."""
    place = folder / "january"
    place.mkdir()
    for name in KINDS:
        write_kind(place, name, numbers(100))
    for name in ("smspartner-journal.jsonl", "n.csv.provenance.json", ".hidden.csv", "notes.txt"):
        (place / name).write_text("not these")
    return place


@pytest.mark.parametrize("name", KINDS)
def test_a_page_says_what_is_in_a_file_and_no_phone(in_folder: Path, name: str) -> None:
    write_kind(in_folder, name, numbers(100))
    assert run(["inspect", name, "--html", "report.html"]) == 0
    page = Page(in_folder / "report.html")
    assert page.texts.count("numbers") == 1
    assert page.texts[page.texts.index("numbers") + 1] == "100"
    assert "FR France" in page.texts
    assert "where an earlier record has it too." in page.source
    assert "63998" not in digits(page.source)
    assert mode_of(in_folder / "report.html") == 0o600


def test_a_page_loads_nothing_and_has_both_colours(in_folder: Path) -> None:
    write(numbers(3), "n.csv")
    assert run(["inspect", "n.csv", "--html", "report.html"]) == 0
    page = Page(in_folder / "report.html")
    assert page.tags.isdisjoint({"script", "img", "link", "iframe", "object", "a", "form"})
    assert page.attributes.isdisjoint({"src", "href", "onerror"})
    assert "url(" not in page.source
    assert "default-src 'none'" in page.source
    assert "prefers-color-scheme: dark" in page.source


def test_a_folder_is_all_of_its_files_together(
    in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder_of_all(in_folder)
    assert run(["inspect", "january", "--html", "report.html"]) == 0
    assert capsys.readouterr().err == f"report.html: what is in {len(KINDS)} files\n"
    page = Page(in_folder / "report.html")
    total = 100 * len(KINDS)
    assert page.texts[page.texts.index("numbers") + 1] == f"{total:,}"
    before = page.texts[page.texts.index("with a phone that came before") + 1]
    phones = {row[1] for name in KINDS for row in read(in_folder / "january" / name)}
    assert int(before.replace(",", "")) == total - len(phones)
    assert {f"january/{name}" for name in KINDS} <= set(page.texts)
    assert "too, in whichever of the files." in page.source
    assert run(["inspect", "january", "--json"]) == 0
    assert capsys.readouterr().out.count("\n") == len(KINDS)


def test_what_only_some_files_say_is_not_known_of_all(in_folder: Path) -> None:
    write(numbers(3), "a.csv")
    write(numbers(3), "b.csv", columns=["phone"], exclude_stop=True)
    write([], "c.csv")
    lists = ["--opt-outs", "b.csv"]
    assert run(["inspect", "a.csv", "b.csv", "c.csv", *lists, "--html", "report.html"]) == 0
    page = Page(in_folder / "report.html")
    assert page.texts[page.texts.index("opted out of SMS") + 1] == "not known"
    assert "On opt-out lists" in page.texts
    assert page.texts[page.texts.index("b.csv") + 1] == "4"  # of three, and of two


def test_no_numbers_are_no_share_of_anything(in_folder: Path) -> None:
    write([], "n.csv")
    (in_folder / "list.txt").write_text("0639980042")
    assert run(["inspect", "n.csv", "--opt-outs", "list.txt", "--html", "report.html"]) == 0
    assert "%" not in "".join(Page(in_folder / "report.html").texts[3:])


def test_a_file_that_is_wrong_is_in_the_page_and_does_not_stop_the_others(
    in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (in_folder / "wrong").mkdir()
    (in_folder / "wrong" / HOSTILE).write_text("id,phone,stop_sms\n1,0639980001,maybe\n")
    (in_folder / "wrong" / "count.json").write_text(
        '{"success":true,"phoneNumbers":7,"datas":[{"id":1,"phone":"+33639980001","stopSms":true}]}'
    )
    write([RentedNumber(1, "0692000000", stop_sms=True)], "wrong/good.csv")
    assert run(["inspect", "wrong", "--html", "report.html"]) == 9
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 4
    assert "stop_sms is not true or false" in said[0]
    assert "the file is 'wrong/count.json'" in said[2]
    page = Page(in_folder / "report.html")
    assert page.texts[page.texts.index("numbers") + 1] == "2"
    assert page.texts[page.texts.index("wrong/count.json") + 1] == "wrong"
    assert page.texts[page.texts.index("wrong/good.csv") + 1] == "CSV"
    assert "ask SMS Partner; the file is 'wrong/count.json'" in page.source.replace("&#x27;", "'")
    assert "img" not in page.tags
    assert "639980042" not in digits(page.source)
    assert 'wrong/<img src=x onerror="alert(1)"> & ••••••••••.csv' in page.texts


def test_one_file_that_is_wrong_is_its_own_error(
    in_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (in_folder / "n.csv").write_text("id,phone,stop_sms\n1,0639980001,maybe\n")
    assert run(["inspect", "n.csv", "--html", "report.html"]) == 7
    assert "stop_sms is not true or false" in capsys.readouterr().err
    assert any("stop_sms is not" in text for text in Page(in_folder / "report.html").texts)
    (in_folder / "m.csv").write_text("id,phone,stop_sms\n1,0639980001,maybe\n")
    assert run(["inspect", "n.csv", "m.csv", "--html", "report.html"]) == 9


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["n.csv", "--html", "n.csv"], 4, "'n.csv' is one of the files to look at"),
        (["n.csv", "--html", "missing/report.html"], 1, "its folder does not exist"),
        (["n.csv", "--html", "report.html", "--json"], 2, "two forms of the same: choose one"),
        (["--html", "report.html"], 2, "Missing argument"),
        (["n.csv", "--token", "t", "--html", "report.html"], 2, "chooses a rental of a database"),
        (["empty", "--html", "report.html"], 4, "no file in 'empty' is called like one with"),
    ],
)
def test_what_cannot_be_is_said_first(
    in_folder: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    words: str,
) -> None:
    write(numbers(3), "n.csv")
    (in_folder / "empty").mkdir()
    before = (in_folder / "n.csv").read_bytes()
    assert run(["inspect", *arguments]) == code
    assert words in capsys.readouterr().err
    assert (in_folder / "n.csv").read_bytes() == before
    assert not (in_folder / "report.html").exists()
