"""The stop list of the account: who must not be written to (fact A8)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar, Final, overload

import msgspec

from smspartner.errors import CountMismatchError, DecodeError, RecordError
from smspartner.models.envelope import PROBE_TEXT, Answer, Key, ListAnswer
from smspartner.models.masks import mask_phone
from smspartner.models.number import Phone

#: What stands between the digits of a phone. No colon: a time is none, which XML may have here.
_BETWEEN: Final = re.compile(r"[\s+()./,_-]+")
#: The shortest national numbers have six digits.
_FEWEST: Final = 6


class Stop(msgspec.Struct, frozen=True, gc=False):
    """One phone on the stop list.

    Attributes:
        id: the service's identifier of the entry, which ``Client.remove_stop`` takes.
        phone: the phone as the service sent it, never edited (rule R7).
        created_at: when it was added, as the service says it: its time has no zone.
    """

    id: int
    phone: Phone = msgspec.field(name="phoneNumber")
    created_at: str | None = msgspec.field(name="createdAt", default=None)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"Stop({shown})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # rich asks for fields, not for repr
        phone = mask_phone(self.phone)
        return [("id", self.id), ("phone", phone), ("created_at", self.created_at)]


class StopList(ListAnswer, frozen=True):
    """The stop list: a sequence of ``Stop``, which exports take as ``opt_outs``.

    Attributes:
        code: 200, where all is well.
        nb_data: how many there are, as the service says.
        data: the entries.
    """

    list_name: ClassVar[str] = "data"
    count_name: ClassVar[str] = "nb_data"
    probe: ClassVar[Stop] = Stop(0, PROBE_TEXT, PROBE_TEXT)

    code: int | None = None
    nb_data: int | None = None
    data: list[Stop] | dict[Key, Stop] | None = None

    def __post_init__(self) -> None:
        if isinstance(self.data, dict):  # fact A5.6
            msgspec.structs.force_setattr(self, "data", self.records)

    def check(self) -> None:
        """Check what no type can say; what is doubtful is refused, as people would be written to.

        Raises:
            DecodeError: neither a count nor entries.
            CountMismatchError: there are not as many entries as declared.
            RecordError: a phone is none that can be compared with others.
        """
        if self.data is None and self.nb_data is None:
            raise DecodeError("a success with neither a count nor entries: is this a stop list?")
        if self.nb_data is not None and self.nb_data != len(self):
            raise CountMismatchError(self.nb_data, len(self))
        for index, phone in enumerate(self.phones):
            if not _is_phone(phone):
                raise RecordError(index, "phoneNumber", "Expected a phone, got another text")

    @property
    def phones(self) -> tuple[str, ...]:
        """The phones on it."""
        return tuple(stop.phone for stop in self)

    def __len__(self) -> int:
        return len(self.records)

    @overload
    def __getitem__(self, place: int) -> Stop: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Stop, ...]: ...
    def __getitem__(self, place: int | slice) -> Stop | tuple[Stop, ...]:
        return tuple(self)[place]

    def __iter__(self) -> Iterator[Stop]:
        return iter(self.records)

    def __repr__(self) -> str:
        return f"StopList({len(self)} phones)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:  # rich would print every phone
        return [("phones", len(self))]


def _is_phone(text: str) -> bool:
    digits = _BETWEEN.sub("", text)
    return digits.isdecimal() and len(digits) >= _FEWEST


class StopAdded(Answer, frozen=True):
    """The answer to ``stop-sms/add``.

    Attributes:
        code: 200, where all is well.
        stop_id: the identifier of the new entry.
    """

    # Not optional: where it is missing, XML would have the code where the id belongs.
    code: int
    stop_id: int


class StopRemoved(Answer, frozen=True):
    """The answer to ``stop-sms/delete``.

    Attributes:
        code: 200, where all is well.
    """

    code: int | None = None
