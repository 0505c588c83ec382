"""The account behind the API key: ``GET me``."""

from __future__ import annotations

from decimal import Decimal

import msgspec

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


class Credits(msgspec.Struct, frozen=True):
    """What is left on the account; amounts of money are exact decimals, in ``currency``.

    Attributes:
        sms: how many SMS can be sent.
        sms_eco: how many SMS of the cheaper kind.
        hlr: how many look-ups of a phone.
        to_send: how many SMS are planned.
        solde: the money that is left, under its French name.
        currency: ISO 4217 code.
        balance: the money that is left, under its English name; the service sends both.
    """

    sms: int | None = msgspec.field(name="creditSms", default=None)
    sms_eco: int | None = msgspec.field(name="creditSmsECO", default=None)
    hlr: int | None = msgspec.field(name="creditHlr", default=None)
    to_send: int | None = msgspec.field(name="toSend", default=None)
    solde: Decimal | None = None
    currency: str | None = None
    balance: Decimal | None = None

    def __post_init__(self) -> None:
        require_finite(self.solde, self.balance)


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
