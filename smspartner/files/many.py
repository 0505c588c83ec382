"""Many bodies: each into a file of its own, or all of them into one target.

What is wrong with one body never stops the others: each has an outcome. Bodies of a rental that is
handed out once are the matter of their caller, who knows the rental; here a body is only read.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from smspartner.errors import ConfigurationError, SMSPartnerError
from smspartner.files.bodies import proved
from smspartner.files.rows import Origin, WriteOptions
from smspartner.files.sinks import sink_for
from smspartner.files.sources import open_body, stamp_of
from smspartner.files.write import Written, write_rows
from smspartner.models.columns import COLUMNS, FILE, TOKEN, Batches

T = TypeVar("T")
R = TypeVar("R")

_log: Final = logging.getLogger("smspartner.files")

#: What no name of a file can hold on Windows.
_ILLEGAL: Final = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
#: What Windows takes for devices, whatever ending follows.
_DEVICE: Final = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?=\s*(?:\.|$))", re.IGNORECASE
)
#: What is written into a folder unless the caller says otherwise.
CSV: Final = "csv"


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a body is, once it was read to its end.

    Attributes:
        format: ``json`` or ``xml``.
        size: bytes, decompressed.
        sha256: of these bytes, in hexadecimal.
        declared: how many numbers the service declared, None where it did not.
        rows: how many there are.
        stamp: what tells its file from another one under its name, None where that is unknown.
    """

    format: str
    size: int
    sha256: str
    declared: int | None
    rows: int
    stamp: str | None = None


class SavedBodies:
    """Bodies on disk as the numbers of several rentals, for ``write``; gone through once.

    Args:
        bodies: where each comes from, and the name of its file.
        skip: leave a body that is wrong out, whole, instead of raising its error.
        several: whether a column says which one a number is of.

    Attributes:
        columns: what is written of each number unless the caller chooses columns.
        facts: what each body that was read is, by the name of its file.
        failures: what is wrong with those left out, by the name of their file.
        on_body: is called when a body is over.
    """

    def __init__(
        self, bodies: Sequence[tuple[Origin, str]], *, skip: bool = False, several: bool = True
    ) -> None:
        self.columns: Sequence[str] = COLUMNS
        if several:
            self.columns = (*COLUMNS, TOKEN if bodies[0][0].token else FILE)
        self.facts: dict[str, Facts] = {}
        self.failures: dict[str, SMSPartnerError] = {}
        self.on_body: Callable[[], object] = bool
        self._bodies = bodies
        self._skip = skip

    def rentals(self) -> Iterator[tuple[Origin, Batches]]:
        """Yield where numbers come from, and the numbers: a body's all, or none."""
        for origin, name in self._bodies:
            try:
                stamp = stamp_of(name)
                with open_body(name) as body:
                    found = proved(body)
                    self.facts[name] = Facts(
                        format=found.format,
                        size=body.size,
                        sha256=body.sha256,
                        declared=found.declared,
                        rows=found.found,
                        stamp=stamp,
                    )
                    yield origin, found.batches
            except SMSPartnerError as error:
                if not self._skip:
                    raise
                self.facts.pop(name, None)
                self.failures[name] = error
            self.on_body()
        if self.failures and not self.facts:  # nothing would replace what was there before
            raise next(iter(self.failures.values()))


def portable(name: str) -> str:
    """Return the name of a file, which an ending will follow, as every system takes it."""
    name = _ILLEGAL.sub("_", name)
    return f"_{name}" if _DEVICE.match(name) else name


def parts_in(folder: Path, names: Iterable[str], to: str | None) -> dict[str, Path]:
    """Return where each body's numbers go in a folder: ``rental.xml`` to ``rental.xml.csv``.

    Args:
        folder: it need not be there.
        names: of the bodies.
        to: the name of a sink of files, or an ending; None for CSV.

    Raises:
        ConfigurationError: the sink is a database, or two bodies would have the same part, also on
            a disk that does not tell capital letters from small ones.
    """
    sink = sink_for("-", to or CSV)
    if not sink.endings or sink.schemes:
        raise ConfigurationError(
            f"{sink.name} is one database: give it instead of the folder {str(folder)!r}"
        )
    parts: dict[str, Path] = {}
    taken: dict[str, str] = {}
    for name in names:
        part = folder / f"{portable(Path(name).name)}{sink.endings[0]}"
        other = taken.setdefault(part.name.casefold(), name)
        if other != name:
            raise ConfigurationError(
                f"{other!r} and {name!r} would both be written to {str(part)!r}: read them into "
                "different folders"
            )
        parts[name] = part
    return parts


def write_part(
    name: str, part: Path, to: str | None, options: WriteOptions, origin: Origin
) -> tuple[Written, Facts]:
    """Write the numbers of one body to a file of its own; for a thread or a process.

    Raises:
        SMSPartnerError: the body is wrong, or the file cannot be written; there is none then.
    """
    bodies = SavedBodies([(origin, name)], several=False)
    written = write_rows(bodies, part, to=to or CSV, options=options)
    return written, bodies.facts[name]


def in_turn(
    executor: Executor, work: Callable[[T], R], items: Iterable[T], jobs: int
) -> Generator[tuple[T, Future[R]], None, None]:
    """Yield each item with its finished future, ``jobs`` of them at work at once.

    Where it is left early, nothing new is begun, and what has begun is waited for; a second
    exception, such as that of another Ctrl-C, ends the waiting. The executor is shut down.

    Raises:
        ConfigurationError: it has no thread for so many.
    """
    left = iter(items)
    at_work: dict[Future[R], T] = {}
    try:
        while True:
            while len(at_work) < jobs:
                try:
                    item = next(left)
                except StopIteration:
                    break
                try:
                    at_work[executor.submit(work, item)] = item
                except BrokenExecutor:
                    raise
                except RuntimeError as error:  # the system gives no further thread
                    raise ConfigurationError(
                        f"cannot have {jobs} jobs at work at once: {error}; use fewer"
                    ) from None
            if not at_work:
                return
            done, _ = wait(at_work, return_when=FIRST_COMPLETED)
            for future in done:
                yield at_work.pop(future), future
    except (KeyboardInterrupt, SystemExit):
        _log.warning("stopping; what has begun is finished first: %d", len(at_work))
        raise
    finally:
        executor.shutdown(cancel_futures=True)
