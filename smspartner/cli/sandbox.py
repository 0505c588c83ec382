"""``smspartner sandbox``: the stand-in service, to try things against."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import click

from smspartner.cli.console import say
from smspartner.sandbox import FAULTS, Sandbox

_LOOPBACK = "127.0.0.1"


@click.command()
@click.option("--numbers", default=1000, show_default=True, help="How many numbers are rented.")
@click.option("--token", help="The token of the rental.  [default: a made-up one]")
@click.option(
    "--host", default=_LOOPBACK, show_default=True, help="Address to listen on; see the docs."
)
@click.option("--port", default=0, help="Port to listen on.  [default: any free port]")
@click.option("--seed", default=0, show_default=True, help="Another seed, other numbers.")
@click.option("--one-line", is_flag=True, help="XML on one line instead of indented.")
@click.option("--http-errors", is_flag=True, help="Refuse with HTTP 4xx instead of 200.")
@click.option("--pace", default=0.0, help="Seconds for each step until the file is ready.")
@click.option("--once", is_flag=True, help="Refuse a second download of a rental.")
@click.option("--fault", type=click.Choice(sorted(FAULTS)), help="What goes wrong with downloads.")
@click.option("--fault-on-all", is_flag=True, help="The fault strikes every answer.")
@click.option("-q", "--quiet", is_flag=True, help="Do not show the requests.")
def sandbox(
    numbers: int,
    host: str,
    port: int,
    seed: int,
    pace: float,
    fault: str | None,
    token: str | None,
    *,
    one_line: bool,
    http_errors: bool,
    once: bool,
    fault_on_all: bool,
    quiet: bool,
) -> None:
    """Run a stand-in for SMS Partner on this machine, until Ctrl-C.

    It prints what to put into the environment, and the token of its rental. Other tokens say
    what they are: n-250000 is a rental of that size, n-1000.fault-stall one that stalls. Each
    request is a line on standard error.
    """
    service = Sandbox(
        numbers=numbers,
        token=token or "",
        host=host,
        port=port,
        seed=seed,
        pretty=not one_line,
        http_errors=http_errors,
        pace=pace,
        once=once,
        fault=fault,
        fault_on="all" if fault_on_all else "downloads",
    )
    if host != _LOOPBACK:
        say(f"smspartner: other machines can reach the sandbox at {host}, without TLS")
    with service, _requests_shown(quiet=quiet):
        click.echo(f"export SMSPARTNER_BASE_URL={service.url}")
        click.echo(f"export SMSPARTNER_API_KEY={service.api_key}")
        click.echo(f"# then: smspartner download {service.token} -o numbers.csv", nl=True)
        service.serve_forever()


class _Lines(logging.Handler):
    """Shows what is logged on standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        say(record.getMessage())


@contextmanager
def _requests_shown(*, quiet: bool) -> Iterator[None]:
    log, lines = logging.getLogger("smspartner.sandbox"), _Lines()
    log.addHandler(lines)
    log.setLevel(logging.WARNING if quiet else logging.INFO)
    log.propagate = False  # or -v would show each line twice
    try:
        yield
    finally:
        log.removeHandler(lines)
        log.setLevel(logging.NOTSET)
        log.propagate = True
