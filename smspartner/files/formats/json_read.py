"""JSON Lines and JSON arrays of objects, under our names or those of the wire."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import msgspec

from smspartner.decoders.limits import KIB
from smspartner.errors import DecodeError, LimitError, TruncatedError
from smspartner.files.columns import Columns, counted_from, has_phones
from smspartner.files.input_file import LONGEST, InputFile
from smspartner.files.json_records import Malformed, Records

_WHITE: Final = b" \t\r\n"
#: Bytes of an array that are decoded at once.
_WINDOW: Final = 256 * KIB
_BOUNDARY: Final = re.compile(rb"\}([ \t\n\r]*,[ \t\n\r]*)(?=\{)")
_COMMA: Final = re.compile(r"[ \t\n\r]*,[ \t\n\r]*")
# It only finds where values end. Numbers stay text: what is in them is none of its business.
_SCANNER: Final = json.JSONDecoder(strict=False, parse_int=str, parse_float=str)


class JSONLinesFormat:
    """One object a line. An empty file with the right ending is an export of no numbers."""

    name = "JSON Lines"
    endings = (".jsonl", ".ndjson")
    ordered = True

    def recognises(self, start: bytes) -> bool:
        """Look whether the first line is an object with a phone, and no answer of the service."""
        line = _without_bom(start).partition(b"\n")[0]
        try:
            names = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        return has_phones(list(names)) and "success" not in names

    def read(self, file: InputFile) -> Iterator[Columns]:
        """Yield a batch for each 256 KiB of lines."""
        records = Records(file, lines=True)
        for lines in _blocks(file):
            try:
                batch = records.decode(lines)
            except Malformed as error:
                raise _ill_formed(file, _found_before(records, lines), error) from None
            if batch:
                yield batch


def _blocks(file: InputFile) -> Iterator[bytes]:
    """Yield whole lines, many at once; the last one need not have an end."""
    rest = b""
    for index, chunk in enumerate(file.chunks()):
        lines, end, rest = (rest + (chunk if index else _without_bom(chunk))).rpartition(b"\n")
        if len(rest) > LONGEST:
            raise LimitError(f"{file}: a line is longer than {LONGEST} bytes")
        if end:
            yield lines
    yield rest


def _found_before(records: Records, lines: bytes) -> int:
    """Count the lines before the one that cannot be parsed."""
    written = [line for line in lines.split(b"\n") if line.strip(_WHITE)]
    parsed = enumerate(map(_parses, written))
    return records.found + next((index for index, well in parsed if not well), len(written))


def _parses(line: bytes) -> bool:
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except msgspec.DecodeError:
        return False
    return True


class JSONFormat:
    """One array of objects, however it is laid out."""

    name = "JSON"
    endings = ()
    ordered = True

    def recognises(self, start: bytes) -> bool:
        """Look for the bracket that opens an array."""
        return _without_bom(start).lstrip(_WHITE).startswith(b"[")

    def read(self, file: InputFile) -> Iterator[Columns]:
        """Yield the array in slices.

        Where to cut is guessed and the parser judges, as in bodies: a slice starts at depth one,
        so ``[slice]`` parses only if it ends there too, between two records. Where the guess is
        wrong, the window is gone through record by record.
        """
        records, chunks = Records(file, lines=False), file.chunks()
        buffer, window = bytearray(_behind_bracket(next(chunks))), _WINDOW
        for chunk in chunks:
            buffer += chunk
            while len(buffer) >= window:
                batch, end = _slice(records, bytes(buffer[:window]))
                if batch:
                    yield batch
                window = _WINDOW if end else _grown(file, records, window)
                del buffer[:end]
        if batch := _last(file, records, b"[%s" % buffer):
            yield batch


def _behind_bracket(start: bytes) -> bytes:
    return _without_bom(start).lstrip(_WHITE).removeprefix(b"[")


def _slice(records: Records, window: bytes) -> tuple[Columns | None, int]:
    """Return the records of a window and where the next one begins, 0 where no cut is right."""
    for cut in (_guessed, _walked):
        end, start = cut(window)
        with suppress(Malformed):
            if batch := records.decode(b"[%s]" % window[:end]):
                return batch, start
    return None, 0


def _guessed(window: bytes) -> tuple[int, int]:
    """Return the last place that looks like the end of a record, and where the next one begins."""
    end = len(window)
    while (end := window.rfind(b"}", 0, end)) >= 0:
        if found := _BOUNDARY.match(window, end):
            return found.span(1)
    return 0, 0


def _walked(window: bytes) -> tuple[int, int]:
    """Return where the last whole record ends, and where the next one begins."""
    # The structure of JSON is ASCII, so Latin-1 keeps positions in text and bytes equal.
    text = window.decode("latin-1")
    found = 0, len(text) - len(text.lstrip(_WHITE.decode()))
    with suppress(ValueError, RecursionError):
        while comma := _COMMA.match(text, _SCANNER.raw_decode(text, found[1])[1]):
            found = comma.span()
    return found


def _grown(file: InputFile, records: Records, window: int) -> int:
    if window >= LONGEST:
        raise LimitError(
            f"{counted_from(records.found, file)(0)} or soon after it: not well-formed JSON, "
            f"or longer than {LONGEST} bytes"
        )
    return 2 * window


def _last(file: InputFile, records: Records, rest: bytes) -> Columns | None:
    try:
        return records.decode(rest)
    except Malformed as error:
        raise _ill_formed(file, records.found, error) from None


def _ill_formed(file: InputFile, found: int, error: Malformed) -> DecodeError:
    where = counted_from(found, file)(0)
    if error.truncated:
        return TruncatedError(f"{where}: the file stops early; make it again")
    return DecodeError(f"{where} or soon after it: not well-formed JSON ({error})")


def _without_bom(start: bytes) -> bytes:
    return start.removeprefix(codecs.BOM_UTF8)
