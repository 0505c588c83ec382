"""Every answer that the package declares, each with a sample that has all of its keys."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final

import smspartner.models
from smspartner.models.account import Account
from smspartner.models.envelope import Answer, ListAnswer, RentalAnswer
from smspartner.models.quote import Quote
from smspartner.models.status import RentalStatus
from smspartner.models.stops import StopAdded, StopList, StopRemoved
from smspartner.sandbox.wire import Named

_NUMBER: Final = {"id": 4314, "phone": "+33639980011", "stopSms": False}
_PLACE: Final = {"Type": "cp", "Location": "60200", "VolumeDesired": "10", "Volume": "266"}
_STOP: Final = {"id": 19, "phoneNumber": "+33639980042", "createdAt": "2015-07-20 10:19:45"}

#: The service's own samples (facts A2, A4, A7, A8, A9); the phones are those for fiction.
SAMPLES: Final[dict[type[Answer], dict[str, Any]]] = {
    RentalAnswer: {"success": True, "phoneNumbers": 1, "datas": [_NUMBER]},
    RentalStatus: {
        "success": True,
        "token": "t",
        "status": "File downloaded by user from api",
        "location": {
            "sexe": "femme",
            "minAge": 31,
            "maxAge": 49,
            "zipcode": "60200",
            "interest": "12",
            "category": 103,
            "details_localisation": [_PLACE],
            "cost": {"quantity": 10, "total": "0.900", "cost_unity": "0.090"},
        },
        "file": {"phoneNumbers": "10"},
    },
    Account: {
        "success": True,
        "code": 200,
        "user": Named(username="exemple@email.com", firstname="John", lastname="Doe"),
        "credits": {
            "creditSms": 269082,
            "creditSmsECO": 444570,
            "creditHlr": 2045023,
            "toSend": 0,
            "solde": "10225.119",
            "currency": "EUR",
            "balance": "10225.119",
        },
    },
    Quote: {
        "success": True,
        "op": "price",
        "datas": [
            {"Type": "CP", "Localite": "06200", "Volume": 20},
            {"Type": "total", "Localite": "total", "Volume": 20},
        ],
        "cost": {"quantity": 20, "total": 2.52, "cost_unity": 0.09},
    },
    StopList: {"success": True, "code": 200, "nbData": 1, "data": [_STOP]},
    StopAdded: {"success": True, "code": 200, "stopId": 300},
    StopRemoved: {"success": True, "code": 200},
}


def declared_answers() -> set[type[Answer]]:
    """Return the structs of all answers that a module of ``smspartner.models`` declares."""
    for module in pkgutil.iter_modules(smspartner.models.__path__, "smspartner.models."):
        import_module(module.name)
    return {kind for kind in _below(Answer) if kind.__module__.startswith("smspartner.models.")} - {
        ListAnswer
    }


def _below(kind: type[Answer]) -> Iterator[type[Answer]]:
    for sub in kind.__subclasses__():
        yield sub
        yield from _below(sub)
