"""The command line: thin commands over the library.

Data goes to standard output, words to standard error, and the exit code says what to do next.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Final

import click

from smspartner._version import __version__
from smspartner.cli.common import warnings_said, with_common
from smspartner.cli.console import abandon, say
from smspartner.cli.exit_codes import Exit
from smspartner.cli.failures import Ended, Failed, tell, wants_json
from smspartner.cli.repeated import refuse_repeated
from smspartner.errors import OutputError, SMSPartnerError

#: Each command's module, loaded when the command is used: ``--help`` needs none of what they do.
_COMMANDS: Final = {
    "download": "Fetch the numbers of a rental into a file, a table or a database.",
    "save": "Save the body of a rental, byte for byte.",
    "decode": "Read a body that was saved before.",
    "inspect": "Show what is in a body or an export.",
    "verify": "Tell whether two files carry the same numbers.",
    "status": "Show how far a rental is.",
    "credits": "Show what is left on the account.",
    "quote": "Show what a rental would cost.",
    "stops": "Show and change the stop list of the account.",
    "key": "Keep the API key where every command finds it.",
    "demo": "See it work, without an account.",
    "sandbox": "Run a stand-in for the service on this machine.",
    "completion": "Print what makes a shell complete this command.",
}


@contextmanager
def _closed_pipes() -> Iterator[None]:
    """Make a closed pipe a failure of ours: click would end it with exit code 1."""
    try:
        yield
    except BrokenPipeError as error:
        stopped = OutputError("the program that read the output has stopped")
        stopped.__cause__ = error
        raise Failed(stopped, None) from error


class _Commands(click.Group):
    """A group whose commands are imported one by one."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        module = import_module(f"smspartner.cli.{cmd_name}")
        return with_common(getattr(module, cmd_name))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Read the command line; ``--help`` is answered here."""
        with _closed_pipes():
            return super().make_context(*args, **extra)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options in front of a command, when all of the line is in order."""
        if not ctx.resilient_parsing:
            refuse_repeated(self, args, ctx.parent)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error of the library becomes one in words of the command line."""
        try:
            with _closed_pipes():
                return super().invoke(ctx)
        except (KeyboardInterrupt, SystemExit) as stop:
            for note in getattr(stop, "__notes__", ()):
                say(f"smspartner: {note}")
            raise
        except SMSPartnerError as error:
            raise Failed(error, self.get_command(ctx, ctx.invoked_subcommand or "")) from error

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in _COMMANDS and not ctx.resilient_parsing:
            import difflib  # noqa: PLC0415 - for what was misspelled alone

            near = difflib.get_close_matches(args[0], _COMMANDS, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(_COMMANDS)}"
            ctx.fail(f"no command {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="smspartner")
def cli() -> None:
    """Fetch and read the contact rentals of SMS Partner.

    The API key comes from --key-file, SMSPARTNER_API_KEY, SMSPARTNER_KEY_FILE, or the file that
    smspartner key set writes.

    \b
    Exit codes:  0 done            5 refused by the service
                 1 failed          6 network; safe to run again
                 2 wrong usage     7 answer not understood; its body is kept
                 4 key or setting  8 not ready yet (status, --wait)
                                   9 some of several failed, as said
    130 Ctrl-C     143 SIGTERM     129 terminal closed     141 pipe closed
    """


with_common(cli)


def run(args: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code; every failure is one clear line."""
    as_json = wants_json(sys.argv[1:] if args is None else args)
    failure: click.ClickException
    try:
        with warnings_said():
            result: Any = cli.main(args=args, prog_name="smspartner", standalone_mode=False)
    except click.Abort:
        failure = Ended("Interrupted", "interrupted", Exit.INTERRUPTED)
    except click.ClickException as error:
        failure = error
    except OSError as error:  # of standard input or output: files have errors of our own
        reason = f"cannot read or write: {error.strerror or error}"
        failure = Ended("OSError", reason, Exit.FAILED)
    else:
        return result if isinstance(result, int) else Exit.OK
    tell(failure, as_json=as_json)
    if (output := sys.stdout) is not None:
        try:
            output.flush()  # or it would fail at exit
        except OSError:
            abandon(output)
    return failure.exit_code
