"""What is written: which records, which columns, in which order."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

from smspartner.errors import ConfigurationError
from smspartner.models.arrow import COLUMNS, E164, Batches
from smspartner.models.number import RentedNumber, has_surrogates, require_int64

#: Rows of a batch at most: a batch can be a whole rental that is in memory.
_AT_ONCE: Final = 4096
#: An address as it should be: a password, if any, without the characters that end it.
_ADDRESS: Final = re.compile(
    r"(\w+://)(?:([\w.-]+)(?::[^@/?#]*)?(@))?([\w.-]*(?::\d*)?|\[[\d:a-f]*\](?::\d*)?)(/[^?#@]*)?"
    r"(?:\?[^@]*)?"
)

#: The values of one record in the order of the columns: int, str, bool, and str or None.
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """What to write, the same for every sink.

    Attributes:
        columns: which columns, in this order.
        exclude_stop: leave out who has opted out of SMS.
        suppress: leave out the phones it contains; see ``smspartner.files.opt_outs``.
        e164: add the column ``e164``; ``phone`` stays what the service sent.
        excel_safe: CSV only: a file that spreadsheets open without spoiling phones.
        token: the rental's token; databases need it, it is part of the key of a row.

    Raises:
        ConfigurationError: a column that does not exist, comes twice, or may not be missing:
            without ``stop_sms`` nobody can see who must not be written to.
    """

    columns: Sequence[str] = COLUMNS
    exclude_stop: bool = False
    suppress: Container[str] | None = None
    e164: bool = False
    excel_safe: bool = False
    token: str | None = None

    def __post_init__(self) -> None:
        known = (*COLUMNS, E164)
        for name in self.columns:
            if name not in known:
                raise ConfigurationError(f"no column {name!r}; there are {', '.join(known)}")
        if not self.columns or len(set(self.columns)) != len(self.columns):
            raise ConfigurationError("the columns must be one or more, each only once")
        if "stop_sms" not in self.columns and not self.exclude_stop:
            raise ConfigurationError(
                "without the column stop_sms nobody sees who has opted out: "
                "keep it, or exclude them (exclude_stop=True)"
            )

    @property
    def header(self) -> tuple[str, ...]:
        """The columns that are written."""
        extra = (E164,) if self.e164 and E164 not in self.columns else ()
        return (*self.columns, *extra)


class Rows:
    """The rows to write, in batches, each read when it is asked for; can be gone through once.

    Args:
        batches: the records.
        options: what of them to write.

    Attributes:
        columns: the names of a row's values.
        count: rows given out so far.
        last: the records of the rows given out last.
        opted_out: records left out so far because of their ``stop_sms``.
        suppressed: records left out so far because of the suppression list.
    """

    def __init__(self, batches: Batches, options: ExportOptions) -> None:
        self.columns = options.header
        self.count = 0
        self.last: Sequence[RentedNumber] = ()
        self.opted_out = 0
        self.suppressed = 0
        self._batches = batches
        self._options = options
        self._getters = [_getter(name) for name in self.columns]

    def __iter__(self) -> Iterator[list[Row]]:
        return map(self.values, self.records())

    def records(self) -> Iterator[Sequence[RentedNumber]]:
        """Yield the records of the rows instead of their values, for who can take them whole."""
        for batch in self._batches:
            for start in range(0, len(batch), _AT_ONCE):
                if kept := self._select(batch[start : start + _AT_ONCE]):
                    self.count += len(kept)
                    self.last = kept
                    yield kept

    def values(self, records: Sequence[RentedNumber]) -> list[Row]:
        """Return the values of records, row by row."""
        return list(zip(*self.by_column(records), strict=True))

    def by_column(self, records: Sequence[RentedNumber]) -> list[list[Any]]:
        """Return the values of records, column by column."""
        return [list(map(get, records)) for get in self._getters]

    def _select(self, batch: Sequence[RentedNumber]) -> Sequence[RentedNumber]:
        kept = batch
        if self._options.exclude_stop:
            kept = [number for number in kept if not number.stop_sms]
            self.opted_out += len(batch) - len(kept)
        if (suppress := self._options.suppress) is not None:
            before = len(kept)
            kept = [number for number in kept if number.phone not in suppress]
            self.suppressed += before - len(kept)
        return kept


def int64_records(rows: Rows) -> Iterator[Sequence[RentedNumber]]:
    """Yield the records of rows, for a target whose integers have 64 bits.

    Raises:
        OutputError: an id has more; the message says which row it is.
    """
    for records in rows.records():
        require_int64(records, rows.count - len(records))
        yield records


def complete_rows(rows: Rows) -> Iterator[list[Row]]:
    """Yield batches of ``(id, phone, stop_sms, e164)`` for a database, e164 None if not asked for.

    Raises:
        OutputError: an id has more than 64 bits.
    """
    e164 = _getter(E164) if E164 in rows.columns else _none
    for records in int64_records(rows):
        yield [(number.id, number.phone, number.stop_sms, e164(number)) for number in records]


def require_token(options: ExportOptions) -> str:
    """Return the token of a rental that goes to a database.

    Raises:
        ConfigurationError: there is none, it is not text, or a column is missing that the table
            has.
    """
    if not options.token:
        raise ConfigurationError(
            "a database needs the rental's token (token=): it is the key of its rows"
        )
    if has_surrogates(options.token):
        raise ConfigurationError("the rental's token is not text: look at how it was entered")
    if not set(COLUMNS) <= set(options.columns):
        raise ConfigurationError(f"a database takes all of {', '.join(COLUMNS)}")
    return options.token


def mask_target(target: str) -> str:
    """Return a target as it may be shown: an address without its password and parameters.

    >>> mask_target("postgresql://me:secret@db.example/rentals?sslmode=require")
    'postgresql://me@db.example/rentals'

    Where it cannot be told what is password and what is not, only the scheme is left.
    """
    scheme, colon, _ = target.partition("://")
    if not colon or target.startswith("sqlite:///"):
        return target
    found = _ADDRESS.fullmatch(target)
    return "".join(part or "" for part in found.groups()) if found else f"{scheme}://…"


def _none(_: RentedNumber) -> None:
    return None


def _getter(column: str) -> Callable[[RentedNumber], Any]:
    if column != E164:
        return attrgetter(column)
    from smspartner.models.phones import normalise  # noqa: PLC0415 - only who asks for it pays

    return lambda number: normalise(number.phone).e164
