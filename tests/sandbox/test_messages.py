"""Requests as they are read and shown."""

from __future__ import annotations

from asking import DOWNLOAD

from smspartner.sandbox.messages import ParsedRequest


def test_a_request_is_shown_on_one_line_without_its_key() -> None:
    request = ParsedRequest.of(
        "GET", f"{DOWNLOAD}\x1b[1m?apiKey=secret&token=x%0Ay\x9b&_format=xml"
    )
    assert request.query["apiKey"] == "secret"
    assert "secret" not in repr(request)
    assert str(request) == (f"GET {DOWNLOAD}%1B%5B1m?apiKey=***&token=x%0Ay%C2%9B&_format=xml")
