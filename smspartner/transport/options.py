"""The options of a transport, checked before anything is sent."""

from __future__ import annotations

import math
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Final

from smspartner.errors import ConfigurationError
from smspartner.models.masks import Hidden
from smspartner.transport.adapter import tls_context
from smspartner.transport.address import split_proxy

_PROXY_SCHEMES: Final = {"http", "https", "socks4", "socks4a", "socks5", "socks5h"}


class Options(Hidden, frozen=True, kw_only=True):
    """What a transport may be told; it has no repr, as proxies may hold a password.

    Attributes:
        timeout: seconds without a byte, while connecting and while reading.
        deadline: seconds for a whole call, None for no end.
        retries: attempts after the first one.
        backoff: the longest wait before the first retry, in seconds; it doubles from there.
        max_body: bytes of a decoded body.
        proxies: as requests takes them: ``{"https": "http://proxy.example:3128"}``.
        verify: whether TLS certificates are verified, or the file or folder of the authorities.

    Raises:
        ConfigurationError: an option that cannot work.
    """

    timeout: float
    deadline: float | None
    retries: int
    backoff: float
    max_body: int
    proxies: Mapping[str, str]
    verify: bool | str

    def __post_init__(self) -> None:
        _seconds("timeout", self.timeout)
        if self.deadline is not None:
            _seconds("deadline", self.deadline)
        if not 0 < self.max_body < math.inf:
            raise ConfigurationError("max_body must be a number of bytes above 0")
        if self.retries < 0 or not self.backoff >= 0:
            raise ConfigurationError("retries and backoff must be 0 or more")
        if isinstance(self.verify, str):
            _check_authorities(self.verify)

    @staticmethod
    def proxies_of(given: Mapping[str, str] | None) -> dict[str, str]:
        """Return proxies as requests compares them: names and schemes in lower case.

        Raises:
            ConfigurationError: one that is no address of a proxy.
        """
        return {name.lower(): _checked(url) if url else url for name, url in (given or {}).items()}


#: Seconds, more than 30 years: beyond it, clocks and sockets overflow.
_ENDLESS: Final = 1e9


def _seconds(name: str, value: float) -> None:
    # Written so that not-a-number is refused as well.
    if not 0 < value <= _ENDLESS:
        raise ConfigurationError(f"{name} must be a number of seconds above 0, at most 1e9")


def _checked(url: str) -> str:
    wrong = ConfigurationError(
        "an entry of proxies= is not an address such as http://proxy.example:3128"
    )
    try:
        parts = split_proxy(url)
        port = parts.port
    except ValueError:
        raise wrong from None
    if not parts.hostname or parts.scheme not in _PROXY_SCHEMES or port == 0:
        raise wrong
    if parts.scheme.startswith("socks") and find_spec("socks") is None:
        raise ConfigurationError("a SOCKS proxy needs one more package: pip install PySocks")
    return parts.geturl()


def _check_authorities(path: str) -> None:
    try:
        tls_context(path)
    except OSError:
        raise ConfigurationError(
            f"verify= is no folder, nor a file of certificates in PEM form: {path}"
        ) from None
