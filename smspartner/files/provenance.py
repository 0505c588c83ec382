"""Where an export comes from: a small JSON file beside it, for those who must be able to show it.

The token is in it in full: it is what names the purchase at SMS Partner. So the file is made on
request only, and 0600 like the export itself.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from smspartner._version import __version__
from smspartner.errors import ConfigurationError
from smspartner.files.atomic import atomic_writer
from smspartner.files.targets import STDOUT, Target, output_errors

_SQLITE: Final = "sqlite:///"


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """One download and what came of it.

    Attributes:
        token: the rental's token.
        time: when the body was read, UTC, ISO 8601 with seconds.
        format: ``json`` or ``xml``.
        count: how many numbers the body holds; an export can have fewer (opted out, suppressed).
        sha256: of the raw body, byte for byte as it was received, in hexadecimal.
        bytes: size of the raw body.
        version: of this package.
    """

    token: str
    time: str
    format: str
    count: int
    sha256: str
    bytes: int
    version: str = __version__

    def __repr__(self) -> str:
        return f"Provenance({self.format}, {self.count} numbers, sha256={self.sha256[:12]}…)"


class BodyDigest:
    """The SHA-256 and the size of a body, while it streams by.

    Attributes:
        size: bytes seen so far.
    """

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self.size: int = 0

    @property
    def sha256(self) -> str:
        """The SHA-256 of the bytes so far, in hexadecimal."""
        return self._digest.hexdigest()

    def update(self, chunk: bytes) -> None:
        """Take in a chunk."""
        self._digest.update(chunk)
        self.size += len(chunk)

    def tee(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Pass chunks on, taking each one in."""
        for chunk in chunks:
            self.update(chunk)
            yield chunk


def provenance(
    *,
    token: str,
    format: str,  # noqa: A002 - the word users know from _format=
    count: int,
    sha256: str,
    size: int,
    time: datetime | None = None,
) -> Provenance:
    """Put together the provenance of a body; ``time`` is now unless given.

    Args:
        token: the rental's token.
        format: ``json`` or ``xml``.
        count: how many numbers the body holds.
        sha256: of the body; ``BodyDigest`` and ``RawBody`` have it.
        size: of the body in bytes.
        time: when it was read, with a time zone.
    """
    moment = (time or datetime.now(UTC)).astimezone(UTC)
    return Provenance(
        token=token,
        time=moment.isoformat(timespec="seconds"),
        format=format,
        count=count,
        sha256=sha256,
        bytes=size,
    )


def provenance_path(target: Target) -> Path:
    """Return the name of the provenance of an export: ``numbers.csv.provenance.json``.

    ``sqlite:///numbers.db`` is the file ``numbers.db``.

    Raises:
        ConfigurationError: the export is not a file, so there is no place beside it.
    """
    name = os.fspath(target).removeprefix(_SQLITE)
    if not name or name == STDOUT or "://" in name:
        raise ConfigurationError("a provenance file goes beside a file; this export is none")
    return Path(f"{name}.provenance.json")


def remove_provenance(target: Target) -> None:
    """Remove the provenance beside a target that has just been written: it is not about this.

    Raises:
        OutputError: it cannot be removed.
    """
    name = os.fspath(target)
    if name != STDOUT and ("://" not in name or name.startswith(_SQLITE)):
        path = provenance_path(target)
        with output_errors(str(path)):
            path.unlink(missing_ok=True)


def write_provenance(record: Provenance, path: Target) -> None:
    """Write a provenance as JSON, whole or not at all, 0600.

    Raises:
        OutputError: the file cannot be written.
    """
    with atomic_writer(path) as file:
        file.write(msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")
