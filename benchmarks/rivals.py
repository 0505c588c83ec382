"""What one would write instead of ``smspartner download``: fetch, parse, write CSV.

``python -m benchmarks.rivals json URL FILE`` runs one.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterable
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import requests

_TIMEOUT: Final = 10
_NAMES: Final = ("id", "phone", "stopSms")


def from_json(url: str, output: str) -> None:
    reply = requests.get(url, timeout=_TIMEOUT)
    reply.raise_for_status()
    _write(map(itemgetter(*_NAMES), reply.json()["datas"]), output)


def from_xml(url: str, output: str) -> None:
    from lxml import etree  # noqa: PLC0415 - the other rival does without

    reply = requests.get(url, timeout=_TIMEOUT)
    reply.raise_for_status()
    records = etree.fromstring(reply.content)[2]
    _write(((number.text, phone.text, stop.text) for number, phone, stop in records), output)


def _write(rows: Iterable[Iterable[Any]], output: str) -> None:
    with Path(output).open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_NAMES)
        writer.writerows(rows)


#: By the format that they ask for.
RIVALS: Final[dict[str, Callable[[str, str], None]]] = {"json": from_json, "xml": from_xml}

if __name__ == "__main__":
    RIVALS[sys.argv[1]](*sys.argv[2:])
