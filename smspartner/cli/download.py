"""``smspartner download``: a rental's numbers, from the service to where they are needed."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec
from msgspec.structs import replace

from smspartner.cli.connection import Service, service_options
from smspartner.cli.exit_codes import Exit
from smspartner.cli.options import (
    READ,
    TOKEN,
    WRITTEN,
    Output,
    output_options,
)
from smspartner.cli.progress import asked, is_seen
from smspartner.cli.transfer import (
    file_of,
    name_left_behind,
    naming_kept,
    require_apart,
    safety_copy,
    transfer,
)
from smspartner.client.arguments import require_tokens
from smspartner.client.client import Client
from smspartner.errors import ConfigurationError, OutputError, RentalPendingError
from smspartner.files.provenance import provenance, provenance_path, write_provenance
from smspartner.files.raw_body import RawBody
from smspartner.files.rows import WriteOptions
from smspartner.files.targets import STDOUT, check_writable


@click.command()
@click.argument("tokens", metavar="TOKEN…", nargs=-1, type=TOKEN)
@output_options
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["json", "xml"]),
    help="Format to ask the service for; the result is the same.  [default: json, or the "
    "extension of --raw]",
)
@click.option(
    "--raw",
    metavar="FILE",
    type=WRITTEN,
    help="Keep the body in FILE, byte for byte as the service sent it.",
)
@click.option(
    "--once",
    is_flag=True,
    help="Download this rental once, however often the command runs; for cron.",
)
@click.option(
    "--wait", is_flag=True, help="Wait until the file is ready, at most --deadline seconds."
)
@click.option(
    "--tokens",
    "tokens_file",
    metavar="FILE|-",
    type=READ,
    help="Download the rentals whose tokens are in FILE, one on each line.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    default=4,
    show_default=True,
    help="Rentals to download at once, of several.",
)
@click.option(
    "--again",
    metavar="TOKEN",
    type=TOKEN,
    multiple=True,
    help="Ask for this one again, of several, although the journal has it.",
)
@click.option(
    "--on-error",
    type=click.Choice(["continue", "stop"]),
    default="continue",
    show_default=True,
    help="After a rental that fails, of several.",
)
@service_options
def download(
    tokens: tuple[str, ...],
    tokens_file: str | None,
    out: Output,
    format_name: str | None,
    raw: str | None,
    service: Service,
    jobs: int,
    again: tuple[str, ...],
    on_error: str,
    *,
    once: bool,
    wait: bool,
) -> int:
    """Fetch the numbers of the rental TOKEN, or of several.

    The service records a download. So the body is on disk before it is read: beside the output,
    removed once the numbers are written; or in the file given with --raw, where it stays.

    \b
    smspartner download TOKEN -o numbers.csv
    smspartner download TOKEN -o numbers.parquet --exclude-stop
    smspartner download TOKEN -o numbers.csv --once --wait -q    (for cron)
    smspartner download TOKEN --format xml --raw body.xml > numbers.csv
    smspartner download --tokens tokens.txt -o numbers/ --to parquet

    Several rentals go to a folder, one file each; to one file, with a column token; or to a
    database. Each is asked for once, however often the command runs: a journal says what became
    of each.
    """
    wanted = _tokens(tokens, tokens_file)
    if len(wanted) > 1 or tokens_file is not None or out.is_folder:
        refused = {"--raw": raw, "--wait": wait, "--provenance": out.provenance}
        for option, given in refused.items():
            if given:
                raise click.UsageError(f"{option} is for a single rental")
        require_apart(out)
        out = out.with_account(service)
        from smspartner.cli.download_many import download_many  # noqa: PLC0415 - for one: 15 ms

        with service.client() as client:
            return download_many(
                client,
                wanted,
                out,
                format_name=format_name or "json",
                jobs=jobs,
                again=again,
                stop=on_error == "stop",
                patience=service.timeout,
            )
    token = wanted[0]
    format_name = format_name or ("xml" if (raw or "").lower().endswith(".xml") else "json")
    copy = str(safety_copy(out.output, format_name)) if raw is None else raw
    apart: dict[str, str | Path | None] = {"the copy of the body": copy if raw is None else None}
    if once:
        from smspartner.cli.download_once import require_journal  # noqa: PLC0415 - 5 ms

        apart["the journal"] = require_journal(out)
    require_apart(out, **apart)
    if raw == STDOUT == out.output:
        raise ConfigurationError("numbers and body cannot both go to standard output; name a file")
    left_out = out.leaves_out()
    options = out.export_options(token, service.deadline, stops_later=True)
    check_writable(copy)
    name_left_behind(file_of(out.output), file_of(copy))
    body = RawBody(copy, keep=raw is not None)
    asked = Download(token, out, options, left_out, format_name, body, service, wait, once)
    try:
        with naming_kept(body, None if copy == STDOUT else raw):
            if once:
                from smspartner.cli.download_once import fetch_once  # noqa: PLC0415

                fetch_once(asked)
            else:
                asked = asked.with_account()  # what cannot be had is told before the wait
                with service.client() as client:
                    if wait:
                        asked.await_file(client)
                        asked = asked.with_account()  # it may have taken hours
                    asked.fetch(client)
    except RentalPendingError:
        if out.quiet:  # the next run of cron asks again
            return Exit.PENDING
        raise
    return Exit.OK


def _tokens(given: Sequence[str], file: str | None) -> list[str]:
    """Return the tokens of a command line and of a file with one on each line.

    Raises:
        ConfigurationError: the file cannot be read.
        UsageError: there is no token.
    """
    text = ""
    try:
        if file is not None:
            read = sys.stdin.buffer.read if file == STDOUT else Path(file).read_bytes
            text = read().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text in UTF-8"
        raise ConfigurationError(f"cannot read the tokens in {file!r}: {reason}") from None
    tokens = require_tokens([*given, *text.splitlines()])
    if not tokens:
        raise click.UsageError("there is no token: give TOKEN, or --tokens FILE with some in it")
    return tokens


class Download(msgspec.Struct, frozen=True):
    """What is asked for, and where it goes."""

    token: str
    out: Output
    options: WriteOptions
    left_out: tuple[str, ...]
    format_name: str
    body: RawBody
    service: Service
    wait: bool
    once: bool

    def await_file(self, client: Client) -> None:
        """Wait for the file."""
        from smspartner.cli.waiting import wait_for  # noqa: PLC0415 - for those who wait

        wait_for(
            client,
            self.token,
            format_name=self.format_name,
            deadline=self.service.deadline,
            quiet=self.out.quiet,
        )

    def with_account(self) -> Download:
        """Return it with the stop list of the account as it is now, if that counts."""
        return replace(self, out=self.out.with_account(self.service))

    @property
    def leaves_out(self) -> tuple[str, ...]:
        """What people are left out by, for the journal."""
        return (*self.left_out, *self.out.leaves_out_account)

    @property
    def write_options(self) -> WriteOptions:
        """What is to be written, without those on the stop list of the account if that counts.

        Raises:
            ConfigurationError: it was not fetched.
        """
        return self.out.with_stops(self.options)

    def fetch(self, client: Client) -> dict[str, Any]:
        """Write the numbers, and return the facts for a journal."""
        body, options = self.body, self.write_options
        ask = partial(client.stream, self.token, format=self.format_name, raw=body)
        show = is_seen(self.out.output, quiet=self.out.quiet)
        try:
            with body, asked(ask, show=show) as stream:
                written = transfer(stream, self.out, options)
        except OutputError as error:
            self._advise(error)
            raise
        if self.out.provenance:
            record = provenance(
                token=self.token,
                format=stream.format,
                count=stream.found,
                sha256=body.sha256,
                size=body.size,
            )
            write_provenance(record, provenance_path(self.out.output))
        return {
            "format": stream.format,
            "size": body.size,
            "sha256": body.sha256,
            "declared": stream.declared,
            "rows": written.rows,
            "kept": body.kept,
        }

    def _advise(self, error: OutputError) -> None:
        """Let the note about a whole body name the whole command that writes its numbers."""
        notes = getattr(error, "__notes__", [])
        if self.body.complete and self.body.note in notes:
            place = notes.index(self.body.note)
            notes[place] = f"{self.body.note} {shlex.join(self.out.for_decode(self.token))}"
            if self.once:
                error.add_note("or run this again, which writes them and asks for nothing again")
