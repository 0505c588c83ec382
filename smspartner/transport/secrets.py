"""The API key, held so that nothing shows it by accident."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final, NamedTuple, NoReturn, Self

from smspartner.errors import ConfigurationError, SMSPartnerError
from smspartner.models.masks import MASK

#: Characters of a key at most: what is longer is no key, but a file that was taken for one.
_LONGEST: Final = 256
#: So many characters of the key in a row are masked wherever they stand …
_TELLING: Final = 8
#: … and so many beside an ellipsis, where a text was cut.
_AT_A_CUT: Final = 4
#: Characters of a text at most: looking through them takes 0.1 s.
_LONGEST_TEXT: Final = 65_536


class APIKey:
    """An API key whose repr hides it; ``reveal`` is the only way to it.

    It is in no attribute: tools that report errors list those of every object they find.

    What a service repeats of the key is found by its letters and digits alone, read in any case
    and with escapes undone (percent, HTML, backslashes): eight of them in a row (half of a short
    key), whatever stands between (a line break, a quote, ``&``), or four beside an ellipsis. They
    are masked from the first to the last.

    Args:
        value: the key.
        origin: where it came from, in words, for errors: ``the variable SMSPARTNER_API_KEY``.

    Raises:
        ConfigurationError: the key cannot be sent, because it is not text, or no key.
    """

    __slots__ = ("_places", "origin", "reveal")

    def __init__(self, value: str, origin: str = "api_key=") -> None:
        problem = ""
        if not value or any("\ud800" <= character <= "\udfff" for character in value):
            problem = "the API key is not text; is it in UTF-8?"
        elif len(value) > _LONGEST:
            problem = f"the API key has {len(value)} characters: is it another file or text?"
        elif not (value.isalnum() or _signs(value).signs):
            problem = "the API key has neither letters nor digits: is it another text?"
        if problem:
            raise ConfigurationError(f"{problem} (the key is from {origin})")
        self.origin = origin
        #: Returns the key itself, to be put into a request and nowhere else.
        self.reveal: Final[Callable[[], str]] = lambda: value

        @cache  # made when something is first masked: most programs never need them
        def key(*, fold: bool) -> _Key:
            return _Key.of(_signs(value, fold=fold).signs)

        def places(text: str) -> Iterator[tuple[int, int]]:
            fold = _HIDDEN_DIGIT in text
            return key(fold=fold).places_in(_signs(text, fold=fold))

        self._places: Final[Callable[[str], Iterator[tuple[int, int]]]] = places

    def hide_in(self, text: str) -> str:
        """Return a text with whatever it repeats of the key masked; what is very long is cut."""
        if len(text) > _LONGEST_TEXT:
            text = f"{text[:_LONGEST_TEXT]}{_CUT}"
        shown: list[str] = []
        end = 0
        for start, stop in self._places(text):
            shown += text[end:start], MASK
            end = stop
        return "".join([*shown, text[end:]])

    def hide_in_error(self, error: SMSPartnerError) -> None:
        """Mask the key in whatever a service repeated of it into an error, its notes included."""
        error.args = tuple(self.hidden(value) for value in error.args)
        for name, value in vars(error).items():
            setattr(error, name, self.hidden(value))

    def hidden(self, value: Any) -> Any:
        """Return a value with the key masked in each text in it."""
        if isinstance(value, str):
            return self.hide_in(value)
        if isinstance(value, list | tuple):
            return type(value)(map(self.hidden, value))
        return value

    def __reduce__(self) -> NoReturn:
        raise TypeError("an API key is never pickled: make the client where it is used")

    def __repr__(self) -> str:
        return f"APIKey({MASK})"


#: What stands for a digit in a text where phones were masked before.
_HIDDEN_DIGIT: Final = "•"
#: Each part of a text that says something of a key, escapes as one part; the rest is passed over.
_PART: Final = r"""(?iax)
    (?P<plain>[a-z0-9•]+)
    | %(?:25)*(?P<percent>[0-9a-f]{2})
    | (?P<html>&(?:amp;)*(?:\#\d{1,7};?|\#x[0-9a-f]{1,6};?|[a-z]\w{1,30};))
    | \\+(?:u(?P<unicode>[0-9a-f]{4})|x(?P<byte>[0-9a-f]{2})|[bfnrt])
    | </?w?br\s*/?>
    | (?P<cut>…|\.{2,}|\*{2,})
    | (?P<other>[^\x00-\x7f])
"""
_CUT: Final = "…"
_OTHER: Final = "¤"
_DIGITS: Final = "#"


class _Signs(NamedTuple):
    """The letters and digits of a text, its escapes undone, and where in it each stands."""

    signs: str
    places: list[tuple[int, int]]


def _signs(text: str, *, fold: bool = False) -> _Signs:
    """Return the signs of a text.

    Whatever is not ASCII counts as one sign in a row, since encodings write it in many ways.

    Args:
        text: what may repeat a key.
        fold: let digits count as one sign in a row too: some may have been masked as a phone's.
    """
    signs: list[str] = []
    places: list[tuple[int, int]] = []
    for part in re.finditer(_PART, text):
        start, stop = part.span()
        plain = part["plain"] is not None
        for index, character in enumerate(part[0].lower() if plain else _undone(part)):
            sign = _DIGITS if fold and character in _HIDEABLE else character
            first, last = (start + index, start + index + 1) if plain else (start, stop)
            if sign in _ONE_IN_A_ROW and signs and signs[-1] == sign:
                places[-1] = places[-1][0], last
            else:
                signs.append(sign)
                places.append((first, last))
    return _Signs("".join(signs), places)


_ONE_IN_A_ROW: Final = frozenset({_OTHER, _DIGITS})
_HIDEABLE: Final = frozenset(f"0123456789{_HIDDEN_DIGIT}")


def _undone(part: re.Match[str]) -> str:
    """Return the signs that a part stands for; of a line break, or what is invisible, none."""
    if part["cut"]:
        return _CUT
    code = part["percent"] or part["unicode"] or part["byte"]
    said = chr(int(code, 16)) if code else part["html"] or part["other"] or ""
    if part["html"]:
        from html import unescape  # noqa: PLC0415 - 3 ms that most programs never need

        while (plain := unescape(said)) != said:
            said = plain
    shown = (c for c in said.lower() if c.isalnum() or (c > "\x7f" and c.isprintable()))
    return "".join(c if c.isascii() else _OTHER for c in shown)


class _Key(NamedTuple):
    """The signs of a key, as they are looked for in texts.

    Attributes:
        whole: all of them.
        row: how many signs in a row tell too much.
        runs: all rows of that length, and all shorter ones that tell too much beside a cut.
    """

    whole: str
    row: int
    runs: frozenset[str]

    @classmethod
    def of(cls, signs: str) -> Self:
        row = min(_TELLING, max(_AT_A_CUT, len(signs) // 2), len(signs))
        sizes = range(min(_AT_A_CUT, row), row + 1)
        return cls(signs, row, frozenset(run for size in sizes for run in _rows(signs, size)))

    def places_in(self, text: _Signs) -> Iterator[tuple[int, int]]:
        """Yield from where to where a text repeats the key."""
        signs = text.signs
        marks = bytearray(len(signs))
        for start, run in enumerate(_rows(signs, self.row)):
            if run in self.runs:
                marks[start : start + self.row] = b"k" * self.row
        for cut in re.finditer(_CUT, signs):
            for size in range(_AT_A_CUT, self.row + 1):
                for start in (cut.start() - size, cut.end()):
                    run = signs[max(start, 0) : start + size]
                    if len(run) == size and run in self.runs:
                        begin, end = min(start, cut.start()), max(start + size, cut.end())
                        marks[begin:end] = b"k" * (end - begin)
        for whole in re.finditer(re.escape(self.whole), signs):
            marks[whole.start()] = ord("K")
        for told in re.finditer(b"Kk*|k+", marks):
            yield text.places[told.start()][0], text.places[told.end() - 1][1]


def _rows(signs: str, size: int) -> Iterator[str]:
    return (signs[start : start + size] for start in range(len(signs) - size + 1))
