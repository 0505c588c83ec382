"""Where bodies are: files, folders, patterns and remote addresses, plain or compressed.

What compresses a body is told by its first bytes, never by its name. Remote addresses
(``s3://bucket/r1.xml``) are fsspec's and need the extra ``remote``; Zstandard needs ``zstd``.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from glob import glob
from pathlib import Path, PurePath
from typing import Any, BinaryIO, Final, TypeAlias, cast

from smspartner.decoders import format_names
from smspartner.errors import ConfigurationError, DecodeError, SMSPartnerError, TruncatedError
from smspartner.models.extras import load
from smspartner.models.masks import mask_target

#: One or several files, folders, patterns or remote addresses.
Paths: TypeAlias = "str | os.PathLike[str] | Iterable[str | os.PathLike[str]]"

#: What to do about a body that stops early: the service does not hand it out twice (fact A6).
WHOLE_COPY: Final = "look for a whole copy, or ask SMS Partner to allow the download once more"

_CHUNK: Final = 256 * 1024
_GZIP: Final = b"\x1f\x8b"
_ZSTANDARD: Final = b"\x28\xb5\x2f\xfd"
_PATTERN: Final = re.compile(r"[*?\[]")


def find_bodies(paths: Paths) -> list[str]:
    """Return the names of the bodies that are meant, each once, in the order given.

    One that is meant by several names, or is there under several, has the first of them. A file is
    taken whatever it is called. Of a folder, the files whose names end like a body's are
    taken, sorted: ``.json``, ``.xml`` or the name of a registered format, also with ``.gz`` or
    ``.zst``, and as ``RawBody`` keeps them (``.incomplete``, ``.json-2.incomplete``) or did in
    earlier versions (``.json-2``). A pattern is a glob; ``**`` goes into folders.

    Raises:
        ConfigurationError: there is no such file, or no body at all.
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    found: dict[tuple[int, int] | str, str] = {}
    for path in given:
        if not isinstance(path, str | os.PathLike):
            raise ConfigurationError(f"a path is text or a Path, not {type(path).__name__}")
        name = os.fspath(path)
        bodies = _remote(name) if "://" in name else _local(name)
        if not bodies:
            raise ConfigurationError(
                f"no bodies in {mask_target(name)!r}: is it the right folder or pattern?"
            )
        for body in bodies:
            found.setdefault(_file_of(body), body)
    if not found:
        raise ConfigurationError("no bodies were given: name files, a folder or a pattern")
    return list(found.values())


def _file_of(name: str) -> tuple[int, int] | str:
    """Return what a file is known by, however it is spelled; its name where that is unknown."""
    with suppress(OSError, ValueError):
        found = Path(name.removeprefix("file://")).stat()
        return (found.st_dev, found.st_ino) if found.st_ino else name
    return name


def would_find(path: str, file: str | os.PathLike[str]) -> bool:
    """Say whether a folder or a pattern will mean a file too, once it is there."""
    for full in (os.path.abspath, os.path.realpath):
        place, within = PurePath(full(file)), PurePath(full(path))
        if Path(path).is_dir():
            found = place.parent == within and is_called_like_body(place.name)
        elif "**" in path:
            found = fnmatch(str(place), str(within))
        else:
            found = is_pattern(path) and place.match(str(within))
        if found:
            return True
    return False


def is_pattern(name: str) -> bool:
    """Say whether a name is a pattern, and not that of a file that is there."""
    return _PATTERN.search(name) is not None and not Path(name).exists()


def _local(name: str) -> list[str]:
    path = Path(name)
    try:
        if path.is_dir():
            inside = sorted(path.iterdir())
            # A link to nothing is a body too: opening it says what is wrong.
            return [
                str(each)
                for each in inside
                if is_called_like_body(each.name) and (each.is_file() or not each.exists())
            ]
        if not is_pattern(name):
            return [name]
    except OSError as error:
        raise ConfigurationError(f"cannot read {name!r}: {error.strerror}") from None
    found = glob(name, recursive=True)  # noqa: PTH207 - a pattern of the caller, absolute or not
    return sorted(each for each in found if Path(each).is_file())


def _remote(name: str) -> list[str]:
    with _remote_errors(name):
        system, path = load("fsspec.core", "smspartner[remote]").url_to_fs(name)
        if _PATTERN.search(name):
            paths = sorted(system.glob(path))
        elif system.isdir(path):
            inside = sorted(system.ls(path, detail=False))
            paths = [each for each in inside if is_called_like_body(each)]
        else:
            return [name]
        return [cast("str", system.unstrip_protocol(each)) for each in paths]


