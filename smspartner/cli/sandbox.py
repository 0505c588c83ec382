"""``smspartner sandbox``: the stand-in service, to try things against."""

from __future__ import annotations

import click

from smspartner.sandbox import FAULTS, Sandbox


@click.command()
@click.option("--numbers", default=1000, show_default=True, help="How many numbers are rented.")
@click.option("--token", help="The token of the rental.  [default: a made-up one]")
@click.option("--port", default=0, help="Where to listen on 127.0.0.1.  [default: any free port]")
@click.option("--seed", default=0, show_default=True, help="Another seed, other numbers.")
@click.option("--one-line", is_flag=True, help="XML on one line instead of indented.")
@click.option("--http-errors", is_flag=True, help="Refuse with HTTP 4xx instead of 200.")
@click.option("--pace", default=0.0, help="Seconds for each step until the file is ready.")
@click.option("--once", is_flag=True, help="Refuse to hand out a rental twice.")
@click.option(
    "--fault", type=click.Choice(sorted(FAULTS)), help="What shall go wrong with every answer."
)
def sandbox(
    numbers: int,
    port: int,
    seed: int,
    pace: float,
    fault: str | None,
    token: str | None,
    *,
    one_line: bool,
    http_errors: bool,
    once: bool,
) -> None:
    """Run a stand-in for SMS Partner on this machine, until Ctrl-C.

    It prints what to put into the environment, and the token of its rental. Other tokens say
    what they are: n-250000 is a rental of that size, n-1000.fault-stall one that stalls.
    """
    service = Sandbox(
        numbers=numbers,
        token=token or "",
        port=port,
        seed=seed,
        pretty=not one_line,
        http_errors=http_errors,
        pace=pace,
        once=once,
        fault=fault,
    )
    with service:
        click.echo(f"export SMSPARTNER_BASE_URL={service.url}")
        click.echo(f"export SMSPARTNER_API_KEY={service.api_key}")
        click.echo(f"# then: smspartner download {service.token} -o numbers.csv", nl=True)
        service.serve_forever()
