"""The answers of the service as structs: one declaration for both encodings (rule R1).

Field names are the JSON keys (in camelCase on the wire), field order is the order of the XML
entries. A decoder fills an ``Answer``; what counts as success (R3) and what a refusal says (R4)
is decided here, once for every encoding.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from operator import attrgetter
from typing import Any, ClassVar, Final, TypeVar

import msgspec
from msgspec import UNSET

from smspartner.errors import APIError, DecodeError, RecordError, api_error
from smspartner.models.number import RentedNumber

#: Fact A3: the code that says all went well.
CODE_OK: Final = 200

_phone = attrgetter("phone")


class Answer(msgspec.Struct, frozen=True, rename="camel"):
    """What every answer of the service begins with.

    Attributes:
        success: True once ``require_success`` has read the flag of the wire.
        told_by_kind: whether its XML entries are told apart by their kind even where nulls are
            kept, so that each could be told by its place.
    """

    told_by_kind: ClassVar[bool] = False

    success: Any


A = TypeVar("A", bound=Answer)


def require_finite(*amounts: Decimal | None) -> None:
    """Refuse "NaN" and "Infinity", which a Decimal would take for amounts.

    Raises:
        ValueError: to be called while msgspec makes a struct, which turns it into its own error.
    """
    if not all(amount is None or amount.is_finite() for amount in amounts):
        raise ValueError("Expected an amount of money")


class RentalAnswer(Answer, frozen=True):
    """The numbers of a rental (fact A2, rule R5).

    Attributes:
        phone_numbers: the declared count.
        datas: the records; an object's values are the records in order (fact A5.6).
    """

    told_by_kind: ClassVar[bool] = True  # rule R5

    phone_numbers: int | None = None
    datas: list[RentedNumber] | dict[str, RentedNumber] | None = None

    @property
    def records(self) -> list[RentedNumber]:
        """The records as a list, whatever shape they came in."""
        if self.datas is None:
            return []
        return list(self.datas.values()) if isinstance(self.datas, dict) else self.datas

    def check(self, *, may_be_blank: bool = True) -> None:
        """Check what no type can say; every decoder calls it.

        Args:
            may_be_blank: False where the decoder knows that no phone is blank.

        Raises:
            DecodeError: a success with neither a count nor a list of numbers (rule R5).
            RecordError: a phone is blank (rule R7); its type refuses empty ones.
        """
        if self.datas is None and self.phone_numbers is None:
            raise DecodeError("a success with neither a count nor numbers: nothing was rented?")
        if not may_be_blank:
            return
        records = self.records
        # Both maps run in C: 40 ns for each record.
        if any(map(str.isspace, map(_phone, records))):
            require_phones(map(_phone, records))


def require_phones(phones: Iterable[object]) -> None:
    """Raise a RecordError for the first phone that is blank text (rule R7).

    Args:
        phones: those of records from the first one on, whatever they are.
    """
    for index, phone in enumerate(phones):
        if isinstance(phone, str) and phone.isspace():
            raise RecordError(index, "phone", "blank")


class Failure(msgspec.Struct, frozen=True):
    """A refusal in any of its forms: the service's own, the framework's, RFC 7807 (A3, A5.9).

    Decoders fill it with text, True, False, None, and [] for what is not a scalar; numbers come
    as the text that stands in the body, which is the same in every encoding.
    """

    success: Any = UNSET
    code: Any = None
    message: Any = None
    status: Any = None
    title: Any = None
    detail: Any = None

    def error(self) -> APIError:
        """Return the exception that says what this refusal says (rule R4)."""
        code = as_integer(self.status if self.code is None else self.code)
        texts = (as_text(value) for value in (self.message, self.detail, self.title))
        return api_error(code, next((text for text in texts if text is not None), None))


def as_integer(value: object) -> int | None:
    """Return a scalar of the wire as an integer by rule R7, None where it is not one."""
    try:
        return msgspec.convert(value, int, strict=False)
    except msgspec.ValidationError:
        return None


def as_text(value: object) -> str | None:
    """Return a scalar of the wire as text without surrounding white space (rule R4).

    None where there is nothing to say: null, blank text, a list, a map.
    """
    if isinstance(value, bool):
        return str(value).lower()
    return (value.strip() or None) if isinstance(value, str) else None


def require_success(failure: Failure) -> None:
    """Return if the success flag says yes (rule R3).

    Args:
        failure: the body, read as a refusal: its flag and, where there is one, its reason.

    Raises:
        APIError: the flag says no, or it is missing from an error of the framework (rule R4).
        DecodeError: the flag is anything else, 1 and 0 included.
    """
    flag = failure.success.lower() if isinstance(failure.success, str) else failure.success
    if flag is True or flag == "true":
        return
    if flag is False or flag == "false":
        raise failure.error()
    if flag is UNSET or flag is None:
        error = failure.error()
        if error.code != CODE_OK and (error.code is not None or error.message is not None):
            raise error
        raise DecodeError("the answer has no success flag: it is not an answer of this service")
    raise DecodeError("the success flag is neither true nor false, so nothing after it is trusted")
