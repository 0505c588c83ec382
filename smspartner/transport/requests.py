"""The transport that ships, on requests. The only module that imports it."""

from __future__ import annotations

import functools
import logging
import os
import time
from collections.abc import Mapping
from typing import Any, Final

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import select_proxy
from urllib3.util.retry import Retry

from smspartner._version import __version__
from smspartner.errors import REFUSED, ConfigurationError
from smspartner.transport import Headers, Query, Reply
from smspartner.transport.address import Address, peer_shown
from smspartner.transport.body import Body, Terms
from smspartner.transport.deadline import Clock, clamped
from smspartner.transport.failures import NETWORK_ERRORS, Failure, Scene, explain
from smspartner.transport.head import GZIP, coding, refusal
from smspartner.transport.log_filter import hide_key_in_logs
from smspartner.transport.options import Options
from smspartner.transport.retry import wait_after

USER_AGENT: Final = f"smspartner/{__version__}"

#: Bytes of a decoded body at most, unless the caller says otherwise.
MAX_BODY: Final = 16 * 1024**3
#: What an answer that refuses may hold, in bytes: more than any error page.
_REFUSAL: Final = 1024 * 1024

_log: Final = logging.getLogger("smspartner")

hide_key_in_logs()


class RequestsTransport:
    """Fetches bodies with requests; safe to use from several threads.

    Each call has a connection of its own, closed with its reply. Nothing is taken from the
    environment (proxies, netrc, certificates): what is to be used has to be given.

    Args:
        base_url: where the service is; https, or http on this machine.
        timeout: seconds without a byte, while connecting and while reading.
        deadline: seconds for a whole call with all its attempts, until the end of the body; None
            for no end. Only the lookup of a name by the system can outlast it.
        retries: attempts after the first one, made only while there is no answer or one of HTTP
            429, 502, 503, 504: never once a body has begun.
        backoff: the longest wait before the first retry, in seconds. It doubles with each, up to
            30; waits are random below that. A ``Retry-After`` is honoured.
        max_body: bytes of a decoded body.
        proxies: as requests takes them: ``{"https": "http://proxy.example:3128"}``.
        verify: False to accept any TLS certificate (never do this with a real key), or the path
            of the certificates to trust.
        session: a session of requests whose settings are used as they are: headers, auth, client
            certificate, proxies, trust_env, and its adapters where they are not requests' own.
            With such an adapter the deadline is checked between reads, each of which may take
            ``timeout``. The session stays open.
        allow_http: allow http to other machines: anyone on the way can then read the key.
        user_agent: how to introduce ourselves.

    Raises:
        ConfigurationError: an option that cannot work.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout: float = 10.0,
        deadline: float | None = 3600.0,
        retries: int = 3,
        backoff: float = 0.5,
        max_body: int = MAX_BODY,
        proxies: Mapping[str, str] | None = None,
        verify: bool | str | os.PathLike[str] = True,
        session: requests.Session | None = None,
        allow_http: bool = False,
        user_agent: str = USER_AGENT,
    ) -> None:
        self._address = Address.parse(base_url, allow_http=allow_http)
        self._options = Options(
            timeout=timeout,
            deadline=deadline,
            retries=retries,
            backoff=backoff,
            max_body=max_body,
            proxies=dict(proxies or {}),
            verify=verify if isinstance(verify, bool) else os.fspath(verify),
        )
        if not allow_http:
            proxies = dict(self._options.proxies)
            self._address.require_private(select_proxy(self._address.url, proxies))
        self._own_session = session is None
        self._session = session if session is not None else _session()
        # Without keep-alive a server may end a body by closing, which hides a cut: so it is
        # left on, though no connection is used twice. Compressed bodies hide cuts as well.
        self._headers = {"User-Agent": user_agent, "Accept-Encoding": "identity"}

    def get(
        self,
        path: str,
        params: Mapping[str, str],
        *,
        within: float | None = None,
        once: bool = False,
    ) -> Reply:
        """Return the answer to a GET, whatever its status; its body is not read yet.

        Args:
            path: below the base URL, without a slash before it.
            params: the query, with the key in it.
            within: seconds this call may take at most, where that is less than ``deadline``.
            once: make one attempt only.

        Raises:
            TransportError: no answer, or one that must not be read; ``retryable`` is True where
                no byte of a body can have arrived.
            DeadlineError: the time for the whole call is over.
            RedirectError: the answer is a redirect.
            ConfigurationError: the query cannot be sent.
        """
        params = Query(params)  # its repr hides the key: this frame is in every traceback
        bounds = [bound for bound in (self._options.deadline, within) if bound is not None]
        clock = Clock(min(bounds, default=None))
        attempt = lost = 0
        while True:
            outcome = self._attempt(path, params, clock)
            wait = None if once else wait_after(outcome, attempt, self._options, clock)
            if wait is None:
                break
            _log.debug("trying again in %s s: %s", round(wait, 2), outcome)
            lost += isinstance(outcome, Failure) and outcome.sent
            time.sleep(wait)
            attempt += 1
        if isinstance(outcome, Failure):
            raise outcome.error
        outcome.lost = lost
        return outcome

    def close(self) -> None:
        """Close the session, unless it was given; open replies stay open."""
        if self._own_session:
            self._session.close()

    def _attempt(self, path: str, query: Query, clock: Clock) -> Reply | Failure:
        request = self._prepared(path, query)
        adapter = self._adapter(request, clock)
        _log.debug("GET %s/%s %s", self._address.url, path, query)
        answer = self._send(request, adapter, clock)
        if isinstance(answer, Failure):
            return answer
        headers = Headers(answer.headers)
        end = functools.partial(_end, answer, adapter, clock)
        if (refused := refusal(answer.status_code, headers)) is not None:
            end(0)
            return Failure(refused, again=False)
        answer.raw.decode_content = False  # requests asks for it too; tools for tests do not
        body = Body(answer.raw, self._terms(answer.status_code, headers, clock), end)
        return Reply(answer.status_code, headers, body, body.close)

    def _terms(self, status: int, headers: Headers, clock: Clock) -> Terms:
        options = self._options
        return Terms(
            status=status,
            cap=min(options.max_body, _REFUSAL) if status >= REFUSED else options.max_body,
            timeout=options.timeout,
            clock=clock,
            gzip=coding(headers) in GZIP,
        )

    def _prepared(self, path: str, query: Query) -> requests.PreparedRequest:
        try:
            return self._session.prepare_request(
                requests.Request(
                    "GET", f"{self._address.url}/{path}?{query.encoded()}", headers=self._headers
                )
            )
        except ValueError:
            failure = ConfigurationError(
                "the request cannot be made: the key or the token is not text, or the base URL "
                "is not an address"
            )
        raise failure

    def _adapter(self, request: requests.PreparedRequest, clock: Clock) -> BaseAdapter:
        mounted = self._session.get_adapter(str(request.url))
        return _ClampedAdapter(clock) if type(mounted) is HTTPAdapter else mounted

    def _send(
        self, request: requests.PreparedRequest, adapter: BaseAdapter, clock: Clock
    ) -> requests.Response | Failure:
        # The adapter is called without the session: Session.send reads the whole body of a
        # redirect, even where none is to be followed.
        try:
            return adapter.send(
                request,
                timeout=clock.clamp(self._options.timeout),
                **self._settings(request),
            )
        except NETWORK_ERRORS as error:
            failure = explain(error, self._scene(request), clock)
        except BaseException as stop:  # noqa: BLE001 - it goes on, without its frames
            # Ctrl-C, or what somebody's handler of a signal raises: the variables of the frames
            # it came through hold the address with the key.
            stop.__context__ = None
            raise stop.with_traceback(None)  # noqa: B904 - it is the same exception
        return failure

    def _scene(self, request: requests.PreparedRequest) -> Scene:
        proxy = select_proxy(str(request.url), self._settings(request)["proxies"]) or ""
        return Scene(
            peer=self._address.peer,
            timeout=self._options.timeout,
            proxy=peer_shown(proxy),
        )

    def _settings(self, request: requests.PreparedRequest) -> dict[str, Any]:
        """Return what a session adds to a request: stream, proxies, verify and cert."""
        return dict(
            self._session.merge_environment_settings(
                str(request.url),
                dict(self._options.proxies),
                True,
                None if self._options.verify is True else self._options.verify,
                None,
            )
        )


class _ClampedAdapter(HTTPAdapter):
    """Makes connections whose every wait keeps to a clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(max_retries=Retry(total=0, redirect=False, read=False))
        self._clock = clock
        self._pool: Any = None

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = clamped(pool.ConnectionCls, self._clock)
        self._pool = pool
        return pool

    def build_response(self, req: requests.PreparedRequest, resp: Any) -> requests.Response:
        """Wrap the answer, and leave its cookies alone: one made to be odd makes a warning."""
        answer = requests.Response()
        answer.request, answer.url = req, str(req.url)
        answer.status_code, answer.headers = resp.status, CaseInsensitiveDict(resp.headers)
        answer.raw = resp
        return answer

    def close(self) -> None:
        super().close()
        # urllib3 leaves a pool open for as long as a response refers to it.
        if self._pool is not None:  # pragma: no branch - what fails before that has nothing open
            self._pool.close()


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


def _end(answer: requests.Response, adapter: BaseAdapter, clock: Clock, received: int) -> None:
    answer.close()
    if isinstance(adapter, _ClampedAdapter):
        adapter.close()
    seconds = round(clock.elapsed(), 3)
    _log.debug("HTTP %d, %d bytes in %s s", answer.status_code, received, seconds)
