"""What the tests of the transport share: one request, its key, and how to look for that key."""

from __future__ import annotations

import socket
import ssl
import time
import traceback
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from smspartner.errors import SMSPartnerError
from smspartner.transport import Reply, Request, RequestsTransport
from smspartner.transport.secrets import APIKey

KEY = "S3cr3t/K€y"
SENT_KEY = quote(KEY, safe="")
SPELLINGS = {KEY, SENT_KEY, quote(KEY), quote(SENT_KEY, safe="")}

QUERY = {"token": "tok", "_format": "json"}
#: What must not be repeated once it may have been received, and what may.
DOWNLOAD = Request(path="location/file/download", query=QUERY)
STATUS = Request(path="location/status", query=QUERY, repeatable=True)

PHONE = "+33639980042"
BODY = b'{"success":true,"phoneNumbers":1,"datas":[{"id":1,"phone":"%b"}]}' % PHONE.encode()

CERTIFICATE = str(Path(__file__).parent / "certs" / "localhost.pem")

#: How much later than its deadline a call may end on a busy machine, in seconds.
SLACK = 0.4


def transport(url: str, **options: Any) -> RequestsTransport:
    return RequestsTransport(url, **{"backoff": 0.01, "retries": 0, "timeout": 5.0} | options)


def get(client: RequestsTransport, request: Request = DOWNLOAD) -> Reply:
    return client.send(request, APIKey(KEY))


def fetch(url: str, request: Request = DOWNLOAD, **options: Any) -> bytes:
    client = transport(url, **options)
    try:
        with get(client, request) as reply:
            return b"".join(reply.chunks)
    finally:
        client.close()


def failure(url: str, request: Request = DOWNLOAD, **options: Any) -> SMSPartnerError:
    with pytest.raises(SMSPartnerError) as caught:
        fetch(url, request, **options)
    return caught.value


def timed_failure(
    url: str, request: Request = DOWNLOAD, **options: Any
) -> tuple[SMSPartnerError, float]:
    start = time.monotonic()
    error = failure(url, request, **options)
    return error, time.monotonic() - start


def trace_of(error: BaseException) -> str:
    """Return the traceback of an error with the variables of every frame."""
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    return "".join(trace.format())


def resolve(monkeypatch: pytest.MonkeyPatch, name: str, *addresses: str) -> None:
    """Have a name stand for some addresses of this machine."""
    real = socket.getaddrinfo

    def lookup(host: str, *args: Any, **kwargs: Any) -> list[Any]:
        hosts = addresses if host == name else (host,)
        return [entry for each in hosts for entry in real(each, *args, **kwargs)]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)


def leaks(text: str) -> bool:
    return any(spelling in text for spelling in SPELLINGS)


def tls_server() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context
