"""Where things stand in a piece of XML, by expat: it tells byte positions, which lxml does not.

Only for documents whose prolog the guard has passed, so no DTD can follow. Nothing is read from
what expat reports but places: every value still comes out of lxml.
"""

from __future__ import annotations

from contextlib import suppress
from xml.parsers import expat


class _Places:
    """Follows the elements of an incomplete document."""

    def __init__(self) -> None:
        self.depth = 0
        self.records_at: int | None = None
        self.last_record: int | None = None
        #: How deep the deepest element with another in it is.
        self.deepest = 0
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end

    def feed(self, data: bytes) -> None:
        self._parser.Parse(data, False)  # more may follow

    def _start(self, _name: str, _attributes: dict[str, str]) -> None:
        if self.depth == self.records_at:
            self.last_record = self._parser.CurrentByteIndex
        self.deepest = max(self.deepest, self.depth)
        self.depth += 1

    def _end(self, _name: str) -> None:
        self.depth -= 1
        if self.records_at is not None and self.depth < self.records_at:
            self.records_at = -1  # the array is over: what follows are no records


def last_record_start(head: bytes, window: bytes) -> int | None:
    """Return where the last record in ``window`` begins, None if it is the first or there is none.

    Args:
        head: a document up to the first record.
        window: what follows; it may stop anywhere.
    """
    places = _Places()
    places.feed(head)
    places.records_at = places.depth
    with suppress(expat.ExpatError):  # what was found before the broken place stands
        places.feed(window)
    if places.last_record is None:
        return None
    return places.last_record - len(head) or None


def deepest(document: bytes) -> int:
    """Return how deep the lists and maps of a document are nested, as far as it can be read."""
    places = _Places()
    with suppress(expat.ExpatError):
        places.feed(document)
    return places.deepest


def is_whole(document: bytes) -> bool:
    """Say whether a document is well-formed, namespaces aside."""
    return _is_well_formed(document, final=True)


def stops_early(document: bytes) -> bool:
    """Say whether more bytes could still make an unfinished document well-formed."""
    return _is_well_formed(document, final=False) and not is_whole(document)


def _is_well_formed(document: bytes, *, final: bool) -> bool:
    try:
        expat.ParserCreate().Parse(document, final)
    except expat.ExpatError:
        return False
    return True
