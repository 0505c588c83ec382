"""The hole of an XML body: the entry that holds the records, and where they end."""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

import msgspec

from smspartner.decoders.slices import CANDIDATES, Cut, Hole, Markup, Parse
from smspartner.decoders.xml.fast_path import ENVELOPE, Layout, count_in, inside
from smspartner.decoders.xml.places import last_record_start
from smspartner.decoders.xml.prolog import is_unicode, plain
from smspartner.models.envelope import ListAnswer, RentalAnswer
from smspartner.models.number import RentedNumber

_ROOT: Final = re.compile(rb"<([A-Za-z_][\w.-]*)")
_OPENING: Final = rb"<(entry|%s)>[ \t\r\n]*(?=<entry>)"
_BOUNDARY: Final = re.compile(rb"(</entry>)[ \t\r\n]*(?=<entry>[ \t\r\n]*<[A-Za-z_])")


def find(window: bytes, answer: type[ListAnswer], parse: Parse) -> Hole | None:
    """Return where the entry that holds the records opens, None where none does."""
    opening = re.compile(_OPENING % answer.list_name.encode())
    kind = NumbersHole if answer is RentalAnswer else XMLHole
    for found in islice(opening.finditer(window), CANDIDATES):
        hole = kind(window[: found.end()], found[1], parse, answer.probe)
        if hole.opens():
            return hole
    return None


def find_usual(window: bytes, parse: Parse) -> Hole | None:
    """Return the hole of a body in the serializer's envelope, which needs no parser to be found."""
    envelope = ENVELOPE.match(window)
    if envelope is None:
        return None
    hole = NumbersHole(envelope[0], b"entry", parse, RentalAnswer.probe)
    hole.declared = count_in(envelope)
    return hole


class XMLHole(Hole):
    """An open ``<entry>``, or one with the name of the list, whose children are the records."""

    def __init__(self, head: bytes, tag: bytes, parse: Parse, probe: msgspec.Struct) -> None:
        root = _ROOT.search(head)
        self._ends = b"</%s>" % tag, b"</%s>" % (root[1] if root else b"")
        closing = b"".join(self._ends)
        cells = "".join(f"<entry>{value}</entry>" for value in msgspec.structs.astuple(probe))
        record = f"<entry>{cells}</entry>".encode()
        super().__init__(head, parse, probe, Markup(closing, b"", (record, record), _BOUNDARY))

    def walk(self, window: bytes) -> Cut | None:
        """Return where the last whole record in the window ends, told by a real parser."""
        start = last_record_start(plain(self.head), window)
        return None if start is None else Cut(start, start)


class NumbersHole(XMLHole):
    """The same, for the numbers of a rental: they have a fast path."""

    def __init__(self, head: bytes, tag: bytes, parse: Parse, probe: msgspec.Struct) -> None:
        super().__init__(head, tag, parse, probe)
        self._unicode = is_unicode(head)
        self._layout: Layout | None = None

    def decode(self, records: bytes) -> list[RentedNumber] | None:
        """Return the records by the fast path, or by the parser where that does not take them."""
        numbers = self._fast(records)
        return super().decode(records) if numbers is None else numbers

    def finish(self, rest: bytes, *, untouched: bool) -> ListAnswer:
        """Return the last records; by the fast path where nothing follows but the closing tags."""
        records = inside(rest, *self._ends)
        numbers = None if records is None else self._fast(records)
        if numbers is None:
            return super().finish(rest, untouched=untouched)
        return RentalAnswer(True, self.declared, numbers)

    def _fast(self, records: bytes) -> list[RentedNumber] | None:
        if self._layout is None:
            self._layout = Layout.learn(records)
        return self._layout.read(records, is_unicode=self._unicode) if self._layout else None
