"""What the service refuses, and in which words (facts A3, A6, A8)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from smspartner.errors import APIError, Complaint
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

# Where refusals have an HTTP status of their own (``http_errors``); the others have 400.
_STATUSES: Final[dict[int | None, HTTPStatus]] = {
    1: HTTPStatus.UNAUTHORIZED,
    10: HTTPStatus.FORBIDDEN,
    32: HTTPStatus.NOT_FOUND,
    33: HTTPStatus.NOT_FOUND,
}


def refusal(code: int, message: str | None = None, details: tuple[Complaint, ...] = ()) -> APIError:
    """Return what an endpoint raises.

    Args:
        code: the code.
        message: the words; those of the code where it has its own.
        details: complaints about fields. A refusal with complaints has no message (fact A6).
    """
    return APIError(code, message or _MESSAGES.get(code), None, details)


def said(error: APIError) -> Value:
    """Return what the body of a refusal says."""
    if error.details:
        errors = [{"elementId": name, "message": words} for name, words in error.details]
        return {"success": False, "code": error.code, "errors": errors}
    return {"success": False, "code": error.code, "message": error.message}


def http_status(error: APIError) -> HTTPStatus:
    """Return the HTTP status of a refusal where refusals have one of their own."""
    return _STATUSES.get(error.code, HTTPStatus.BAD_REQUEST)
