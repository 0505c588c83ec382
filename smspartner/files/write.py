"""Where numbers go: one call writes them to a file, a table or a database.

::

    with client.stream(token) as stream:
        write(stream, "numbers.parquet")
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from smspartner.errors import ConfigurationError, boundary
from smspartner.files.provenance import remove_provenance
from smspartner.files.rows import Rentals, Rows, WriteOptions
from smspartner.files.sinks import sink_for
from smspartner.files.targets import Target
from smspartner.models.masks import mask_target
from smspartner.models.number import not_text

if TYPE_CHECKING:
    from smspartner.files.opt_outs import OptOuts


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What was written.

    Attributes:
        rows: records written. In a database, records of one id are one row.
        opted_out: how many of these rows are of people who have opted out of SMS.
        left_out_stop: records left out because the person has opted out (``exclude_stop``).
        left_out_listed: records left out because of the opt-out lists (``opt_outs``).
        left_out_by: how many of these are on each list, by its name; one can be on several.
        target: where it went, without the password of an address.
        columns: their columns.
        bytes: size of the file; None for a database.
    """

    rows: int
    opted_out: int
    left_out_stop: int
    left_out_listed: int
    left_out_by: Mapping[str, int]
    target: str
    columns: tuple[str, ...]
    bytes: int | None


@boundary
def write(
    numbers: object,
    target: Target,
    *,
    to: str | None = None,
    columns: Sequence[str] | None = None,
    exclude_stop: bool = False,
    opt_outs: OptOuts | Target | Iterable[object] | None = None,
    e164: bool = False,
    excel_safe: bool = False,
    token: str | None = None,
) -> Written:
    """Write numbers where they should go, all of them or, when anything fails, none.

    Args:
        numbers: a rental, a stream, bodies opened with ``open_bodies``, or an iterable of
            ``RentedNumber`` or of lists of them; read once, a few thousand at a time.
        target: a file name, whose ending says what is written (``.csv .xlsx .jsonl .json
            .parquet .arrow .db``), an address such as ``postgresql://…``, or ``-`` for
            standard output, where alone a failure leaves what was written before it.
        to: what to write, whatever the target's ending: ``"csv"``, ``"parquet"`` …
        columns: which, in this order, of id, phone, stop_sms, e164, token and file; None writes the
            first three, and file for several bodies.
        exclude_stop: leave out people who have opted out of SMS in any of their records.
        opt_outs: leave out these phones: an ``OptOuts``, the name of a list, or phones as text or
            numbers, however they are spelled.
        e164: add the column e164, the phone in E.164; ``phone`` stays what the service sent.
        excel_safe: write CSV that spreadsheets open without spoiling it.
        token: the rental's token, for the column token; a database needs it as a key.

    Raises:
        ConfigurationError: an argument cannot work, or an extra is not installed; nothing of the
            numbers has been read.
        OutputError: the target cannot be written; it is as it was.
        SMSPartnerError: whatever reading the numbers raises; the target is as it was.
    """
    options = WriteOptions(
        columns=columns,
        exclude_stop=exclude_stop,
        opt_outs=None if opt_outs is None else _opt_outs(opt_outs),
        e164=e164,
        excel_safe=excel_safe,
        token=token,
    )
    return write_rows(numbers, target, to=to, options=options)


def _opt_outs(given: object) -> OptOuts:
    from smspartner.files.opt_outs import as_opt_outs  # noqa: PLC0415 - most exports have no list

    return as_opt_outs(given)


@boundary
def check(target: Target, *, to: str | None = None, options: WriteOptions) -> None:
    """Raise now what writing there would raise at once: before a download is spent.

    Raises:
        ConfigurationError: the target or an option cannot work, or an extra is not installed.
        OutputError: the target cannot be written.
    """
    sink = sink_for(target, to)
    for name in ("excel_safe", "csv_separator"):
        if getattr(options, name) and sink.name != "csv":
            raise ConfigurationError(f"{name}= is for CSV, not for {sink.name}")
    sink.check(os.fspath(target), options)


@boundary
def write_rows(
    numbers: object, target: Target, *, to: str | None = None, options: WriteOptions
) -> Written:
    """Write numbers as ``write`` does, with options that have been put together before."""
    options = replace(options, several=isinstance(numbers, Rentals))
    rows = Rows(numbers, options)
    check(target, to=to, options=options)
    name = os.fspath(target)
    try:
        size = sink_for(target, to).write(rows, name, options)
    except UnicodeEncodeError:
        phones = [number.phone for number in rows.last]
        raise not_text(phones, rows.count - len(phones)) from None
    remove_provenance(target)
    return Written(
        rows=rows.count,
        opted_out=rows.opted_out,
        left_out_stop=rows.left_out_stop,
        left_out_listed=rows.left_out_listed,
        left_out_by=dict(rows.left_out_by),
        target=mask_target(name),
        columns=rows.columns,
        bytes=size,
    )
