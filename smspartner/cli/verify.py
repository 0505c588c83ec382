"""``smspartner verify``: whether two files carry the same numbers."""

from __future__ import annotations

from collections.abc import Iterator

import click

from smspartner.cli.arguments import NUMBERS_FILE
from smspartner.cli.console import say, show
from smspartner.cli.exit_codes import Exit
from smspartner.cli.options import TOKEN
from smspartner.files.compare import Comparison, Difference, Sighting, compare_files


@click.command()
@click.argument("left", metavar="A", type=NUMBERS_FILE)
@click.argument("right", metavar="B", type=NUMBERS_FILE)
@click.option("--any-order", is_flag=True, help="Ignore the order.")
@click.option("--token", metavar="TOKEN", type=TOKEN, help="Rental to compare, in a database.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing; the exit code tells.")
def verify(left: str, right: str, token: str | None, *, any_order: bool, quiet: bool) -> int:
    """Tell whether the files A and B carry the same numbers, and where they first differ.

    Bodies and exports of any two kinds. The exit code is 0 where they are the same and 1 where
    they are not. Only what both files have of each number is compared. The rows of a database
    have no order, so with one it is not compared. Either may be - for standard input.

    \b
    smspartner verify body.json body.xml
    smspartner verify body.xml sqlite:///rentals.db --token TOKEN
    """
    found = compare_files(left, right, any_order=any_order, token=token)
    if not quiet:
        if not found.ordered and not any_order:
            say("the order is not compared: a database has none")
        for line in _lines(left, right, found, chosen=token is not None):
            show(line)
    return Exit.OK if found.same else Exit.FAILED


def _lines(left: str, right: str, found: Comparison, *, chosen: bool) -> Iterator[str]:
    yield _verdict(found)
    if found.first is not None:
        yield from _sentences(left, right, found.first)
    if found.numbers is not None and found.numbers[0] != found.numbers[1]:
        yield f"{left} has {found.numbers[0]:,} numbers, {right} has {found.numbers[1]:,}"
    if found.left_out:
        yield f"not compared, as only one of them has it: {', '.join(found.left_out)}"
    if not chosen:
        for name, rentals in zip((left, right), found.rentals, strict=True):
            if rentals is not None and rentals > 1:
                yield f"{name} holds {rentals:,} rentals, all were compared; --token chooses one"


def _verdict(found: Comparison) -> str:
    order = "in the same order" if found.ordered else "in any order"
    compared = f"(compared: {', '.join(found.columns)})"
    if found.same and found.numbers is not None:
        return f"the same {found.numbers[0]:,} numbers {order} {compared}"
    return f"different, {order} {compared}" if not found.ordered else f"different {compared}"


def _sentences(left: str, right: str, first: Difference) -> Iterator[str]:
    if first.field is not None and first.left is not None and first.right is not None:
        remark = f" ({first.remark})" if first.remark else ""
        yield (
            f"first at record {first.left.index:,} (counted from 0): {first.field} is "
            f"{first.left.text} in {left}, {first.right.text} in {right}{remark}"
        )
        return
    for name, sighting in ((left, first.left), (right, first.right)):
        if sighting is not None:
            yield _only_in(name, sighting)


def _only_in(name: str, sighting: Sighting) -> str:
    return f"only in {name}: record {sighting.index:,} (counted from 0): {sighting.text}"
