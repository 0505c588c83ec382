"""``smspartner decode``: the numbers of a body that was saved before."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import BinaryIO

import click

from smspartner.cli.options import Output, output_options
from smspartner.cli.transfer import file_of, name_left_behind, require_apart, transfer
from smspartner.decoders.limits import KIB
from smspartner.decoders.reader import ResponseReader, iter_batches
from smspartner.errors import APIError, DecodeError, SMSPartnerError, UnknownFormatError
from smspartner.files.provenance import (
    BodyDigest,
    Provenance,
    provenance,
    provenance_path,
    write_provenance,
)
from smspartner.files.read import open_numbers
from smspartner.models.number import RentedNumber


@click.command()
@click.argument("file", metavar="FILE|-", type=click.File("rb"))
@output_options
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["json", "xml"]),
    help="Format of the body.  [default: detected]",
)
@click.option(
    "--token", metavar="TOKEN", help="Token of the rental, for databases and --provenance."
)
def decode(file: BinaryIO, out: Output, format_name: str | None, token: str | None) -> None:
    """Read the numbers of a saved body: JSON or XML, as the service sent it.

    \b
    smspartner decode body.xml -o numbers.csv
    curl … | smspartner decode - --to jsonl
    """
    name = None if file.fileno() == 0 else file.name
    require_apart(out)
    name_left_behind(file_of(out.output))
    body = _Body(file, format_name)
    if out.provenance and token is None:
        raise click.UsageError("--provenance names the rental: give its --token too")
    try:
        transfer(body, out, out.export_options(token))
    except (APIError, DecodeError) as error:
        error.file = name
        if name is not None and isinstance(error, DecodeError) and (told := _what_else(name)):
            raise UnknownFormatError(told) from error
        raise
    if out.provenance and token is not None:
        write_provenance(body.provenance(token), provenance_path(out.output))


def _what_else(name: str) -> str | None:
    """Return what to do with a file that is no body, None where it is one."""
    quoted = shlex.quote(name)
    try:
        with open_numbers(name) as source:
            if source.kind.endswith("body"):
                return None
            return (
                f"{name!r} is no body of the service but an export ({source.kind}); to see what "
                f"is in it: smspartner inspect {quoted}"
            )
    except UnknownFormatError as error:
        return str(error)
    except SMSPartnerError:  # a body too: the first error says more
        return None


class _Body:
    """A body in an open file, as a source of numbers."""

    def __init__(self, body: BinaryIO, format_name: str | None) -> None:
        self._reader = ResponseReader(format_name)
        self._body = body
        self._digest = BodyDigest()

    @property
    def declared(self) -> int | None:
        return self._reader.declared

    def batches(self) -> Iterator[list[RentedNumber]]:
        chunks = iter(lambda: self._body.read(256 * KIB), b"")
        return iter_batches(self._reader, self._digest.tee(chunks))

    def provenance(self, token: str) -> Provenance:
        return provenance(
            token=token,
            format=self._reader.format or "",
            count=self._reader.found,
            sha256=self._digest.sha256,
            size=self._digest.size,
        )
