"""Arguments, checked before anything is sent: what is wrong is named."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, Final

from smspartner.decoders.limits import Limits
from smspartner.errors import ConfigurationError, TokenMissingError
from smspartner.models.number import has_surrogates
from smspartner.transport import Transport

SECONDS: Final = "a number of seconds"
_NUMBER: Final = (int, float)
_PATH: Final = (str, os.PathLike)
_NONE: Final = type(None)

#: What each option of a client has to be: its types, and in words.
_OPTIONS: Final[dict[str, tuple[tuple[type, ...], str]]] = {
    "api_key": ((str, _NONE), "text"),
    "key_file": ((*_PATH, _NONE), "the name of a file"),
    "base_url": ((str, _NONE), "an address such as https://api.smspartner.fr/v1"),
    "timeout": (_NUMBER, SECONDS),
    "deadline": ((*_NUMBER, _NONE), f"{SECONDS}, or None"),
    "retries": ((int,), "a whole number"),
    "proxies": ((Mapping, _NONE), 'a map such as {"https": "http://proxy.example:3128"}'),
    "verify": ((bool, *_PATH), "True, False, or the name of a file of certificates"),
    "allow_http": ((bool,), "True or False"),
    "limits": ((Limits,), "Limits(…)"),
}


def require(name: str, value: object, kinds: tuple[type, ...], words: str) -> None:
    """Require an argument of one of some types; a boolean is no number.

    Raises:
        ConfigurationError: it is none of them. The message does not repeat it: it may be a secret.
    """
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise ConfigurationError(f"{name}= must be {words}, not {type(value).__name__}")


def require_options(**options: Any) -> None:
    """Require the options of a client to be of the right types.

    Raises:
        ConfigurationError: one is not; the message names it.
    """
    for name, value in options.items():
        require(name, value, *_OPTIONS[name])
    for name, proxy in (options.get("proxies") or {}).items():
        require("proxies", name, (str,), "a map from text to text")
        require("proxies", proxy, (str, _NONE), "a map from text to text")


def require_transport(transport: Transport | None) -> None:
    """Require a transport to be one.

    Raises:
        ConfigurationError: it cannot send requests.
    """
    for name in ("send", "close") if transport is not None else ():
        if not callable(getattr(transport, name, None)):
            raise ConfigurationError(
                "transport= must have the methods of Transport; "
                f"{type(transport).__name__} has no {name}"
            )


def require_token(token: object) -> str:
    """Return a token that can be sent, without white space around it.

    Raises:
        ConfigurationError: it is not text, or holds what UTF-8 cannot.
        TokenMissingError: there is nothing in it.
    """
    require("token", token, (str,), "the token of a rental, as text")
    stripped = _sendable(str(token)).strip()
    if not stripped:
        raise TokenMissingError(31, "a rental's token is needed, and it is empty")
    return stripped


def require_tokens(tokens: Iterable[str]) -> list[str]:
    """Return tokens without the white space around them, each once, blank ones left out.

    Raises:
        ConfigurationError: they are one text, or not text.
    """
    if isinstance(tokens, str):
        raise ConfigurationError("give a list of tokens, not one text")
    found: dict[str, None] = {}
    for token in tokens:
        if not isinstance(token, str):
            raise ConfigurationError(f"a rental's token is text, not {type(token).__name__}")
        if _sendable(token).strip():
            found[token.strip()] = None
    return list(found)


def _sendable(token: str) -> str:
    if has_surrogates(token):
        raise ConfigurationError("a rental's token is not text: look at how it was read")
    return token
