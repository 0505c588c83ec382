"""The tables in the docs that are made from the code, so that they cannot say something else.

In a page, ``<!-- table: NAME -->`` stands before a table and ``<!-- end -->`` after it; what is
between is made by the function of that name. After a change of the code:

    python tests/support/docs_tables.py
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

import click
import docs_wire as wire
from docs_blocks import ROOT
from docs_markdown import code, summary, table
from docs_pictures import promised
from floor_plan import calls, loads, needs, rooms

from smspartner import errors
from smspartner.cli import cli
from smspartner.cli.exit_codes import Exit, exit_code
from smspartner.files.sinks import BUILT_IN
from smspartner.models import account, status
from smspartner.models import envelope as answers
from smspartner.models import number as models
from smspartner.sandbox import FAULTS

_MARKED: Final = re.compile(
    r"(<!-- table: (?P<name>[\w-]+) -->\n).*?(^<!-- end -->$)", re.MULTILINE | re.DOTALL
)


def error_codes() -> str:
    """Return each exception with the exit code that the command line gives it."""
    rows = [
        (code(kind.__name__), summary(kind), _exit_codes(kind))
        for kind in _kinds(errors.SMSPartnerError)
    ]
    return table(("exception", "meaning", "exit code"), rows)


#: The exceptions that can be retryable: a TransportError, and what HTTP 429, 502 … may come with.
_RETRYABLE: Final = frozenset(
    {
        errors.TransportError,
        errors.DeadlineError,
        errors.APIError,
        errors.UnknownFormatError,
    }
)


def _kinds(kind: type[errors.SMSPartnerError]) -> list[type[errors.SMSPartnerError]]:
    return [each for child in kind.__subclasses__() for each in (child, *_kinds(child))]


def _exit_codes(kind: type[errors.SMSPartnerError]) -> str:
    error = kind.__new__(kind)
    error.retryable = True
    again = int(exit_code(error))
    error.retryable = False
    otherwise = int(exit_code(error))
    if again == otherwise or kind not in _RETRYABLE:
        return str(otherwise)
    return f"{again} if `retryable`, else {otherwise}"


_EXITS: Final = {
    Exit.OK: "done",
    Exit.FAILED: "failed: the line on standard error says why",
    Exit.USAGE: "wrong usage",
    Exit.CONFIGURATION: "the API key or a setting is wrong",
    Exit.REFUSED: "refused by the service, in its own words",
    Exit.NETWORK: "network; safe to run again",
    Exit.NOT_UNDERSTOOD: "the answer could not be understood: its body is kept, and its path said",
    Exit.PENDING: "the file is not there yet (`status`, `--wait`)",
    Exit.SOME_FAILED: "some of several failed: standard error says which",
    Exit.HUNG_UP: "ended with its terminal (SIGHUP)",
    Exit.TERMINATED: "ended by SIGTERM",
    Exit.INTERRUPTED: "interrupted by Ctrl-C",
    Exit.PIPE_CLOSED: "the program that read the output stopped (`| head`)",
}


def exit_codes() -> str:
    return table(("exit code", "meaning"), [(str(int(each)), _EXITS[each]) for each in Exit])


def options(name: str) -> str:
    """Return the arguments and options of a command, or of each command of a group.

    What every command takes is told once, by ``options_of_all``.
    """
    context = click.Context(cli, info_name="smspartner", **cli.context_settings)
    command = cli.get_command(context, name)
    assert command
    inside = click.Context(command, parent=context, info_name=name)
    commands = command.commands.values() if isinstance(command, click.Group) else [command]
    return "\n".join(
        _options(each, inside if each is command else click.Context(each, inside, each.name))
        for each in commands
    )


def _options(command: click.Command, context: click.Context) -> str:
    own = [each for each in command.params if each.name not in _OF_ALL]
    rows = _rows(own, context)
    usage = f"`{context.command_path} {' '.join(command.collect_usage_pieces(context))}`\n"
    return f"{usage}\n{table(('option', 'meaning'), rows)}" if rows else usage


#: The options that every command takes, by the names that click gives them.
_OF_ALL: Final = ("verbose", "errors", "api_key")


def options_of_all() -> str:
    return table(
        ("option", "meaning"),
        _rows(
            [each for each in cli.params if each.name in _OF_ALL],
            click.Context(cli, **cli.context_settings),
        ),
    )


def _rows(params: Iterable[click.Parameter], context: click.Context) -> list[tuple[str, str]]:
    options = [each for each in params if isinstance(each, click.Option)]
    records = [each.get_help_record(context) for each in options]
    return [(code(first), second.replace("  [", " [")) for first, second in filter(None, records)]


def export_targets() -> str:
    rows = [
        (
            code(sink.name),
            ", ".join([*map(code, sink.endings), *(code(f"{each}://…") for each in sink.schemes)]),
            code(f"smspartner[{sink.extra}]") if sink.extra else "nothing more",
            summary(type(sink.sink)),
        )
        for sink in BUILT_IN
    ]
    return table(("`to=`, `--to`", "chosen by", "needs", "what it is"), rows)


def export_costs() -> str:
    """Return what exports cost, as the benchmark measured it last."""
    results = (ROOT / "benchmarks" / "RESULTS.md").read_text()
    section = results.partition("\n## Exports\n")[2].partition("\n## ")[0]
    return section[section.index("|") :].strip() + "\n"


def promises_met() -> str:
    """Return the sentence that says how many promises of speed and memory are met."""
    found = list(promised())
    missed = sum(not each.met for each in found)
    if not missed:
        return f"All {len(found)} promises are met.\n"
    link = f"[the {missed} that are not](promises.md#how-fast-and-in-how-much-memory)"
    return f"{len(found) - missed} of the {len(found)} promises are met; see {link}.\n"


def promises_missed() -> str:
    """Return the promises of speed and memory that are not met."""
    found = [each for each in promised() if not each.met]
    rows = [(each.what, each.limit, each.measured) for each in found]
    return table(("not met", "promised", "measured"), rows) if rows else "All are met.\n"


def faults() -> str:
    return ", ".join(map(code, FAULTS)) + ".\n"


def imports() -> str:
    """Return what each room imports, when it is loaded and later, of this package and of others."""
    rows = [
        (code(room), _names(loads(room)), _names(calls(room)), _names(needs(room)))
        for room in rooms()
        if room != "__init__"
    ]
    return table(("module", "imports, of ours", "when it is called", "imports, of others"), rows)


def _names(names: Iterable[str]) -> str:
    return ", ".join(map(code, sorted(names))) or "nothing"


TABLES: Final[dict[str, Callable[[], str]]] = {
    "layout-rental": partial(wire.layout, answers.RentalAnswer),
    "layout-number": partial(wire.layout, models.RentedNumber),
    "layout-status": partial(wire.layout, status.RentalStatus),
    "layout-targeting": partial(wire.layout, status.Targeting),
    "layout-place": partial(wire.layout, status.Place),
    "layout-cost": partial(wire.layout, status.Cost),
    "layout-file": partial(wire.layout, status.FileInfo),
    "layout-account": partial(wire.layout, account.Account),
    "layout-user": partial(wire.layout, account.User),
    "layout-credits": partial(wire.layout, account.Credits),
    "states": wire.states,
    "api-errors": wire.api_errors,
    "scalars": wire.scalars,
    "divergences": wire.divergences,
    "limits": wire.limits,
    "error-codes": error_codes,
    "exit-codes": exit_codes,
    "export-targets": export_targets,
    "export-costs": export_costs,
    "promises-met": promises_met,
    "promises-missed": promises_missed,
    "faults": faults,
    "options-of-all": options_of_all,
    "imports": imports,
}


def made(name: str) -> str:
    """Return what stands between the marks of a name; ``options-NAME`` is a command's."""
    if name not in TABLES and name.startswith("options-"):
        return options(name.removeprefix("options-"))
    return TABLES[name]()


def remade(page: str) -> str:
    """Return a page with its tables made anew."""
    return _MARKED.sub(lambda found: f"{found[1]}\n{made(found['name'])}\n{found[3]}", page)


def names_in(page: str) -> list[str]:
    """Return the names of the tables in a page."""
    return [found["name"] for found in _MARKED.finditer(page)]


def main() -> None:
    """Write every page again whose tables have changed."""
    for path in sorted((ROOT / "docs").rglob("*.md")):
        page = path.read_text()
        if (new := remade(page)) != page:
            path.write_text(new)
            sys.stdout.write(f"{path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
