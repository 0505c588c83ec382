"""A set of integers that takes two bytes for each of a few, and a bit for each of many.

Python's own takes about 60 bytes for each. Pages hold those that share all but their lower 16
bits: in a sorted array while they are few, then in a bitmap of 8 KiB. That is the layout of
Roaring bitmaps. All numbers of nine digits take 120 MiB.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Final

#: From here on an array takes more than the bitmap.
_MANY: Final = 4096
#: Arrays are looked at after so many additions: 1 MiB of them at most is too much.
_OFTEN: Final = 1 << 19
_PAGE_BITS: Final = 16
_LOW: Final = (1 << _PAGE_BITS) - 1


class NumberSet:
    """Integers from 0 up; add all of them, ``sort``, then ask."""

    def __init__(self) -> None:
        self._pages: defaultdict[int, array[int] | _Bitmap] = defaultdict(_page)
        self._since = 0

    def update(self, numbers: Collection[int]) -> None:
        """Add numbers; 0.15 µs each."""
        pages = self._pages
        for number in numbers:
            pages[number >> _PAGE_BITS].append(number & _LOW)
        self._since += len(numbers)
        if self._since >= _OFTEN:
            self._since = 0
            for key, page in pages.items():
                if isinstance(page, array) and len(page) > _MANY:
                    pages[key] = _Bitmap(page)

    def sort(self) -> None:
        """Make the set ready to be asked."""
        for key, page in self._pages.items():
            if isinstance(page, array):
                self._pages[key] = array("H", sorted(set(page)))

    def __contains__(self, number: int) -> bool:
        page = self._pages.get(number >> _PAGE_BITS)
        if page is None:
            return False
        low = number & _LOW
        if isinstance(page, array):
            place = bisect_left(page, low)
            return place < len(page) and page[place] == low
        return low in page


class _Bitmap:
    """A page of many, with the one method of an array that is needed."""

    __slots__ = ("_bits",)

    def __init__(self, numbers: Iterable[int]) -> None:
        self._bits = bytearray(1 << (_PAGE_BITS - 3))
        for number in numbers:
            self.append(number)

    def append(self, number: int) -> None:
        self._bits[number >> 3] |= 1 << (number & 7)

    def __contains__(self, number: int) -> bool:
        return bool(self._bits[number >> 3] >> (number & 7) & 1)


def _page() -> array[int]:
    return array("H")
