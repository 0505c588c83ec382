"""JSON Lines and JSON arrays of objects, under our names or those of the wire."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Final

import msgspec

from smspartner.decoders.json_slices import BOUNDARY, walk
from smspartner.decoders.limits import KIB
from smspartner.decoders.slices import Slicer, last_boundary
from smspartner.errors import DecodeError, LimitError, TruncatedError
from smspartner.files.columns import Columns, counted_from, has_phones
from smspartner.files.input_file import LONGEST, InputFile
from smspartner.files.json_records import Malformed, Records

_WHITE: Final = b" \t\r\n"
#: Bytes of an array that are decoded at once.
_WINDOW: Final = 256 * KIB
_guess: Final = partial(last_boundary, BOUNDARY)


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

        A slice starts at depth one, so ``[slice]`` parses only if it ends there too, between two
        records: where to cut can be guessed, as in bodies.
        """
        records, chunks = Records(file, lines=False), file.chunks()
        slicer = Slicer(_WINDOW, LONGEST)
        slicer.buffer += _behind_bracket(next(chunks))
        for chunk in chunks:
            slicer.buffer += chunk
            while slicer.is_full:
                if batch := _slice(file, records, slicer):
                    yield batch
        if batch := _last(file, records, b"[%s" % slicer.rest()):
            yield batch


def _behind_bracket(start: bytes) -> bytes:
    return _without_bom(start).lstrip(_WHITE).removeprefix(b"[")


def _slice(file: InputFile, records: Records, slicer: Slicer) -> Columns | None:
    def decode(slice_: bytes) -> Columns | None:
        with suppress(Malformed):
            return records.decode(b"[%s]" % slice_)
        return None

    try:
        return slicer.take((_guess, walk), decode)
    except OverflowError:
        raise LimitError(
            f"{counted_from(records.found, file)(0)} or soon after it: not well-formed JSON, "
            f"or longer than {LONGEST} bytes"
        ) from None


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
