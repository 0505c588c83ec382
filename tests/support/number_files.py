"""Numbers, and files of every kind with the same numbers in them."""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import posix_only
import pytest

from smspartner import write
from smspartner.files import write as writing
from smspartner.files.columns import Columns
from smspartner.files.read import BATCH_COLUMNS, open_numbers
from smspartner.files.rows import WriteOptions
from smspartner.models.columns import COLUMNS
from smspartner.models.number import RentedNumber
from smspartner.sandbox.bodies import render

TOKEN: Final = "rental-1"  # noqa: S105 - a rental's, not a secret

#: What each kind of file is called by people, by the name of its file here.
KINDS: Final = {
    "body.json": "JSON body",
    "body.xml": "XML body",
    "one-line.xml": "XML body",
    "numbers.csv": "CSV",
    "excel.csv": "CSV",
    "numbers.jsonl": "JSON Lines",
    "numbers.json": "JSON",
    "numbers.parquet": "Parquet",
    "numbers.arrow": "Arrow",
    "numbers.db": "SQLite",
    "numbers.xlsx": "workbook",
}
BODIES: Final = [name for name in KINDS if "body" in KINDS[name]]
EXPORTS: Final = [name for name in KINDS if name not in BODIES]
#: The module that a kind of file needs, of an extra.
NEEDS: Final = {
    "numbers.parquet": "pyarrow",
    "numbers.arrow": "pyarrow",
    "numbers.xlsx": "xlsxwriter",
}

Row = tuple[object, ...]


def check(target: Path | str, *, to: str | None = None, **options: Any) -> None:
    """Ask whether a target can be written, with the options of ``write``."""
    writing.check(target, to=to, options=WriteOptions(**options))


def skip_without_extra(name: str) -> None:
    if name in NEEDS:
        pytest.importorskip(NEEDS[name], reason="an extra is not installed")


def write_body(path: Path, count: int, seed: int = 0) -> Path:
    """Write a body as the sandbox sends it, in the format that its name says."""
    chunks = render(count, path.suffix[1:], seed=seed, pretty="one-line" not in path.name)
    path.write_bytes(b"".join(chunks))
    return path


def write_export(
    path: Path,
    numbers: Sequence[RentedNumber],
    *,
    columns: Sequence[str] = COLUMNS,
    e164: bool = False,
) -> Path:
    write(
        [numbers],
        path,
        token=TOKEN,
        excel_safe=path.name.startswith("excel"),
        columns=columns,
        exclude_stop="stop_sms" not in columns,
        e164=e164,
    )
    return path


def write_kind(folder: Path, name: str, numbers: Sequence[RentedNumber]) -> Path:
    """Write a file of a kind; the numbers of a body are those of the sandbox's seed 0."""
    skip_without_extra(name)
    path = folder / name
    return write_body(path, len(numbers)) if name in BODIES else write_export(path, numbers)


def read(path: Path | str, token: str | None = None) -> list[Row]:
    """Return the rows of a file, over all columns that it has."""
    with open_numbers(path, token=token) as source:
        return [row for batch in source.batches() for row in rows_of(batch)]


def rows_of(batch: Columns) -> Iterator[Row]:
    return zip(*(batch[name] for name in BATCH_COLUMNS if name in batch), strict=True)


def as_rows(numbers: Sequence[RentedNumber]) -> list[Row]:
    return [(number.id, number.phone, number.stop_sms) for number in numbers]


def through_pipe(folder: Path, content: bytes, use: Callable[[Path], object]) -> object:
    """Return what comes of a named pipe that this content is written to."""
    pipe = folder / "pipe"
    posix_only.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    try:
        return use(pipe)
    finally:
        writer.join()


def numbers(count: int, start: int = 0) -> list[RentedNumber]:
    """Numbers for fiction: every seventh person has opted out."""
    return [
        RentedNumber(index + 1, f"+3363998{index % 10_000:04d}", index % 7 == 0)
        for index in range(start, start + count)
    ]


def batches(count: int, size: int = 500) -> Iterator[list[RentedNumber]]:
    for start in range(0, count, size):
        yield numbers(min(size, count - start), start)


class SourceError(Exception):
    """What the source of the records raises half-way."""


def failing(after: int, size: int = 500) -> Iterator[list[RentedNumber]]:
    yield from batches(after * size, size)
    raise SourceError("the source failed")


@contextmanager
def disk_that_fills_up(limit: int) -> Iterator[None]:
    """No file can grow beyond so many bytes, as on a disk that is full: no root is needed."""
    before = posix_only.getrlimit(posix_only.RLIMIT_FSIZE)
    posix_only.setrlimit(posix_only.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        posix_only.setrlimit(posix_only.RLIMIT_FSIZE, before)


def mode_of(path: Path) -> int:
    posix_only.geteuid()  # Windows has no modes
    return stat.S_IMODE(path.stat().st_mode)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def without_privileges() -> Iterator[None]:
    """Permissions mean nothing to root: be nobody for a while."""
    if posix_only.geteuid() != 0:
        yield
        return
    posix_only.seteuid(65534)
    try:
        yield
    finally:
        posix_only.seteuid(0)


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


ODD_PHONES = [
    "+33639980042",
    "0639980042",
    '"quoted"',
    "a,b;c",
    "line\nbreak",
    "carriage\rreturn",
    "=1+1",
    "@SUM(A1)",
    " spaces ",
    "é ☎ \N{MATHEMATICAL BOLD DIGIT ZERO}",
    "\\",
    "\u2028",
]


def dicts_in(path: Path) -> list[dict[str, object]]:
    """Read an export back with a reader that is not ours."""
    text = path.read_bytes()
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            return [
                {"id": int(row["id"]), "phone": row["phone"], "stop_sms": row["stop_sms"] == "true"}
                for row in csv.DictReader(file)
            ]
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in text.split(b"\n")[:-1]]
    if path.suffix == ".json":
        loaded: list[dict[str, object]] = json.loads(text)
        return loaded
    if path.suffix == ".xlsx":
        import python_calamine  # noqa: PLC0415 - an extra

        _, *rows = python_calamine.load_workbook(path).get_sheet_by_index(0).iter_rows()
        return [{"id": one, "phone": two, "stop_sms": three} for one, two, three in rows]
    with closing(sqlite3.connect(path)) as database:
        found = database.execute("SELECT id, phone, stop_sms FROM rented_numbers ORDER BY id")
        return [{"id": one, "phone": two, "stop_sms": bool(three)} for one, two, three in found]


def as_dicts(records: Iterable[RentedNumber]) -> list[dict[str, object]]:
    return [{"id": each.id, "phone": each.phone, "stop_sms": each.stop_sms} for each in records]
