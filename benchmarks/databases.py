"""What a rental costs in a PostgreSQL table that others are in, with statistics of them.

    python -m benchmarks.databases postgresql:///scratch

The database is one to throw away: the table ``rented_numbers`` in it is dropped. It is measured by
itself, as there is not a server on every machine.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator

import psycopg

from benchmarks.bodies import whole
from smspartner import RentedNumber, decode, write

_SIZES = (20_000, 60_000, 1_000_000)
#: The rentals, one after the other; the last one again, with fewer rows.
_RENTALS = (("a", 1.0), ("b", 1.0), ("c", 1.0), ("b", 0.9))


def main(address: str) -> None:
    """Print a table: seconds of each rental, one line for each size."""
    print("| numbers | first | second | third | second again, a tenth fewer |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    for size in _SIZES:
        with psycopg.connect(address, autocommit=True) as admin:
            admin.execute("DROP TABLE IF EXISTS rented_numbers")
            seconds = list(_measured(admin, address, decode(whole(size, "json")).numbers))
        print(f"| {size:,} | {' | '.join(f'{each:.2f} s' for each in seconds)} |")


def _measured(
    admin: psycopg.Connection, address: str, numbers: tuple[RentedNumber, ...]
) -> Iterator[float]:
    for token, share in _RENTALS:
        start = time.perf_counter()
        write(numbers[: int(len(numbers) * share)], address, token=token)
        yield time.perf_counter() - start
        admin.execute("ANALYZE rented_numbers")


if __name__ == "__main__":
    main(sys.argv[1])
