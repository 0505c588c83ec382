"""Opt-out lists: what they cost, how many strangers they leave out.

``python -m benchmarks.opt_outs`` prints both.

A stranger is a mobile phone that is on no line of a list, and found in one all the same: its nine
digits stand in a line by chance.
"""

from __future__ import annotations

import random
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from smspartner.files.opt_outs import OptOuts, read_list

LINES: Final = 200_000
STRANGERS: Final = 200_000
_RANDOM: Final = random.Random(12)


def _digits(count: int) -> str:
    return f"{_RANDOM.randrange(10**count):0{count}}"


def _phone() -> str:
    return _RANDOM.choice(("06", "07")) + _digits(8)


def _spaced(phone: str) -> str:
    return " ".join(re.findall("..", phone))


def _date() -> str:
    day, month = _RANDOM.randrange(1, 29), _RANDOM.randrange(1, 13)
    return f"{day:02}/{month:02}/{_RANDOM.randrange(2018, 2026)}"


def _log() -> str:
    time_of_day = f"{_RANDOM.randrange(24):02}:{_digits(2)}:{_digits(2)},{_digits(3)}"
    return (
        f"{_date()} {time_of_day} INFO [worker-{_digits(1)}] STOP +33{_phone()[1:]} id={_digits(9)}"
    )


def _iban() -> str:
    groups = " ".join(_digits(4) for _ in range(5))
    return f"FR76 {groups} {_digits(3)};{_digits(14)};{_phone()}"


KINDS: Final[dict[str, Callable[[], str]]] = {
    "phones alone": _phone,
    "id, phone, date": lambda: f"{_digits(6)};{_phone()};{_date()}",
    "id, phone in pairs, date": lambda: f"{_digits(6)};{_spaced(_phone())};{_date()}",
    "log lines": _log,
    "IBAN, SIRET, phone": _iban,
}


def strangers(lines: list[str]) -> tuple[float, float]:
    """Return the share of strangers that a list leaves out, and that all windows would."""
    opt_outs = OptOuts(lines, ignore_unclear=True)
    everywhere = {
        window
        for line in lines
        for digits in [re.sub(r"\D", "", line)]
        for window in (digits[start : start + 9] for start in range(len(digits) - 8))
    }
    listed = {re.sub(r"\D", "", found)[-9:] for line in lines for found in _PHONES.findall(line)}
    probes = [phone for phone in (_phone() for _ in range(STRANGERS)) if phone[1:] not in listed]
    by_rule = sum(phone in opt_outs for phone in probes)
    by_all = sum(phone[1:] in everywhere for phone in probes)
    return by_rule / len(probes), by_all / len(probes)


#: The phone of a line of each kind.
_PHONES: Final = re.compile(r"\+33[67]\d{8}|(?<!\d)0[67](?: ?\d\d){4}(?!\d)")


def seconds(make: Callable[[], str], lines: int) -> float:
    """Return how long a list of so many lines takes to read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "list.csv")
        path.write_text("".join(f"{line}\n" for line in _made(make, lines)))
        start = time.process_time()
        read_list(path)
        return time.process_time() - start


def _made(make: Callable[[], str], lines: int) -> Iterator[str]:
    return (make() for _ in range(lines))


def main() -> None:
    """Print both as tables."""
    print(f"{'200,000 lines':26} strangers left out   by all windows")
    for name, make in KINDS.items():
        by_rule, by_all = strangers(list(_made(make, LINES)))
        print(f"{name:26} {by_rule:.2%} {by_all:.2%}")
    for name, make in KINDS.items():
        print(f"{name:26} a million lines: {seconds(make, 1_000_000):.1f} s")


if __name__ == "__main__":
    main()
