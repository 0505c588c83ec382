"""How much of a body is read before it is refused (rule R10)."""

from __future__ import annotations

from typing import Final

import msgspec

from smspartner.errors import ConfigurationError

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB

# libxml2 ends at 256 elements, and msgspec where Python's recursion does.
_DEEPEST: Final = 200


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds on what a body may cost; crossing one raises ``LimitError``.

    Attributes:
        body: bytes of a whole body, however it is read.
        document: bytes of a body that has to be read in one piece: an error, a status, or
            numbers in a shape that cannot be streamed. Reading one takes at most 30 times as
            much memory.
        record: bytes of a single record in a streamed body.
        depth: how deep lists and maps may be nested, in both formats alike; 200 at most.

    Raises:
        ConfigurationError: a limit that is no whole number or below 1, or a depth above 200.
    """

    body: int = 16 * GIB
    document: int = 8 * MIB
    record: int = 1 * MIB
    depth: int = 64

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ConfigurationError(f"the limit {name!r} must be a whole number, 1 or more")
        if self.depth > _DEEPEST:
            raise ConfigurationError(f"the limit 'depth' can be {_DEEPEST} at most")


DEFAULT_LIMITS: Final = Limits()
