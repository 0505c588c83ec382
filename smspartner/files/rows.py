"""What is written: which records, which columns, in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, runtime_checkable

import msgspec

from smspartner.errors import ConfigurationError
from smspartner.models.columns import (
    ALL_COLUMNS,
    AT_ONCE,
    COLUMNS,
    E164,
    FILE,
    TOKEN,
    Batches,
    Values,
    pieces,
    values_of,
)
from smspartner.models.number import RentedNumber, has_surrogates, require_int64
from smspartner.models.table import Tabular

if TYPE_CHECKING:
    from smspartner.files.opt_outs import OptOuts
    from smspartner.files.stopped import WithoutStopped

#: The values of one record in the order of the columns: int, str, bool, and str or None.
Row = tuple[Any, ...]

#: What can stand between the cells of CSV, most usual first.
SEPARATORS: Final = ",;\t|"

_SHAPES: Final = (
    "give a rental, a stream, or an iterable of RentedNumber or of lists of them, not {}"
)


class WriteOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What to write, the same for every sink.

    Attributes:
        columns: which columns, in this order; None for the usual ones.
        exclude_stop: leave out people who have opted out of SMS.
        opt_outs: leave out these phones.
        e164: add the column ``e164``; ``phone`` stays what the service sent.
        excel_safe: CSV only: a file that spreadsheets open without spoiling it.
        csv_separator: CSV only: what stands between cells, one of ``SEPARATORS``; None is a comma,
            or ``;`` with ``excel_safe``.
        token: the rental's token; databases need it, it is part of the key of a row.
        several: the numbers are of several rentals, each with a token or a name of its own.
        deadline: seconds that a check, or writing, may take with a database; None is for ever.

    Raises:
        ConfigurationError: a column that does not exist, comes twice, or may not be missing:
            without ``stop_sms`` it cannot be seen who must not be written to.
    """

    columns: Sequence[str] | None = None
    exclude_stop: bool = False
    opt_outs: OptOuts | None = None
    e164: bool = False
    excel_safe: bool = False
    csv_separator: str | None = None
    token: str | None = None
    several: bool = False
    deadline: float | None = None

    def __post_init__(self) -> None:
        if self.columns is not None:
            _check_columns(self.columns)
            if "stop_sms" not in self.columns and not self.exclude_stop:
                raise ConfigurationError(
                    "without the column stop_sms nobody sees who has opted out: "
                    "keep it, or exclude them (exclude_stop=True)"
                )
        if self.token is not None and not self.token.strip():
            raise ConfigurationError("the rental's token must not be empty")
        if self.token is not None and has_surrogates(self.token):
            raise ConfigurationError("the rental's token is not text: look at how it was entered")

    def header(self, usual: Sequence[str] = COLUMNS) -> tuple[str, ...]:
        """Return the columns that are written, where ``usual`` are those taken by default."""
        columns = tuple(usual if self.columns is None else self.columns)
        return (*columns, E164) if self.e164 and E164 not in columns else columns


def _check_columns(columns: Sequence[str]) -> None:
    if isinstance(columns, str):
        raise ConfigurationError(f"the columns must be a list of names: columns=[{columns!r}]")
    for name in columns:
        if name not in ALL_COLUMNS:
            raise ConfigurationError(f"no column {name!r}; there are {', '.join(ALL_COLUMNS)}")
    if not columns or len(set(columns)) != len(columns):
        raise ConfigurationError("the columns must be one or more, each only once")


class Origin(NamedTuple):
    """Where numbers come from: the rental's token and the name of its body, None if unknown."""

    token: str | None = None
    file: str | None = None

    @property
    def key(self) -> str:
        """What a database knows the rental by: its token, or the name of its body."""
        return self.token or self.file or ""


@runtime_checkable
class Rentals(Protocol):
    """Numbers of several rentals, one after the other."""

    @property
    def columns(self) -> Sequence[str]:
        """Return what is written of each number unless the caller chooses columns."""
        ...

    def rentals(self) -> Iterable[tuple[Origin, Batches]]:
        """Yield where numbers come from, and the numbers; each is read before the next."""
        ...


