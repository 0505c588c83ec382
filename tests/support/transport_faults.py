"""Everything a network does wrong, and what the caller of a transport is told."""

from __future__ import annotations

import gzip
import random
from typing import NamedTuple

from rawserver import RawServer, Script, head, resets, sends, stalls
from transport_tools import BODY, SENT_KEY, failure

from smspartner.errors import RedirectError, SMSPartnerError, TransportError, TruncatedError


class Fault(NamedTuple):
    """What a server does, and what comes of it."""

    script: Script
    error: type[SMSPartnerError]
    retryable: bool
    words: str


LENGTH = head("Content-Length: 100")
CHUNKED = head("Transfer-Encoding: chunked")
GZIP = head("Content-Encoding: gzip", "Connection: close")
MEMBER = gzip.compress(random.Random(1).randbytes(500))
LOCATION = f"Location: https://me:pw@evil.example:444/x?apiKey={SENT_KEY}"

FAULTS = {
    "closed at once": Fault(sends(), TransportError, True, "before it answered"),
    "reset at once": Fault(resets(), TransportError, True, "connection reset"),
    "no answer": Fault(stalls(), TransportError, True, "did not answer within 0.3 s"),
    "status line cut": Fault(sends(b"HTTP/1.1 20"), TransportError, True, "before it answered"),
    "status line without an end": Fault(
        sends(b"HTTP/1.1 200 OK"), TransportError, True, "before it answered"
    ),
    "headers cut in a line": Fault(sends(LENGTH[:25]), TransportError, True, "before it answered"),
    "headers cut after a line": Fault(
        sends(LENGTH[:-2]), TransportError, True, "before it answered"
    ),
    "headers stall": Fault(stalls(LENGTH[:25]), TransportError, True, "did not answer within"),
    "not HTTP": Fault(sends(b"SSH-2.0-x\r\n\r\n"), TransportError, True, "did not answer in HTTP"),
    "200 headers": Fault(sends(head(*["A: b"] * 200)), TransportError, True, "not answer in HTTP"),
    "a header of 70 kB": Fault(sends(head("A: " + "b" * 70000)), TransportError, True, "in HTTP"),
    "two lengths": Fault(sends(head("Content-Length: 5, 7")), TransportError, True, "in HTTP"),
    "HTTP 103 alone": Fault(sends(head(status="103 Hints")), TransportError, False, "HTTP 103"),
    "body stalls at 0": Fault(stalls(LENGTH), TransportError, True, "no byte for 0.3 s"),
    "body stalls at 3": Fault(stalls(LENGTH, b"abc"), TransportError, False, "after 3 bytes"),
    "body cut at 0": Fault(sends(LENGTH), TransportError, True, "after 0 bytes"),
    "body cut at 3": Fault(sends(LENGTH, b"abc"), TruncatedError, False, "after 3 bytes"),
    "body reset at 3": Fault(resets(LENGTH, b"abc"), TruncatedError, False, "after 3 bytes"),
    "chunk cut": Fault(sends(CHUNKED, b"5\r\nabc"), TruncatedError, False, "after 3 bytes"),
    "cut between chunks": Fault(
        sends(CHUNKED, b"3\r\nabc\r\n"), TruncatedError, False, "after 3 b"
    ),
    "chunk of no size": Fault(
        sends(CHUNKED, b"3\r\nabc\r\nzz\r\n"), TruncatedError, False, "3 bytes"
    ),
    "chunk of size -1": Fault(sends(CHUNKED, b"-1\r\nabc\r\n"), TruncatedError, False, "cut after"),
    "gzip cut": Fault(sends(GZIP, MEMBER[:-1]), TruncatedError, False, "cut after"),
    "gzip cut at 0": Fault(sends(GZIP), TransportError, True, "after 0 bytes"),
    "gzip damaged": Fault(sends(GZIP, MEMBER[:-8] + bytes(8)), TransportError, False, "damaged"),
    "gzip and more": Fault(sends(GZIP, MEMBER + b"more"), TransportError, False, "damaged"),
    "not gzip": Fault(sends(GZIP, BODY), TransportError, False, "damaged"),
    "brotli": Fault(sends(head("Content-Encoding: br")), TransportError, False, "not asked for"),
    "gzip twice": Fault(
        sends(head("Content-Encoding: gzip, gzip")), TransportError, False, "coding"
    ),
    "coded chunks": Fault(
        sends(head("Transfer-Encoding: gzip, chunked")), TransportError, False, "cod"
    ),
    "redirect": Fault(
        sends(head(LOCATION, status="302 Go")), RedirectError, False, "//evil.example:444;"
    ),
    "redirect here": Fault(
        sends(head("Location: /x", status="301 Go")), RedirectError, False, "same serv"
    ),
    "redirect nowhere": Fault(sends(head(status="307 Go")), RedirectError, False, "HTTP 307"),
    "redirect astray": Fault(
        sends(head("Location: https://[", status="308 Go")), RedirectError, False, "read"
    ),
    "HTTP 429, for long": Fault(
        sends(head("Retry-After: 7200", status="429 No")), TransportError, True, "7200 s"
    ),
    "malformed header": Fault(
        sends(head(f" x: apiKey={SENT_KEY}", "Content-Length: 9"), b"a"),
        TruncatedError,
        False,
        "1 bytes",
    ),
}


def meet(name: str) -> SMSPartnerError:
    """Return the error that a request to such a server ends in."""
    with RawServer(FAULTS[name].script) as server:
        return failure(server.url, timeout=0.3, retries=1 if "429" in name else 0)
