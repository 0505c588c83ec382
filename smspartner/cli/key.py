"""``smspartner key``: keep the API key in a file that only its owner can read."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from smspartner.cli.console import is_terminal, say
from smspartner.client.key import FILE_VARIABLE, KEY_VARIABLE, default_key_file
from smspartner.errors import ConfigurationError, OutputError
from smspartner.files.atomic import atomic_writer
from smspartner.transport.secrets import APIKey


@click.group()
def key() -> None:
    """Keep the API key where every command finds it."""


@key.command("set")
@click.option(
    "--key-file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"File to write.  [default: {FILE_VARIABLE}, or ~/.config/smspartner/key]",
)
def set_key(key_file: Path | None) -> None:
    """Ask for the API key without showing it, and write it to a file only you can read.

    The key may also come on standard input.

    \b
    smspartner key set
    pass show smspartner | smspartner key set
    """
    path = key_file or Path(os.environ.get(FILE_VARIABLE) or default_key_file())
    if is_terminal(sys.stdin):
        given = click.prompt("API key", hide_input=True, err=True)
    elif not (given := sys.stdin.readline(1024) if sys.stdin else "").strip():
        raise ConfigurationError("no key came on standard input; nothing was written")
    value = APIKey(given.strip()).reveal()
    if path == default_key_file():
        _make_folder(path.parent)
    with atomic_writer(path) as file:
        file.write(f"{value}\n".encode())
    say(f"the API key is in {path}; only you can read it")
    if os.environ.get(KEY_VARIABLE):
        say(f"{KEY_VARIABLE} is set too, and is used first")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {str(folder)!r}: {error.strerror}") from None
