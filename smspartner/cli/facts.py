"""What a summary of numbers says, line by line: for a terminal, and for a report."""

from __future__ import annotations

from typing import Final, NamedTuple

import click

from smspartner.errors import CountMismatchError, SMSPartnerError
from smspartner.files.opt_outs import OptOuts
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


class Found(NamedTuple):
    """What is in a file, None as far as it could not be read, and what is wrong with it."""

    source: NumbersFile | None
    summary: Summary | None
    problem: SMSPartnerError | None


def look_into(file: str, lists: OptOuts | None, token: str | None) -> Found:
    """Read a file of numbers to its end and count what is in it.

    Raises:
        UsageError: a rental is to be chosen from what is no database.
    """
    source: NumbersFile | None = None
    summary: Summary | None = None
    try:
        with open_numbers(file, token=token) as source:
            if token is not None and source.rentals is None:
                raise click.UsageError(f"--token chooses a rental of a database; {source} is none")
            summary = Summary(source.columns, lists)
            summarise(source, summary)
    except CountMismatchError as error:  # all of its numbers were read
        return Found(source, summary, error)
    except SMSPartnerError as error:
        return Found(source, None, error)
    return Found(source, summary, None)


class Line(NamedTuple):
    """A line of what is found in numbers."""

    label: str
    numbers: int | None  # None where the file does not say
    share: float | None = None  # of all numbers


def facts_of(found: Summary, **known: int | None) -> list[Line]:
    """Return what is in numbers as a whole; ``known`` is what their file says of itself."""
    return [
        Line("numbers", found.numbers),
        *(Line(label, count) for label, count in known.items() if count is not None),
        _line("opted out of SMS", found.opted_out, found),
        _line("with a phone that came before", found.repeated_phones, found),
        _line("people with both flags", found.both_flags, found),
        _line("with an id that came before", found.repeated_ids, found),
        _line("overseas territories", found.overseas, found),
        _line("without an E.164 form", found.without_e164.total(), found),
    ]


def groups_of(found: Summary) -> dict[str, list[Line]]:
    """Return what is in numbers by country, by kind, and what has no E.164 form."""
    return {
        "by country": [
            _line(_country(code), count, found) for code, count in found.countries.most_common()
        ],
        "by kind": [_line(kind, count, found) for kind, count in found.kinds.most_common()],
        "no E.164 form, because": [
            _line(reason, count, found) for reason, count in found.without_e164.most_common()
        ],
    }


def _line(label: str, count: int | None, found: Summary) -> Line:
    share = None if count is None or not found.numbers else count / found.numbers
    return Line(label, count, share)


def _country(code: str) -> str:
    overseas = " (overseas)" if code in OVERSEAS else ""
    return f"{code} {_NAMES.get(code, '')}{overseas}".strip()


def cells_of(line: Line) -> tuple[str, str, str]:
    """Return a line as it is shown: its label, its count, and its share."""
    count = "not known" if line.numbers is None else f"{line.numbers:,}"
    return line.label, count, "" if line.share is None else f"{line.share:.1%}"
