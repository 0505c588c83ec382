"""``smspartner status``: how far a rental is."""

from __future__ import annotations

import click

from smspartner.cli.connection import Service, service_options
from smspartner.cli.console import show, show_json
from smspartner.cli.exit_codes import Exit
from smspartner.cli.options import FORMAT, TOKEN, as_fields
from smspartner.cli.waiting import line_of, wait_for
from smspartner.models.status import RentalState


@click.command()
@click.argument("token", type=TOKEN)
@click.option("--json", "as_json", is_flag=True, help="Print everything as one line of JSON.")
@click.option(
    "--wait", is_flag=True, help="Wait until the file is ready, at most --deadline seconds."
)
@click.option("-q", "--quiet", is_flag=True, help="Print nothing while waiting.")
@FORMAT
@service_options
def status(
    token: str,
    format_name: str,
    service: Service,
    *,
    as_json: bool,
    wait: bool,
    quiet: bool,
) -> int:
    """Show how far the rental TOKEN is. The exit code is 8 while its file is not ready.

    \b
    smspartner status TOKEN
    smspartner status TOKEN --wait && smspartner download TOKEN -o numbers.csv
    """
    with service.client() as client:
        if wait:
            found = wait_for(
                client, token, format_name=format_name, deadline=service.deadline, quiet=quiet
            )
        else:
            found = client.status(token, format=format_name)
    if as_json:
        show_json(as_fields(found, state=found.state.name.lower()))
    else:
        show(line_of(found))
    if found.state is RentalState.FAILED:
        return Exit.REFUSED
    return Exit.PENDING if found.pending else Exit.OK
