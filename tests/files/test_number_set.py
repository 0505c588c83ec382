"""A set of integers that stays small."""

from __future__ import annotations

from array import array

from smspartner.files.opt_outs.number_set import NumberSet, _Bitmap

PAGE = 1 << 16


def test_pages_of_many_become_bitmaps_and_those_of_few_do_not() -> None:
    numbers = NumberSet()
    numbers.update([100 * PAGE])
    for begin in (0, 8 * PAGE):
        numbers.update(range(begin, begin + 8 * PAGE))
        assert all(isinstance(numbers._pages[begin // PAGE + page], _Bitmap) for page in range(8))
    numbers.update([16 * PAGE + 3, 1])
    numbers.sort()

    assert isinstance(numbers._pages[100], array)
    assert isinstance(numbers._pages[16], array)
    for there in (0, 1, PAGE - 1, 16 * PAGE - 1, 16 * PAGE + 3, 100 * PAGE):
        assert there in numbers
    for missing in (16 * PAGE, 16 * PAGE + 4, 99 * PAGE, 100 * PAGE + 1):
        assert missing not in numbers


def test_a_bitmap_takes_eight_kilobytes() -> None:
    assert len(_Bitmap([0])._bits) == 8192