class Rows:
    """The rows to write, in batches, each read when it is asked for; can be gone through once.

    Args:
        numbers: whatever ``write`` takes.
        options: what of them to write.

    Attributes:
        columns: the names of a row's values.
        count: rows given out so far.
        last: the records of the rows given out last.
        tokens: what a database knows the rentals so far by, those without numbers too.
        opted_out: rows given out of people who have opted out.
        left_out_listed: records left out because of the opt-out lists.
        left_out_by: how many of these are on each list; one can be on several.

    Raises:
        ConfigurationError: the numbers have no shape that can be written.
    """

    def __init__(self, numbers: object, options: WriteOptions) -> None:
        self.columns: tuple[str, ...] = options.header(
            numbers.columns if isinstance(numbers, Rentals) else COLUMNS
        )
        self.count: int = 0
        self.last: Sequence[RentedNumber] = ()
        self.tokens: dict[str, None] = {}
        self.opted_out: int = 0
        self.left_out_listed: int = 0
        self.left_out_by: Counter[str] = Counter(
            dict.fromkeys(options.opt_outs.names, 0) if options.opt_outs else {}
        )
        self._rentals = _rentals(numbers, options)
        self._stopped: WithoutStopped | None = None
        if options.exclude_stop:
            from smspartner.files.stopped import WithoutStopped  # noqa: PLC0415 - who asks for it

            self._rentals = self._stopped = WithoutStopped(self._rentals)
        self._options = options

    @property
    def left_out_stop(self) -> int:
        """Records left out so far because their person has opted out."""
        return 0 if self._stopped is None else self._stopped.left_out

    def __iter__(self) -> Iterator[list[Row]]:
        for values in self.values():
            yield list(zip(*values, strict=True))

    def values(self, columns: Sequence[str] | None = None) -> Iterator[Values]:
        """Yield the rows column by column, of these columns or of those that are written."""
        wanted = self.columns if columns is None else columns
        for origin, records in self.records():
            fixed = {TOKEN: origin.token, FILE: origin.file or ""}
            yield [
                [fixed[name]] * len(records) if name in fixed else values_of(records, name)
                for name in wanted
            ]

    def records(self) -> Iterator[tuple[Origin, Sequence[RentedNumber]]]:
        """Yield the records of the rows, and where they come from."""
        for origin, batches in self._rentals:
            self.tokens[origin.key] = None
            for batch in pieces(batches):
                if kept := self._kept(batch):
                    self.count += len(kept)
                    self.last = kept
                    yield origin, kept

    def _kept(self, batch: Sequence[RentedNumber]) -> Sequence[RentedNumber]:
        kept = batch
        if (opt_outs := self._options.opt_outs) is not None:
            lists = [opt_outs.lists_with(number.phone) for number in kept]
            self.left_out_by.update(chain.from_iterable(lists))
            before = len(kept)
            kept = [number for number, names in zip(kept, lists, strict=True) if not names]
            self.left_out_listed += before - len(kept)
        if self._stopped is None:
            self.opted_out += [number.stop_sms for number in kept].count(True)
        return kept


def _rentals(numbers: object, options: WriteOptions) -> Iterable[tuple[Origin, Batches]]:
    if isinstance(numbers, Rentals):
        return numbers.rentals()
    if isinstance(numbers, Tabular):
        return [(Origin(options.token), numbers.all_batches())]
    if isinstance(numbers, str | bytes | dict) or not isinstance(numbers, Iterable):
        raise ConfigurationError(_SHAPES.format(type(numbers).__name__))
    return [(Origin(options.token), _batches(numbers))]


def _batches(numbers: Iterable[object]) -> Batches:
    """Yield lists of records of an iterable that gives records, or lists of them.

    Raises:
        ConfigurationError: it gives something else.
    """
    gathered: list[RentedNumber] = []
    for item in numbers:
        if isinstance(item, RentedNumber):
            gathered.append(item)
            if len(gathered) < AT_ONCE:
                continue
            yield gathered
            gathered = []
        elif isinstance(item, Sequence) and set(map(type, item)) <= {RentedNumber}:
            if gathered:
                yield gathered
                gathered = []
            yield item
        else:
            kinds = item if isinstance(item, list | tuple) else [item]
            odd = next(each for each in kinds if not isinstance(each, RentedNumber))
            raise ConfigurationError(_SHAPES.format(type(odd).__name__))
    yield gathered


def database_rows(rows: Rows) -> Iterator[list[Row]]:
    """Yield rows of ``(token, id, phone, stop_sms, e164, file)``; what was not asked for is None.

    Raises:
        OutputError: an id has more than 64 bits.
    """
    for origin, records in rows.records():
        ids = values_of(records, "id")
        require_int64(ids, rows.count - len(records))
        nothing = [None] * len(records)
        yield list(
            zip(
                [origin.key] * len(records),
                ids,
                values_of(records, "phone"),
                values_of(records, "stop_sms"),
                values_of(records, E164) if E164 in rows.columns else nothing,
                [origin.file] * len(records) if FILE in rows.columns else nothing,
                strict=True,
            )
        )


def require_database(options: WriteOptions) -> str:
    """Return a rental's token to try a database with.

    Raises:
        ConfigurationError: there is none, or a column is missing that the table has.
    """
    if not options.token and not options.several:
        raise ConfigurationError(
            "a database needs the rental's token (token=): it is the key of its rows"
        )
    if not set(COLUMNS) <= set(options.header()):
        raise ConfigurationError(f"a database takes all of {', '.join(COLUMNS)}")
    return options.token or "several"
