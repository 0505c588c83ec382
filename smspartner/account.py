"""The account behind the API key: ``GET me``."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from smspartner.answers import Answer, require_finite


class User(msgspec.Struct, frozen=True):
    """Whose account it is."""

    username: str | None = None
    firstname: str | None = None
    lastname: str | None = None


class Credits(msgspec.Struct, frozen=True):
    """What is left on the account; amounts of money are exact decimals, in ``currency``."""

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
    """The answer to ``GET me``."""

    code: int | None = None
    user: User | None = None
    credits: Credits | None = None
