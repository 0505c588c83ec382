"""Requests to a sandbox as a test writes them, and what came back."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Callable
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from smspartner.models.number import RentedNumber
from smspartner.sandbox import Sandbox
from smspartner.sandbox.settings import RentalPlan, read_token
from smspartner.sandbox.wire import Format

DOWNLOAD: Final = "/v1/location/file/download"
STATUS: Final = "/v1/location/status"
FORMATS: Final[tuple[Format, ...]] = ("json", "xml")


class Got(NamedTuple):
    status: int
    media: str | None
    body: bytes


def ask(
    sandbox: Sandbox,
    path: str = DOWNLOAD,
    /,
    *,
    key: str | None = "",
    of: str | None = "",
    form: str | None = None,
) -> Got:
    """Ask on a connection of its own, with the sandbox's own key and token unless given."""
    connection = http.client.HTTPConnection(*address(sandbox), timeout=10)
    try:
        return ask_on(connection, target(sandbox, path, key=key, of=of, form=form))
    finally:
        connection.close()


def target(
    sandbox: Sandbox,
    path: str = DOWNLOAD,
    /,
    *,
    key: str | None = "",
    of: str | None = "",
    form: str | None = None,
) -> str:
    query = {
        "apiKey": sandbox.api_key if key == "" else key,
        "token": sandbox.token if of == "" else of,
        "_format": form,
    }
    given = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(given)}"


def ask_on(connection: http.client.HTTPConnection, where: str) -> Got:
    connection.request("GET", where)
    return received(connection)


def received(connection: http.client.HTTPConnection) -> Got:
    with connection.getresponse() as response:
        return Got(response.status, response.headers["Content-Type"], response.read())


def post(sandbox: Sandbox, path: str, body: bytes | dict[str, Any], form: str | None = None) -> Got:
    """Post an object, or bytes that stand for one."""
    connection = http.client.HTTPConnection(*address(sandbox), timeout=10)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request("POST", target(sandbox, path, key=None, of=None, form=form), body=data)
    try:
        return received(connection)
    finally:
        connection.close()


def request_bytes(sandbox: Sandbox, token: str) -> bytes:
    return f"GET {target(sandbox, of=token)} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def address(sandbox: Sandbox) -> tuple[str, int]:
    host, _, port = sandbox.url.partition("://")[2].removesuffix("/v1").partition(":")
    return host, int(port)


def read_json(body: bytes) -> list[RentedNumber]:
    records = json.loads(body)["datas"]
    return [RentedNumber(each["id"], each["phone"], each["stopSms"]) for each in records]


def read_xml(body: bytes) -> list[RentedNumber]:
    record = re.compile(
        rb"<entry>\s*<entry>(\d+)</entry>\s*<entry><!\[CDATA\[(.*?)\]\]></entry>\s*"
        rb"<entry>(true|false)</entry>\s*</entry>"
    )
    return [
        RentedNumber(int(identifier), phone.decode(), stop == b"true")
        for identifier, phone, stop in record.findall(body)
    ]


CODE: Final[dict[Format, Callable[[bytes], int]]] = {
    "json": lambda body: json.loads(body)["code"],
    "xml": lambda body: int(re.findall(rb"<entry>(\d+)</entry>", body)[0]),
}
READ: Final = {"json": read_json, "xml": read_xml}


def plan(token: str, **options: Any) -> RentalPlan:
    """Return what a token means to a sandbox with these options."""
    found = read_token(token, Sandbox(**options), {"stall"})
    assert found is not None
    return found