def is_called_like_body(name: str) -> bool:
    """Say whether a file of a folder is called as bodies are; a record of provenance is none."""
    formats = "|".join(map(re.escape, format_names()))
    ending = rf"(?i)\.(?:{formats})(?:-\d+)?(?:\.incomplete)?(?:-\d+)?(?:\.gz|\.zst)?$"
    last = name.rpartition("/")[2]
    ours = ".provenance.json" in last.lower()
    return re.search(ending, last) is not None and not (ours or last.startswith("."))


def size_of(name: str) -> int:
    """Return the bytes of a body as it lies there; errors as ``open_body``."""
    with _named(name):
        if "://" not in name:
            return Path(name).stat().st_size
        with _remote_errors(name):
            system, path = load("fsspec.core", "smspartner[remote]").url_to_fs(name)
            return int(system.size(path) or 0)


def stamp_of(name: str) -> str | None:
    """Return what tells a body from another one under its name; None where that cannot be known.

    To be asked for before the body is opened: what replaces it meanwhile has another stamp.
    """
    try:
        if "://" not in name:
            found = Path(name).stat()  # a copy may keep the time of its original, but not ctime
            parts = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
            return ":".join(map(str, parts))
        with _remote_errors(name):
            system, path = load("fsspec.core", "smspartner[remote]").url_to_fs(name)
            return f"{system.size(path)}:{system.modified(path).timestamp()}"
    except (OSError, ValueError, ConfigurationError):
        return None


class Body:
    """An open body: its bytes, decompressed, as often as they are asked for.

    Attributes:
        name: the file as the caller named it.
        size: bytes of the body, once it was read.
        sha256: of the body, in hexadecimal, once it was read; empty before.
    """

    def __init__(self, name: str, stream: BinaryIO) -> None:
        self.name = name
        self.size = 0
        self.sha256 = ""
        self._stream = stream

    def chunks(self) -> Iterator[bytes]:
        """Yield the body from its first byte.

        Raises:
            DecodeError: what compresses it is damaged, or it changed since it was read before.
            ConfigurationError: it cannot be read.
        """
        with _named(self.name):
            self._stream.seek(0)
            digest, size = hashlib.sha256(), 0
            for chunk in _decompressed(self._stream):
                digest.update(chunk)
                size += len(chunk)
                yield chunk
            before, self.sha256, self.size = self.sha256, digest.hexdigest(), size
            if before and before != self.sha256:
                raise DecodeError("it changed while it was read: read it again when it is at rest")


@contextmanager
def open_body(name: str) -> Iterator[Body]:
    """Open a body.

    Args:
        name: one of ``find_bodies``.

    Raises:
        ConfigurationError: it cannot be read, or an extra is missing; it names the file.
    """
    with _named(name), _open(name) as stream:
        yield Body(name, stream)


def _open(name: str) -> BinaryIO:
    if "://" in name:
        with _remote_errors(name):
            opened: BinaryIO = load("fsspec", "smspartner[remote]").open(name, "rb").open()
            return opened
    try:
        return Path(name).open("rb")
    except ValueError:  # a NUL in the name
        raise ConfigurationError("it is not the name of a file") from None


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Let every error of the block name the file; what the system refuses becomes one of ours."""
    try:
        yield
    except SMSPartnerError as error:
        error.file = mask_target(name)
        raise
    except OSError as error:
        failure = ConfigurationError(f"cannot be read: {error.strerror or type(error).__name__}")
        failure.file = mask_target(name)
        raise failure from None


@contextmanager
def _remote_errors(name: str) -> Iterator[None]:
    """Turn what a remote file system raises into one of ours; each has exceptions of its own."""
    try:
        yield
    except SMSPartnerError:
        raise
    except Exception as error:  # noqa: BLE001 - botocore's, gcsfs's …: there is no common base
        raise ConfigurationError(
            f"cannot read {mask_target(name)!r}: {type(error).__name__}"
        ) from None


def _decompressed(stream: BinaryIO) -> Iterator[bytes]:
    start = stream.read(len(_ZSTANDARD))
    stream.seek(0)
    reader: Any = stream
    damaged: tuple[type[Exception], ...] = ()
    if start.startswith(_GZIP):
        reader, damaged = gzip.GzipFile(fileobj=stream), (gzip.BadGzipFile, zlib.error)
    elif start == _ZSTANDARD:
        library = load("zstandard", "smspartner[zstd]")
        reader = library.ZstdDecompressor().stream_reader(
            stream, read_across_frames=True, closefd=False
        )
        damaged = (library.ZstdError,)
    try:
        while chunk := reader.read(_CHUNK):
            yield chunk
    except EOFError:
        raise TruncatedError(f"what compresses it stops early; {WHOLE_COPY}") from None
    except damaged:
        raise DecodeError("what compresses it is damaged: look for another copy") from None
