"""The command line: thin commands over the library.

Data goes to standard output, words to standard error, and the exit code says what to do next.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final

import click

from smspartner._version import __version__
from smspartner.cli.console import abandon, say
from smspartner.cli.exit_codes import Exit, exit_code
from smspartner.errors import OutputError, SMSPartnerError

#: Each command's module, loaded when the command is used: ``--help`` needs none of what they do.
_COMMANDS: Final = {
    "download": "Fetch the numbers of a rental into a file, a table or a database.",
    "decode": "Read a body that was saved before.",
    "inspect": "Show what is in a body or an export.",
    "verify": "Tell whether two files carry the same numbers.",
    "status": "Say how far a rental is.",
    "demo": "See it work, without an account.",
    "sandbox": "Run a stand-in for the service on this machine.",
    "completion": "Print what makes a shell complete this command.",
}


@contextmanager
def _closed_pipes() -> Iterator[None]:
    """Make a closed pipe an error of ours: click would end it with exit code 1."""
    try:
        yield
    except BrokenPipeError as error:
        raise OutputError("the program that read the output has stopped") from error


class _Commands(click.Group):
    """A group whose commands are imported one by one."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"smspartner.cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Read the command line; ``--help`` is answered here."""
        with _closed_pipes():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        with _closed_pipes():
            return super().invoke(ctx)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in _COMMANDS and not ctx.resilient_parsing:
            ctx.fail(f"No such command {args[0]!r}. There are: {', '.join(_COMMANDS)}.")
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="smspartner")
@click.option("-v", "--verbose", is_flag=True, help="Say on standard error what is being done.")
def cli(*, verbose: bool) -> None:
    """Fetch and read the contact rentals of SMS Partner.

    The API key is taken from SMSPARTNER_API_KEY, or from the file named by --key-file.

    \b
    Exit codes:  0 done            5 refused by the service
                 1 failed          6 network; safe to run again
                 2 wrong usage     7 answer not understood; its body is kept
                 4 key or setting  8 not ready yet (status, --wait)
    130 Ctrl-C     143 SIGTERM     129 terminal closed     141 pipe closed
    """
    if verbose:
        logging.basicConfig(
            stream=sys.stderr, level=logging.DEBUG, format="%(asctime)s %(name)s: %(message)s"
        )


def run(args: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code; every failure is one clear line."""
    try:
        result: Any = cli.main(args=args, prog_name="smspartner", standalone_mode=False)
    except click.Abort:
        click.echo("smspartner: interrupted", err=True)
        return Exit.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except SMSPartnerError as error:
        return _explain(error)
    except OSError as error:  # of standard input or output: files have errors of our own
        say(f"smspartner: cannot read or write: {error.strerror or error}")
        _flush()
        return Exit.FAILED
    return result if isinstance(result, int) else Exit.OK


def _flush() -> None:
    try:
        sys.stdout.flush()
    except OSError:
        abandon(sys.stdout)


def _explain(error: SMSPartnerError) -> int:
    notes = getattr(error, "__notes__", ())
    closed = isinstance(error, OutputError) and isinstance(error.__cause__, BrokenPipeError)
    if closed:
        # The reader of a pipe has seen enough (``| head``): nothing to explain, but what is left
        # behind.
        abandon(sys.stdout)
    for line in notes if closed else (str(error), *notes):
        say(f"smspartner: {line}")
    return Exit.PIPE_CLOSED if closed else exit_code(error)
