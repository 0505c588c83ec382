"""What to say of a file that holds no numbers in any form that is known."""

from __future__ import annotations

import codecs
from typing import Final

from smspartner.decoders.detect import excerpt
from smspartner.errors import UnknownFormatError
from smspartner.files.input_file import InputFile

#: What other files begin with, and what to do about them.
_OTHERS: Final = {
    b"%PDF": "it is a PDF; ask for the table that it was made of, as CSV",
    b"\x1f\x8b": "it is compressed; unpack it first (gunzip)",
    b"\x28\xb5\x2f\xfd": "it is compressed; unpack it first (zstd -d)",
    b"\xff\xfe": "it is text in UTF-16; save it as UTF-8",
    b"\xfe\xff": "it is text in UTF-16; save it as UTF-8",
}


def unknown_format(file: InputFile) -> UnknownFormatError:
    """Return the error for a file that no format recognises."""
    return UnknownFormatError(f"{file}: {_reason(file.start)}")


def is_something_else(start: bytes) -> bool:
    """Say whether a file begins like one of another kind, whatever it is called."""
    return start.startswith(tuple(_OTHERS))


def _reason(start: bytes) -> str:
    if not start.strip():
        return "it is empty; there is nothing to read"
    for mark, reason in _OTHERS.items():
        if start.startswith(mark):
            return reason
    if b"\0" in start or not _is_utf8(start):
        return (
            "it is binary, and neither Parquet, Arrow, SQLite nor a workbook; "
            "give the file as it came"
        )
    return (
        "it is neither a body of the service nor CSV, JSON Lines, JSON, Parquet, Arrow, SQLite "
        f"or a workbook with numbers in it; it begins with {excerpt(start[:200])}; "
        "give the file as it came"
    )


def _is_utf8(start: bytes) -> bool:
    """Tell whether this may be text; a character may be cut at its end."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return True
