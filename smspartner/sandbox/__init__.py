"""A stand-in for SMS Partner on 127.0.0.1: both formats, every error, faults on demand.

    >>> from smspartner.sandbox import Sandbox
    >>> with Sandbox(numbers=3) as sandbox:
    ...     address = f"{sandbox.url}/location/file/download"

It needs nothing but the standard library, keeps nothing on disk, opens no port but one on the
loopback interface, and gives the same numbers for the same seed on every machine. All phones are
among those reserved for fiction.

Way of a request: ``server`` takes it in, ``settings`` reads what its token means, ``service``
says what SMS Partner would (``bodies`` and ``wire`` in the serializer's style, ``rentals`` whether
a file is ready), and ``exchange`` sends it, unless one of the ``faults`` gets hold of it.
"""

from __future__ import annotations

from smspartner.sandbox.bodies import body_size, render
from smspartner.sandbox.faults import FAULTS
from smspartner.sandbox.people import number_at
from smspartner.sandbox.rentals import State
from smspartner.sandbox.sandbox import Sandbox
from smspartner.sandbox.server import Request
from smspartner.sandbox.settings import Settings

__all__ = [
    "FAULTS",
    "Request",
    "Sandbox",
    "Settings",
    "State",
    "body_size",
    "number_at",
    "render",
]
