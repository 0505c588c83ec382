"""The answers of the service as structs: one declaration for both encodings (rule R1).

Field names are the JSON keys (in camelCase on the wire), field order is the order of the XML
entries. A decoder fills an ``Answer``; what counts as success (R3) and what a refusal says (R4)
is decided here, once for every encoding.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar, Final, Self, TypeVar

import msgspec
from msgspec import UNSET
from msgspec.structs import FieldInfo

from smspartner.errors import APIError, Complaint, DecodeError, api_error
from smspartner.models.number import RentedNumber

#: Fact A3: the code that says all went well.
CODE_OK: Final = 200


#: The success flag as it may come (rule R3 takes few of them). Not ``Any``: a list of a million
#: lists would be built only to be refused.
Flag = bool | str | int | float | None


class Answer(msgspec.Struct, frozen=True, rename="camel"):
    """What every answer of the service begins with.

    Attributes:
        success: the flag of the wire; True in every answer that is returned.
        told_by_kind: whether its XML entries are told apart by their kind even where nulls are
            kept, so that each could be told by its place.
    """

    told_by_kind: ClassVar[bool] = False

    success: Flag


A = TypeVar("A", bound=Answer)


class ListAnswer(Answer, frozen=True):
    """An answer around one long list, which is read in slices.

    Attributes:
        list_name: the name of the list, on the wire and in Python.
        count_name: the name of the declared count in Python.
        probe: a record with a text that no body can foresee; see ``decoders.slices``.
    """

    list_name: ClassVar[str]
    count_name: ClassVar[str]
    probe: ClassVar[msgspec.Struct]

    @property
    def declared(self) -> int | None:
        """The declared count, None if there is none."""
        count: int | None = getattr(self, self.count_name)
        return count

    @property
    def records(self) -> list[Any]:
        """The records as a list, whatever shape they came in."""
        listed = getattr(self, self.list_name)
        return list(listed.values()) if isinstance(listed, dict) else listed or []

    def with_records(self, records: list[Any]) -> Self:
        """Return it around other records."""
        return msgspec.structs.replace(self, **{self.list_name: records})


L = TypeVar("L", bound=ListAnswer)
#: A text that is fresh in every process, for probes.
PROBE_TEXT: Final = secrets.token_hex(12)


def xml_orders(struct: type[msgspec.Struct]) -> tuple[tuple[FieldInfo, ...], ...]:
    """Return the orders in which the entries of a struct may stand in XML.

    There is one, that of its fields, unless the struct has others in ``xml_orders``: the service
    has had more than one layout (fact A9). A field that is in none of them is known by its name
    alone.
    """
    fields = msgspec.structs.fields(struct)
    by_name = {field.encode_name: field for field in fields}
    orders = getattr(struct, "xml_orders", ())
    return tuple(tuple(map(by_name.__getitem__, order)) for order in orders) or (fields,)


def require_finite(*amounts: Decimal | None) -> None:
    """Refuse "NaN" and "Infinity", which a Decimal would take for amounts.

    Raises:
        ValueError: to be called while msgspec makes a struct, which turns it into its own error.
    """
    if not all(amount is None or amount.is_finite() for amount in amounts):
        raise ValueError("Expected an amount of money")


class Key:
    """A key of an object of records. No two are equal: a record never replaces another (R11)."""

    __slots__ = ()

    @classmethod
    def hook(cls, kind: type, _text: object) -> Key:
        """Return a new key, for the ``dec_hook`` of msgspec."""
        if kind is not cls:
            raise NotImplementedError(f"no answer may declare {kind}")
        return cls()


class RentalAnswer(ListAnswer, frozen=True):
    """The numbers of a rental (fact A2, rule R5).

    Attributes:
        phone_numbers: the declared count.
        datas: the records; an object's values are the records in order (fact A5.6).
    """

    told_by_kind: ClassVar[bool] = True  # rule R5
    list_name: ClassVar[str] = "datas"
    count_name: ClassVar[str] = "phone_numbers"
    probe: ClassVar[RentedNumber] = RentedNumber(0, PROBE_TEXT, stop_sms=False)

    phone_numbers: int | None = None
    datas: list[RentedNumber] | dict[Key, RentedNumber] | None = None

    def __post_init__(self) -> None:
        if self.datas is None and self.phone_numbers is None:
            raise ValueError("a success with neither a count nor numbers: nothing was rented?")


class Refusal(msgspec.Struct, frozen=True):
    """A document read as a refusal: the service's own, the framework's, RFC 7807 (A3, A5.9, A6).

    Decoders fill it with text, True, False, None, and [] for what is not a scalar; numbers come
    as the text that stands in the body, which is the same in every encoding. ``errors`` and
    ``error`` are complaints (fact A6): [] unless each of them is exactly two texts.
    """

    success: Any = UNSET
    code: Any = None
    message: Any = None
    status: Any = None
    title: Any = None
    detail: Any = None
    errors: Sequence[Complaint] = ()
    error: Sequence[Complaint] = ()

    def exception(self) -> APIError:
        """Return the exception that says what this refusal says (rule R4)."""
        code = as_integer(self.status if self.code is None else self.code)
        texts = (_as_text(value) for value in (self.message, self.detail, self.title))
        message = next((text for text in texts if text is not None), None)
        return api_error(code, message, details=tuple(self.errors or self.error))


def as_integer(value: object) -> int | None:
    """Return a scalar of the wire as an integer by rule R7, None where it is not one."""
    try:
        return msgspec.convert(value, int, strict=False)
    except msgspec.ValidationError:
        return None


def _as_text(value: object) -> str | None:
    """Return a scalar of the wire as text without surrounding white space (rule R4).

    None where there is nothing to say: null, blank text, a list, a map.
    """
    if isinstance(value, bool):
        return str(value).lower()
    return (value.strip() or None) if isinstance(value, str) else None


def require_success(refusal: Refusal) -> None:
    """Return if the success flag says yes (rule R3).

    Args:
        refusal: the document, read as a refusal: its flag and, where there is one, its reason.

    Raises:
        APIError: the flag says no, or it is missing from an error of the framework (rule R4).
        DecodeError: the flag is anything else, 1 and 0 included.
    """
    flag = refusal.success.lower() if isinstance(refusal.success, str) else refusal.success
    if flag is True or flag == "true":
        return
    if flag is False or flag == "false":
        raise refusal.exception()
    if flag is UNSET or flag is None:
        error = refusal.exception()
        if error.code != CODE_OK and (error.code is not None or error.message is not None):
            raise error
        raise DecodeError("the answer has no success flag: it is not an answer of this service")
    raise DecodeError("the success flag is neither true nor false, so nothing after it is trusted")
