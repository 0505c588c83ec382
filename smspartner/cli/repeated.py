"""An option given twice is an error: click would take the last one and drop the first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import click


def refuse_repeated(
    command: click.Command, args: Sequence[str], parent: click.Context | None
) -> None:
    """Refuse options that come twice, in a command line and in those of its subcommands.

    Those that count (``-v``), that are meant to repeat, or that end the program (``--help``) may.

    Raises:
        click.UsageError: one comes twice.
    """
    # What else is wrong with the command line is said when it is read.
    settings = {**command.context_settings, "resilient_parsing": True}
    context = command.context_class(command, parent, command.name, **settings)
    _, rest, given = command.make_parser(context).parse_args(list(args))
    for param, times in Counter(given).items():
        if times > 1 and isinstance(param, click.Option) and not may_repeat(param):
            raise click.UsageError(f"{param.opts[-1]} is given twice; give it once", context)
    if isinstance(command, click.Group) and rest:
        child = command.get_command(context, rest[0])
        if child is not None:
            refuse_repeated(child, rest[1:], context)


def may_repeat(option: click.Option) -> bool:
    """Say whether an option may come more than once."""
    return option.multiple or option.count or option.is_eager
