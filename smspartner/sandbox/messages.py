"""A request as the sandbox reads it, and a response before it is sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from smspartner.sandbox.wire import MEDIA_TYPES, Format, Named, to_bytes


@dataclass(frozen=True, slots=True)
class Request:
    """A request that arrived, without the key.

    Attributes:
        path: the path, without the query.
        token: the rental's token, empty if it has none.
        format: ``"json"`` or ``"xml"``.
        time: when it arrived, in seconds of ``time.monotonic``.
        headers: its headers, by their names in lower case.
        method: ``"GET"``, ``"POST"`` …
    """

    path: str
    token: str
    format: Format
    time: float
    headers: Mapping[str, str] = field(repr=False)
    method: str = "GET"


@dataclass(frozen=True, slots=True, repr=False)
class ParsedRequest:
    """A request, taken apart; it holds the key.

    Attributes:
        method: the HTTP method.
        target: path and query as they came.
        path: the path alone.
        query: the parameters of the query; of one given twice the last counts.
        body: what was posted.
    """

    method: str
    target: str
    path: str
    query: Mapping[str, str]
    body: bytes = b""

    @classmethod
    def of(cls, method: str, target: str, body: bytes = b"") -> ParsedRequest:
        """Take a request's target apart."""
        path, _, query = target.partition("?")
        return cls(method, target, path, dict(parse_qsl(query)), body)

    @property
    def form(self) -> Format:
        """The format asked for; JSON where none or another one was."""
        return "xml" if self.query.get("_format") == "xml" else "json"

    @property
    def token(self) -> str:
        """The rental's token, empty if it has none."""
        return self.query.get("token", "")

    def fields(self) -> dict[str, Any] | None:
        """Return the JSON object that was posted, None where the body is none."""
        try:
            fields = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return fields if isinstance(fields, dict) else None

    def __str__(self) -> str:
        """Return method and target on one line, without the key and without control characters."""
        shown = {name: "***" if name == "apiKey" else value for name, value in self.query.items()}
        query = f"?{urlencode(shown, safe='*')}" if shown else ""
        return f"{self.method} {quote(self.path, safe='/%')}{query}"


@dataclass(frozen=True, slots=True)
class Response:
    """A response in good order.

    Attributes:
        body: its bytes, in pieces, to be taken once.
        size: how many bytes that are.
        media: its media type.
        status: its HTTP status.
        headers: further header lines.
        refused: whether it refuses what was asked for.
        counted: the token of the download that it is, empty where it is none.
    """

    body: Iterable[bytes]
    size: int
    media: str
    status: int = 200
    headers: tuple[str, ...] = ()
    refused: bool = False
    counted: str = ""


def whole(body: bytes, media: str, status: int = 200, *headers: str) -> Response:
    """Return a response whose body is in memory."""
    return Response([body], len(body), media, status, headers)


def framework_error(status: HTTPStatus, form: Format, *headers: str) -> Response:
    """Return an error of the framework itself: named in both formats (fact A5.9)."""
    said = Named({"code": status.value, "message": status.phrase})
    return whole(to_bytes(said, form), MEDIA_TYPES[form], status, *headers)
