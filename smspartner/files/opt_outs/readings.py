"""The ways in which a line can be read, by the program that wrote it.

``%20`` is a space in an address and a discount in a letter. So nothing is decided: a line counts
as it stands, and again each time that something in it is undone, until nothing is left to undo.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final

#: Stands for a line break inside a field: the reading goes on in the same line.
INNER_BREAK: Final = "\v"

#: Escapes in escapes, deeper than anybody makes them by accident.
_DEEPEST: Final = 10

#: What a line goes on behind: a field in quotes, over 20 lines at most; a soft line break of
#: quoted-printable mail, of shells, of dumps of databases; the fold of a vCard or of LDIF.
#: Each begins with what ``re`` looks for fast.
_BROKEN: Final = (
    re.compile(r'"(?<![^\s;,|=:([{]")(?:[^"\n]|"")*+(?:\n(?:[^"\n]|"")*+){1,20}+"'),
    re.compile(r"[=\\][ \t]*\n"),
    re.compile(r"\n(?<=[^\n]{60}\n)[ \t]"),
)
_HEX: Final = "[0-9A-Fa-f]"
#: Not the other control characters: no program escapes them, and ``tel=06…`` is no escape.
_BYTE: Final = rf"(?:0[9ADad]|[2-9A-Fa-f]{_HEX})"
_BYTES: Final = re.compile(rf"(?:(?:=|%|\\x|\\'){_BYTE}|\\[0-3][0-7]{{2}})+")
_BYTES_PART: Final = re.compile(rf"(?:=|%|\\x|\\')({_HEX}{{2}})|\\([0-7]{{3}})")
_UNITS: Final = re.compile(rf"(?:[\\%]u{_HEX}{{4}}|_x{_HEX}{{4}}_)+")
_POINT: Final = re.compile(rf"\\u\{{0*({_HEX}{{1,5}})\}}|\\U000({_HEX}{{5}})")
_ENTITY: Final = re.compile(r"&(?:#[0-9]+|#[xX][0-9A-Fa-f]+|[A-Za-z][A-Za-z0-9]*);?")
_MARKUP: Final = re.compile(r"<[!/?A-Za-z][^<>\n]*>|\x1b\[[0-9;:?]*[ -/]*[@-~]")
#: One of these is in every line that can be read in a further way.
_SIGN: Final = re.compile(
    r"[&%\\<\x1b=_eE\v]"
    rf"(?:(?<=&)[#A-Za-z]|(?<=[=%]){_BYTE}|(?<=%)u|(?<=\\)[xuU'0-3]|(?<=<)[!/?A-Za-z]"
    rf"|(?<=_)x{_HEX}{{4}}_|(?<=[\d.,][eE])\+?\d|(?<=[\d.,][ \u00a0\u202f][eE])\+\d|(?<=[\x1b\v]))"
)
_BREAKS: Final = str.maketrans("\n\r\v", "   ")

#: A number as programs and spreadsheets write large ones. What stands around it must not be a
#: word: parts of identifiers look like this too.
_POWER: Final = re.compile(
    r"(?<![\w.])(\d{1,15})(?:[.,](\d{0,15}))?(?:E|[ \u00a0\u202f]E(?=\+))(\+?)0?(\d{1,2})"
    r"(?![\w\-]|\.\w)",
    re.ASCII | re.IGNORECASE,
)
#: Digits of a number that can be a phone.
_PHONE: Final = range(9, 16)
#: Zeros that Java leaves off ``6.3998E8``; of more, it is unknown whether they were zeros.
_ZEROS_LEFT_OFF: Final = 2

_SPOILED: Final = (
    "has a phone that a spreadsheet has turned into something like 3.36E+10: "
    "export the list again with the phones as text"
)
_IN_BASE64: Final = "begins text in base64, in which no phone can be seen: save it as text"
_BASE64: Final = re.compile("[Cc]ontent-[Tt]ransfer-[Ee]ncoding:[ \t]*[Bb][Aa][Ss][Ee]64")
_TOO_DEEP: Final = "is escaped many times over: export the list again"

#: A decimal digit of any script but ours; superscripts and numbers in circles are none.
_DIGIT: Final = re.compile(r"[^\D0-9]")
_ALIKE: Final = str.maketrans("OoIlSBZ\u041e\u043e\u039f\u03bf", "0011582" + "0000")
_LETTER: Final = "[OoIlSBZ\u041e\u043e\u039f\u03bf]"
_GAP: Final = r"[^\w\n]{0,3}"
#: Letters that look like digits, behind a digit and not in a word.
_SUSPECT: Final = re.compile(rf"{_LETTER}(?:(?<=[0-9].)|(?<=[0-9][^\w\n].)){_LETTER}*+(?![^\W\d])")
#: Digits and such letters, with no other letters around them.
_LOOKALIKE: Final = re.compile(
    rf"(?<![^\W_])(?:(?:\d|{_LETTER}){_GAP}){{8,14}}(?:\d|{_LETTER})(?![^\W_])"
)
#: The characters around a suspect that can belong to the same phone.
_AROUND: Final = 60
_PHONE_LIKE: Final = re.compile(r"(?:(?:00)?(?:33|262|590|594|596)0?|0)[1-9]\d{8}|[67]\d{8}")


#: A cell that may show an error of a spreadsheet: ``#N/A``, ``#NOM?``, ``###``, ``Err:502``.
_ERROR_CELL: Final = re.compile(
    r"""(?:[\n,;\t|>\[({]|: ?(?="))["'= ]{0,3}(?:Err ?:\d{3}|\#([^\s,;|"'<>]{1,40}(?: ?[!?])?))"""
    r"""(?=["'\])} ]{0,3}[\n,;\t|<]|(?P<on>\s))""",
)


#: A mobile whose pairs of digits are five numbers, which a spreadsheet writes without their zeros.
_PAIRS: Final = re.compile(r"(?<!\d)0?([67])([;,\t|])" + r"\2".join([r"(\d\d?)"] * 4) + r"(?!\d)")
#: What all of these have in them; begins with what ``re`` looks for fast.
_PAIRED: Final = re.compile(r"([;,\t|])(?<=[67].)\d\d?\1\d\d?\1\d\d?\1\d\d?(?!\d)")

#: What a phone may have been hashed to: 32 hexadecimal digits or more, or base64 with its end.
_CHECKSUM: Final = re.compile(
    r"(?<![\w-])(?=[\d-]*[A-Fa-f])[\dA-Fa-f-]{32,}(?![\w-])"
    r"|(?<![\w+/])[\w+/]{22,86}={1,2}(?![\w=])",
    re.ASCII,
)
_DATE: Final = re.compile(
    r"(?<![\d./-])\d{1,4}([./-])\d{1,2}\1\d{1,4}(?![\d./-])|\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?"
)
_SAMPLE: Final = 32 * 1024
_NINE: Final = re.compile(r"(?:\d[^\w\n]{0,3}){8}\d")


class RefusedError(ValueError):
    """A line of which it cannot be told which phones it holds.

    Attributes:
        line: where, counted from 0.
        reason: why, and what to do.
    """

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


def other_readings(text: str) -> list[tuple[int, str]]:
    """Return the further ways to read lines of a text: which line, counted from 0, and how.

    Raises:
        RefusedError: there is a number whose digits are lost, too much to undo, or text in base64.
    """
    for number, _ in _matching(_BASE64, text):
        raise RefusedError(number, _IN_BASE64)
    found: list[tuple[int, str]] = []
    whole = _joined(text)
    for number, line in _matching(_SIGN, whole):
        if INNER_BREAK in line:
            found.append((number, line))
        try:
            found += ((number, reading) for reading in _readings(line))
        except _LostError as lost:
            raise RefusedError(number, str(lost)) from None
    for number, line in _matching(_PAIRED, whole):
        found.append((number, _PAIRS.sub(_padded, line)))
    return found


def _padded(found: re.Match[str]) -> str:
    return "".join(digits.zfill(2) for digits in found.group(1, 3, 4, 5, 6))


def _joined(text: str) -> str:
    for broken in _BROKEN:
        text = broken.sub(lambda found: found[0].replace("\n", INNER_BREAK), text)
    return text


def _matching(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text that a pattern is found in, and their numbers."""
    number, end = 0, 0
    while found := pattern.search(text, end):
        start = text.rfind("\n", end, found.start()) + 1 or end
        number += text.count("\n", end, start) + text.count(INNER_BREAK, end, start)
        end = text.find("\n", found.start())
        end = end if end >= 0 else len(text)
        yield number, text[start:end]
        number += text.count(INNER_BREAK, start, end)


def _readings(line: str) -> Iterator[str]:
    for _ in range(_DEEPEST):
        before, line = line, _undone(line)
        if line == before:
            return
        yield line
    raise _LostError(_TOO_DEEP)


class _LostError(ValueError):
    """What cannot be undone, and why."""


def plain(text: str) -> str:
    """Return text with the decimal digits of all scripts as ours; ``98²`` stays as it is."""
    return (
        text
        if text.isascii()
        else _DIGIT.sub(lambda found: str(unicodedata.decimal(found[0])), text)
    )


def lookalikes(text: str) -> Iterator[int]:
    """Yield the lines, counted from 0, with letters for digits in a phone: ``063998OO42``."""
    for number, line in _matching(_SUSPECT, text):
        for suspect in _SUSPECT.finditer(line):
            near = slice(max(0, suspect.start() - _AROUND), suspect.end() + _AROUND)
            if any(map(_is_phone_like, _LOOKALIKE.findall(line[near]))):
                yield number
                break


def error_cells(text: str, first: int) -> Iterator[int]:
    """Yield the lines, counted from 0, with a cell in which a spreadsheet shows an error.

    Tags, colours, identifiers, comments and headers begin with the same sign.

    Args:
        text: whole lines.
        first: the number of the first of them in the list.
    """
    line, end = 0, 0
    for found in _ERROR_CELL.finditer(text) if "#" in text or "Err" in text else ():
        line += text.count("\n", end, found.start() + 1)
        end = found.start() + 1
        alone = found["on"] is None and first + line > 1
        if found[1] is None or _is_error(found[1], alone=alone):
            yield line


def _is_error(word: str, *, alone: bool) -> bool:
    """Say whether the word behind the first # is that of an error."""
    if word[-1] in "!?" or word.upper().startswith("N/"):
        return not word[0].isdigit()
    letters = word.replace("/", "").replace("_", "")
    return not word.strip("#") or (alone and letters.isalpha() and not letters[0].islower())


def checksums(text: str) -> tuple[int, int]:
    """Return how many of the first lines have checksums and beside them no digits of a phone.

    And how many were looked at: of a block, some tell enough, as to look at all takes time.
    """
    sample = text[1 : text.find("\n", _SAMPLE) if len(text) > _SAMPLE else len(text)]
    found = sum(
        not _NINE.search(_DATE.sub("", _CHECKSUM.sub(" a ", line)))
        for _, line in _matching(_CHECKSUM, sample)
    )
    return found, sample.count("\n") + 1


def _is_phone_like(text: str) -> bool:
    """Say whether letters are among the nine digits that text would be found by."""
    signs = "".join(filter(str.isalnum, text))
    letters = not signs[-9:].isdigit()
    return letters and _PHONE_LIKE.fullmatch(signs.translate(_ALIKE)) is not None


def _undone(line: str) -> str:
    if "\\" in line or "%" in line or "_x" in line:
        line = _UNITS.sub(_kept_in_line(_units), line)
        line = _POINT.sub(_kept_in_line(lambda found: chr(int(found[1] or found[2], 16))), line)
    if "\\" in line or "%" in line or "=" in line:
        line = _BYTES.sub(_kept_in_line(_bytes), line)
    if "&" in line:
        line = _ENTITY.sub(_kept_in_line(lambda found: html.unescape(found[0])), line)
    if "<" in line or "\x1b" in line:
        line = _MARKUP.sub(" ", line)
    return _POWER.sub(_written_out, line)


def _kept_in_line(undo: Callable[[re.Match[str]], str]) -> Callable[[re.Match[str]], str]:
    return lambda found: undo(found).translate(_BREAKS)


def _units(found: re.Match[str]) -> str:
    units = bytes.fromhex(re.sub(r"[\\%]u|_x|_", "", found[0]))
    return units.decode("utf-16-be", "replace")


def _bytes(found: re.Match[str]) -> str:
    parts = _BYTES_PART.findall(found[0])
    return bytes(int(hexa, 16) if hexa else int(octal, 8) for hexa, octal in parts).decode(
        "utf-8", "replace"
    )


def _written_out(found: re.Match[str]) -> str:
    whole, decimals, plus, exponent = found[1], found[2] or "", found[3], int(found[4])
    missing = exponent - len(decimals)
    if found[2] is None and not plus:
        return found[0]  # a staircase or an article: programs write 3.0E10
    if missing < 0 or len(whole.lstrip("0")) + exponent not in _PHONE:
        return found[0]
    # Excel and LibreOffice write the plus, and round; Java writes none, and is exact.
    if missing > (0 if plus else _ZEROS_LEFT_OFF):
        raise _LostError(_SPOILED)
    return whole + decimals + "0" * missing
