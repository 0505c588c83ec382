"""Where errors leave the client: the key is masked, the rental named, the frames below are left."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar

from smspartner.errors import APIKeyInvalidError, SMSPartnerError, boundary

P = ParamSpec("P")
R = TypeVar("R")


def public(method: Callable[P, R]) -> Callable[P, R]:
    """Make a method of the client one that errors leave complete, and without frames below.

    Its object holds the API key as ``_key``, None while it is being made. The rental is the
    argument ``token``, or else the object's ``token``.
    """
    names = tuple(signature(method).parameters)

    @boundary
    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(*args, **kwargs)
        except SMSPartnerError as error:
            given: dict[str, Any] = {**dict(zip(names, args, strict=False)), **kwargs}
            _complete(error, given["self"], given.get("token"))
            raise

    return call


def _complete(error: SMSPartnerError, owner: Any, token: object) -> None:
    """Name the rental in an error, and mask the key in all of it."""
    rental = getattr(owner, "token", None) if token is None else token
    if error.token is None and isinstance(rental, str) and rental.strip():
        error.token = rental.strip()
    key = owner._key  # noqa: SLF001 - not asked for gently: without one nothing would be masked
    if key is None:
        return
    if isinstance(error, APIKeyInvalidError) and not hasattr(error, "__notes__"):
        error.add_note(f"the key was taken from {key.origin}; correct it there")
    key.hide_in_error(error)
