"""gzip, decoded as it arrives and never more at once than is asked for."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Final

#: How a gzip stream begins, and no JSON or XML does.
MAGIC: Final = b"\x1f\x8b"

_GZIP: Final = 16 + zlib.MAX_WBITS

#: Bytes taken off the wire at once.
_WIRE: Final = 64 * 1024


class Gunzip:
    """Decodes gzip; a bomb expands no further than the caller reads.

    Args:
        read: returns the next bytes off the wire, at most as many as it is given, none at the end.
        begun: what was read before.
    """

    def __init__(self, read: Callable[[int], bytes], begun: bytes = b"") -> None:
        self._read = read
        self._inflate = zlib.decompressobj(_GZIP)
        self._wire = begun

    def __call__(self, most: int) -> bytes:
        """Return up to ``most`` decoded bytes; none only at the end of a complete stream.

        Raises:
            EOFError: the stream ends early.
            zlib.error: the stream is damaged.
        """
        while True:
            if self._wire and self._inflate.eof:  # one gzip member may follow another
                self._inflate = zlib.decompressobj(_GZIP)
            piece = self._inflate.decompress(self._wire, most)
            self._wire = self._inflate.unused_data or self._inflate.unconsumed_tail
            if piece:
                return piece
            if not self._wire and not self._refill():
                return b""

    def _refill(self) -> bool:
        self._wire = self._read(_WIRE)
        if not self._wire and not self._inflate.eof:
            raise EOFError
        return bool(self._wire)
