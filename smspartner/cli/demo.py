"""``smspartner demo``: the product in one command, without an account."""

from __future__ import annotations

import os
import sys
import time
from itertools import islice
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from smspartner.cli.console import say, show
from smspartner.cli.options import WRITTEN
from smspartner.client.client import Client
from smspartner.errors import DecodeError
from smspartner.files.rows import WriteOptions
from smspartner.files.targets import STDOUT
from smspartner.files.write import check, write
from smspartner.models.masks import mask_phone
from smspartner.models.rental import Rental
from smspartner.sandbox import Sandbox

_SHOWN: Final = 3


@click.command()
@click.option("--numbers", default=10_000, show_default=True, help="Numbers to rent.")
@click.option(
    "-o",
    "--output",
    default="demo.csv",
    show_default=True,
    type=WRITTEN,
    help="File to write, its format given by the extension.",
)
def demo(numbers: int, output: str) -> None:
    """Rent made-up numbers from a stand-in service on this machine, and fetch them.

    The same rental comes as JSON and as XML; both must give equal objects. No account is needed
    and nothing leaves this machine: every phone is one reserved for fiction.
    """
    check(output, options=WriteOptions())
    with (
        Sandbox(numbers=numbers) as service,
        Client(service.api_key, base_url=service.url) as client,
    ):
        results = {name: _timed(client, service.token, name) for name in ("json", "xml")}
    rental, _ = results["json"]
    if rental != results["xml"][0]:  # pragma: no cover - it would be a bug of ours
        raise DecodeError("JSON and XML gave different numbers: please report this as a bug")
    write(rental, output)
    piped = output == STDOUT  # then words go to standard error, as everywhere
    _show(results, Console(stderr=piped))
    command = sys.argv[0] if sys.argv[0].endswith(f"{os.sep}smspartner") else "smspartner"
    place = "on standard output" if piped else f"in {output}"
    for line in (
        "",
        f"JSON and XML gave equal objects. {len(rental):,} numbers are {place}.",
        "",
        "Next, with the key and the token of your own rental:",
        f"  {command} key set",
        f"  {command} download TOKEN -o numbers.csv",
        "or without an account, against a service on this machine:",
        f"  {command} sandbox",
    ):
        (say if piped else show)(line)


def _timed(client: Client, token: str, format_name: str) -> tuple[Rental, float]:
    start = time.perf_counter()
    rental = client.download(token, format=format_name)
    return rental, time.perf_counter() - start


def _show(results: dict[str, tuple[Rental, float]], console: Console) -> None:
    table = Table("format", "numbers", "opted out", "seconds", "first numbers")
    for name, (rental, seconds) in results.items():
        opted_out = sum(number.stop_sms for number in rental)
        first = "\n".join(mask_phone(number.phone) for number in islice(rental, _SHOWN))
        table.add_row(name, f"{len(rental):,}", f"{opted_out:,}", f"{seconds:.2f}", first)
    console.print(table)
