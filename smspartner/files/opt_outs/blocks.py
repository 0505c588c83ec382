"""The text of an opt-out list, in blocks of whole lines, whatever the file is.

A list is text in UTF-8, Windows-1252 or UTF-16 with a BOM; a workbook; or an export in Parquet,
Arrow or SQLite, of which the phones count.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, Final

from smspartner.decoders.detect import excerpt
from smspartner.decoders.limits import KIB, MIB
from smspartner.errors import ConfigurationError, DecodeError, SMSPartnerError

#: Is told how many bytes were read.
Advance = Callable[[int], object]

_CHUNK: Final = 256 * KIB
#: The longest line that is held. Of a longer one, each piece begins with the end of the last: so
#: digits of one phone may be that far from each other.
_LONGEST: Final = 1 * MIB
_OVERLAP: Final = 1 * KIB
#: Rows of a workbook that are looked at together.
_ROWS: Final = 4096
#: What of whole lines is looked at again with those that follow, where a field may be open.
_OPEN_LINES: Final = 20
_OPEN: Final = 8 * KIB

_DIGITS: Final = re.compile(r"\d+")
#: What stands in a cell of a workbook and would end it, or its line.
_IN_A_CELL: Final = str.maketrans('\n\r\v"', "    ")

_WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
#: How files begin that ``open_numbers`` reads, or says what to do about. No text begins like them.
_NO_TEXT: Final = (
    b"PAR1",
    b"ARROW1",
    b"SQLite format 3\0",
    b"\x1f\x8b",
    b"\x28\xb5\x2f\xfd",
    b"%PDF",
)
#: Text of a word processor, with its commands between the digits.
_RTF: Final = b"{\\rtf"
_LEADING: Final = b"\xef\xbb\xbf \t\r\n"
#: UTF-32 first: in little endian it begins like UTF-16.
_WIDE: Final = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def ignore_progress(_: int) -> None:
    """Report nothing."""


def blocks_of(
    name: str, file: BinaryIO, advance: Advance, doubt: Callable[[str], object]
) -> Iterator[tuple[int, str]]:
    """Yield the text of a list, and the number of the line before its first end of line.

    Each text is whole lines, from one end of line to another, or a piece of a line that is too
    long. Some lines come twice. ``doubt`` is told where cells are that cannot be read.

    Raises:
        ConfigurationError: it is no text, workbook or export, or an extra is missing.
        OSError: the system refuses.
    """
    start = file.read(_CHUNK)  # not a seek back: it can be a pipe
    if start.startswith((*_WORKBOOKS, *_NO_TEXT)):
        if not Path(name).is_file():
            raise ConfigurationError(
                f"{name!r} is not text, so it needs to be a file and not a pipe"
            )
        return in_lines(_workbook(name, doubt) if start.startswith(_WORKBOOKS) else _exported(name))
    content = chain([start], iter(lambda: file.read(_CHUNK), b""))
    return _text_blocks(name, start, content, advance)


def in_lines(chunks: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Yield text as ``blocks_of`` does."""
    lines = _Lines()
    for chunk in chunks:
        yield from lines.feed(chunk)
    yield from lines.end()


class _Lines:
    """Cuts text into blocks as ``blocks_of`` yields them."""

    def __init__(self) -> None:
        self._line, self._rest = 0, "\n"

    def feed(self, chunk: str) -> Iterator[tuple[int, str]]:
        """Yield what is whole with this piece of the text."""
        text = self._rest + chunk
        end = text.rfind("\n", len(self._rest)) + 1
        if not end and len(text) < _LONGEST:
            self._rest = text
            return
        end = end or len(text)
        yield self._line, text[:end]
        again = _again(text, end)
        self._line += text.count("\n", 0, again)
        self._rest = text[again:]

    def end(self) -> Iterator[tuple[int, str]]:
        """Yield the rest."""
        yield self._line, self._rest if self._rest.endswith("\n") else self._rest + "\n"


def _again(text: str, end: int) -> int:
    """Return from where on text is looked at again, with what follows."""
    last = text.rfind("\n", max(0, end - _OPEN), end)
    if last < end - _OVERLAP:  # a piece of a long line: whole lines end in an end of line
        digits = _DIGITS.match(text, end - _OVERLAP)
        return digits.end() if digits and digits.end() < end else end - _OVERLAP
    if '"' in text:
        for _ in range(_OPEN_LINES):
            before = text.rfind("\n", max(0, end - _OPEN), last)
            last = last if before < 0 else before
    return last


def _text_blocks(
    name: str, start: bytes, content: Iterable[bytes], advance: Advance
) -> Iterator[tuple[int, str]]:
    if start.lstrip(_LEADING).startswith(_RTF):
        raise ConfigurationError(
            f"{name!r} is RTF, which divides numbers; save it as text in UTF-8"
        )
    wide = next((encoding for bom, encoding in _WIDE.items() if start.startswith(bom)), None)
    # A list can be put together from several. In UTF-8, a byte of Windows-1252 that is none of
    # ours (a dash, an accent) is replaced, and so stands between digits as any other mark. To a
    # wide one, lines in another encoding or byte order may have been added: it is read as both.
    readings = [_Reading(wide or "utf-8-sig")]
    readings += [_Reading("cp1252", without=b"\0")] if wide else []
    for chunk in chain(content, [b""]):
        advance(len(chunk))
        for reading in readings:
            text = reading.decode(chunk)
            if "\0" in text:
                raise ConfigurationError(
                    f"{name!r} is not text: it holds the character NUL; save the list as CSV in "
                    "UTF-8"
                )
            yield from reading.lines.feed(text)
    for reading in readings:
        yield from reading.lines.end()


class _Reading:
    """Text in an encoding, read piece by piece; bytes of ``without`` are passed over."""

    def __init__(self, encoding: str, *, without: bytes = b"") -> None:
        self.lines = _Lines()
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._ends = io.IncrementalNewlineDecoder(None, translate=True)
        self._without = without

    def decode(self, chunk: bytes) -> str:
        """Return the text of some more bytes, none at the end."""
        text = self._decoder.decode(chunk.translate(None, self._without), final=not chunk)
        return self._ends.decode(text.replace("\v", " "), final=not chunk)


def _workbook(name: str, doubt: Callable[[str], object]) -> Iterator[str]:
    from smspartner.files.formats.sheets import sheet_rows  # noqa: PLC0415 - an extra

    try:
        rows = sheet_rows(name, doubt)
        while batch := list(islice(rows, _ROWS)):
            yield "".join("\t".join(row).translate(_IN_A_CELL) + "\n" for row in batch)
    except DecodeError as error:
        problem = str(error)
    else:
        return
    raise ConfigurationError(f"cannot read the opt-out list: {problem}")


def _exported(name: str) -> Iterator[str]:
    from smspartner.files.read import open_numbers  # noqa: PLC0415 - parsers lists hardly need

    try:
        with open_numbers(name) as source:
            if source.unread:
                unread = excerpt(", ".join(source.unread).encode(errors="replace"))
                raise ConfigurationError(
                    f"{source}: phones can be in {unread}, too, which no export has; save the list "
                    "as CSV"
                )
            phones = [name for name in ("phone", "e164") if name in source.columns]
            for batch in source.batches():
                rows = zip(*(batch[name] for name in phones), strict=True)
                yield "".join(f"{' '.join(filter(None, row))}\n" for row in rows)
    except SMSPartnerError as error:
        problem = str(error)
    else:
        return
    raise ConfigurationError(f"cannot read the opt-out list: {problem}")
