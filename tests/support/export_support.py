"""What the tests of the export layer share: numbers to write, and ways to fail."""

from __future__ import annotations

import csv
import json
import resource
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from smspartner.models.number import RentedNumber


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
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


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


def rows_of(path: Path) -> list[dict[str, object]]:
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
    with closing(sqlite3.connect(path)) as database:
        found = database.execute("SELECT id, phone, stop_sms FROM rented_numbers ORDER BY id")
        return [{"id": one, "phone": two, "stop_sms": bool(three)} for one, two, three in found]


def as_rows(records: Iterable[RentedNumber]) -> list[dict[str, object]]:
    return [{"id": each.id, "phone": each.phone, "stop_sms": each.stop_sms} for each in records]
