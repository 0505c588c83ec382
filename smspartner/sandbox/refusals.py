"""What the service refuses, and in which words (facts A3, A6, A8)."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

from smspartner.sandbox.wire import Value

_MESSAGES: Final[dict[int, str]] = {
    1: "La Clé API est requise",
    10: "Clé API incorrecte",
    31: "Le token de la location est requis",
    32: "Location introuvable",
    33: "Le fichier de la location est introuvable",
    34: "Le fichier de la location a déjà été utilisé",
    35: "Le fichier de la location est en cours de téléchargement",
    36: "La location du fichier a échoué",
    90: "Le JSON envoyé est mal formé",
}

# The HTTP status of a refusal where refusals have one of their own (``http_errors``).
_STATUSES: Final = {
    1: HTTPStatus.UNAUTHORIZED,
    10: HTTPStatus.FORBIDDEN,
    32: HTTPStatus.NOT_FOUND,
    33: HTTPStatus.NOT_FOUND,
}


class Refusal(Exception):  # noqa: N818 - an answer of the service, no failure
    """The service refuses; raised by an endpoint, answered to the client.

    Args:
        code: the code.
        message: the words; those of the code where it has its own.
        complaints: pairs of a form's element and what is wrong with it. A refusal with
            complaints has no message (fact A6).
    """

    def __init__(
        self, code: int, message: str = "", complaints: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__(code)
        self.code = code
        self._message = message or _MESSAGES.get(code)
        self._complaints = complaints

    @property
    def status(self) -> HTTPStatus:
        """The HTTP status where refusals have one of their own."""
        return _STATUSES.get(self.code, HTTPStatus.BAD_REQUEST)

    def said(self) -> Value:
        """Return what the body says."""
        if self._complaints:
            errors = [{"elementId": name, "message": words} for name, words in self._complaints]
            return {"success": False, "code": self.code, "errors": errors}
        return {"success": False, "code": self.code, "message": self._message}
