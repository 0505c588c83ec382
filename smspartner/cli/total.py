"""What became of several bodies or rentals: counted on the way, and told as a table in the end."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

from smspartner.cli.console import is_watched, say
from smspartner.cli.exit_codes import Exit
from smspartner.cli.failures import notes_of, tell_of_several
from smspartner.cli.opt_outs import left_out
from smspartner.cli.options import Output
from smspartner.errors import SMSPartnerError, printable
from smspartner.files.targets import STANDARD, STDOUT
from smspartner.files.write import Written
from smspartner.models.masks import mask_target

#: Failures that are told; the journal has all of them.
_SAID: Final = 20


class Total:
    """What became of the bodies, or the rentals, of a run.

    Args:
        out: where the numbers go.
        done: what those are called that were read now.
        before: what those are called that were read in an earlier run.
        journal: its file; None where there is none, and all failures are told.
    """

    def __init__(self, out: Output, done: str, before: str, journal: Path | None) -> None:
        self._out = out
        self._journal = journal
        self._done, self._old = done, before
        self._bodies = self._before = self._rows = 0
        self._opted_out = self._left_out_stop = self._left_out_listed = 0
        self._left_out_by: Counter[str] = Counter()
        self._failures: list[SMSPartnerError] = []

    def wrote(self, written: Written, bodies: int = 1) -> None:
        """Count what was written of some bodies."""
        self._bodies += bodies
        self._rows += written.rows
        self._opted_out += written.opted_out
        self._left_out_stop += written.left_out_stop
        self._left_out_listed += written.left_out_listed
        self._left_out_by.update(written.left_out_by)

    def was_there(self) -> None:
        """Count one that was there before."""
        self._before += 1

    def failed(self, error: SMSPartnerError) -> None:
        """Count one that failed, and why."""
        self._failures.append(error)

    @property
    def has_failures(self) -> bool:
        """Whether one has failed."""
        return bool(self._failures)

    def tell(self) -> int:
        """Print the table of a run and return its exit code; ``-q`` prints failures only."""
        quiet = self._out.quiet
        if is_watched() and not quiet:
            self._draw()
        else:
            self._print(quiet=quiet)
        if not quiet:
            for line in left_out(self._left_out_by, self._rows + self._left_out_listed):
                say(line)
        return Exit.SOME_FAILED if self._failures else Exit.OK

    @property
    def _told(self) -> list[SMSPartnerError]:
        return self._failures[:_SAID] if self._journal else self._failures

    @property
    def _title(self) -> str:
        output = self._out.output
        return STANDARD if output == STDOUT else mask_target(output)

    @property
    def _counts(self) -> list[tuple[str, str]]:
        """How many there are of each outcome, and what it is called; of those that there are."""
        rows = [
            (self._bodies, self._done),
            (self._before, self._old),
            (len(self._failures), "failed"),
            (self._rows, "numbers written"),
            (self._opted_out, "of these, opted out of SMS (--exclude-stop leaves them out)"),
            (self._left_out_stop, "left out, opted out of SMS"),
            (self._left_out_listed, "left out by the opt-out lists"),
        ]
        return [(f"{count:,}", label) for count, label in rows if count]

    def _print(self, *, quiet: bool) -> None:
        tell_of_several(self._told)
        if len(self._failures) > len(self._told):
            say(f"smspartner: and {len(self._failures) - len(self._told):,} more")
        if self._failures and self._journal:
            say(f"smspartner: all of them are in {self._journal}")
        if quiet:
            return
        width = max((len(count) for count, _ in self._counts), default=0)
        say(f"{self._title}:")
        for count, label in self._counts:
            say(f"  {count:>{width}}  {label}")
        if self._journal and not self._failures:
            say(f"  the journal is {self._journal}")

    def _draw(self) -> None:
        from rich.console import Console  # noqa: PLC0415 - 60 ms that only a terminal needs
        from rich.table import Table  # noqa: PLC0415
        from rich.text import Text  # noqa: PLC0415

        console = Console(stderr=True)
        if self._failures:
            wrong = Table("failed", "because", header_style="bold red", show_edge=False)
            for error in self._told:
                name = error.token or error.file or ""
                words = "\n".join([error.what if name else str(error), *notes_of(error)])
                wrong.add_row(Text(printable(name)), Text(words))
            if len(self._failures) > len(self._told):
                wrong.add_row("…", f"and {len(self._failures) - len(self._told):,} more")
            console.print(wrong, "")
        found = Table.grid(padding=(0, 2, 0, 0))
        found.add_column(justify="right", style="bold")
        for count, label in self._counts:
            found.add_row(count, Text(label, "red" if label == "failed" else ""))
        console.print(Text(printable(self._title), "bold"), found, sep="\n")
        if self._journal:
            console.print(Text(printable(f"the journal is {self._journal}"), "dim"))
