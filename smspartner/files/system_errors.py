"""From what the operating system says to what a user can do about it."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from typing import Final

from smspartner.errors import OutputError

_PERMISSION: Final = "permission denied; change its rights, or choose a place you may write to"
_ADVICE: Final = {
    errno.ENOSPC: "the disk is full; free some space, or choose another folder",
    errno.EDQUOT: "the disk quota is used up; free some space, or choose another folder",
    errno.EFBIG: "the file would be larger than allowed here; raise the limit (ulimit -f)",
    errno.EACCES: _PERMISSION,
    errno.EPERM: _PERMISSION,
    errno.ENOENT: "its folder does not exist; create it first",
    errno.ENOTDIR: "a part of its path is a file, not a folder; choose another path",
    errno.EISDIR: "it is a folder; give the name of a file in it",
    errno.EROFS: "the file system is read-only; choose another folder",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
    errno.EPIPE: "the program that was reading it has stopped",
}


@contextlib.contextmanager
def output_errors(name: str) -> Iterator[None]:
    """Turn an ``OSError`` of the block into an ``OutputError`` that says what to do next.

    Args:
        name: the path as the user gave it; it is in the message.

    Raises:
        OutputError: with the ``OSError`` as its ``__cause__``.
    """
    try:
        yield
    except OSError as error:
        reason = _ADVICE.get(error.errno or 0) or error.strerror or "the system refused"
        raise OutputError(f"cannot write {name!r}: {reason}") from error
