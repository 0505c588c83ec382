"""``smspartner stops``: who must not be written to, as the account knows."""

from __future__ import annotations

import click

from smspartner.cli.connection import Service, service_options
from smspartner.cli.console import say, show, show_json
from smspartner.cli.options import FORMAT


@click.group()
def stops() -> None:
    """Show and change the stop list of the account: who must not be written to."""


@stops.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON for each entry.")
@FORMAT
@service_options
def list_stops(format_name: str, service: Service, *, as_json: bool) -> None:
    """Print the stop list: the id of each entry, its phone, and when it was added.

    \b
    smspartner stops list
    smspartner stops list --json
    """
    with service.client() as client:
        found = client.stop_list(format=format_name)
    for stop in found:
        if as_json:
            show_json({"id": stop.id, "phone": stop.phone, "created_at": stop.created_at})
        else:
            show(f"{stop.id}  {stop.phone}  {stop.created_at or ''}".rstrip())


@stops.command()
@click.argument("phone")
@service_options
def add(phone: str, service: Service) -> None:
    """Put PHONE on the stop list, and print the id of the entry.

    \b
    smspartner stops add 0639980042
    """
    with service.client() as client:
        show(str(client.add_stop(phone)))


@stops.command()
@click.argument("stop_id", metavar="ID", type=int)
@service_options
def remove(stop_id: int, service: Service) -> None:
    """Take the entry ID from the stop list; smspartner stops list shows the ids.

    \b
    smspartner stops remove 300
    """
    with service.client() as client:
        client.remove_stop(stop_id)
    say(f"the entry {stop_id} is no longer on the stop list")
