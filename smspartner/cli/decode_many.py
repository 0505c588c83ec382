"""``smspartner decode`` of several bodies: into a folder of files, or into one target."""

from __future__ import annotations

import hashlib
import multiprocessing
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from contextlib import closing, nullcontext
from multiprocessing import connection
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click
from msgspec.structs import asdict

from smspartner.cli.download_once import journal_of
from smspartner.cli.options import Output
from smspartner.cli.progress import progress_over
from smspartner.cli.signals import end_worker, held, leave_to_parent
from smspartner.cli.total import Total
from smspartner.cli.transfer import file_of, name_left_behind
from smspartner.errors import ConfigurationError, OutputError, SMSPartnerError
from smspartner.files.journal import NAME, Entry, Journal, asked, done, failed, readable
from smspartner.files.many import Facts, SavedBodies, in_turn, parts_in, write_part
from smspartner.files.rows import Origin, WriteOptions
from smspartner.files.sources import find_bodies, is_pattern, stamp_of, would_find
from smspartner.files.targets import STDOUT, output_errors
from smspartner.files.write import Written, write_rows
from smspartner.models.masks import mask_target

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess


def is_many(paths: Sequence[str], out: Output) -> bool:
    """Say whether a command line is about more than one body, or about a folder of files."""
    name = paths[0]
    single = name == STDOUT or not (Path(name).is_dir() or "://" in name or is_pattern(name))
    return len(paths) > 1 or not single or out.is_folder


def decode_many(paths: Sequence[str], out: Output, *, jobs: int, stop: bool) -> int:
    """Read bodies, write their numbers, and say what became of each.

    Args:
        paths: files, folders, patterns, addresses.
        out: where the numbers go.
        jobs: processes that read bodies; they pay for a folder of files only.
        stop: end at the first body that is wrong.
    """
    if STDOUT in paths:
        raise click.UsageError(
            "- is standard input, which is read alone, into one output: name the files instead"
        )
    names = find_bodies(paths)
    journal = Path(out.output) / NAME if out.is_folder else journal_of(out)
    total = Total(out, "bodies read", "read before, unchanged", journal)
    _require_no_body(paths, names, out, journal)
    if out.is_folder:
        _into_folder(names, out, total, jobs=jobs, stop=stop)
    else:
        _into_one(names, out, total, journal, stop=stop)
    return total.tell()


def _require_no_body(
    paths: Sequence[str], names: Sequence[str], out: Output, journal: Path | None
) -> None:
    """Refuse to write what the next run of the same command would read as a body.

    Raises:
        ConfigurationError: it is in a folder, or meant by a pattern, that is read.
    """
    if out.is_folder:
        made = list(parts_in(Path(out.output), names, out.to).values())
    else:
        made = [Path(name)] if (name := file_of(out.output)) else []
    for path in paths:
        for file in (*made, *([journal] if journal else ())):
            if would_find(path, file):
                raise ConfigurationError(
                    f"{str(file)!r} would be read as a body by the next run, as it is in {path!r}; "
                    "write to another folder"
                )


def _into_one(
    names: Sequence[str], out: Output, total: Total, journal: Path | None, *, stop: bool
) -> None:
    options = out.export_options(None, several=True)
    bodies = SavedBodies([(Origin(file=mask_target(name)), name) for name in names], skip=not stop)
    target = mask_target(out.output)
    with Journal(journal.parent) if journal else nullcontext() as lines:
        try:
            with progress_over(len(names), quiet=out.quiet) as advance:
                bodies.on_body = advance
                written = write_rows(bodies, out.output, to=out.to, options=options)
        except SMSPartnerError as error:
            wrong = dict(bodies.failures)
            if error.file is not None:  # it changed while it was read, or is not to be skipped
                wrong[error.file] = error
            if lines is not None:
                lines.add_all([failed(_line(name, target), each) for name, each in wrong.items()])
            raise
        total.wrote(written, len(bodies.facts))
        for failure in bodies.failures.values():
            total.failed(failure)
        if lines is not None:
            lines.add_all(
                [
                    failed(_line(name, target), bodies.failures[name])
                    if name in bodies.failures
                    else _done(_line(name, target), bodies.facts[name])
                    for name in names
                ]
            )


