"""``smspartner save``: the body of a rental, byte for byte."""

from __future__ import annotations

from pathlib import Path

import click

from smspartner.cli.connection import Service, service_options
from smspartner.cli.console import say
from smspartner.cli.options import TOKEN, WRITTEN
from smspartner.files.targets import STDOUT


@click.command()
@click.argument("token", type=TOKEN)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    required=True,
    type=WRITTEN,
    help="File for the body; one that is there is kept, the new one numbered.",
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["json", "xml"]),
    help="Format to ask the service for.  [default: the extension of FILE, or json]",
)
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
@service_options
def save(
    token: str, output: str, format_name: str | None, service: Service, *, quiet: bool
) -> None:
    """Save the body of the rental TOKEN as the service sends it.

    It is read through on its way, so a body that is cut short or wrong is told at once.

    \b
    smspartner save TOKEN -o body.xml
    smspartner decode body.xml -o numbers.csv
    """
    wanted = format_name or ("xml" if output.lower().endswith(".xml") else "json")
    with service.client() as client:
        saved = client.save(token, output, format=wanted)
    if output != STDOUT and saved.path != Path(output):
        say(f"smspartner: {output} is there already: the body is in {saved.path}")
    if not quiet:
        count = f"{saved.numbers:,} number{'' if saved.numbers == 1 else 's'}"
        say(f"{count} in {saved.path} ({saved.bytes:,} bytes of {saved.format.upper()})")
