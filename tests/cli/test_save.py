"""``smspartner save``: the body as it was sent, read through, never over another one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from smspartner import Sandbox
from smspartner.cli import run


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch, in_folder: Path) -> Iterator[Sandbox]:
    del in_folder
    with Sandbox() as running:
        monkeypatch.setenv("SMSPARTNER_API_KEY", running.api_key)
        monkeypatch.setenv("SMSPARTNER_BASE_URL", running.url)
        yield running


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize(
    ("arguments", "start"),
    [
        (["-o", "body.xml"], b"<?xml"),
        (["-o", "body.json"], b'{"success"'),
        (["-o", "body"], b'{"success"'),
        (["-o", "body.json", "--format", "xml"], b"<?xml"),
    ],
)
def test_the_name_says_the_format_unless_it_is_given(
    capsys: pytest.CaptureFixture[str], arguments: list[str], start: bytes
) -> None:
    assert run(["save", "n-3", *arguments]) == 0

    assert Path(arguments[1]).read_bytes().startswith(start)
    assert capsys.readouterr().err.startswith(f"3 numbers in {arguments[1]} (")


@pytest.mark.usefixtures("sandbox")
def test_a_body_that_is_there_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["save", "n-1", "-o", "body.xml"]) == run(["save", "n-2", "-o", "body.xml"]) == 0

    assert "1 number in body.xml (" in (said := capsys.readouterr().err)
    assert "2 numbers in body-2.xml (" in said
    assert "body.xml is there already: the body is in body-2.xml" in said


@pytest.mark.usefixtures("sandbox")
def test_quiet_says_where_a_body_is_that_could_not_have_its_name(
    capfd: pytest.CaptureFixture[str],
) -> None:
    for output, said in (
        ("./body.json", ""),
        ("./body.json", "smspartner: ./body.json is there already: the body is in body-2.json\n"),
        ("-", ""),
    ):
        assert run(["save", "n-1", "-o", output, "-q"]) == 0
        assert capfd.readouterr().err == said


@pytest.mark.usefixtures("sandbox")
def test_quiet_says_nothing_and_a_cut_body_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["save", "n-3", "-o", "body.xml", "-q"]) == 0
    assert capsys.readouterr() == ("", "")
    assert run(["save", "fault-cut", "-o", "cut.xml"]) != 0
    assert "rental fault-cut: " in capsys.readouterr().err


@pytest.mark.usefixtures("sandbox")
def test_a_folder_that_is_missing_is_no_fault_of_the_network() -> None:
    assert run(["save", "n-3", "-o", "missing/body.xml"]) == 1
