"""Reading a long array in slices: where to cut, and the envelope with a hole.

A body is an envelope around one long array. With the *head* (all up to the first record) and a
*closing* that ends everything the head leaves open, ``head + some records + closing`` is again a
small complete document, and a real parser reads it. Nothing here tokenises: a cut is a guess,
and the parser judges it. Two proofs keep the guess from ever shifting a number:

- A slice is decoded between two more records, the *probes*, which carry a text no body can
  foresee. Only if they come back as the first and the last record was the cut inside the array,
  at the end of a record, and not in a string, a nested value, or an array further on.
- The rest of the body is decoded with the probe before it. Only if it comes back first is the
  array of the tail still the array that the slices came from.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple, TypeVar

from smspartner.errors import APIError, DecodeError, RecordError
from smspartner.models.envelope import ListAnswer

T = TypeVar("T")

# The last record end is looked for in the last bytes of a window before all of it is searched:
# a record is some 50 to 150 bytes, and looking through 4 KiB took 5 % of the whole.
_TAIL: Final = 512

#: More than a few places that look like a hole is a body made to be slow: it is then read in one
#: piece, under the limit for that.
CANDIDATES: Final = 16

Parse = Callable[[bytes], ListAnswer]


class counting_from:  # noqa: N801 - a context manager, used like a function
    """Let the index of a record error count from another place; it is shifted by ``first``."""

    def __init__(self, first: int) -> None:
        self._first = first

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, RecordError) and self._first:
            raise RecordError(self._first + error.index, error.field, error.reason) from None


class Cut(NamedTuple):
    """Where a window is cut: the end of one record and the start of the next, in bytes."""

    end: int
    start: int


Finder = Callable[[bytes], Cut | None]


def last_boundary(boundary: re.Pattern[bytes], window: bytes) -> Cut | None:
    """Return the last place in a window that looks like the end of a record.

    Args:
        boundary: finds the end of a record, its first group, and all up to the start of the next.
        window: where to look.
    """
    for start in (max(0, len(window) - _TAIL), 0):
        last = deque(boundary.finditer(window, start), maxlen=1)
        if last:
            return Cut(last[0].end(1), last[0].end())
    return None


class Slicer:
    """Holds the bytes of an array that have come, and gives them away in slices.

    Args:
        size: bytes of a window, out of which one slice is cut.
        limit: bytes of the largest window, for a record larger than that.
        buffer: the bytes that have come, none if it is not given.

    Attributes:
        buffer: the bytes.
        size: bytes of the next window.
    """

    def __init__(self, size: int, limit: int, buffer: bytearray | None = None) -> None:
        self.buffer = bytearray() if buffer is None else buffer
        self.size = self._usual = min(size, limit)
        self._limit = limit

    @property
    def is_full(self) -> bool:
        """Whether there are enough bytes for a window."""
        return len(self.buffer) >= self.size

    @property
    def window(self) -> bytes:
        """The bytes of the next window."""
        return bytes(memoryview(self.buffer)[: self.size])

    def take(self, finders: Sequence[Finder], decode: Callable[[bytes], T | None]) -> T | None:
        """Return the records of a slice, None where none can be cut: the next window is larger.

        Args:
            finders: say where to cut; the first whose slice can be decoded is right.
            decode: returns the records of a slice, None where it was cut at a wrong place.

        Raises:
            OverflowError: the window is the largest, and no slice can be cut out of it.
        """
        window = self.window
        for find in finders:
            cut = find(window)
            records = decode(window[: cut.end]) if cut else None
            if cut and records is not None:
                self.drop(cut.start)
                return records
        if self.size >= self._limit:
            raise OverflowError(self._limit)
        self.size = min(2 * self.size, self._limit)
        return None

    def drop(self, size: int) -> None:
        """Forget the first bytes; the next window is of the usual size."""
        del self.buffer[:size]
        self.size = self._usual

    def rest(self) -> bytes:
        """Return all that is left, and forget it."""
        rest = bytes(self.buffer)
        self.buffer.clear()
        return rest


class Markup(NamedTuple):
    """How a body writes what stands around its records.

    Attributes:
        closing: what ends everything that the head leaves open.
        separator: what stands between two records.
        probes: the probe as the first and as the last record; in an object they need two keys.
        boundary: finds the end of a record, its first group, and all up to the start of the next.
    """

    closing: bytes
    separator: bytes
    probes: tuple[bytes, bytes]
    boundary: re.Pattern[bytes]


class Hole(ABC):
    """The place in a body where its records stand.

    Args:
        head: all bytes before the first record.
        parse: reads a complete document of this body, or raises APIError or DecodeError.
        probe: the record that is put into it.
        markup: how this body writes what stands around its records.

    Attributes:
        head: as given.
        declared: the count the head declares, None where it declares none.
    """

    def __init__(self, head: bytes, parse: Parse, probe: object, markup: Markup) -> None:
        self.head: bytes = head
        self.parse = parse
        self._probe = probe
        self.declared: int | None = None
        self._empty = head + markup.probes[0] + markup.closing
        self._before = head + markup.probes[0] + markup.separator
        self._behind = markup.separator + markup.probes[1] + markup.closing
        self._boundary = markup.boundary

    @abstractmethod
    def walk(self, window: bytes) -> Cut | None:
        """Return the last true boundary in a window, found by a parser instead of a guess."""

    def guess(self, window: bytes) -> Cut | None:
        """Return the last place in a window that looks like the end of a record."""
        return last_boundary(self._boundary, window)

    def opens(self) -> bool:
        """Say whether this is the hole: a probe put into it is read back as the only record."""
        try:
            answer = self.parse(self._empty)
        except (DecodeError, APIError):
            return False
        self.declared = answer.declared
        return answer.records == [self._probe]

    def decode(self, records: bytes) -> list[Any] | None:
        """Return the records of a slice, None where the slice does not end at a record's end.

        Raises:
            RecordError: a record is wrong; its index counts from the start of the slice.
        """
        try:
            with counting_from(-1):
                found = self.parse(b"".join((self._before, records, self._behind))).records
        except RecordError:
            raise
        except (DecodeError, APIError):
            return None  # an answer made of a bad cut says nothing
        inside = len(found) > 1 and found[0] == found[-1] == self._probe
        return found[1:-1] if inside else None

    def explain(self, records: bytes) -> None:
        """Raise the DecodeError that says why a window of records cannot be read at all."""
        self.parse(self.head + records)

    def finish(self, rest: bytes, *, untouched: bool) -> ListAnswer:
        """Return the end of the body as an answer with the last records.

        Args:
            rest: all bytes after the last slice.
            untouched: no slice came before, so the rest need not begin with a record.

        Raises:
            RecordError: a record is wrong; its index counts from the start of ``rest``.
            DecodeError: the body stops early, or breaks a reading rule.
        """
        if untouched:
            return self.parse(self.head + rest)
        with counting_from(-1):
            answer = self.parse(self._before + rest)
        records = answer.records
        if not records or records[0] != self._probe:
            raise DecodeError("the body gives the numbers twice, in two different places")
        return answer.with_records(records[1:])
