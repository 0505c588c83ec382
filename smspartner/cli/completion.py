"""``smspartner completion``: what makes a shell complete this command."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import click
from click.shell_completion import get_completion_class

_NAME: Final = "smspartner"
#: How to install the script of each shell that click knows, one line each.
_INSTALL: Final = {
    "bash": """add to ~/.bashrc: eval "$(smspartner completion bash)\"""",
    "zsh": """add to ~/.zshrc, after compinit: eval "$(smspartner completion zsh)\"""",
    "fish": "run: smspartner completion fish > ~/.config/fish/completions/smspartner.fish",
}


@click.command()
@click.argument(
    "shell", metavar="[bash|zsh|fish]", required=False, type=click.Choice(list(_INSTALL))
)
def completion(shell: str | None) -> None:
    """Print what makes a shell complete smspartner; the last line says how to install it.

    Without a name, for the shell in the environment variable SHELL.

    \b
    eval "$(smspartner completion bash)"
    """
    chosen = shell or Path(os.environ.get("SHELL", "")).name
    complete = get_completion_class(chosen) if chosen in _INSTALL else None
    if complete is None:
        raise click.UsageError(f"say for which shell: {', '.join(_INSTALL)}")
    group = click.get_current_context().find_root().command
    script = complete(group, {}, _NAME, f"_{_NAME.upper()}_COMPLETE").source()
    # Behind the script: zsh wants its own comment to be the first line of a file.
    click.echo(f"{script.strip()}\n# To install it, {_INSTALL[chosen]}")
