"""Numbers that a test gives to the sandbox, right or wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from smspartner.errors import ConfigurationError
from smspartner.models.number import RentedNumber
from smspartner.sandbox.wire import Value

#: One record: a number, its fields in their order, or the JSON object itself, right or wrong.
Record: TypeAlias = RentedNumber | Sequence[Value] | Mapping[str, Value]

_NAMES: Final = ("id", "phone", "stopSms")


def to_object(record: Record) -> Value:
    """Return a record as the JSON object that the service would send."""
    if isinstance(record, Mapping):
        return record
    if isinstance(record, RentedNumber):
        record = (record.id, record.phone, record.stop_sms)
    return dict(zip(_NAMES, record, strict=False))


def to_numbers(records: Iterable[Record]) -> Iterator[RentedNumber]:
    """Return the numbers a client should read.

    Raises:
        ConfigurationError: a record is wrong, so no client should read it.
    """
    for place, record in enumerate(records):
        try:
            yield msgspec.convert(to_object(record), RentedNumber)
        except msgspec.ValidationError as error:
            raise ConfigurationError(f"records[{place}] is no number: {error}") from None
