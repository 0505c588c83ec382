"""Numbers from files: bodies as the service sent them, and every export.

::

    with open_numbers("numbers.parquet") as source:
        for batch in source.batches():
            print(len(batch["phone"]))

``formats`` is the registry. The contract of a format:

1. ``recognises`` tells by the beginning of a file whether it is of this format, and is never
   wrong about files of the other ones. Only where no beginning tells do ``endings`` count.
2. ``read`` yields batches of columns (``id``, ``phone``, ``stop_sms``, ``e164``: those the file
   has, in every batch the same) and holds no more than one of them. A column that a file lacks
   is not made up: a row without ``stop_sms`` is never read as not opted out.
3. What is wrong with the file is a ``DecodeError`` that names the file and the line or record.

Files come from anywhere, so every value is checked by the scalar rules of bodies (rule R7).
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final, Protocol

from smspartner.errors import ConfigurationError
from smspartner.files.columns import Columns
from smspartner.files.formats.arrow import ArrowFormat, ParquetFormat
from smspartner.files.formats.body import BodyFormat
from smspartner.files.formats.csv import CSVFormat
from smspartner.files.formats.json import JSONFormat, JSONLinesFormat
from smspartner.files.formats.sqlite import SQLiteFormat
from smspartner.files.formats.xlsx import WorkbookFormat
from smspartner.files.input_file import InputFile, input_errors, opened
from smspartner.files.targets import STDOUT, Target
from smspartner.files.unknown import is_something_else, unknown_format
from smspartner.models.columns import COLUMNS

__all__ = [
    "BATCH_COLUMNS",
    "Columns",
    "Format",
    "InputFile",
    "NumbersFile",
    "formats",
    "open_numbers",
]


class Format(Protocol):
    """One kind of file; the contract is in the module's docstring."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    @property
    def endings(self) -> Sequence[str]:
        """The endings of file names that mean it, with the dot, in lower case."""
        ...

    @property
    def ordered(self) -> bool:
        """Whether its numbers are in an order of their own."""
        ...

    def recognises(self, start: bytes) -> bool:
        """Tell by its first 64 KiB whether a file is of this format."""
        ...

    def read(self, file: InputFile) -> Iterator[Columns]:
        """Yield the numbers of a file; may set ``declared``, ``rentals`` and ``kind`` of it."""
        ...


class NumbersFile:
    """The numbers of one file, on their way: ``batches`` can be gone through once.

    As text it is the file's name as errors show it.

    Attributes:
        name: the file as the user named it.
        columns: what is known of each number: of ``id``, ``phone``, ``stop_sms``, ``e164``. Those
            of a body for a file without numbers.
        empty: whether there is no number in it.
        ordered: False for a database, whose rows have no order of their own.
        found: how many numbers have been read so far.
    """

    def __init__(self, file: InputFile, form: Format) -> None:
        self.name: str = file.name
        self.ordered: bool = form.ordered
        self.found: int = 0
        self._file = file
        self._file.kind = form.name
        self._batches = form.read(file)
        first = next(self._batches, None)
        self._first: list[Columns] = [] if first is None else [first]
        self.empty: bool = first is None
        self.columns: tuple[str, ...] = COLUMNS if first is None else tuple(first)

    @property
    def kind(self) -> str:
        """What the file is, such as ``CSV`` or ``XML body``."""
        return self._file.kind

    @property
    def declared(self) -> int | None:
        """The count a body declares; None before it is known, and for everything else."""
        return self._file.declared

    @property
    def unread(self) -> list[str]:
        """The columns and tables that no export has, and that are not read; not of text."""
        return self._file.unread

    @property
    def rentals(self) -> int | None:
        """How many rentals a database holds; None for everything else."""
        return self._file.rentals

    def batches(self) -> Iterator[Columns]:
        """Yield the numbers as columns: each batch maps names to lists of equal length.

        Raises:
            DecodeError: the file is not what it seems to be; the message says where. All numbers
                before that place have been yielded, but for those of the same batch.
            ConfigurationError: the file cannot be read any more.
        """
        with self._file.reading():
            for batch in chain(self._first, self._batches):
                self._first = []
                self.found += len(batch[self.columns[0]])
                yield batch

    def __str__(self) -> str:
        return str(self._file)


#: What files in a folder are called that hold numbers; hidden ones, journals and records of
#: provenance do not.
_NUMBERS: Final = re.compile(
    r"(?i)^(?!\.|smspartner-journal\.|.*\.provenance\.json$).*"
    r"\.(csv|tsv|jsonl|ndjson|json|xml|parquet|arrow|feather|xls[xmb]?|ods|db|sqlite3?)$"
)
#: All columns that a batch can have, in their order.
BATCH_COLUMNS: Final = ("id", "phone", "stop_sms", "e164")

#: Every format by its name. Asked in this order: what begins with a mark of its own comes first.
formats: Final[dict[str, Format]] = {
    form.name: form
    for form in (
        ParquetFormat(),
        ArrowFormat(),
        SQLiteFormat(),
        WorkbookFormat(),
        JSONFormat(),
        JSONLinesFormat(),
        CSVFormat(),
        BodyFormat(),
    )
}


def numbers_in(name: str) -> list[str]:
    """Return the files with numbers in a folder, sorted, by what their names end in; or the name.

    Raises:
        ConfigurationError: there is none, or the folder cannot be read.
    """
    if name == STDOUT or not Path(name).is_dir():
        return [name]
    with input_errors(name):
        inside = sorted(each for each in Path(name).iterdir() if each.is_file())
    found = [str(each) for each in inside if _NUMBERS.search(each.name)]
    if not found:
        raise ConfigurationError(f"no file in {name!r} is called like one with numbers in it")
    return found


@contextlib.contextmanager
def open_numbers(target: Target, *, token: str | None = None) -> Iterator[NumbersFile]:
    """Open a file that has numbers in it, whatever it is.

    Args:
        target: a file name, ``-`` for standard input, or ``sqlite:///file.db``.
        token: which rental of a database; None for all of them. Nothing else looks at it.

    Raises:
        ConfigurationError: the file cannot be read, an extra is missing, or the database has no
            rental of this token.
        UnknownFormatError: it is none of the formats that can be read.
        APIError: it is a body, and a refusal of the service.
        DecodeError: it cannot be understood; the message says where, the subclass in which way.
    """
    with opened(os.fspath(target), token) as file:
        with file.reading():
            source = NumbersFile(file, _format_of(file))
        yield source


def _format_of(file: InputFile) -> Format:
    for form in formats.values():
        if form.recognises(file.start):
            return form
    ending = "" if is_something_else(file.start) else Path(file.name).suffix.lower()
    for form in formats.values():
        if ending in form.endings and file.is_text():
            return form
    raise unknown_format(file)
