"""From fields to an answer, and from msgspec's words to errors that name the place (R5 to R7).

Bodies are converted as a whole, in C. Only where that fails, or where something in the body asks
for a closer look, are records read one by one: the first one that is wrong is then the error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from operator import attrgetter, itemgetter
from typing import Any, Final, TypeVar

import msgspec

from smspartner.errors import DecodeError, RecordError
from smspartner.models.envelope import A, Key, RentalAnswer
from smspartner.models.number import EXACT, Phone, RentedNumber

T = TypeVar("T")

_PATH: Final = r" - at `\$\.?(?P<path>[^`]*)`"
_RECORD: Final = r"datas?\[(?P<index>\d+)\]\.?(?P<field>\w*)"
_MISSING: Final = r"missing required field `(?P<field>[^`]+)`"

_INEXACT: Final = "Expected `int`, got a number with a fraction, or beyond 2^53: no exact integer"
#: A number with a fraction or an exponent; any other is exact.
_LOOSE: Final = r"(?<![0-9])[0-9]++(?:\.[0-9]++(?:[eE][+-]?[0-9]++)?|[eE][+-]?[0-9]++)"

# msgspec takes it for 0, and that for false.
_ODD_FLAG: Final = "-0"

_phone, _flag, _id = attrgetter("phone"), itemgetter("stopSms"), itemgetter("id")

#: A number as it is read on its own: its id may be of any size.
WideNumber: Final = msgspec.defstruct(
    "WideNumber", [("id", int), ("phone", Phone), ("stop_sms", bool)], rename="camel"
)


def read_fields(fields: Mapping[str, Any], answer: type[A]) -> A:
    """Return the fields of a document that says yes as ``answer``.

    Args:
        fields: what the document holds, in the form of its JSON; scalars may be texts.
        answer: the struct to make.

    Raises:
        RecordError: a record is wrong (rules R6, R7).
        DecodeError: anything else that is not as the struct declares.
    """
    fields = {**fields, "success": True}
    try:
        result = _converted(fields, answer)
    except msgspec.ValidationError as error:
        if not is_of_record(error):
            raise answer_error(error) from None
        return with_numbers(read_records(_listed(fields["datas"]), _wide, dict), fields, answer)
    if isinstance(result, RentalAnswer):
        listed = _listed(fields.get("datas") or ())
        plain = all(map(str.isdigit, map(str, map(_id, listed))))
        if not plain or is_blank(result.records) or _ODD_FLAG in map(_flag, listed):
            read_records(listed, _wide, dict)
    return result


def with_numbers(numbers: list[RentedNumber], fields: Mapping[str, Any], answer: type[A]) -> A:
    """Return fields as ``answer`` whose records have been read one by one.

    Raises:
        DecodeError: another field is wrong.
    """
    try:
        return _converted({**fields, "success": True, "datas": numbers}, answer)
    except msgspec.ValidationError as error:
        raise answer_error(error) from None


def read_records(
    records: Iterable[T],
    convert: Callable[[T], Any],
    said: Callable[[T], Mapping[str, object]],
) -> list[RentedNumber]:
    """Return records read one by one: slow, but with every check of rules R6 and R7.

    Args:
        records: the records as the decoder has them.
        convert: makes a ``WideNumber`` of one, or raises ``msgspec.ValidationError``.
        said: the fields of one as they are written, numbers as text.

    Raises:
        RecordError: the first that is wrong.
    """
    numbers = []
    for index, record in enumerate(records):
        try:
            number = convert(record)
        except msgspec.ValidationError as error:
            raise _record_error(index, *_place_of(error)) from None
        if number.phone.isspace():
            raise RecordError(index, "phone", "blank")
        written = said(record)
        if written["stopSms"] == _ODD_FLAG:
            raise RecordError(index, "stopSms", "Expected `bool`")
        if not is_integral(str(written["id"])):
            raise RecordError(index, "id", _INEXACT)
        numbers.append(RentedNumber(number.id, number.phone, number.stop_sms))
    return numbers


def is_blank(numbers: Sequence[RentedNumber]) -> bool:
    """Say whether a phone is blank; its type refuses empty ones."""
    return any(map(str.isspace, map(_phone, numbers)))  # in C: 40 ns a number


def is_integral(literal: str) -> bool:
    """Say whether a number that has been read as an integer is that integer (rule R7).

    With a fraction or an exponent msgspec reads a double: 1.0000000000000000001 is 1 then.
    """
    if literal.removeprefix("-").isdigit():
        return True
    try:
        value = Decimal(literal)
    except InvalidOperation:  # an exponent far below that of any double
        return False
    return value.copy_abs() <= EXACT and value == value.to_integral_value()


def is_inexact(literal: str) -> bool:
    """Say whether a number reads as an integer that it is not (rule R7)."""
    value = abs(float(literal))
    return value.is_integer() and value <= EXACT and not is_integral(literal)


def require_exact(text: str, field: str | None = None) -> None:
    """Refuse a text with a number that an integer field would round (rule R7).

    Raises:
        DecodeError: as said.
    """
    if any(is_inexact(number[0]) for number in re.finditer(_LOOSE, text)):
        raise DecodeError(f"{field}: {_INEXACT}" if field else _INEXACT)


def answer_error(error: msgspec.ValidationError) -> DecodeError:
    """Return the error of an answer as a whole: of one record where the path names one."""
    path, reason, missing = _place_of(error)
    record = re.fullmatch(_RECORD, path)
    if record is not None:
        return _record_error(int(record["index"]), record["field"], reason, missing)
    where = ".".join(part for part in (path, missing) if part)
    return DecodeError(f"{where}: {reason}" if where else reason)


def is_of_record(error: msgspec.ValidationError) -> bool:
    """Say whether an error is about one of the records."""
    return "`$.datas[" in str(error)


def _place_of(error: msgspec.ValidationError) -> tuple[str, str, str]:
    """Return the path an error names, its reason without it, and the field that is missing."""
    text = str(error)
    path, missing = re.search(_PATH, text), re.search(_MISSING, text)
    reason = text[: path.start()] if path else text
    return path["path"] if path else "", reason, missing["field"] if missing else ""


def _record_error(index: int, field: str, reason: str, missing: str) -> RecordError:
    if missing:
        return RecordError(index, missing, "missing or null")
    return RecordError(index, field or None, reason)


def _listed(datas: Mapping[Any, Any] | Sequence[Any]) -> Sequence[Any]:
    return list(datas.values()) if isinstance(datas, Mapping) else datas


def _converted(value: object, type_: type[T]) -> T:
    return msgspec.convert(value, type_, strict=False, dec_hook=Key.hook)


def _wide(record: object) -> Any:
    return _converted(record, WideNumber)
