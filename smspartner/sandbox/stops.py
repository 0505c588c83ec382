"""The stop list of the account (fact A8)."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import count
from threading import Lock

from smspartner.models.phones import normalise
from smspartner.sandbox.refusals import refusal
from smspartner.sandbox.wire import Value


class StopList:
    """The phones that must not be written to; safe to use from many threads.

    Args:
        phones: those that are on it from the start, in any spelling.

    Raises:
        APIError: a phone is not valid, or given twice.
    """

    def __init__(self, phones: Iterable[str] = ()) -> None:
        self._lock = Lock()
        self._ids = count(300)  # the first one added has the id of the documented sample
        self._stops: dict[int, tuple[str, str]] = {}
        self._phones: set[str] = set()
        for phone in phones:
            self.add(phone)

    @property
    def phones(self) -> list[str]:
        """The phones in E.164, oldest first."""
        with self._lock:
            return [phone for phone, _ in self._stops.values()]

    def add(self, phone: str) -> int:
        """Put a phone on the list and return its id.

        Raises:
            APIError: the phone is not valid (code 9) or there already (code 3).
        """
        e164 = normalise(phone).e164
        if e164 is None:
            said = f"This phone number is not valid ({phone})"
            raise refusal(9, details=(("children[phoneNumber].data", said),))
        with self._lock:
            if e164 in self._phones:
                raise refusal(3, "Ce numéro est déjà dans la liste des stops")
            stop_id = next(self._ids)
            self._phones.add(e164)
            self._stops[stop_id] = (e164, time.strftime("%Y-%m-%d %H:%M:%S"))
            return stop_id

    def remove(self, stop_id: int) -> None:
        """Take a phone from the list.

        Raises:
            APIError: there is no such id (code 4).
        """
        with self._lock:
            if stop_id not in self._stops:
                raise refusal(4, "Cet identifiant est introuvable")
            self._phones.remove(self._stops.pop(stop_id)[0])

    def said(self) -> Value:
        """Return the answer to ``stop-sms/list``."""
        with self._lock:
            stops: list[Value] = [
                {"id": stop_id, "phoneNumber": phone, "createdAt": created}
                for stop_id, (phone, created) in self._stops.items()
            ]
        return {"success": True, "code": 200, "nbData": len(stops), "data": stops}
