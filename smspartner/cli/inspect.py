"""``smspartner inspect``: what is in a file of numbers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final, NamedTuple

import click

from smspartner.cli.arguments import NUMBERS_FILE
from smspartner.cli.console import say, show, show_json
from smspartner.cli.opt_outs import left_out, opt_outs_option, read_lists
from smspartner.cli.options import TOKEN
from smspartner.errors import CountMismatchError, printable
from smspartner.files.opt_outs import OptOutList, OptOuts
from smspartner.files.read import NumbersFile, open_numbers
from smspartner.files.summary import NO_COUNTRY, OVERSEAS, Summary, summarise

_NAMES: Final = {
    "FR": "France",
    "GF": "French Guiana",
    "GP": "Guadeloupe",
    "MQ": "Martinique",
    "PM": "Saint Pierre and Miquelon",
    "RE": "Réunion",
    "YT": "Mayotte",
    NO_COUNTRY: "of no country",
}
#: Characters of a bar, where there is room; with less than the second there is none.
_BAR: Final = 30
_SHORTEST: Final = 8


class _Line(NamedTuple):
    label: str
    numbers: int | None  # None where the file does not say
    share: float | None = None  # of all numbers


@click.command()
@click.argument("files", metavar="[FILE|-]...", type=NUMBERS_FILE, nargs=-1)
@opt_outs_option("Opt-out list to look at: how many numbers are on it; can be repeated.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as one line of JSON.")
@click.option("--token", metavar="TOKEN", type=TOKEN, help="Rental to look at, in a database.")
def inspect(
    files: tuple[str, ...], opt_outs: tuple[Path, ...], token: str | None, *, as_json: bool
) -> None:
    """Show what is in FILE: a body as the service sent it, or an export of any kind.

    How many numbers, how many people have opted out, what comes twice, which countries and kinds
    of phones, and how many have no E.164 form, and why. No phone is shown. To find out what comes
    twice takes 16 MB of memory for each million numbers.

    \b
    smspartner inspect numbers.parquet
    smspartner inspect sqlite:///rentals.db --token TOKEN --json
    smspartner inspect numbers.csv --opt-outs january.csv --opt-outs february.xlsx
    curl … | smspartner inspect -
    """
    if not files and not opt_outs:
        raise click.UsageError("Missing argument 'FILE|-'")
    lists = read_lists(opt_outs, ignore_unclear=True, show=True)
    if lists is not None:
        _show_lists(lists, alone=not files, as_json=as_json)
    for file in files:
        _inspect(file, token, lists, as_json=as_json)


def _inspect(file: str, token: str | None, lists: OptOuts | None, *, as_json: bool) -> None:
    with open_numbers(file, token=token) as source:
        if token is not None and source.rentals is None:
            raise click.UsageError(f"--token chooses a rental of a database; {source} is none")
        found = Summary(source.columns, lists)
        try:
            summarise(source, found)
        except CountMismatchError:
            # All of the numbers were read: that there should be more or fewer comes on top.
            _show(source, found, as_json=as_json)
            raise
        _show(source, found, as_json=as_json)


def _show_lists(lists: OptOuts, *, alone: bool, as_json: bool) -> None:
    """Show what is in opt-out lists; what is unclear goes to standard error."""
    if as_json and alone:
        show_json({"opt_outs": [_list_as_dict(found) for found in lists.lists]})
    elif not as_json:
        for found in lists.lists:
            show(f"{found.name}: opt-out list of {found.lines:,} {found.unit}s")
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
    groups = {title: _facts(source, found), **_groups(found)}
    draw = _draw if sys.stdout.isatty() else _print
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


def _facts(source: NumbersFile, found: Summary) -> list[_Line]:
    known = [("declared", source.declared), ("rentals", source.rentals)]
    return [
        _Line("numbers", found.numbers),
        *(_Line(label, count) for label, count in known if count is not None),
        _line("opted out of SMS", found.opted_out, found),
        _line("with a phone that came before", found.repeated_phones, found),
        _line("people with both flags", found.both_flags, found),
        _line("with an id that came before", found.repeated_ids, found),
        _line("overseas territories", found.overseas, found),
        _line("without an E.164 form", found.without_e164.total(), found),
    ]


def _groups(found: Summary) -> dict[str, list[_Line]]:
    return {
        "by country": [
            _line(_country(code), count, found) for code, count in found.countries.most_common()
        ],
        "by kind": [_line(kind, count, found) for kind, count in found.kinds.most_common()],
        "no E.164 form, because": [
            _line(reason, count, found) for reason, count in found.without_e164.most_common()
        ],
    }


def _line(label: str, count: int | None, found: Summary) -> _Line:
    share = None if count is None or not found.numbers else count / found.numbers
    return _Line(label, count, share)


def _country(code: str) -> str:
    overseas = " (overseas)" if code in OVERSEAS else ""
    return f"{code} {_NAMES.get(code, '')}{overseas}".strip()


def _cells(line: _Line) -> tuple[str, str, str]:
    count = "not known" if line.numbers is None else f"{line.numbers:,}"
    return line.label, count, "" if line.share is None else f"{line.share:.1%}"


def _print(groups: dict[str, list[_Line]]) -> None:
    one, two, three = _widths(groups)
    for heading, lines in groups.items():
        show(heading)
        for label, numbers, share in map(_cells, lines):
            show(f"  {label:{one}}  {numbers:>{two}}  {share:>{three}}".rstrip())


def _draw(groups: dict[str, list[_Line]]) -> None:
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
            table.add_row("", *map(Text, _cells(line)), bar if room >= _SHORTEST else "")
        console.print(Text(printable(heading), style="bold"), table, sep="\n")


def _widths(groups: dict[str, list[_Line]]) -> tuple[int, int, int]:
    rows = [_cells(line) for lines in groups.values() for line in lines]
    one, two, three = (max(map(len, column)) for column in zip(*rows, strict=True))
    return one, two, three
