"""``smspartner decode``: the numbers of a body that was saved before."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import click

from smspartner.cli.connection import Service, service_options
from smspartner.cli.decode_many import decode_many, is_many
from smspartner.cli.exit_codes import Exit
from smspartner.cli.options import READ, TOKEN, Output, output_options
from smspartner.cli.transfer import file_of, name_left_behind, require_apart, transfer
from smspartner.decoders.limits import KIB
from smspartner.decoders.reader import ResponseReader, iter_batches
from smspartner.errors import (
    APIError,
    ConfigurationError,
    DecodeError,
    SMSPartnerError,
    TruncatedError,
    UnknownFormatError,
)
from smspartner.files.provenance import (
    BodyDigest,
    Provenance,
    provenance,
    provenance_path,
    write_provenance,
)
from smspartner.files.read import open_numbers
from smspartner.files.rows import WriteOptions
from smspartner.files.sinks import sink_for
from smspartner.files.sources import is_called_like_body, is_pattern, open_body
from smspartner.files.targets import STDOUT
from smspartner.models.masks import mask_target
from smspartner.models.number import RentedNumber


@click.command()
@click.argument("paths", metavar="PATH…|-", nargs=-1, required=True, type=READ)
@output_options
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["json", "xml"]),
    help="Format of the body.  [default: detected]",
)
@click.option(
    "--token",
    metavar="TOKEN",
    type=TOKEN,
    help="Token of the rental, for databases and --provenance.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=1,
    show_default=True,
    help="Processes that read bodies at once, into a folder.",
)
@click.option(
    "--on-error",
    type=click.Choice(["continue", "stop"]),
    default="continue",
    show_default=True,
    help="After a body that is wrong, of several.",
)
@service_options
def decode(
    paths: tuple[str, ...],
    out: Output,
    format_name: str | None,
    token: str | None,
    jobs: int,
    on_error: str,
    service: Service,
) -> int:
    """Read the numbers of saved bodies: JSON or XML, as the service sent them.

    PATH is a file, a folder, a pattern or an address; gzip and Zstandard are detected. Several
    bodies go to one target, or each to a file of its own if the output is a folder. One that is
    wrong does not stop the others; a journal beside the file or in the folder says
    what became of each.

    \b
    smspartner decode body.xml -o numbers.csv
    smspartner decode archive/ -o numbers.parquet
    smspartner decode archive/*.xml -o parts/ --to parquet --jobs 2
    curl … | smspartner decode - --to jsonl
    """
    _require_there(paths, out)
    out = out.with_account(service)
    require_apart(out)
    name_left_behind(file_of(out.output))
    if is_many(paths, out):
        for option, value in {"--format": format_name, "--token": token}.items():
            if value is not None:
                raise click.UsageError(f"{option} is for a single body")
        if out.provenance:
            raise click.UsageError("--provenance is for a single body; see the journal instead")
        return decode_many(paths, out, jobs=jobs, stop=on_error == "stop")
    if out.provenance and token is None:
        raise click.UsageError("--provenance names the rental: give its --token too")
    options = out.export_options(token)
    with ExitStack() as stack:
        if paths[0] == STDOUT:
            name, chunks = None, iter(lambda: sys.stdin.buffer.read(256 * KIB), b"")
        else:
            name = paths[0]
            chunks = stack.enter_context(open_body(name)).chunks()
        _decode(name, _Body(chunks, format_name), out, options)
    return Exit.OK


def _require_there(paths: Sequence[str], out: Output) -> None:
    """Refuse what is not there, and what is called like a target where none was named."""
    for path in paths:
        last = len(paths) > 1 and path == paths[-1] and out.output == STDOUT
        meant = last and _is_target(path)
        there = path == STDOUT or "://" in path or is_pattern(path) or Path(path).exists()
        if not there or (meant and not is_called_like_body(path)):
            what = f"{mask_target(path)!r} is called like an export, not like a body"
            hint = f"; did you mean -o {shlex.quote(mask_target(path))}?" if meant else ""
            raise click.BadParameter((what if there else f"there is no {path!r}") + hint)


def _is_target(name: str) -> bool:
    """Say whether a name is one that numbers are written to."""
    try:
        sink_for(name)
    except ConfigurationError:
        return False
    return name != STDOUT and not is_pattern(name) and not Path(name).is_dir()


def _decode(name: str | None, body: _Body, out: Output, options: WriteOptions) -> None:
    try:
        transfer(body, out, options)
    except (APIError, DecodeError) as error:
        error.file = name
        odd = isinstance(error, DecodeError) and not isinstance(error, TruncatedError)
        if name is not None and odd and (told := _what_else(name)):
            raise UnknownFormatError(told) from error
        raise
    if out.provenance and options.token is not None:
        write_provenance(body.provenance(options.token), provenance_path(out.output))


def _what_else(name: str) -> str | None:
    """Return what to do with a file that is no body, None where it is one."""
    quoted = shlex.quote(name)
    try:
        with open_numbers(name) as source:
            if source.kind.endswith("body"):
                return None
            return (
                f"it is no body of the service but an export ({source.kind}); to see what is in "
                f"it: smspartner inspect {quoted}"
            )
    except UnknownFormatError as error:
        return str(error).removeprefix(f"{name!r}: ")
    except SMSPartnerError:  # a body too: the first error says more
        return None


class _Body:
    """A body in an open file, as a source of numbers."""

    def __init__(self, chunks: Iterator[bytes], format_name: str | None) -> None:
        self._reader = ResponseReader(format_name)
        self._chunks = chunks
        self._digest = BodyDigest()

    @property
    def declared(self) -> int | None:
        return self._reader.declared

    def batches(self) -> Iterator[list[RentedNumber]]:
        return iter_batches(self._reader, self._digest.tee(self._chunks))

    def provenance(self, token: str) -> Provenance:
        return provenance(
            token=token,
            format=self._reader.format or "",
            count=self._reader.found,
            sha256=self._digest.sha256,
            size=self._digest.size,
        )
