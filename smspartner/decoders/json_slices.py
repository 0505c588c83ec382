"""Where the records of JSON stand: in a body, behind a name, or in any array of objects."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

import msgspec

from smspartner.decoders.slices import CANDIDATES, Cut, Hole, Markup, Parse
from smspartner.models.envelope import PROBE_TEXT, ListAnswer

# Finds where values end; what it finds is decoded by msgspec all the same. Numbers stay text:
# int() refuses more than 4,300 digits.
_SCANNER: Final = json.JSONDecoder(strict=False, parse_int=str, parse_float=str)

#: Where one object of an array ends and the next begins, by its looks.
BOUNDARY: Final = re.compile(rb"(\})[ \t\n\r]*,[ \t\n\r]*(?=\{)")
_KEYED_BOUNDARY: Final = (
    rb'(?s)(\})[ \t\n\r]*,[ \t\n\r]*(?="(?:[^"\\]|\\.){0,64}+"[ \t\n\r]*:[ \t\n\r]*\{)'
)
_OPENING: Final = rb'"%s"[ \t\n\r]*:[ \t\n\r]*[\[{]'
_WHITE: Final = re.compile(r"[ \t\n\r]*")
_COMMA: Final = re.compile(r"[ \t\n\r]*,[ \t\n\r]*")
_COLON: Final = re.compile(r"[ \t\n\r]*:[ \t\n\r]*")


class Item(NamedTuple):
    """Where a value stands in an array or object, and where the next item begins.

    ``next`` is ``end`` where no comma follows.
    """

    start: int
    end: int
    next: int


def items(text: str, *, keyed: bool) -> Iterator[Item]:
    """Yield the values of an array or object one by one, as far as they are whole.

    Args:
        text: what stands behind its opening bracket; it may stop anywhere.
        keyed: whether it is an object.
    """
    following = _skip(_WHITE, text, 0)
    while True:
        start = following
        try:
            if keyed:
                start = _skip(_COLON, text, _SCANNER.raw_decode(text, start)[1])
            end = _SCANNER.raw_decode(text, start)[1]
        except (ValueError, RecursionError):
            return
        following = _skip(_COMMA, text, end)
        yield Item(start, end, following)
        if following == end:
            return


def walk(window: bytes, *, keyed: bool = False) -> Cut | None:
    """Return the last true boundary in a window; it begins with an item."""
    # The structure of JSON is ASCII, so Latin-1 keeps positions in text and bytes equal.
    found = None
    for item in items(window.decode("latin-1"), keyed=keyed):
        if item.next > item.end:
            found = Cut(item.end, item.next)
    return found


def _skip(pattern: re.Pattern[str], text: str, start: int) -> int:
    """Return where a separator that starts here ends, ``start`` if there is none."""
    found = pattern.match(text, start)
    return found.end() if found else start


def find(window: bytes, answer: type[ListAnswer], parse: Parse) -> Hole | None:
    """Return where the list opens, be it an array or an object; None where it does not."""
    opening = re.compile(_OPENING % answer.list_name.encode())
    for found in islice(opening.finditer(window), CANDIDATES):
        hole = JSONHole(window[: found.end()], parse, answer.probe)
        if hole.opens():
            return hole
    return None


class JSONHole(Hole):
    """An open array, ``"datas":[``, or an open object whose values are the records (A5.6)."""

    def __init__(self, head: bytes, parse: Parse, probe: msgspec.Struct) -> None:
        self._keyed = head.endswith(b"{")
        record = msgspec.json.encode(probe)
        if self._keyed:
            text = PROBE_TEXT.encode()
            first, last = (b'"%s%s":%s' % (end, text, record) for end in (b"a", b"z"))
            markup = Markup(b"}}", b",", (first, last), re.compile(_KEYED_BOUNDARY))
        else:
            markup = Markup(b"]}", b",", (record, record), BOUNDARY)
        super().__init__(head, parse, probe, markup)

    def walk(self, window: bytes) -> Cut | None:
        """Return where the last whole record in the window ends, told by a real parser."""
        return walk(window, keyed=self._keyed)
