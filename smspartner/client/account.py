"""What a client asks about the account: its credit, prices, the stop list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from smspartner.client.arguments import require
from smspartner.client.base import BaseClient
from smspartner.client.boundary import public
from smspartner.errors import APIError, ConfigurationError
from smspartner.models.masks import mask_digits
from smspartner.models.number import has_surrogates
from smspartner.transport import Request

if TYPE_CHECKING:
    from smspartner.models.account import Account
    from smspartner.models.quote import Quote, Targeting
    from smspartner.models.stops import StopList


_IDS: Final = range(2**63)


class AccountClient(BaseClient):
    """Asks about the account; ``Client`` adds what is about rentals."""

    @public
    def credits(self, *, format: str = "json") -> Account:  # noqa: A002 - as everywhere
        """Return whose account the key belongs to, and what is left on it; errors as ``status``."""
        from smspartner.models.account import Account  # noqa: PLC0415 - as all below: not to download

        request = Request(path="me", query={"_format": format}, repeatable=True)
        return self._open().answer(request, Account)

    @public
    def quote(
        self,
        targeting: Targeting,
        volumes: Mapping[str, int],
        *,
        format: str = "json",  # noqa: A002 - as everywhere
    ) -> Quote:
        """Return what a rental would cost (fact A7). Nothing is rented, and nothing paid.

        Args:
            targeting: whom it would be for.
            volumes: how many numbers at each place: ``{"60200": 20}``.
            format: "json" or "xml".

        Raises:
            ConfigurationError: what the service would refuse; nothing was sent.
            APIError: the service refused; a note names the field where its code does.
            TransportError, DecodeError: as for ``status``.
        """
        from smspartner.models.quote import FIELDS, Quote, require_volumes  # noqa: PLC0415

        caller = self._open()
        wanted = require_volumes(targeting, volumes)
        body = {"op": "price", "parameters": targeting.parameters(), "volumes": wanted}
        request = Request(
            path="location/optin", query={"_format": format}, body=body, repeatable=True
        )
        try:
            found = caller.answer(request, Quote)
        except APIError as error:
            if error.code in FIELDS:
                error.add_note(f"code {error.code} is about {FIELDS[error.code]}")
            raise
        found.check()
        return found

    @public
    def stop_list(self, *, format: str = "json") -> StopList:  # noqa: A002 - as everywhere
        """Return who must not be written to, as the account knows (fact A8); errors as ``status``.

        Raises:
            CountMismatchError: there are not as many entries as declared, so some may be missing.
        """
        from smspartner.models.stops import StopList  # noqa: PLC0415

        request = Request(path="stop-sms/list", query={"_format": format}, repeatable=True)
        found = self._open().answer(request, StopList)
        found.check()
        return found

    @public
    def add_stop(self, phone: str) -> int:
        """Put a phone on the stop list, and return the identifier of the entry.

        It is sent once: where its answer is lost, look at ``stop_list`` before adding it again.

        Args:
            phone: in any spelling that the service takes.

        Raises:
            APIError: the service refused: 3 for a phone that is on it, 9 for one that is none. The
                phone is hidden in what the service says of it.
            TransportError, DecodeError: as for ``status``; ``retryable`` where it was not sent.
        """
        from smspartner.models.stops import StopAdded  # noqa: PLC0415

        require("phone", phone, (str,), "a phone, as text")
        if not phone.strip():
            raise ConfigurationError("phone= is empty")
        if has_surrogates(phone):
            raise ConfigurationError("phone= is not text: look at how it was read")
        request = Request(
            path="stop-sms/add", query={"_format": "json"}, body={"phoneNumber": phone.strip()}
        )
        try:
            return self._open().answer(request, StopAdded).stop_id
        except APIError as error:
            _hide_phone(error)
            raise

    @public
    def remove_stop(self, stop_id: int) -> None:
        """Take an entry from the stop list.

        Args:
            stop_id: its identifier, ``Stop.id``.

        Raises:
            APIError: the service refused: 4 for an entry that is not there.
            TransportError, DecodeError: as for ``add_stop``.
        """
        from smspartner.models.stops import StopRemoved  # noqa: PLC0415

        require("stop_id", stop_id, (int,), "the id of a stop, a whole number")
        if stop_id not in _IDS:
            raise ConfigurationError("stop_id= is no id: it must be 0 or more, and below 2^63")
        query = {"id": str(stop_id), "_format": "json"}
        self._open().answer(Request(path="stop-sms/delete", query=query), StopRemoved)


def _hide_phone(error: APIError) -> None:
    """Hide the phone that a service repeats in its refusal (fact A6)."""
    error.message = mask_digits(error.message) if error.message else None
    error.details = tuple((element, mask_digits(text)) for element, text in error.details)
    error.args = (error.code, error.message, error.http_status, error.details)
