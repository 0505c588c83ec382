"""What is printed when a command fails: one line of text, or of JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

import click

from smspartner.cli.console import say
from smspartner.cli.exit_codes import Exit, exit_code
from smspartner.errors import (
    OutputError,
    RentalNotFoundError,
    RentalUsedError,
    SMSPartnerError,
)

#: An argument, as messages of the library name it: ``token=`` or ``exclude_stop=True``.
_ARGUMENT: Final = r"\b([a-z][a-z0-9_]*)=(?:True\b|(?=[\s,;:.)]|$))"
#: One that the command line has no option for, where it only adds to a sentence.
_REMARK: Final = r" \([a-z][a-z0-9_]*=\)"

#: Arguments that the command line calls otherwise.
_OPTIONS: Final = {
    "proxies": "--proxy",
    "verify": "--ca-bundle",
    "min_age": "--age",
    "max_age": "--age",
}

#: What to do about a refusal of a rental.
_ADVICE: Final[dict[type[SMSPartnerError], str]] = {
    RentalNotFoundError: "check the token: it is in the confirmation of the rental",
    RentalUsedError: (
        "look for the file of the earlier download, or ask SMS Partner to allow the download once "
        "more"
    ),
}


class Ended(click.ClickException):
    """A command that ended, and why.

    Args:
        kind: the name of what ended it.
        message: what to print.
        code: the exit code.
    """

    def __init__(self, kind: str, message: str, code: int) -> None:
        super().__init__(message)
        self.kind = kind
        self.exit_code = int(code)  # type: ignore[misc]  # as click does


class Failed(Ended):
    """An error of the library, in the words of the command line.

    Args:
        error: what happened.
        command: the command that it happened to; its options replace the names of arguments.
    """

    def __init__(self, error: SMSPartnerError, command: click.Command | None) -> None:
        names = dict(_names(command)) if command else {}
        self.pipe_closed = isinstance(error, OutputError) and isinstance(
            error.__cause__, BrokenPipeError
        )
        code = Exit.PIPE_CLOSED if self.pipe_closed else exit_code(error)
        super().__init__(type(error).__name__, _in_options(str(error), names), code)
        self.notes = [_in_options(note, names) for note in notes_of(error)]
        self.error = error


def notes_of(error: SMSPartnerError) -> list[str]:
    """Return what a failure adds, such as where its body is, and what to do about a refusal."""
    advice = _ADVICE.get(type(error)) if error.token is not None else None
    return [*getattr(error, "__notes__", ()), *([advice] if advice else ())]


def tell_of_several(errors: Iterable[SMSPartnerError]) -> None:
    """Print what is wrong with some of several, on standard error."""
    for error in errors:
        for line in (error, *notes_of(error)):
            say(f"smspartner: {line}")


def wants_json(args: Sequence[str]) -> bool:
    """Tell whether errors are to be JSON, also where the rest of the line cannot be understood."""
    words = " ".join(args)
    return re.search(r"(?:^|\s)--errors[=\s]json(?:\s|$)", words) is not None


def tell(failure: click.ClickException, *, as_json: bool) -> None:
    """Print a failure on standard error."""
    if isinstance(failure, click.exceptions.NoArgsIsHelpError):
        failure.show()
        return
    notes = failure.notes if isinstance(failure, Failed) else []
    lines = [_message(failure), *notes]
    if isinstance(failure, Failed) and failure.pipe_closed:
        lines = notes
    if as_json:
        say(_as_json(failure, lines))
        return
    for line in lines:
        say(f"smspartner: {line}")


def _message(failure: click.ClickException) -> str:
    context = failure.ctx if isinstance(failure, click.UsageError) else None
    message = " ".join(failure.format_message().split())
    return f"{message} ({context.command_path} --help)" if context else message


def _as_json(failure: click.ClickException, lines: Iterable[str]) -> str:
    error = failure.error if isinstance(failure, Failed) else None
    kept = error and error.kept
    fields = {
        "error": failure.kind if isinstance(failure, Ended) else type(failure).__name__,
        "code": getattr(error, "code", None),
        "message": "; ".join(lines),
        "token": error and error.token,
        "retryable": bool(error and error.retryable),
        "exit": failure.exit_code,
        "kept": kept and str(kept),
    }
    import json  # noqa: PLC0415 - few commands fail in JSON

    return json.dumps(fields)


def _names(command: click.Command) -> Iterable[tuple[str, str]]:
    """Yield each parameter of a command, and what it is called on the command line."""
    for param in command.params:
        if isinstance(param, click.Argument):
            yield str(param.name), param.make_metavar(click.Context(command))
        elif not getattr(param, "hidden", False):
            option = max(param.opts, key=len)
            yield str(param.name), option
            yield from (each for each in _OPTIONS.items() if each[1] == option)
    if isinstance(command, click.Group):
        for each in command.commands.values():
            yield from _names(each)


def _in_options(message: str, names: dict[str, str]) -> str:
    """Return a message of the library with options instead of arguments."""
    said = re.sub(_ARGUMENT, lambda found: names.get(found[1], found[0]), message)
    return re.sub(_REMARK, "", said)
