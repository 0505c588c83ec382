"""Opt-out lists: phones that must not be written to, whatever the rental says.

One rule: a phone is left out if the last nine digits of its E.164 stand in one line of a list, in
that order, whatever stands between. So it need not be said in which column the phones are, or how
they are written. Where text can be read in two ways, both count: an opt-out that is passed over is
a message to a person who has said no, one phone too many a message that is not sent.

What cannot be understood stops everything: a list that holds no phone, phones that a spreadsheet
has turned into ``3,36E+10``, letters that look like digits, a rented phone without digits.
"""

from __future__ import annotations

import io
import operator
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, Final

from smspartner.errors import ConfigurationError
from smspartner.files.opt_outs.blocks import Advance, blocks_of, ignore_progress, in_lines
from smspartner.files.opt_outs.keys import keys_of
from smspartner.files.opt_outs.number_set import NumberSet
from smspartner.files.opt_outs.readings import (
    RefusedError,
    checksums,
    error_cells,
    lookalikes,
    other_readings,
    plain,
)
from smspartner.files.opt_outs.windows import FIRST_WINDOW, windows_of
from smspartner.files.targets import Target
from smspartner.models.stops import StopList

__all__ = [
    "ACCOUNT",
    "UNREADABLE",
    "OptOutList",
    "OptOuts",
    "account_list",
    "as_opt_outs",
    "read_opt_outs",
]

#: Stands for a list where a rented phone has nothing that can be compared with one.
UNREADABLE: Final = "without digits to compare"

#: What to do about a list in which nobody is.
_EMPTY: Final = "give the right one, or go on without it"
#: Lines that a message names.
_NAMED: Final = 10
_LOOKALIKE: Final = "letters that look like digits of a phone"
_VALUELESS: Final = "an error, or a formula or text whose value was not saved"
_ERROR: Final = "an error of a spreadsheet where a phone may have been"
_NO_PHONE: Final = "not a phone"
#: Six digits or more, of any script, with marks between them; a colon is one of a time.
_PHONE: Final = re.compile(r"(?:[^\w:]|_)*(?:\d(?:[^\w:]|_)*){6,}")
_FILE: Final = re.compile(r"[^@]+\.[A-Za-z][A-Za-z0-9]{1,7}")
#: Items that may be names of files, which a list of them has from the first one on.
_NAMES: Final = 100
#: Phones of an iterable that are looked at together.
_AT_ONCE: Final = 4096
#: From here on a float is not exact.
_EXACT: Final = 1e15
#: What columns call the kind of their numbers, and kinds that hold seven digits of a phone.
_KIND: Final = ("dtype", "type", "typecode")
_ROUNDED: Final = frozenset({"float32", "float16", "float", "halffloat", "f"})
_ITERABLE: Final = "opt-outs"
#: The name of the list that the service keeps.
ACCOUNT: Final = "the stop list of the account"


@dataclass(slots=True)
class OptOutList:
    """One list of an ``OptOuts``.

    Attributes:
        name: its file, or ``opt-outs`` for phones that were given as such.
        unit: what ``lines`` counts: the lines of a file, or the items of an iterable.
        lines: how many.
        unclear: how many lines may have a phone that cannot be read.
        unclear_lines: the first ten of them, counted from 1.
        reasons: what is unclear in them.
        unclear_cells: how many cells of a workbook show something that cannot be read.
        cells: where the first ten of them are.
        has_phones: whether there is anything in it that can be a phone.
    """

    name: str
    unit: str = "line"
    lines: int = 0
    unclear: int = 0
    unclear_lines: list[int] = field(default_factory=list)
    reasons: dict[str, None] = field(default_factory=dict)
    unclear_cells: int = 0
    cells: list[str] = field(default_factory=list)
    has_phones: bool = False
    _numbers: NumberSet = field(default_factory=NumberSet, repr=False)
    _checksums: int = field(default=0, repr=False)
    _sampled: int = field(default=0, repr=False)
    _last_unclear: int = field(default=0, repr=False)

    def holds(self, wanted: set[int]) -> bool:
        """Say whether one of a phone's keys is in the list."""
        return any(key in self._numbers for key in wanted)

    @property
    def size(self) -> str:
        """How many lines or items it has, in words; the line of a header is one, too."""
        return f"{self.lines:,} {self.unit}{'' if self.lines == 1 else 's'}"

    @property
    def problem(self) -> str | None:
        """What is unclear, in words; None if nothing is."""
        if not self.has_phones:
            return f"there is no phone in the {self.size} of {self.name!r}"
        if 2 * self._checksums > self._sampled:
            return (
                f"most of the {self.size} of {self.name!r} have checksums, such as MD5, for phones"
            )
        found = [
            f"{which} of {self.name!r}: {why}"
            for which, why in (
                (_named(self.unit, self.unclear_lines, self.unclear), ", or ".join(self.reasons)),
                (_named("cell", self.cells, self.unclear_cells), _VALUELESS),
            )
            if which
        ]
        return "; ".join(found) or None

    def read(self, blocks: Iterable[tuple[int, str]]) -> None:
        """Add the text of a list; see ``blocks_of`` for what it consists of."""
        for first, text in blocks:
            here = plain(text)
            try:
                others = other_readings(here)
            except RefusedError as error:
                where = f"{self.unit} {first + error.line} of {self.name!r}"
                raise ConfigurationError(f"{where} {error.reason}") from None
            self._add(windows_of(here))
            again = plain("".join(f"\n{reading}" for _, reading in others))
            if again:
                self._add(windows_of(f"{again}\n"))
            self.lines = max(self.lines, first + text.count("\n") - 1)
            hashed, sampled = checksums(here)
            self._checksums += hashed
            self._sampled += sampled
            alike = {first + line for line in lookalikes(here)}
            alike |= {first + others[index - 1][0] for index in lookalikes(again)}
            errors = dict.fromkeys((first + line for line in error_cells(here, first)), _ERROR)
            self.note_unclear(errors | dict.fromkeys(alike, _LOOKALIKE))
        self._numbers.sort()

    def _add(self, found: set[int]) -> None:
        self.has_phones = self.has_phones or max(found, default=0) >= FIRST_WINDOW
        self._numbers.update(found)

    def note_cell(self, place: str) -> None:
        """Count a cell of a workbook that cannot be read."""
        self.unclear_cells += 1
        self.cells += [place][: _NAMED - len(self.cells)]

    def note_unclear(self, lines: Mapping[int, str]) -> None:
        """Count lines that are unclear, each with what is."""
        new = sorted(line for line in lines if line > self._last_unclear)  # some come twice
        self.unclear += len(new)
        self.reasons.update(dict.fromkeys(map(lines.__getitem__, new)))
        self.unclear_lines += new[: _NAMED - len(self.unclear_lines)]
        self._last_unclear = max(new, default=self._last_unclear)


