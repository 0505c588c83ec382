"""``smspartner credits``: what is left on the account, in either format."""

from __future__ import annotations

import json

import pytest
from rawserver import RawServer, answer

from smspartner.cli import run

pytestmark = pytest.mark.usefixtures("service")


@pytest.mark.parametrize("form", ["json", "xml"])
def test_the_credits_are_shown(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["credits", "--format", form]) == 0
    shown = capsys.readouterr()
    lines = dict(line.split("  ", 1) for line in shown.out.splitlines())
    assert {name.strip() for name in lines} >= {"account", "SMS", "balance"}
    assert shown.out.splitlines()[-1].endswith(" EUR")
    assert shown.err == ""


def test_json_is_one_line_with_the_names_of_python(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["credits", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"code", "user", "credits"}
    assert "sms_eco" in found["credits"]


@pytest.mark.parametrize(
    ("body", "lines"),
    [
        (b'{"success":true}', ["credits  the service did not say"]),
        (
            b'{"success":true,"credits":{"creditSms":0,"balance":"1.50"}}',
            ["SMS      0", "balance  1.50"],
        ),
        (
            b'{"success":true,"user":{"username":"a\\u001bb"},"credits":{"solde":"2"}}',
            ["account  a\N{REPLACEMENT CHARACTER}b", "balance  2"],
        ),
    ],
)
def test_only_what_the_service_said_is_shown(
    body: bytes, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with RawServer(answer(body, headers=["Content-Type: application/json"])) as server:
        assert run(["credits", "--base-url", f"{server.url}/v1"]) == 0
    assert capsys.readouterr().out.splitlines() == lines


def test_a_wrong_key_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SMSPARTNER_API_KEY", "wrong")
    assert run(["credits"]) == 4
    assert "Clé API incorrecte" in capsys.readouterr().err
