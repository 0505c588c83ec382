"""``smspartner inspect``: what is in a file of numbers."""

from __future__ import annotations

import sys
from itertools import chain
from pathlib import Path
from typing import Final

import click

from smspartner.cli.arguments import NUMBERS_FILES
from smspartner.cli.console import is_terminal, say, show, show_json
from smspartner.cli.exit_codes import Exit
from smspartner.cli.facts import Line, cells_of, facts_of, groups_of, look_into
from smspartner.cli.failures import tell_of_several
from smspartner.cli.opt_outs import left_out, opt_outs_option, read_lists
from smspartner.cli.options import TOKEN, WRITTEN
from smspartner.errors import SMSPartnerError, printable
from smspartner.files.opt_outs import OptOutList, OptOuts
from smspartner.files.read import NumbersFile, numbers_in
from smspartner.files.summary import Summary

#: Characters of a bar, where there is room; with less than the second there is none.
_BAR: Final = 30
_SHORTEST: Final = 8


@click.command()
@click.argument("files", metavar="[FILE|-]...", type=NUMBERS_FILES, nargs=-1)
@opt_outs_option(
    "Opt-out list: how many lines it has, and how many of the numbers are on it; can be repeated."
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as one line of JSON.")
@click.option("--token", metavar="TOKEN", type=TOKEN, help="Rental to look at, in a database.")
@click.option(
    "--html",
    metavar="REPORT",
    type=WRITTEN,
    help="Write everything as one HTML file, without a phone in it, instead of printing it.",
)
def inspect(
    files: tuple[str, ...],
    opt_outs: tuple[Path, ...],
    token: str | None,
    html: str | None,
    *,
    as_json: bool,
) -> int:
    """Show what is in FILE: a body as the service sent it, an export, or a folder of them.

    How many numbers, how many people have opted out, what comes twice, which countries and kinds
    of phones, and how many have no E.164 form, and why. No phone is shown. A file that is wrong
    does not stop the others. To find out what comes twice takes 16 MB of memory for each million
    numbers.

    \b
    smspartner inspect numbers.parquet
    smspartner inspect sqlite:///rentals.db --token TOKEN --json
    smspartner inspect numbers.csv --opt-outs january.csv --opt-outs february.xlsx
    smspartner inspect january/ --html report.html
    curl … | smspartner inspect -
    """
    if html is not None and as_json:
        raise click.UsageError("--html and --json are two forms of the same: choose one")
    if not files and (not opt_outs or html is not None):
        raise click.UsageError("Missing argument 'FILE|-'")
    lists = read_lists(opt_outs, ignore_unclear=True, show=True)
    if lists is not None:
        _show_lists(lists, alone=not files, as_json=as_json)
    names = list(chain.from_iterable(map(numbers_in, files)))
    if html is None:
        found = [_inspect(name, token, lists, as_json=as_json) for name in names]
    else:
        from smspartner.cli.report import make_report  # noqa: PLC0415 - for one option

        found = [entry.problem for entry in make_report(names, html, lists, token)]
    wrong = [problem for problem in found if problem is not None]
    if wrong and len(names) == 1:
        raise wrong[0]
    tell_of_several(wrong)
    if html is not None:
        say(f"{html}: what is in {len(names)} file{'' if len(names) == 1 else 's'}")
    return Exit.SOME_FAILED if wrong else Exit.OK


def _inspect(
    file: str, token: str | None, lists: OptOuts | None, *, as_json: bool
) -> SMSPartnerError | None:
    """Show what is in a file, and return what is wrong with it."""
    source, summary, problem = look_into(file, lists, token)
    if source is not None and summary is not None:
        _show(source, summary, as_json=as_json)
    return problem


def _show_lists(lists: OptOuts, *, alone: bool, as_json: bool) -> None:
    """Show what is in opt-out lists; what is unclear goes to standard error."""
    if as_json and alone:
        show_json({"opt_outs": [_list_as_dict(found) for found in lists.lists]})
    elif not as_json:
        for found in lists.lists:
            show(f"{found.name}: opt-out list of {found.size}")
    for found in lists.lists:
        if found.problem:
            say(found.problem)


def _list_as_dict(found: OptOutList) -> dict[str, object]:
    return {
        "list": found.name,
        "lines": found.lines,
        "has_phones": found.has_phones,
        "unclear": found.unclear,
        "unclear_lines": found.unclear_lines,
    }


def _show(source: NumbersFile, found: Summary, *, as_json: bool) -> None:
    if as_json:
        show_json(_as_json(source, found))
        return
    for line in left_out(found.on_lists, found.numbers):
        say(line)
    title = f"{source}: {source.kind}"
    groups = {
        title: facts_of(found, declared=source.declared, rentals=source.rentals),
        **groups_of(found),
    }
    draw = _draw if is_terminal(sys.stdout) else _print
    draw({heading: lines for heading, lines in groups.items() if lines})


def _as_json(source: NumbersFile, found: Summary) -> dict[str, object]:
    facts = {
        "file": source.name,
        "kind": source.kind,
        "columns": source.columns,
        "declared": source.declared,
        "rentals": source.rentals,
    }
    return {**facts, **found.as_dict()}


def _print(groups: dict[str, list[Line]]) -> None:
    one, two, three = _widths(groups)
    for heading, lines in groups.items():
        show(heading)
        for label, numbers, share in map(cells_of, lines):
            show(f"  {label:{one}}  {numbers:>{two}}  {share:>{three}}".rstrip())


def _draw(groups: dict[str, list[Line]]) -> None:
    from rich.bar import Bar  # noqa: PLC0415 - 60 ms that only a terminal needs
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    console, (one, two, three) = Console(), _widths(groups)
    room = min(_BAR, console.width - one - two - three - 8)
    for heading, lines in groups.items():
        table = Table.grid("", padding=(0, 2, 0, 0))
        table.add_column(width=one)
        table.add_column(width=two, justify="right")
        table.add_column(width=three, justify="right")
        for line in lines:
            bar = Bar(1, 0, line.share, width=room, color="cyan") if line.share else ""
            table.add_row("", *map(Text, cells_of(line)), bar if room >= _SHORTEST else "")
        console.print(Text(printable(heading), style="bold"), table, sep="\n")


def _widths(groups: dict[str, list[Line]]) -> tuple[int, int, int]:
    rows = [cells_of(line) for lines in groups.values() for line in lines]
    one, two, three = (max(map(len, column)) for column in zip(*rows, strict=True))
    return one, two, three
