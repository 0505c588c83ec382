"""A stand-in for SMS Partner on 127.0.0.1: both formats, every error, faults on demand.

    >>> from smspartner.sandbox import Sandbox
    >>> with Sandbox(numbers=3) as sandbox:
    ...     address = f"{sandbox.url}/location/file/download"

It keeps nothing on disk, opens no port but one on the loopback interface, and gives the same
numbers for the same seed on every machine. All made-up phones are reserved for fiction.

The way of a request: ``server`` reads it, ``settings`` says what its token means, ``endpoints``
answers as SMS Partner would, and ``exchange`` sends the answer, unless one of ``faults`` strikes.
Behind the endpoints: ``ledger`` knows the state of each rental, ``bodies`` and ``records`` its
numbers, ``stops`` the stop list, ``targeting`` the price; ``wire`` writes as the serializer does.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from smspartner.sandbox.bodies import body_size, render
    from smspartner.sandbox.faults import FAULTS
    from smspartner.sandbox.messages import Request
    from smspartner.sandbox.people import number_at
    from smspartner.sandbox.sandbox import Sandbox
    from smspartner.sandbox.settings import Settings

__all__ = [
    "FAULTS",
    "Request",
    "Sandbox",
    "Settings",
    "body_size",
    "number_at",
    "render",
]

# Loaded when first used: pytest imports this package wherever it is installed (``pytest_plugin``).
_HOMES: Final = {
    "FAULTS": "faults",
    "Request": "messages",
    "Sandbox": "sandbox",
    "Settings": "settings",
    "body_size": "bodies",
    "number_at": "people",
    "render": "bodies",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