def _named(unit: str, places: Sequence[object], count: int) -> str:
    """Return the first places of so many in words; empty if there is none."""
    more = f" and {count - len(places):,} more" if count > len(places) else ""
    return f"{unit} {', '.join(map(str, places))}{more}" if places else ""


class OptOuts:
    """Phones to leave out: ``phone in opt_outs`` asks for one, however it is spelled.

    Args:
        phones: text or whole numbers, in any spelling; of an open file, its lines are a list.
        ignore_unclear: take what is understood, if only a part is.

    Raises:
        ConfigurationError: there is none, or something that is no phone, such as a file name.

    >>> "+33639980042" in OptOuts(["06 39 98 00 42", 639980043])
    True
    """

    def __init__(self, phones: Iterable[object], *, ignore_unclear: bool = False) -> None:
        found = OptOutList(_ITERABLE, "item")
        found.read(in_lines(_item_lines(phones, found)))
        if not found.lines:
            raise ConfigurationError(f"opt_outs is empty: it names no phone; {_EMPTY}")
        self.lists: tuple[OptOutList, ...] = (found,)
        if not ignore_unclear:
            self.require_clear()

    @classmethod
    def of(cls, lists: Iterable[OptOutList]) -> OptOuts:
        """Return what leaves out the phones of several lists."""
        opt_outs = cls.__new__(cls)
        opt_outs.lists = tuple(lists)
        return opt_outs

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the lists."""
        return tuple(found.name for found in self.lists)

    def require_clear(self) -> None:
        """Raise unless all is clear.

        Raises:
            ConfigurationError: there is a list without a phone, or letters that look like digits.
        """
        problems = [found.problem for found in self.lists if found.problem]
        if problems:
            raise ConfigurationError(
                f"{'; '.join(problems)}; correct it, or go on without it (ignore_unclear=True)"
            )

    def lists_with(self, phone: object) -> tuple[str, ...]:
        """Return the names of the lists that have a phone; empty if none has.

        A phone that cannot be compared is as good as on one, which is called ``UNREADABLE``.
        """
        wanted = keys_of(_text(phone))
        if not wanted:
            return (UNREADABLE,)
        return tuple(found.name for found in self.lists if found.holds(wanted))

    def __contains__(self, phone: object) -> bool:
        return bool(self.lists_with(phone))

    def __or__(self, other: OptOuts) -> OptOuts:
        return self.of((*self.lists, *other.lists))

    def __repr__(self) -> str:
        lists = (f"{found.size} of {found.name}" for found in self.lists)
        return f"OptOuts({', '.join(lists)})"


def read_opt_outs(*paths: Target, ignore_unclear: bool = False) -> OptOuts:
    """Read opt-out lists; they add up.

    Args:
        *paths: text of any kind, workbooks, exports in Parquet, Arrow or SQLite. A text file can
            be a pipe.
        ignore_unclear: go on with a list that has no phone, and with letters that look like
            digits.

    Raises:
        ConfigurationError: there is no list, or one cannot be read, is empty, has numbers such as
            3.36E+10, or is unclear.
    """
    if not paths:
        raise ConfigurationError("read_opt_outs needs the name of a list")
    opt_outs = OptOuts.of(map(read_list, paths))
    if not ignore_unclear:
        opt_outs.require_clear()
    return opt_outs


def read_list(path: Target, *, advance: Advance = ignore_progress) -> OptOutList:
    """Read one list, clear or not.

    Args:
        path: its file.
        advance: is told how many bytes were read, block by block.

    Raises:
        ConfigurationError: it cannot be read, is empty, or has numbers such as 3.36E+10.
    """
    name = os.fspath(path)
    found = OptOutList(name)
    try:
        with Path(name).open("rb") as file:
            found.read(blocks_of(name, file, advance, found.note_cell))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not the name of a file"
        raise ConfigurationError(f"cannot read the opt-out list {name!r}: {reason}") from error
    if not found.lines:
        raise ConfigurationError(f"the opt-out list {name!r} is empty: it names no phone; {_EMPTY}")
    return found


def account_list(stops: StopList) -> OptOutList:
    """Return the stop list of the account, which may be empty: the service says so.

    Raises:
        ConfigurationError: what it has is no phone.
    """
    found = OptOutList(ACCOUNT, "item")
    if len(stops):
        found.read(in_lines(_item_lines(stops.phones, found)))
        OptOuts.of([found]).require_clear()
    return found


def as_opt_outs(given: object) -> OptOuts:
    """Return what ``write(…, opt_outs=…)`` was given as an ``OptOuts``.

    Args:
        given: an ``OptOuts``, a ``StopList``, the name of a list, or an iterable of phones, or of
            objects that have a ``phone``.

    Raises:
        ConfigurationError: it is something else, is empty, or cannot be understood.
    """
    if isinstance(given, OptOuts):
        return given
    if isinstance(given, StopList):
        return OptOuts.of([account_list(given)])
    if isinstance(given, str | os.PathLike):
        return read_opt_outs(given)
    if isinstance(given, Iterable):
        return OptOuts(given)
    raise ConfigurationError(
        f"opt_outs takes an OptOuts, the name of a list or phones, not {type(given).__name__}"
    )


def _item_lines(phones: Iterable[object], found: OptOutList) -> Iterator[str]:
    """Yield phones as lines; note those that are none."""
    # A table gives the names of its columns: the first phone, where the file had no header.
    one_column = getattr(phones, "ndim", 0 if hasattr(phones, "keys") else 1) == 1
    if isinstance(phones, str | bytes | bytearray | memoryview | Mapping) or not one_column:
        raise ConfigurationError(
            f"phones come as a list of text or numbers, not as {type(phones).__name__}; of a "
            "table, give the column"
        )
    if any(str(getattr(phones, name, "")).lower() in _ROUNDED for name in _KIND):
        raise ConfigurationError(
            "phones that were kept as floats of 32 bits or fewer have lost digits; read them as "
            "text"
        )
    items = iter(phones)
    first = 1
    while batch := list(map(_text, islice(items, _AT_ONCE))):
        if not isinstance(phones, io.TextIOBase):
            found.note_unclear(dict.fromkeys(_no_phones(batch, first), _NO_PHONE))
        yield "".join(f"{_one_line(item)}\n" for item in batch)
        first += len(batch)


def _no_phones(items: Sequence[str], first: int) -> list[int]:
    """Return the numbers of items that are no phones.

    Raises:
        ConfigurationError: one is the name of a file. Some have enough digits for a phone.
    """
    wrong = [number for number, item in enumerate(items, first) if not _PHONE.fullmatch(item)]
    looked_at = [*items[: _NAMES if first == 1 else 0], *(items[at - first] for at in wrong)]
    if any(_FILE.fullmatch(item) or os.path.exists(item) for item in looked_at):  # noqa: PTH110 - of any text
        raise ConfigurationError(
            "opt_outs has the name of a file among its phones; of files, give read_opt_outs(*names)"
        )
    return wrong


def _text(phone: object) -> str:
    """Return a phone as text.

    Raises:
        ConfigurationError: it is neither text nor a whole number. The message does not show it.
    """
    value: Any = getattr(phone, "phone", phone)
    if hasattr(value, "as_py"):  # a scalar of pyarrow
        value = value.as_py()
    if isinstance(value, str):
        return value
    with suppress(ArithmeticError, TypeError):  # of a Decimal that is none, or of an array
        if isinstance(value, float | Decimal):
            whole = int(value) if -_EXACT < value < _EXACT else None
        else:
            whole = None if isinstance(value, bool) else operator.index(value)
        if whole is not None and whole == value and -_EXACT < whole < _EXACT:
            return str(whole)
    raise ConfigurationError(
        f"a phone is text or a whole number, not {type(value).__name__}; drop what is none"
    )


def _one_line(text: str) -> str:
    return text if text.isdigit() else " ".join(text.splitlines())
