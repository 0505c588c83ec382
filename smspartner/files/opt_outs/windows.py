"""Where in a line a phone may stand: windows of nine digits.

A phone stands in a line when the last nine digits of its E.164 do, in order, whatever is between
them. Not every nine digits in a row are looked at, as too many of them would be a stranger's. A
window counts

1. where a run of digits begins, or behind a 0, 33 or the code of an overseas territory;
2. at any digit of a number that begins with ``+`` or ``00`` and is not metropolitan;
3. when it ends a run, or a line, of ten to fifteen digits, as E.164 has: ``32470000000`` without
   its ``+``, ``07911 123456``;
4. over several lines of fewer than nine digits each, behind 0 or 33, when it is a mobile's: a table
   that was pasted cell by cell.

What nine digits are too many for, numbers of six to eight digits, is compared with whole lines.

The digits of a line are looked at in one string, where letters mark what begins a run: ``06 39``
is ``a6d9``, and ``+33`` is ``D3``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

#: Digits of a window.
NINE: Final = 9
#: Keys from here on are windows, smaller ones whole lines.
FIRST_WINDOW: Final = 10 ** (NINE - 1)

#: Windows that begin with a 0, so that they are not taken for fewer digits.
_ZERO_FIRST: Final = 10**NINE

_KEPT: Final = b"+0123456789"
#: Everything but digits and ``+`` is a space, the end of a line a letter.
_SPACED: Final = bytes(
    byte if byte in _KEPT else ord("n") if byte == ord("\n") else ord(" ") for byte in range(256)
)
_RUN: Final = tuple((b" %d" % digit, b"%c" % (ord("a") + digit)) for digit in range(10))
_PLUS: Final = tuple((b"+%d" % digit, b"%c" % (ord("A") + digit)) for digit in range(10))
_UNMARKED: Final = bytes(
    byte - ord("a") + ord("0") if byte in b"abcdefghij" else byte for byte in range(256)
)

_ANY: Final = rb"[0-9a-j]"
#: Rule 1: what a window stands behind. Each pattern begins with one class of characters, which
#: ``re`` looks for fast.
_BEHIND: Final = tuple(
    re.compile(rb"%b(?=%b([1-9]%b{8}))" % (first, rest, _ANY))
    for first, rest in (
        (rb"[0a]", rb""),
        (rb"[3d]", rb"[3d]"),
        (rb"[2c]", rb"[6g][2c]"),
        (rb"[5f]", rb"(?:[9j][046aeg]|[0a][8i])"),
    )
)
_BEGINS: Final = tuple(
    (digit * 10 ** (NINE - 1), re.compile(rb"%c(?=(" % (ord("a") + digit) + _ANY + rb"{8}))"))
    for digit in range(1, 10)
)
#: Rule 2: what follows the first digit behind the ``+``, or behind ``00``.
_ABROAD: Final = (
    re.compile(rb"[A-J](?!(?<=D)[3d])(?=([0-9a-jA-J]{9,14}))"),
    re.compile(rb"a0(?![3d][3d])[0-9a-j](?=([0-9a-jA-J]{9,14}))"),
)
#: Rule 3, but for the numbers that rule 1 finds: 0 or 33, and nine digits.
_ENDS: Final = (
    re.compile(
        rb"[a-j](?=[0-9]{9})(?!(?:(?<=a)|(?<=d)3)[0-9]{9}(?![0-9]))(?=[0-9]{0,5}([0-9]{9})(?![0-9]))"
    ),
    re.compile(rb"\n(?=%b{10,15}\n)(?!(?:a|d[3d])%b{9}\n)(?=%b{1,6}(%b{9})\n)" % (4 * (_ANY,))),
)
_SHORT: Final = re.compile(rb"\n[0a]*(?=([1-9b-j]" + _ANY + rb"{0,7})\n)")
#: Rule 4.
_FEW: Final = rb"\n" + _ANY + rb"{1,8}(?=\n)"
_FEW_EACH: Final = re.compile(rb"%b%b(?:%b)*" % (_FEW, _FEW, _FEW))
_MOBILE: Final = re.compile(rb"(?:[0a]|[3d][3d])(?=([67gh]" + _ANY + rb"{8}))")


def windows_of(text: str) -> set[int]:
    """Return the keys of the phones that may stand in lines of ASCII text.

    Args:
        text: what stands between two ends of lines belongs to one line. What is at the beginning
            or end of the text without an end of line is a part of one.
    """
    marked = _marked(text)
    lower = marked.lower()
    behind = [window for pattern in _BEHIND for window in pattern.findall(lower)]
    ends = [window for pattern in _ENDS for window in pattern.findall(lower)]
    for lines in _FEW_EACH.findall(lower):
        behind += _MOBILE.findall(lines.replace(b"\n", b""))
    keys = set(map(int, _plain(behind + _SHORT.findall(lower))))
    keys.update(map(number, _plain([*ends, *_abroad(marked)])))
    for first, pattern in _BEGINS:
        keys.update([first + int(rest) for rest in _plain(pattern.findall(lower))])
    return keys


def number(digits: bytes) -> int:
    """Return the key of a window, or of a whole number that is shorter."""
    zero_first = len(digits) == NINE and digits.startswith(b"0")
    return int(digits) + (_ZERO_FIRST if zero_first else 0)


def _marked(text: str) -> bytes:
    spaced = b" ".join(text.encode("ascii", "replace").translate(_SPACED).split())
    marked = b" " + spaced.replace(b"n", b"n ").replace(b"+ ", b"+").replace(b"  ", b" ")
    for pair in (*_PLUS, *_RUN) if b"+" in marked else _RUN:
        marked = marked.replace(*pair)
    return marked.translate(None, b" +").replace(b"n", b"\n")


def _plain(found: list[bytes]) -> list[bytes]:
    return b" ".join(found).lower().translate(_UNMARKED).split()


def _abroad(marked: bytes) -> Iterator[bytes]:
    for pattern in _ABROAD:
        for rest in pattern.findall(marked):
            for start in range(len(rest) - NINE + 1):
                yield rest[start : start + NINE]
