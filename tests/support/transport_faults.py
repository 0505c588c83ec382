"""Everything a network does wrong, and what the caller of a transport is told."""

from __future__ import annotations

import gzip
import random
from typing import NamedTuple

from rawserver import RawServer, Script, head, resets, sends, stalls
from transport_tools import DOWNLOAD, SENT_KEY, failure

from smspartner.errors import RedirectError, SMSPartnerError, TransportError, TruncatedError
from smspartner.transport import Request


class Fault(NamedTuple):
    """What a server does, and what comes of it."""

    script: Script
    error: type[SMSPartnerError]
    words: str
    maybe_received: bool = True  # whether the service may have acted on the request


LENGTH = head("Content-Length: 100")
CHUNKED = head("Transfer-Encoding: chunked")
GZIP = head("Content-Encoding: gzip", "Connection: close")
MEMBER = gzip.compress(random.Random(1).randbytes(500))
LOCATION = f"Location: https://me:pw@evil.example:444/x?apiKey={SENT_KEY}"

FAULTS = {
    "closed at once": Fault(sends(), TransportError, "before it answered"),
    "reset at once": Fault(resets(), TransportError, "connection reset"),
    "no answer": Fault(stalls(), TransportError, "did not answer within 0.3 s"),
    "status line cut": Fault(sends(b"HTTP/1.1 20"), TransportError, "before it answered"),
    "status line without an end": Fault(
        sends(b"HTTP/1.1 200 OK"), TransportError, "before it answered"
    ),
    "headers cut in a line": Fault(sends(LENGTH[:25]), TransportError, "before it answered"),
    "headers cut after a line": Fault(sends(LENGTH[:-2]), TransportError, "before it answered"),
    "headers stall": Fault(stalls(LENGTH[:25]), TransportError, "did not answer within"),
    "not HTTP": Fault(sends(b"SSH-2.0-x\r\n\r\n"), TransportError, "did not answer in HTTP"),
    "200 headers": Fault(sends(head(*["A: b"] * 200)), TransportError, "not answer in HTTP"),
    "a header of 70 kB": Fault(sends(head("A: " + "b" * 70000)), TransportError, "in HTTP"),
    "two lengths": Fault(sends(head("Content-Length: 5, 7")), TransportError, "in HTTP"),
    "HTTP 103 alone": Fault(sends(head(status="103 Hints")), TransportError, "before it ans"),
    "HTTP 101": Fault(sends(head(status="101 Switch")), TransportError, "HTTP 101 is not"),
    "HTTP 502": Fault(sends(head(status="502 Bad")), TransportError, "from it (HTTP 502)"),
    "HTTP 504": Fault(sends(head(status="504 Late")), TransportError, "in time (HTTP 504)"),
    "HTTP 503": Fault(
        sends(head(status="503 Away")), TransportError, "unavailable (HTTP 503); safe", False
    ),
    "body stalls at 0": Fault(stalls(LENGTH), TransportError, "no byte for 0.3 s"),
    "body stalls at 3": Fault(stalls(LENGTH, b"abc"), TransportError, "after 3 bytes"),
    "body cut at 0": Fault(sends(LENGTH), TransportError, "after 0 bytes"),
    "body cut at 3": Fault(sends(LENGTH, b"abc"), TruncatedError, "after 3 bytes"),
    "body reset at 3": Fault(resets(LENGTH, b"abc"), TruncatedError, "after 3 bytes"),
    "chunk cut": Fault(sends(CHUNKED, b"5\r\nabc"), TruncatedError, "after 3 bytes"),
    "cut between chunks": Fault(sends(CHUNKED, b"3\r\nabc\r\n"), TruncatedError, "after 3 b"),
    "chunk of no size": Fault(sends(CHUNKED, b"3\r\nabc\r\nzz\r\n"), TruncatedError, "3 bytes"),
    "chunk of size -1": Fault(sends(CHUNKED, b"-1\r\nabc\r\n"), TruncatedError, "cut after"),
    "gzip cut": Fault(sends(GZIP, MEMBER[:-1]), TruncatedError, "cut after"),
    "gzip damaged": Fault(sends(GZIP, MEMBER[:-8] + bytes(8)), TransportError, "damaged"),
    "gzip and more": Fault(sends(GZIP, MEMBER + b"more"), TransportError, "damaged"),
    "redirect": Fault(
        sends(head(LOCATION, status="302 Go")), RedirectError, "//evil.example:444;", False
    ),
    "redirect here": Fault(
        sends(head("Location: /x", status="301 Go")), RedirectError, "same serv", False
    ),
    "redirect nowhere": Fault(sends(head(status="307 Go")), RedirectError, "HTTP 307", False),
    "redirect astray": Fault(
        sends(head("Location: https://[", status="308 Go")), RedirectError, "read", False
    ),
    "HTTP 429, for long": Fault(
        sends(head("Retry-After: 7200", status="429 No")), TransportError, "7200 s", False
    ),
    "malformed header": Fault(
        sends(head(f" x: apiKey={SENT_KEY}", "Content-Length: 9"), b"a"),
        TruncatedError,
        "1 bytes",
    ),
}


def meet(name: str, request: Request = DOWNLOAD) -> SMSPartnerError:
    """Return the error that a request to such a server ends in."""
    with RawServer(FAULTS[name].script) as server:
        return failure(server.url, request, timeout=0.3)
