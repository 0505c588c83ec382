"""Opt-out lists on the command line: read with a bar, and what they leave out in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from smspartner.cli.console import is_watched
from smspartner.decoders.limits import MIB

if TYPE_CHECKING:
    from smspartner.files.opt_outs import OptOuts
    from smspartner.files.opt_outs.blocks import Advance
    from smspartner.models.stops import StopList

LIST: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
#: Bytes from which on a list takes a second or more.
_LONG: Final = 8 * MIB
#: A list that leaves out more of a rental than that is probably not what it should be.
_MANY: Final = 0.05


def opt_outs_option(words: str) -> Callable[[Any], Any]:
    """Return the option ``--opt-outs``."""
    return click.option("--opt-outs", metavar="FILE", type=LIST, multiple=True, help=words)


def read_lists(
    paths: Sequence[Path], stops: StopList | None = None, *, ignore_unclear: bool, show: bool
) -> OptOuts | None:
    """Read opt-out lists, with a bar on a terminal; None if there are none.

    Args:
        paths: their files.
        stops: the stop list of the account, if it counts too.
        ignore_unclear: go on with a list that is unclear.
        show: show the bar.

    Raises:
        ConfigurationError: one cannot be read, or is unclear.
    """
    if not paths and stops is None:
        return None
    from smspartner.files.opt_outs import ACCOUNT, OptOuts, account_list, read_list  # noqa: PLC0415

    lists = [] if stops is None else [account_list(stops)]
    for path in dict.fromkeys(paths):
        with _watched(path, show=show and is_watched()) as advance:
            lists.append(read_list(path, advance=advance))
    opt_outs = OptOuts.of(lists)
    if not ignore_unclear:
        OptOuts.of(found for found in lists if found.name != ACCOUNT).require_clear()
    return opt_outs


def left_out(by_list: Mapping[str, int], numbers: int) -> Iterator[str]:
    """Yield a line for each list: how many of a rental's numbers are on it, and what is odd there.

    Args:
        by_list: how many, by the name of the list.
        numbers: all numbers that it was asked about.
    """
    if not by_list:
        return
    from smspartner.files.opt_outs import ACCOUNT, UNREADABLE  # noqa: PLC0415

    for name, count in by_list.items():
        if name == UNREADABLE:
            yield f"{count:,} of {numbers:,} {name}: left out"
        elif numbers:
            share = count / numbers
            odd = "none: " if not count else "more than 5 %: " if share > _MANY else ""
            doubt = f"; {odd}is it the right list?" if odd and name != ACCOUNT else ""
            yield f"{name} has {count:,} of {numbers:,} ({share:.1%}){doubt}"


@contextmanager
def _watched(path: Path, *, show: bool) -> Iterator[Advance]:
    from smspartner.files.opt_outs.blocks import ignore_progress  # noqa: PLC0415

    size = path.stat().st_size if show else 0
    if size < _LONG:
        yield ignore_progress
        return
    from rich.console import Console  # noqa: PLC0415 - 60 ms that only a terminal needs
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn  # noqa: PLC0415

    columns = (f"reading {path.name}", BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=size)
        yield lambda read: progress.advance(task, read)
