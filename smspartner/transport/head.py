"""What the head of an answer says: whether to read its body, and when to ask again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from smspartner.errors import RedirectError, TransportError
from smspartner.transport.address import peer_of

_SECONDS: Final = r"[0-9]{1,9}"


def asked_wait(headers: Mapping[str, str]) -> float | None:
    """Return the seconds a ``Retry-After`` asks to wait, or None if it cannot be read.

    Args:
        headers: the headers of an answer, in any case.
    """
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    if re.fullmatch(_SECONDS, value):
        return float(value)
    try:
        when = parsedate_to_datetime(value)
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC)
        return max(0.0, (when - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):  # no date, or one no calendar has
        return None


def refusal(status: int, headers: Mapping[str, str]) -> TransportError | None:
    """Return why the body of an answer is not to be read, None where it is.

    Args:
        status: the HTTP status.
        headers: the headers, in any case.
    """
    if 300 <= status < 400:  # noqa: PLR2004 - the class of redirects
        return RedirectError(
            f"the service answered HTTP {status}, a redirect to {_origin(headers)}; it was not "
            "followed, since the key is in the address. Check the base URL: https, and no typing "
            "error",
            http_status=status,
        )
    if status < 200:  # noqa: PLR2004 - not a final answer
        return TransportError(
            f"HTTP {status} is not an answer", http_status=status, maybe_received=True
        )
    return None


def _origin(headers: Mapping[str, str]) -> str:
    """Return where a redirect points, without path and query: the key may be in them."""
    try:
        parts = urlsplit(headers.get("location", ""))
        peer = peer_of(parts)
    except ValueError:
        return "an address that cannot be read"
    if not parts.hostname:
        return "another place of the same server"
    return f"{parts.scheme or 'https'}://{peer}"
