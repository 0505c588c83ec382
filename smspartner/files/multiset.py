"""Whether two streams of rows are the same multiset, in flat memory.

Each stream becomes 65,536 sums of digests of its rows. The digests have 128 bits and begin with
a secret of this run, so no file can be made to fit: streams with equal sums are the same rows,
but for a chance far below that of a fault of the machine. Where the sums differ, going through
the streams again finds rows that only one of them has.
"""

from __future__ import annotations

import secrets
import zlib
from collections.abc import Iterable
from hashlib import blake2b
from itertools import islice
from typing import Any, Final, TypeAlias

#: Integers, texts, booleans and None: the repr of one row is then never that of another.
Row: TypeAlias = tuple[Any, ...]
#: Rows, each with the places where it stands.
Places: TypeAlias = dict[Row, list[int]]

_BUCKETS: Final = 65_536
#: In how many buckets the rows themselves are looked at: of 10 million rows, some 10,000.
_LOOKED_AT: Final = 64


class Balance:
    """What is left of the rows of one stream when those of the other are taken away."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(16)
        self._sums = [0] * _BUCKETS

    def add(self, rows: Iterable[Row]) -> None:
        """Take in rows of the first stream."""
        sums = self._sums
        for row in rows:
            line = repr(row).encode()
            sums[zlib.crc32(line) % _BUCKETS] += self._digest(line)

    def subtract(self, rows: Iterable[Row]) -> None:
        """Take in rows of the second stream."""
        sums = self._sums
        for row in rows:
            line = repr(row).encode()
            sums[zlib.crc32(line) % _BUCKETS] -= self._digest(line)

    @property
    def even(self) -> bool:
        """Whether both streams had the same rows, each as often."""
        return not any(self._sums)

    def gather(self, rows: Iterable[Row]) -> Places:
        """Go through a stream again and return rows that may be what makes it uneven.

        They are the same in every run: where a row is summed up does not depend on the secret.
        """
        uneven = (bucket for bucket, total in enumerate(self._sums) if total)
        chosen = set(islice(uneven, _LOOKED_AT))
        found: Places = {}
        for place, row in enumerate(rows):
            if zlib.crc32(repr(row).encode()) % _BUCKETS in chosen:
                found.setdefault(row, []).append(place)
        return found

    def _digest(self, line: bytes) -> int:
        return int.from_bytes(blake2b(self._secret + line, digest_size=16).digest())


def surplus(some: Places, others: Places) -> tuple[int, Row] | None:
    """Return the first row that some have more often than others, and the place that is too many.

    >>> surplus({("a",): [0, 3], ("b",): [1]}, {("a",): [5], ("b",): [2]})
    (3, ('a',))
    """
    more = [
        (places[len(others.get(row, ()))], row)
        for row, places in some.items()
        if len(places) > len(others.get(row, ()))
    ]
    return min(more, default=None, key=lambda found: found[0])
