"""Numbers that a test gives to the sandbox, right or wrong."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from smspartner.errors import ConfigurationError
from smspartner.models.number import RentedNumber
from smspartner.sandbox.wire import Value

#: One record: a number, its fields in their order, or the JSON object itself, right or wrong.
Record: TypeAlias = RentedNumber | Sequence[Value] | Mapping[str, Value]

_NAMES: Final = ("id", "phone", "stopSms")


def require_json(name: str, *values: object) -> None:
    """Refuse an option that cannot be sent as JSON.

    Raises:
        ConfigurationError: the option holds something that JSON does not have.
    """
    try:
        for value in values:
            json.dumps(value)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"{name} cannot be sent as JSON: {error}") from None


def to_object(record: Record) -> Value:
    """Return a record as the JSON object that the service would send.

    Raises:
        ConfigurationError: the record is none of the three.
    """
    if isinstance(record, Mapping):
        return record
    if isinstance(record, RentedNumber):
        record = (record.id, record.phone, record.stop_sms)
    if isinstance(record, str) or not isinstance(record, Sequence):
        kind = type(record).__name__
        raise ConfigurationError(f"a record is a RentedNumber, a tuple or a mapping, not {kind}")
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
