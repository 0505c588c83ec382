"""From a stream of numbers to a sink, with a bar on the way and a summary at the end."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from smspartner.cli.console import say
from smspartner.cli.opt_outs import left_out
from smspartner.cli.options import FILES, WRITTEN, Output
from smspartner.cli.progress import Source, is_seen, watched
from smspartner.errors import ConfigurationError
from smspartner.files.provenance import provenance_path
from smspartner.files.raw_body import BODY_PART, RawBody
from smspartner.files.rows import WriteOptions
from smspartner.files.targets import STDOUT, is_special
from smspartner.files.unfinished import left_behind
from smspartner.files.write import Written, write_rows


def transfer(source: Source, out: Output, options: WriteOptions) -> Written:
    """Write all numbers of a source, and say what was written."""
    with watched(source, show=is_seen(out.output, quiet=out.quiet)) as batches:
        written = write_rows(batches, out.output, to=out.to, options=options)
    tell(written, out)
    return written


def tell(written: Written, out: Output) -> None:
    """Say what was written."""
    if not out.quiet:
        say(_summary(written))
        for line in left_out(written.left_out_by, written.rows + written.left_out_listed):
            say(line)


@contextmanager
def naming_kept(body: RawBody, asked: str | None) -> Iterator[None]:
    """Note where a body is on Ctrl-C or SIGTERM; say where it could not have its name."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as stop:
        if body.note and body.note not in getattr(stop, "__notes__", ()):
            stop.add_note(body.note)
        raise
    if asked is not None and body.kept not in {None, Path(asked)}:
        say(f"smspartner: {asked} is there already: {body.note}")


def name_left_behind(*names: str) -> None:
    """Say what a killed run has left beside the files of this one."""
    for folder in sorted({Path(name).parent for name in names if name}):
        for path in left_behind(folder):
            quoted = shlex.quote(str(path))
            rm = "rm -r" if path.is_dir() else "rm"
            what, then = "an unfinished export", f"delete it: {rm} {quoted}"
            if path.name.endswith(BODY_PART):
                what = "a body as far as it came"
                then = f"look at it, then delete it: smspartner inspect {quoted}"
            say(f"smspartner: a run that was killed has left {what}; {then}")


def safety_copy(output: str, format_name: str) -> Path:
    """Return where a body is kept until its numbers are safe: beside the file they go to.

    A pipe or a device has no such place: then it is the current folder, as for standard output.
    """
    name = file_of(output)
    if name and is_special(name):
        name = ""
    return Path(f"{name or 'smspartner-body'}{'.body' if name else ''}.{format_name}")


def file_of(output: str) -> str:
    """Return the file that an output is, or is in; empty for a server or standard output."""
    name = output.removeprefix("sqlite:///")
    return "" if name == STDOUT or "://" in name else name


def require_apart(out: Output, **made: str | Path | None) -> None:
    """Refuse a file that is written and used for something else too: its content would be lost.

    All options and arguments of the running command that are files are looked at.

    Args:
        out: where the command writes to.
        **made: further files that it makes, by what they are.

    Raises:
        ConfigurationError: two of them are the same, by name or through a link.
    """
    context = click.get_current_context()
    files = [each for each in context.command.params if isinstance(each.type, FILES)]
    used = {_label(each): context.params[each.name or ""] for each in files}
    read = {_label(each) for each in files if each.type is not WRITTEN}
    if out.provenance and file_of(out.output):
        made["--provenance"] = provenance_path(out.output)
    places: dict[Path, str] = {}
    for use, value in {**used, **made}.items():
        for name in value if isinstance(value, tuple) else (value,):
            place = _place(name)
            other = use if place is None else places.setdefault(place, use)
            if other != use and not {other, use} <= read:
                raise ConfigurationError(
                    f"{str(name)!r} cannot be both {other} and {use}; give them different names"
                )


def _label(parameter: click.Parameter) -> str:
    """Return how a parameter is written on the command line: ``--key-file``, ``FILE``."""
    if isinstance(parameter, click.Argument):
        return "FILE"
    return max(parameter.opts, key=len)


def _place(value: Any) -> Path | None:
    """Return where a file is, None for what is none: a pipe, a device, a server."""
    name = file_of(str((value.name if hasattr(value, "read") else value) or ""))
    if not name:
        return None
    try:
        place = Path(name).resolve()
        return place if place.is_file() or not place.exists() else None
    except (OSError, ValueError):  # opening it will say what is wrong
        return None


def _summary(written: Written) -> str:
    target = "standard output" if written.target == STDOUT else written.target
    said = f"{written.rows:,} number{'' if written.rows == 1 else 's'} written to {target}"
    if written.left_out_stop:
        said += f", {written.left_out_stop:,} left out who opted out of SMS"
    if written.left_out_listed:
        said += f", {written.left_out_listed:,} left out by the opt-out lists"
    if written.opted_out:
        have = "has" if written.opted_out == 1 else "have"
        said += f"; {written.opted_out:,} of them {have} opted out (--exclude-stop leaves them out)"
    return said
