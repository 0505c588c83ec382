"""The account behind the API key: ``GET me``."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import msgspec
from msgspec import UNSET, UnsetType

from smspartner.models.envelope import Answer, require_finite


class User(msgspec.Struct, frozen=True):
    """Whose account it is.

    Attributes:
        username: what the owner logs in with.
        firstname: the owner's.
        lastname: the owner's.
    """

    username: str | None = None
    firstname: str | None = None
    lastname: str | None = None


class Credits(msgspec.Struct, frozen=True, repr_omit_defaults=True):
    """What is left on the account; amounts of money are exact decimals, in ``currency``.

    Attributes:
        sms: how many SMS can be sent.
        sms_eco: how many SMS of the cheaper kind.
        hlr: how many look-ups of a phone.
        to_send: how many SMS are planned.
        solde: the money that is left, under its French name.
        currency: ISO 4217 code.
        balance: the money that is left, under its English name; the service sends both, older
            accounts had it alone.
        low_cost: ``sms_eco`` under its name of 2018; it is there instead, and this is never set.
    """

    # Without a solde the balance stands where the solde does: XML cannot tell them (fact A9).
    xml_orders: ClassVar = (
        ("creditSms", "creditSmsECO", "creditHlr", "toSend", "solde", "currency", "balance"),
        ("creditSms", "creditSmsECO", "creditHlr", "toSend", "balance", "currency"),
    )

    sms: int | None = msgspec.field(name="creditSms", default=None)
    sms_eco: int | None = msgspec.field(name="creditSmsECO", default=None)
    hlr: int | None = msgspec.field(name="creditHlr", default=None)
    to_send: int | None = msgspec.field(name="toSend", default=None)
    solde: Decimal | None = None
    currency: str | None = None
    balance: Decimal | None = None
    low_cost: int | UnsetType | None = msgspec.field(name="creditSmsLowCost", default=UNSET)

    def __post_init__(self) -> None:
        require_finite(self.solde, self.balance)
        if self.sms_eco is None and self.low_cost is not UNSET:
            msgspec.structs.force_setattr(self, "sms_eco", self.low_cost)
        msgspec.structs.force_setattr(self, "low_cost", UNSET)


class Account(Answer, frozen=True):
    """The answer to ``GET me``.

    Attributes:
        code: 200, where all is well.
        user: whose account it is.
        credits: what is left on it.
    """

    code: int | None = None
    user: User | None = None
    credits: Credits | None = None
