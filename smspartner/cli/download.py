"""``smspartner download``: a rental's numbers, from the service to where they are needed."""

from __future__ import annotations

import click

from smspartner.cli.connection import Service, service_options
from smspartner.cli.exit_codes import Exit
from smspartner.cli.options import (
    FORMAT,
    TOKEN,
    Output,
    complete_files,
    output_options,
)
from smspartner.cli.transfer import (
    file_of,
    name_left_behind,
    naming_kept,
    require_apart,
    safety_copy,
    transfer,
)
from smspartner.cli.waiting import wait_for
from smspartner.errors import ConfigurationError, RentalPendingError
from smspartner.files.provenance import provenance, provenance_path, write_provenance
from smspartner.files.raw_body import RawBody
from smspartner.files.targets import STDOUT, check_writable


@click.command()
@click.argument("token", type=TOKEN)
@output_options
@FORMAT
@click.option(
    "--raw",
    metavar="FILE",
    shell_complete=complete_files,
    help="Keep the body in FILE, byte for byte as the service sent it.",
)
@click.option(
    "--wait", is_flag=True, help="Wait until the file is ready, at most --deadline seconds."
)
@service_options
def download(
    token: str,
    out: Output,
    format_name: str,
    raw: str | None,
    service: Service,
    *,
    wait: bool,
) -> int:
    """Fetch the numbers of the rental TOKEN.

    The service records a download. So the body is on disk before it is read: beside the output,
    removed once the numbers are written; or in the file given with --raw, where it stays.

    \b
    smspartner download TOKEN -o numbers.csv
    smspartner download TOKEN -o numbers.parquet --exclude-stop
    smspartner download TOKEN -o sqlite:///rentals.db --wait -q
    smspartner download TOKEN --format xml --raw body.xml > numbers.csv
    """
    copy = str(safety_copy(out.output, format_name)) if raw is None else raw
    require_apart(out, body=None if copy == STDOUT else copy, **{"key file": service.key_file})
    if raw == STDOUT == out.output:
        raise ConfigurationError("numbers and body cannot both go to standard output; name a file")
    options = out.export_options(token)
    body = RawBody(copy, keep=raw is not None)
    check_writable(copy)
    name_left_behind(file_of(out.output), file_of(copy))
    with naming_kept(body, None if copy == STDOUT else raw), service.client() as client:
        if wait:
            try:
                wait_for(
                    client,
                    token,
                    format_name=format_name,
                    deadline=service.deadline,
                    quiet=out.quiet,
                )
            except RentalPendingError:
                if out.quiet:  # the next run of cron asks again
                    return Exit.PENDING
                raise
        with body, client.stream(token, format=format_name, raw=body) as stream:
            transfer(stream, out, options)
    if out.provenance:
        record = provenance(
            token=token,
            format=stream.format,
            count=stream.found,
            sha256=body.sha256,
            size=body.size,
        )
        write_provenance(record, provenance_path(out.output))
    return Exit.OK
