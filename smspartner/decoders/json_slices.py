"""The hole of a JSON body: where ``datas`` opens, and where its records end."""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import Final

import msgspec

from smspartner.decoders.slices import CANDIDATES, PROBE, Cut, Hole, Markup, Parse

#: Finds where values end; what it finds is decoded by msgspec all the same. Numbers stay text: an
#: integer of 5,000 digits is none of its business.
SCANNER: Final = json.JSONDecoder(strict=False, parse_int=str, parse_float=str)

_OPENING: Final = re.compile(rb'"datas"[ \t\n\r]*:[ \t\n\r]*[\[{]')
_BOUNDARY: Final = re.compile(rb"(\})[ \t\n\r]*,[ \t\n\r]*(?=\{)")
_KEYED_BOUNDARY: Final = re.compile(
    rb'(\})[ \t\n\r]*,[ \t\n\r]*(?="(?:[^"\\]|\\.){0,64}+"[ \t\n\r]*:[ \t\n\r]*\{)', re.DOTALL
)
_WHITE: Final = re.compile(r"[ \t\n\r]*")
_COMMA: Final = re.compile(r"[ \t\n\r]*,[ \t\n\r]*")
_COLON: Final = re.compile(r"[ \t\n\r]*:[ \t\n\r]*")


def find(window: bytes, parse: Parse) -> Hole | None:
    """Return where ``datas`` opens, be it an array or an object; None where it does not."""
    for found in islice(_OPENING.finditer(window), CANDIDATES):
        hole = JSONHole(window[: found.end()], parse)
        if hole.opens():
            return hole
    return None


class JSONHole(Hole):
    """An open array ``"datas":[``, or an open object whose values are the records (A5.6)."""

    def __init__(self, head: bytes, parse: Parse) -> None:
        self._keyed = head.endswith(b"{")
        record = msgspec.json.encode(PROBE)
        if self._keyed:
            first, last = (
                b'"%s%s":%s' % (end, PROBE.phone.encode(), record) for end in (b"a", b"z")
            )
            super().__init__(head, parse, Markup(b"}}", b",", (first, last), _KEYED_BOUNDARY))
        else:
            super().__init__(head, parse, Markup(b"]}", b",", (record, record), _BOUNDARY))

    def walk(self, window: bytes) -> Cut | None:
        """Return where the last whole record in the window ends, told by a real parser."""
        # The structure of JSON is ASCII, so Latin-1 keeps positions in text and bytes equal.
        text = window.decode("latin-1")
        found = None
        start = _skip(_WHITE, text, 0)
        while (end := self._record_end(text, start)) is not None:
            start = _skip(_COMMA, text, end)
            if start == end:
                break
            found = Cut(end, start)
        return found

    def _record_end(self, text: str, start: int) -> int | None:
        """Return where the record that starts here ends, None where it does not end in sight."""
        try:
            if self._keyed:
                _, end = SCANNER.raw_decode(text, start)
                start = _skip(_COLON, text, end)
            return SCANNER.raw_decode(text, start)[1]
        except (ValueError, RecursionError):
            return None


def _skip(pattern: re.Pattern[str], text: str, start: int) -> int:
    """Return where a separator that starts here ends, ``start`` where there is none."""
    found = pattern.match(text, start)
    return found.end() if found else start
