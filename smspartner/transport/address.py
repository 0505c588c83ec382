"""Where the service is, checked before anything is sent there: the key travels in the address."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

import msgspec

from smspartner.errors import ConfigurationError

_PORTS: Final = {"https": 443, "http": 80}
_NOT_IN_AN_ADDRESS: Final = re.compile(r"[\x00-\x20\x7f\\]")


class Address(msgspec.Struct, frozen=True):
    """The base address of the service.

    Attributes:
        url: scheme and host in lower case, without a slash at its end.
        peer: host and port, as error messages name them.
    """

    url: str
    peer: str

    @classmethod
    def parse(cls, base_url: str, *, allow_http: bool = False) -> Address:
        """Return the address of a base URL.

        Args:
            base_url: https, or http to this machine: ``https://api.smspartner.fr/v1``.
            allow_http: whether http may go anywhere.

        Raises:
            ConfigurationError: not such an address. The message does not repeat it, since a
                key may have been pasted with it.
        """
        parts = _split(base_url)
        host = parts.hostname or ""
        if parts.scheme == "http" and not (allow_http or _is_loopback(host)):
            raise ConfigurationError(
                f"the base URL must begin with https:// (the key is sent to {host}); "
                "plain http is for this machine only (allow_http=)"
            )
        # urlsplit writes the scheme in lower case; from here on it is compared as it is.
        url = parts._replace(netloc=parts.netloc.lower()).geturl()
        return cls(url.rstrip("/"), peer_of(parts))

    def require_private(self, proxy: str | None) -> None:
        """Refuse to send what is not encrypted through a proxy that is not this machine.

        Args:
            proxy: the address of the proxy on the way, or None.

        Raises:
            ConfigurationError: the key could be read on the way to the proxy, and there.
        """
        plain = self.url.startswith("http:")
        if plain and proxy and not _is_loopback(split_proxy(proxy).hostname or ""):
            raise ConfigurationError(
                f"plain http to {self.peer} would go through the proxy {peer_shown(proxy)}, which "
                "could read the key; leave that proxy out (allow_http=)"
            )


def peer_of(parts: SplitResult) -> str:
    """Return "host:port" of a URL that has been split.

    Raises:
        ValueError: the port is not a number from 0 to 65535.
    """
    host = parts.hostname or ""
    port = parts.port or _PORTS.get(parts.scheme, 0)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def split_proxy(url: str) -> SplitResult:
    """Return the parts of the address of a proxy; without a scheme it is http.

    Raises:
        ValueError: not an address.
    """
    return urlsplit(url if "://" in url else f"http://{url}")


def peer_shown(url: str) -> str:
    """Return "host:port" of a proxy as an error message may show it: no password, no path."""
    try:
        return peer_of(split_proxy(url)) if url else ""
    except ValueError:
        return "(not an address)"


def _split(base_url: str) -> SplitResult:
    parts: SplitResult | None
    try:
        parts = urlsplit(base_url)
        peer_of(parts).encode("idna")
    except ValueError:
        parts = None
    if parts is None or not parts.hostname or parts.scheme not in _PORTS:
        raise ConfigurationError(
            "the base URL is not an address such as https://api.smspartner.fr/v1"
        )
    if parts.username is not None or "?" in base_url or "#" in base_url:
        raise ConfigurationError("the base URL must have no user name, no '?' and no '#'")
    if _NOT_IN_AN_ADDRESS.search(base_url):
        raise ConfigurationError("the base URL has a space, backslash or control character in it")
    return parts


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
