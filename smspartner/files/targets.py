"""What a target is, and whether it can be written: asked once, before a download is spent.

Asking is harmless. Nothing is opened that could notice, nothing that is there changes, and what
is made for the test is removed again.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from smspartner.errors import OutputError
from smspartner.files.unfinished import create_private, hidden_name, making, register

if sys.platform != "win32":
    import fcntl

#: The target that means standard output.
STDOUT: Final = "-"

Target = str | os.PathLike[str]

STANDARD: Final = "standard output"

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
_PROTECTED: Final = (
    "permission denied to replace it: it belongs to someone else in a folder that all share, or "
    "is marked as unchangeable (lsattr); choose another name"
)
_MOUNTED: Final = (
    "it is a mount point and cannot be replaced; mount its folder instead, or choose another name"
)
#: What fsync answers where a file system, such as one of a network, has no such thing.
_NO_SYNC: Final = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
#: Names of files that this process has open; the group is the descriptor.
_OPEN_ALREADY: Final = r"/dev/(?:std(?:in|out|err)|fd/(\d+))|/proc/self/fd/(\d+)"


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
        if error.errno == errno.ENOENT and _has_folder(name):  # such as /proc
            reason = "no file can be made in its folder; choose another folder"
        raise OutputError(f"cannot write {name!r}: {reason}") from error


def _has_folder(name: str) -> bool:
    try:
        return Path(name).resolve().parent.is_dir()
    except OSError:  # it is relative to a folder that is gone
        return False


def check_writable(target: Target) -> None:
    """Raise the ``OutputError`` that writing there would raise; change nothing.

    A file is tried by making one beside it; one that is there already, by what the system says
    to replacing it. Of a pipe or a device only the permission is looked at: opening a pipe waits
    for its reader or ends what it reads, and opening a tape rewinds it.
    """
    name = os.fspath(target)
    if name == STDOUT:
        require_standard_output()
    elif (descriptor := open_already(name)) is not None:
        _require_open(name, descriptor)
    elif is_special(name):
        with output_errors(name):
            if not os.access(name, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    else:
        _try_file(name)


def is_special(name: str) -> bool:
    """Tell a pipe, a device or an open file from one that can be replaced.

    Raises:
        OutputError: it is the name of neither.
    """
    if open_already(name) is not None:
        return True
    with output_errors(name):
        try:
            folder = not name or name.endswith(("/", os.sep))
            kind = stat.S_IFDIR if folder else Path(name).stat().st_mode
        except FileNotFoundError:
            return False
        except ValueError as error:  # a NUL, or a character that no file name can have
            raise OutputError(f"cannot write {name!r}: it is not the name of a file") from error
        if stat.S_ISDIR(kind):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    return not stat.S_ISREG(kind)


def open_already(name: str) -> int | None:
    """Return the descriptor that a name stands for, such as 1 for ``/dev/stdout``, or None.

    Such a file is written through that descriptor: the system cannot open a socket by its name,
    and would open a file a second time, at its beginning.
    """
    found = re.fullmatch(_OPEN_ALREADY, name)
    if found is None:
        return None
    standard = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}
    return standard[name] if name in standard else int(found[1] or found[2])


def require_standard_output() -> None:
    """Raise ``OutputError`` where standard output takes no bytes."""
    if sys.stdout is None:
        raise OutputError(f"cannot write {STANDARD}: it is closed; give a file name")
    if not hasattr(sys.stdout, "buffer"):  # a notebook, or a test that replaced it
        raise OutputError(f"cannot write {STANDARD}: here it takes text only; give a file name")


def sync(descriptor: int) -> None:
    """Make a file outlast a power cut, where its file system can."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise


def _require_open(name: str, descriptor: int) -> None:
    if sys.platform != "win32":
        with output_errors(name):
            mode = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE
        if mode == os.O_RDONLY:
            raise OutputError(f"cannot write {name!r}: it is open for reading only")


def _try_file(name: str) -> None:
    with output_errors(name):
        place = Path(name).resolve()
        beside = place.with_name(hidden_name())
        with making(beside, lambda: beside.unlink(missing_ok=True)):
            with os.fdopen(create_private(beside), "wb", buffering=0) as file:
                file.write(b"\n")  # a disk or quota that is full lets files be made, without bytes
            beside.unlink()
        register.remove(beside)
        if place.exists():
            _try_replacing(name, place)


def _try_replacing(name: str, place: Path) -> None:
    """Ask the system to remove a file as if it were a folder.

    That always fails, but before the system says "not a folder" it says whatever forbids to replace
    the file, such as its owner, or a flag of it. Mount points come after, and are looked for.
    """
    try:
        place.rmdir()
    except NotADirectoryError:
        pass
    except PermissionError as error:
        raise OutputError(f"cannot write {name!r}: {_PROTECTED}") from error
    if _mount(place) != _mount(place.parent):
        raise OutputError(f"cannot write {name!r}: {_MOUNTED}")


def _mount(path: Path) -> str:
    """Return the number of the mount that a path is in; empty where only trying can tell."""
    mount = ""
    if sys.platform == "linux":
        descriptor = os.open(path, os.O_PATH)  # asks for no permission, and notices no device
        with contextlib.suppress(FileNotFoundError):  # no /proc
            lines = Path(f"/proc/self/fdinfo/{descriptor}").read_text("ascii").splitlines()
            mount = next(line for line in lines if line.startswith("mnt_id:"))
        os.close(descriptor)
    return mount
