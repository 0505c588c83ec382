"""The made-up numbers of a rental: each depends on the seed and its position only.

The phones are the ten thousand reserved for fiction, 06 39 98 00 00 to 99 99, so they repeat after
10,000 positions; identifiers never do. A phone has opted out everywhere or nowhere.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

from smspartner.models.number import RentedNumber

#: Positions after which the phones repeat.
CYCLE: Final = 10_000

#: Room for the identifiers of one cycle; the digits above it count the cycles.
_IDS: Final = 10 * CYCLE

_STOP_PER_MILLE: Final = 70
# Coprime with 10,000, so that the phones of a cycle are all different and yet look unordered.
_STRIDE: Final = 7919


class Face(NamedTuple):
    """What a number shares with those 10,000, 20,000 … positions further on.

    Attributes:
        id_end: the last five digits of its identifier, as a number.
        phone: its phone, in E.164.
        stop_sms: whether the person has opted out.
    """

    id_end: int
    phone: str
    stop_sms: bool


def face_at(seed: int, place: int) -> Face:
    """Return what stands at a place (0 to 9,999) of every cycle."""
    draw = zlib.crc32(b"%d/%d" % (seed, place))
    return Face(
        id_end=10 * place + draw % 10,
        phone=f"+3363998{(_STRIDE * place + 1237 * seed) % CYCLE:04d}",
        stop_sms=draw // 10 % 1000 < _STOP_PER_MILLE,
    )


def number_at(seed: int, position: int) -> RentedNumber:
    """Return the number at a position, counted from 0, of every rental of a seed.

    >>> number_at(0, 10_000).phone == number_at(0, 0).phone
    True
    """
    cycle, place = divmod(position, CYCLE)
    face = face_at(seed, place)
    return RentedNumber((cycle + 1) * _IDS + face.id_end, face.phone, face.stop_sms)


def numbers_of(seed: int, count: int) -> Iterator[RentedNumber]:
    """Return the first numbers of a seed, one by one."""
    return (number_at(seed, position) for position in range(count))
