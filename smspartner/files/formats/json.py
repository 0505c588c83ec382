"""JSON Lines and JSON: written under the names of Python, read under those of the wire too."""

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
from smspartner.files.atomic import open_output
from smspartner.files.columns import Columns, counted_from, has_phones
from smspartner.files.formats.json_records import Malformed, Records
from smspartner.files.input_file import LONGEST, InputFile
from smspartner.files.rows import Rows, WriteOptions
from smspartner.files.targets import check_writable
from smspartner.models.columns import COLUMNS

_WHITE: Final = b" \t\r\n"
#: Bytes of an array that are decoded at once.
_WINDOW: Final = 256 * KIB
_guess: Final = partial(last_boundary, BOUNDARY)

_ENCODER: Final = msgspec.json.Encoder()
_TYPES: Final = {"id": int, "phone": str, "stop_sms": bool}


class JSONLinesSink:
    """One object a line, UTF-8: ``{"id":4314,"phone":"+33639980042","stop_sms":false}``."""

    def check(self, target: str, options: WriteOptions) -> None:  # noqa: ARG002 - protocol
        """Raise ``OutputError`` where the file could not be written."""
        check_writable(target)

    def write(self, rows: Rows, target: str, options: WriteOptions) -> int:  # noqa: ARG002
        """Write the file, or none at all, and return its bytes."""
        with open_output(target) as file:
            for lines in _encoded(rows):
                file.write(lines)
            return file.tell()


class JSONSink:
    """One array of the same objects, one a line."""

    def check(self, target: str, options: WriteOptions) -> None:  # noqa: ARG002 - protocol
        """Raise ``OutputError`` where the file could not be written."""
        check_writable(target)

    def write(self, rows: Rows, target: str, options: WriteOptions) -> int:  # noqa: ARG002
        """Write the file, or none at all, and return its bytes."""
        with open_output(target) as file:
            before = b"[\n"
            for lines in _encoded(rows):
                # A line break inside a text is escaped, so each one here ends a record.
                file.write(before + lines[:-1].replace(b"\n", b",\n"))
                before = b",\n"
            file.write(b"[]\n" if before == b"[\n" else b"\n]\n")
            return file.tell()


def _encoded(rows: Rows) -> Iterator[bytes]:
    """Yield each batch as lines of JSON."""
    if rows.columns == COLUMNS:
        # A quote inside a text is escaped, so this finds keys only. With writing, 0.33 µs a
        # row against 0.47.
        for _, records in rows.records():
            yield _ENCODER.encode_lines(records).replace(b',"stopSms":', b',"stop_sms":')
        return
    fields = [(name, _TYPES.get(name, str | None)) for name in rows.columns]
    # A struct made for these columns takes 0.14 µs a row, a dict 0.39.
    record = msgspec.defstruct("Record", fields, gc=False)
    for values in rows.values():
        yield _ENCODER.encode_lines(list(map(record, *values)))


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
