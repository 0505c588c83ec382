"""From msgspec's words to this library's errors: what was expected, what was found, where."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from smspartner.errors import DecodeError, RecordError

_PATH: Final = re.compile(r" - at `\$\.?(?P<path>[^`]*)`")
_RECORD: Final = re.compile(r"datas\[(?P<index>\d+)\]\.?(?P<field>\w*)")
_MISSING: Final = re.compile(r"missing required field `(?P<field>[^`]+)`")


def place_of(error: msgspec.ValidationError) -> tuple[str, str, str | None]:
    """Return the path an error names, its reason without it, and the field that is missing."""
    text = str(error)
    path = _PATH.search(text)
    missing = _MISSING.search(text)
    reason = text[: path.start()] if path else text
    return path["path"] if path else "", reason, missing["field"] if missing else None


def field_error(index: int, error: msgspec.ValidationError) -> RecordError:
    """Return the error of one record that was decoded on its own; ``index`` is its place."""
    path, reason, missing = place_of(error)
    return _record_error(index, path or None, reason, missing)


def answer_error(error: msgspec.ValidationError) -> DecodeError:
    """Return the error of an answer as a whole: of one record where the path names one."""
    path, reason, missing = place_of(error)
    record = _RECORD.fullmatch(path)
    if record is not None:
        return _record_error(int(record["index"]), record["field"] or None, reason, missing)
    where = ".".join(part for part in (path, missing) if part)
    return DecodeError(f"{where}: {reason}" if where else reason)


def _record_error(index: int, field: str | None, reason: str, missing: str | None) -> RecordError:
    if missing is not None:
        return RecordError(index, missing, "missing or null")
    return RecordError(index, field, reason)
