"""The status of a rental (fact A4)."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Final

import msgspec

from smspartner.models.envelope import Answer, require_finite


class RentalState(Enum):
    """Where a rental is in its life. The values are the service's codes; it documents no 4."""

    REQUESTED = 0
    GENERATING = 1
    READY = 2
    FAILED = 3
    DOWNLOADED = 5
    #: A code or text this library does not know; ``RentalStatus.status`` keeps it.
    UNKNOWN = None


#: The texts of fact A4: those of its list, and that of its sample. No other is guessed at.
_TEXTS: Final = {
    "requested": RentalState.REQUESTED,
    "file being generated": RentalState.GENERATING,
    "file ready": RentalState.READY,
    "request failed": RentalState.FAILED,
    "file already downloaded": RentalState.DOWNLOADED,
    "file downloaded by user from api": RentalState.DOWNLOADED,
}
_CODES: Final = {str(state.value): state for state in RentalState if state.value is not None}


class Place(msgspec.Struct, frozen=True, rename="pascal"):
    """One place of the targeting.

    Attributes:
        type: what kind of place, such as ``cp`` for a postcode.
        location: the place.
        volume_desired: how many contacts were asked for there.
        volume: how many there are.
    """

    type: str | None = None
    location: str | None = None
    volume_desired: int | None = None
    volume: int | None = None


class Cost(msgspec.Struct, frozen=True):
    """What the rental costs, in the account's currency; exact decimals, as the service sent them.

    Attributes:
        quantity: how many numbers are paid for.
        total: the price of all.
        cost_unity: the price of one.
    """

    quantity: int | None = None
    total: Decimal | None = None
    cost_unity: Decimal | None = None

    def __post_init__(self) -> None:
        require_finite(self.total, self.cost_unity)


class Targeting(msgspec.Struct, frozen=True):
    """Whom the rental is for.

    Attributes:
        sex: ``femme``, ``homme`` …, as the service says it.
        min_age: in years.
        max_age: in years.
        zipcode: text, it may begin with 0.
        interest: the service's identifier of an interest.
        category: the service's identifier of a category.
        places: where they live.
        cost: what it costs.
    """

    sex: str | None = msgspec.field(name="sexe", default=None)
    min_age: int | None = msgspec.field(name="minAge", default=None)
    max_age: int | None = msgspec.field(name="maxAge", default=None)
    zipcode: str | None = None
    interest: str | None = None
    category: int | None = None
    places: list[Place] | None = msgspec.field(name="details_localisation", default=None)
    cost: Cost | None = None


class FileInfo(msgspec.Struct, frozen=True, rename="camel"):
    """The rental's file.

    Attributes:
        phone_numbers: how many numbers are in it.
    """

    phone_numbers: int | None = None


class RentalStatus(Answer, frozen=True):
    """The status of a rental.

    Attributes:
        token: the rental's token.
        status: the service's own code or words, as text; ``state`` says what they mean.
        targeting: whom the rental is for.
        file: its file, None as long as there is none.
    """

    token: str
    status: str | int
    targeting: Targeting | None = msgspec.field(name="location", default=None)
    file: FileInfo | None = None

    def __post_init__(self) -> None:
        # XML cannot tell 5 from "5": both are kept as text, so that both formats are equal.
        msgspec.structs.force_setattr(self, "status", str(self.status))

    @property
    def state(self) -> RentalState:
        """Where the rental is in its life."""
        text = str(self.status).strip()
        return _CODES.get(text) or _TEXTS.get(text.lower(), RentalState.UNKNOWN)

    @property
    def pending(self) -> bool:
        """Whether the file is not there yet, but may still come."""
        return self.state in {
            RentalState.REQUESTED,
            RentalState.GENERATING,
            RentalState.UNKNOWN,
        }

    @property
    def numbers(self) -> int | None:
        """How many numbers are in the file."""
        return self.file.phone_numbers if self.file else None
