"""What is in files of numbers, as one HTML file for people: no phone, no script, no network."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Final, NamedTuple

from smspartner.cli.facts import Line, cells_of, facts_of, groups_of, look_into
from smspartner.cli.failures import notes_of
from smspartner.errors import ConfigurationError, SMSPartnerError, printable
from smspartner.files.atomic import open_output
from smspartner.files.opt_outs import OptOuts
from smspartner.files.summary import Summary
from smspartner.files.targets import check_writable
from smspartner.models.columns import COLUMNS, E164

#: What could be a phone in the name of a file; a date has eight digits.
_PHONE: Final = re.compile(r"\d(?:[ ._-]?\d){8,}")

#: What is said of the counts that need words.
_NOTE: Final = (
    "A phone, or an id, came before where an earlier record has it too{where}. "
    "People with both flags have opted out in one record and not in another."
)


class Entry(NamedTuple):
    """What was found in one file: ``problem`` is what is wrong with it, None if nothing is."""

    name: str
    kind: str
    lines: Sequence[Line]
    problem: SMSPartnerError | None


def make_report(
    files: Sequence[str], target: str, lists: OptOuts | None, token: str | None
) -> list[Entry]:
    """Read files and write what is in them, together and one by one; the file is 0600.

    Args:
        files: their names. One that is wrong is named in the report and does not stop the others.
        target: the name of the report.
        lists: opt-out lists to look for the numbers in.
        token: which rental of databases; None for all.

    Raises:
        UsageError: a file has no rentals to choose from.
        OutputError: the report cannot be written.
        ConfigurationError: the report is one of the files.
    """
    if Path(target).resolve() in {
        Path(file.removeprefix("sqlite:///")).resolve() for file in files
    }:
        raise ConfigurationError(f"{target!r} is one of the files to look at; name another report")
    check_writable(target)
    total = Summary((*COLUMNS, E164), lists)
    entries = [_entry(file, lists, token, total) for file in files]
    with open_output(target) as file:
        for part in _page(entries, total):
            file.write(part.encode())
    return entries


def _entry(file: str, lists: OptOuts | None, token: str | None, total: Summary) -> Entry:
    source, summary, problem = look_into(file, lists, token)
    kind = source.kind if source is not None else ""
    if summary is None:
        return Entry(file, kind, (), problem)
    total.include(summary)
    return Entry(file, kind, facts_of(summary), problem)


def _page(entries: Sequence[Entry], total: Summary) -> Iterator[str]:
    title = _shown(Path(entries[0].name).name) if len(entries) == 1 else f"{len(entries)} files"
    yield _HEAD.replace("TITLE", title)
    problems = [entry.problem for entry in entries if entry.problem is not None]
    if problems:
        yield "<h2 class=wrong>Wrong</h2>\n<ul class=wrong>\n"
        said = ("; ".join([str(problem), *notes_of(problem)]) for problem in problems)
        yield from (f"<li>{_shown(each)}</li>\n" for each in said)
        yield "</ul>\n"
    yield "<dl>\n"
    for line in facts_of(total):
        label, count, share = map(escape, cells_of(line))
        yield f"<div><dt>{label}</dt><dd>{count} <small>{share}</small></dd></div>\n"
    yield "</dl>\n"
    where = ", in whichever of the files" if len(entries) > 1 else ""
    yield f"<p class=note>{_NOTE.format(where=where)}</p>\n"
    for heading, lines in (groups_of(total) | {"on opt-out lists": _on_lists(total)}).items():
        if lines:
            yield from _bars(heading, lines)
    if len(entries) > 1:
        yield from _files(entries)
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    yield f"<footer>No phone is in this report. Made by smspartner, {made}.</footer>\n"


def _on_lists(total: Summary) -> list[Line]:
    return [
        Line(name, count, count / total.numbers if total.numbers else None)
        for name, count in total.on_lists.items()
    ]


def _bars(heading: str, lines: Sequence[Line]) -> Iterator[str]:
    yield f"<h2>{_capital(heading)}</h2>\n<table class=bars>\n"
    for line in lines:
        _, count, share = map(escape, cells_of(line))
        width = 100 * (line.share or 0)
        yield (
            f"<tr><th scope=row>{_shown(line.label)}</th><td>{count}</td><td>{share}</td>"
            f'<td class=bar><i style="width:{width:.2f}%"></i></td></tr>\n'
        )
    yield "</table>\n"


def _files(entries: Sequence[Entry]) -> Iterator[str]:
    labels = next(([line.label for line in each.lines] for each in entries if each.lines), [])
    heads = "".join(f"<th scope=col>{_capital(label)}</th>" for label in labels)
    yield "<h2>By file</h2>\n<div class=wide><table class=files>\n"
    yield f"<tr><th scope=col>File</th><th scope=col>Kind</th>{heads}</tr>\n"
    for entry in entries:
        mark = "" if entry.problem is None else " <small class=wrong>wrong</small>"
        cells = "".join(f"<td>{escape(cells_of(line)[1])}</td>" for line in entry.lines)
        missing = "" if entry.lines else f"<td colspan={len(labels) or 1}></td>"
        yield f"<tr><th scope=row>{_shown(entry.name)}{mark}</th><td>{_shown(entry.kind)}</td>"
        yield f"{cells}{missing}</tr>\n"
    yield "</table></div>\n"


def _shown(text: str) -> str:
    """Return words from outside as they may stand in the page."""
    masked = _PHONE.sub(lambda found: "•" * len(found[0]), printable(text))
    return escape(masked)


def _capital(text: str) -> str:
    return escape(text[:1].upper() + text[1:])


_HEAD: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="robots" content="noindex">
<title>Numbers: TITLE</title>
<style>
:root { color-scheme: light dark; --page: #fff; --card: #f3f5f7; --text: #1c2228; --soft: #59636e;
  --line: #d9dee3; --bar: #2f6fb3; --wrong: #a11622 }
@media (prefers-color-scheme: dark) { :root { --page: #14181c; --card: #1f252b; --text: #e6eaee;
  --soft: #9ca7b1; --line: #343c44; --bar: #6aa7e6; --wrong: #ff9aa2 } }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 68rem; background: var(--page);
  color: var(--text); font: 1rem/1.45 system-ui, sans-serif }
h1 { font-size: 1.5rem; margin: 0 0 1.2rem; overflow-wrap: anywhere }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: .7rem;
  margin: 0 }
dl div:first-child { grid-column: span 2 }
dl div { background: var(--card); border-radius: .5rem; padding: .7rem .9rem;
  display: flex; flex-direction: column-reverse; justify-content: flex-end }
dt, small, .note, footer { color: var(--soft); font-size: .85rem }
.note { margin: .7rem 0 0 }
dd { margin: 0; font-size: 1.35rem; font-variant-numeric: tabular-nums }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { padding: .35rem .6rem .35rem 0; text-align: right; border-bottom: 1px solid var(--line) }
th { font-weight: 400 }
th:first-child, .files :is(th, td):nth-child(2) { text-align: left }
th:first-child, li { overflow-wrap: anywhere }
.bars { table-layout: fixed }
.bars th { width: 40% }
.bars .bar { width: 35%; padding-right: 0 }
.bar i { display: block; height: .8rem; min-width: 2px; border-radius: .2rem;
  background: var(--bar) }
.wide { overflow-x: auto }
.files th:first-child { min-width: 9.5rem }
.files td { white-space: nowrap }
.files th[scope=col] { color: var(--soft); font-size: .8rem; vertical-align: bottom }
.files th[scope=col]:nth-child(n + 4) { min-width: 5.5rem }
.wrong, small.wrong { color: var(--wrong) }
ul { margin: 0 0 1.5rem; padding-left: 1.2rem }
footer { margin-top: 2.5rem }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr 1fr } .bars .bar { width: 22% } }
</style>
</head>
<body>
<h1>Numbers: TITLE</h1>
"""
