"""The hole of an XML body: the entry that holds the records, and where they end."""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from smspartner.decoders.slices import CANDIDATES, PROBE, Cut, Hole, Markup, Parse
from smspartner.decoders.xml.fast_path import Rows
from smspartner.decoders.xml.positions import last_record_start
from smspartner.models.number import RentedNumber

_ROOT: Final = re.compile(rb"<([A-Za-z_][\w.-]*)")
_OPENING: Final = re.compile(rb"<(entry|datas)>[ \t\r\n]*(?=<entry>)")
_BOUNDARY: Final = re.compile(rb"(</entry>)[ \t\r\n]*(?=<entry>[ \t\r\n]*<[A-Za-z_])")
_PROBE: Final = (
    f"<entry><entry>{PROBE.id}</entry><entry>{PROBE.phone}</entry>"
    f"<entry>{PROBE.stop_sms}</entry></entry>"
).encode()


def find(window: bytes, parse: Parse) -> Hole | None:
    """Return where the entry that holds the records opens, None where none does."""
    for found in islice(_OPENING.finditer(window), CANDIDATES):
        hole = XMLHole(window[: found.end()], found[1], parse)
        if hole.opens():
            return hole
    return None


class XMLHole(Hole):
    """An open ``<entry>`` (or ``<datas>``) whose children are the records."""

    def __init__(self, head: bytes, tag: bytes, parse: Parse) -> None:
        root = _ROOT.search(head)
        closing = b"</%s></%s>" % (tag, root[1] if root else b"")
        super().__init__(head, parse, Markup(closing, b"", (_PROBE, _PROBE), _BOUNDARY))
        self._rows: Rows | None = None

    def decode(self, records: bytes) -> list[RentedNumber] | None:
        """Return the records by the fast path, or by the parser where that does not take them."""
        if self._rows is None:
            self._rows = Rows.learn(records)
        rows = self._rows.read(records) if self._rows else None
        return super().decode(records) if rows is None else rows

    def walk(self, window: bytes) -> Cut | None:
        """Return where the last whole record in the window ends, told by a real parser."""
        start = last_record_start(self.head, window)
        return None if start is None else Cut(start, start)