def _into_folder(names: Sequence[str], out: Output, total: Total, *, jobs: int, stop: bool) -> None:
    folder = Path(out.output)
    parts = parts_in(folder, names, out.to)
    with output_errors(str(folder)):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name_left_behind(str(folder / NAME))
    options = out.export_options(None, target=str(parts[names[0]]))
    print_of = _fingerprint(options)
    with Journal(folder) as journal, progress_over(len(names), quiet=out.quiet) as advance:
        entries = journal.entries()
        left = [
            name
            for name in names
            if not _unchanged(entries.get(_source(name)), name, parts[name], print_of)
        ]
        for _ in range(len(names) - len(left)):
            total.was_there()
            advance()
        for name, result in _written(left, parts, out, options, jobs):
            advance()
            line = _line(name, readable(parts[name].absolute()), print_of)
            # Not durable: a body can be read again, so what a power cut takes costs nothing.
            if isinstance(result, SMSPartnerError):
                journal.add_all([failed(line, result)], durable=False)
                if stop:
                    raise result
                total.failed(result)
            else:
                written, facts = result
                journal.add_all([_done(line, facts)], durable=False)
                total.wrote(written)


def _written(
    names: Sequence[str],
    parts: dict[str, Path],
    out: Output,
    options: WriteOptions,
    jobs: int,
) -> Iterator[tuple[str, tuple[Written, Facts] | SMSPartnerError]]:
    """Write parts, several at once, and yield what became of each."""
    items = [(name, parts[name]) for name in names]
    pool = _workers(jobs, out.to, options)
    try:
        with closing(in_turn(pool, _part, items, jobs)) as turns:
            for (name, _), future in turns:
                error = future.exception()
                yield name, error if isinstance(error, SMSPartnerError) else future.result()
    except BrokenExecutor:
        raise OutputError(
            "a process that reads bodies was killed, perhaps for want of memory; run the command "
            "again to go on, with fewer --jobs"
        ) from None


def _workers(jobs: int, to: str | None, options: WriteOptions) -> Executor:
    """Return what runs parts: processes, where there are to be several."""
    if jobs == 1:
        return ThreadPoolExecutor(1, initializer=_begin, initargs=(to, options))
    # Spawned: a fork would take the locks of this process's threads along.
    context = multiprocessing.get_context("spawn")
    with held():  # it starts a process that keeps account of locks
        pool = ProcessPoolExecutor(jobs, context, _begin_process, (to, options))
    with held():
        for _ in range(jobs):
            pool.submit(bool)
    return pool


#: What a worker writes; set once for each, as an opt-out list may be large.
_worker: dict[str, tuple[str | None, WriteOptions]] = {}


def _begin(to: str | None, options: WriteOptions) -> None:
    _worker["writes"] = (to, options)


def _begin_process(to: str | None, options: WriteOptions) -> None:
    """Leave Ctrl-C to the command, which lets what has begun finish; end if it is killed."""
    leave_to_parent()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _begin(to, options)


def _end_with_parent() -> None:  # pragma: no cover - the process ends before it can be measured
    connection.wait([cast("BaseProcess", multiprocessing.parent_process()).sentinel])
    end_worker()


def _part(item: tuple[str, Path]) -> tuple[Written, Facts]:
    name, part = item
    to, options = _worker["writes"]
    return write_part(name, part, to, options, Origin(file=mask_target(name)))


def _source(name: str) -> str:
    """Return the name of a body as the journal has it: without a password."""
    return readable(mask_target(name))


def _line(name: str, target: str, print_of: str | None = None) -> Entry:
    return asked(source=_source(name), target=target, options=print_of)


def _done(line: Entry, facts: Facts) -> Entry:
    return done(line, **asdict(facts))


def _fingerprint(options: WriteOptions) -> str | None:
    """Return a checksum of what is written; None with opt-out lists, which are always applied."""
    if options.opt_outs is not None:
        return None
    return hashlib.sha256(repr(options).encode()).hexdigest()[:16]


def _unchanged(entry: Entry | None, name: str, part: Path, print_of: str | None) -> bool:
    """Say whether a part was written before, of this body as it is, with the same options."""
    if entry is None or entry.state != "done" or print_of is None or entry.options != print_of:
        return False
    if entry.target != readable(part.absolute()) or not part.exists():
        return False
    return entry.stamp is not None and entry.stamp == stamp_of(name)
