"""The bodies that are read: the sandbox's, and variants; the fast path takes but the last."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from smspartner.sandbox import number_at, render


class _Kind(NamedTuple):
    """A format, and bytes that are replaced in it.

    The renderer's pieces hold whole records, so replacing never misses one that is cut in two.
    """

    format: str
    old: bytes = b""
    new: bytes = b""


_KINDS: Final = {
    "json": _Kind("json"),
    "xml": _Kind("xml"),
    "xml, phones with blanks": _Kind("xml", b"[+33639", b"[+33 6 39"),
    "xml, a fourth entry": _Kind(
        "xml",
        b"</entry>\n    </entry>\n",
        b"</entry>\n      <entry>1</entry>\n    </entry>\n",
    ),
    "xml, a name with an accent": _Kind(
        "xml",
        b"</entry>\n    </entry>\n",
        "</entry>\n      <entry><![CDATA[Amélie]]></entry>\n    </entry>\n".encode(),
    ),
}

#: The kinds of bodies; each begins with the name of its format.
KINDS: Final = tuple(_KINDS)

Values = tuple[int, str, bool]


def pieces(numbers: int, kind: str) -> Iterator[bytes]:
    """Return a body of so many records in pieces."""
    form, old, new = _KINDS[kind]
    rendered = render(numbers, form)
    return (piece.replace(old, new) for piece in rendered) if old else rendered


def whole(numbers: int, kind: str) -> bytes:
    """Return a body of so many records in one piece."""
    return b"".join(pieces(numbers, kind))


def values_at(position: int, kind: str) -> Values:
    """Return what the record at a position has to be read as."""
    number = number_at(0, position)
    phone = number.phone.replace("+33639", "+33 6 39") if "blanks" in kind else number.phone
    return number.id, phone, number.stop_sms
