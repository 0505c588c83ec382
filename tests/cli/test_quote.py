"""``smspartner quote``: what a rental would cost."""

from __future__ import annotations

import json

import pytest

from smspartner.cli import run

pytestmark = pytest.mark.usefixtures("service")

ASKED = ("quote", "--zipcode", "60200,06200", "--interest", "14")


@pytest.mark.parametrize("form", ["json", "xml"])
def test_places_and_price_are_shown(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    volumes = ["--volume", "60200=20", "--volume", "06200=1000"]
    assert run([*ASKED, "--age", "25-35", *volumes, "--format", form]) == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines() == [
        "60200  20 numbers",
        "06200  1,000 numbers",
        "price  128.52 for 1,020 numbers, 0.09 each",
    ]
    assert shown.err == ""


def test_json_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["quote", "--department", "60", "--age", "30", "--volume", "60=20", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["places"] == {"60": 20}
    assert found["volume"] == 20
    assert found["cost"]["total"] == "2.52"


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ([], 2, "--volume"),
        (["--volume", "60200"], 2, "no place and volume such as 60200=20"),
        (["--volume", "60200=20", "--age", "old"], 2, "no range of ages such as 25-35"),
        (["--volume", "60200=20", "--age", "17"], 4, "--age must be a whole number from 18 to 98"),
        (["--volume", "60200=20", "--age", "35-25"], 2, "'35-25' goes backwards"),
        (["--volume", "60200=20", "--volume", "60200=30"], 2, "--volume names a place twice"),
        (["--volume", "75001=20"], 4, "names '75001', no place of the targeting"),
        (["--volume", "60200=20", "--category", "5"], 4, "--category must be 102"),
    ],
)
def test_what_cannot_be_asked_is_told(
    options: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*ASKED, *options]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert words in shown.err


def test_a_refusal_names_the_field(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*ASKED, "--volume", "60200=20000"]) == 5
    assert "code 27 is about volumes" in capsys.readouterr().err
