"""What requests sends with: one TLS context, and connections that are used again."""

from __future__ import annotations

import os
import ssl
from typing import Any, Final, TypeAlias
from weakref import WeakSet

import requests
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from requests.structures import CaseInsensitiveDict
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import HTTPConnectionPool

from smspartner.transport.call import current_call
from smspartner.transport.connection import guarded, is_guarded

#: Connections that are kept; more can be open at a time, and are closed after their use.
_KEPT: Final = 100

Verify: TypeAlias = bool | str
Certificate: TypeAlias = str | tuple[str, str] | None


class Adapter(HTTPAdapter):
    """Makes connections that keep to a call, and keeps them; safe to use from several threads.

    Args:
        verify: how an https proxy is verified: as for ``tls_context``.
    """

    def __init__(self, verify: Verify) -> None:
        self._verify = verify
        self._contexts: dict[tuple[Verify, Certificate], ssl.SSLContext] = {}
        self._pools: WeakSet[HTTPConnectionPool] = WeakSet()
        super().__init__(pool_maxsize=_KEPT)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        """Return where a request goes, and the one TLS context for it."""
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        if host["scheme"] != "https":
            return host, {}
        context = self._context(verify, cert)
        return host, {"ssl_context": context, "cert_reqs": context.verify_mode}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Do nothing: the TLS context knows, and urllib3 would load certificates each time."""

    def proxy_manager_for(self, proxy: Any, **options: Any) -> Any:
        """Return what connects through a proxy; an https one is verified by the same rules."""
        if proxy.lower().startswith("https:"):
            options["proxy_ssl_context"] = self._context(self._verify, None)
        return super().proxy_manager_for(proxy, **options)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """Return the pool for a request, whose connections keep to the call that is made."""
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        # Asked for each time: a recorder of HTTP in a test puts its own class there.
        pool.ConnectionCls = guarded(type(pool).ConnectionCls)
        if (call := current_call()) is not None and is_guarded(pool.ConnectionCls):
            call.sent = False
        self._pools.add(pool)
        return pool

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """Wrap the answer, and leave its cookies alone: one made to be odd makes a warning."""
        answer = requests.Response()
        answer.request, answer.url = req, str(req.url)
        answer.status_code, answer.headers = resp.status, CaseInsensitiveDict(resp.headers)
        answer.raw, answer.reason = resp, resp.reason
        return answer

    def close(self) -> None:
        """Close the connections that are not in use; those that are follow after their use."""
        super().close()
        for pool in list(self._pools):
            pool.close()

    def _context(self, verify: Verify, certificate: Certificate) -> ssl.SSLContext:
        known = self._contexts.get((verify, certificate))
        # Of two threads that make one, both use the one that was there first.
        return known or self._contexts.setdefault(
            (verify, certificate), tls_context(verify, certificate)
        )


class NoCookies(RequestsCookieJar):
    """Keeps nothing."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Do nothing."""


def tls_context(verify: Verify, certificate: Certificate = None) -> ssl.SSLContext:
    """Return a TLS context that takes nothing from the environment, ``SSLKEYLOGFILE`` included.

    Args:
        verify: True to verify certificates with those of certifi, the path of a file or folder to
            verify with, or False to accept any.
        certificate: the file of a certificate of our own, or that and the file of its key.

    Raises:
        OSError: a file that cannot be read, or is not what it should be.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.post_handshake_auth = True
    if verify is False:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    else:
        path = DEFAULT_CA_BUNDLE_PATH if verify is True else verify
        folder = os.path.isdir(path)  # noqa: PTH112 - requests decides with the same call
        context.load_verify_locations(**{"capath" if folder else "cafile": path})
    if certificate is not None:
        files = (certificate,) if isinstance(certificate, str) else certificate
        context.load_cert_chain(*files)
    return context
