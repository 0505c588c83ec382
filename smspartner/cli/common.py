"""Options that every command takes, before or after its name, and how the library is logged."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import click

from smspartner.cli.console import say
from smspartner.errors import printable

_VERBOSE: Final = "%(asctime)s %(name)s: %(message)s"


class _Lines(logging.Formatter):
    """Log lines that a terminal shows and does not obey."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(map(printable, super().format(record).splitlines()))


class _Warnings(logging.Handler):
    """Says what the library warns of as everything is said; ``-q`` keeps it back."""

    def emit(self, record: logging.LogRecord) -> None:
        context = click.get_current_context(silent=True)
        if context is None or not context.params.get("quiet"):
            say(f"smspartner: {record.getMessage()}")


_warnings: Final = _Warnings(logging.WARNING)


@contextmanager
def warnings_said() -> Iterator[None]:
    """Say on standard error what the library warns of."""
    logger = logging.getLogger("smspartner")
    logger.addHandler(_warnings)
    try:
        yield
    finally:
        logger.removeHandler(_warnings)


def _log_everything(_ctx: click.Context, _param: click.Parameter, value: Any) -> None:
    if value:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_Lines(_VERBOSE))
        logging.basicConfig(handlers=[handler], level=logging.DEBUG)
        logging.getLogger("smspartner").removeHandler(_warnings)


def _refuse_key(ctx: click.Context, _param: click.Parameter, value: Any) -> None:
    if value is not None:
        raise click.UsageError(
            "the API key is no option: every user of this machine could read it in the list of "
            "processes; run smspartner key set, or give SMSPARTNER_API_KEY or --key-file",
            ctx,
        )


def _options() -> list[click.Parameter]:
    return [
        click.Option(
            ["-v", "--verbose"],
            count=True,
            is_eager=True,
            expose_value=False,
            callback=_log_everything,
            help="Log to standard error.",
        ),
        click.Option(
            ["--errors"],
            type=click.Choice(["text", "json"]),
            expose_value=False,
            help="Print an error as a line of text (default) or of JSON.",
        ),
        click.Option(
            ["--api-key", "--apikey"],
            hidden=True,
            is_eager=True,
            expose_value=False,
            is_flag=False,
            flag_value="",
            callback=_refuse_key,
        ),
    ]


def with_common(command: click.Command) -> click.Command:
    """Give a command, and those under it, the options that every command takes."""
    if not any(option.name == "verbose" for option in command.params):
        command.params += _options()
    if isinstance(command, click.Group):
        for each in command.commands.values():
            with_common(each)
    return command
