"""The transport that ships, on requests."""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

import requests
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy

from smspartner._version import __version__
from smspartner.errors import REFUSED, ConfigurationError, printable
from smspartner.transport import Headers, Reply, Request
from smspartner.transport.adapter import Adapter, NoCookies
from smspartner.transport.address import Address, peer_shown
from smspartner.transport.body import BodyChunks, Terms
from smspartner.transport.call import Call
from smspartner.transport.failures import (
    NETWORK_ERRORS,
    FailedAttempt,
    Scene,
    explain,
    too_late,
    turned_away,
)
from smspartner.transport.head import asked_wait, refusal
from smspartner.transport.logs import mask_own_calls
from smspartner.transport.options import Options
from smspartner.transport.retry import backoff, pause_after, too_long
from smspartner.transport.secrets import APIKey

USER_AGENT: Final = f"smspartner/{__version__}"

#: Bytes of a decoded body at most, unless the caller says otherwise.
MAX_BODY: Final = 16 * 1024**3
#: What an answer that refuses may hold, in bytes: more than any error page.
_REFUSAL: Final = 1024 * 1024

#: Seconds that a connection may have been idle and still serve a request that must not be sent
#: twice. A server may close an idle connection at the moment the request is sent, and then it is
#: unknown whether it was received. No server is known to do so earlier than after two seconds
#: (gunicorn; Apache and node wait for five).
_FRESH: Final = 1.0

_log: Final = logging.getLogger("smspartner")
_log.addHandler(logging.NullHandler())  # or Python would print warnings where no handler is set


class RequestsTransport:
    """Fetches bodies with requests; safe to use from several threads.

    Connections are kept and used again once a body has been read to its end. Nothing is taken from
    the environment (proxies, netrc, certificates, ``SSLKEYLOGFILE``): what is to be used has to be
    given.

    Args:
        base_url: where the service is; https, or http on this machine.
        timeout: seconds without a byte, while connecting and while reading.
        deadline: seconds for a whole call with all its attempts, until the end of the body; None
            for no end. Only the lookup of a name by the system can outlast it.
        retries: attempts after the first one, made only while there is no answer of the service's
            own, and only where the request may be sent again (``Request.repeatable``).
        backoff: the longest wait before the first retry, in seconds. It doubles with each, up to
            30; waits are random below that. A ``Retry-After`` is honoured.
        max_body: bytes of a decoded body.
        proxies: as requests takes them: ``{"https": "http://proxy.example:3128"}``.
        verify: False to accept any TLS certificate (never do this with a real key), or the path
            of the certificates to trust.
        session: a session of requests whose settings are used as they are: headers, auth, client
            certificate, proxies, trust_env, and its adapters where they are not requests' own.
            With such an adapter the deadline is checked between reads, each of which may take
            ``timeout``. The session stays open; until ``close`` it has an adapter of this
            transport for the address of the service.
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
            proxies=Options.proxies_of(proxies),
            verify=verify if isinstance(verify, bool) else os.fspath(verify),
        )
        self._allow_http = allow_http
        self._closed = False
        self._own_session = session is None
        self._session = _session() if session is None else session
        self._prefix = f"{self._address.url}/"
        settings = self._settings()
        self._adapter: Adapter | None = None
        if type(self._session.get_adapter(self._prefix)) in {HTTPAdapter, Adapter}:
            self._adapter = Adapter(settings["verify"])
            self._mount()
        # Compressed bodies hide cuts.
        own = self._session.headers if self._own_session else {}
        self._headers = {**own, "User-Agent": user_agent, "Accept-Encoding": "identity"}
        mask_own_calls()

    def send(self, request: Request, key: APIKey) -> Reply:
        """Return the answer to a request, whatever its status; its body is not read yet.

        Args:
            request: what to ask.
            key: to be sent as ``apiKey``, in the query of a GET, in the JSON body of a POST.

        Raises:
            TransportError: no answer, or one that must not be read; ``maybe_received`` says
                whether the service may have acted on the request all the same.
            DeadlineError: the time for the whole call is over.
            RedirectError: the answer is a redirect.
            ConfigurationError: the request cannot be sent, or the transport was closed.
        """
        options = self._options
        retries = options.retries if request.retries is None else request.retries
        call = Call(
            options.deadline if request.deadline is None else request.deadline,
            key=key,
            max_idle=math.inf if request.repeatable else _FRESH,
        )
        attempt = 0
        while not isinstance(outcome := self._attempt(request, key, call), Reply):
            attempt += 1
            wait = backoff(attempt - 1, options.backoff)
            pause = pause_after(outcome, wait, call, repeatable=request.repeatable)
            if attempt > retries or pause is None:
                outcome = too_long(outcome, call)
                raise outcome.error(attempt, call.elapsed(), repeatable=request.repeatable)
            _log.warning(
                "%s; trying again in %s s (attempt %d of %d)",
                *(printable(outcome.what), round(pause, 1), attempt + 1, retries + 1),
            )
            call.abort.pause(pause)
        return outcome

    def close(self) -> None:
        """Refuse further requests and close idle connections; open replies stay open."""
        self._closed = True
        if self._own_session:
            self._session.close()  # its adapter stays: no request ever leaves by another one
        elif self._adapter is not None:
            if self._session.adapters.get(self._prefix) is self._adapter:
                self._session.adapters.pop(self._prefix, None)
            self._adapter.close()

    def _mount(self) -> None:
        """Have requests leave by our adapter, also where another transport shares the session."""
        mounted = self._session.adapters.get(self._prefix)
        if self._adapter is not None and mounted is not self._adapter:
            self._session.mount(self._prefix, self._adapter)

    def _attempt(self, request: Request, key: APIKey, call: Call) -> Reply | FailedAttempt:
        if self._closed:
            raise ConfigurationError("this client was closed: make another one")
        call.sent = True  # only our own adapter knows better
        prepared = self._prepared(request, key)
        settings = self._settings()
        scene = self._scene(settings)
        if call.over():
            return too_late(call, scene, maybe_received=False)
        self._mount()
        query = urlencode(request.query)
        _log.debug("%s %s%s %s", prepared.method, self._prefix, request.path, query)
        try:
            with call.current():
                answer = self._session.send(
                    prepared,
                    timeout=call.clamp(self._options.timeout),
                    allow_redirects=False,
                    **settings,
                )
            _refuse(answer)
        except NETWORK_ERRORS as error:
            call.release()
            return explain(error, scene, call)
        except BaseException:
            call.release()
            raise
        return self._reply(answer, request, call)

    def _reply(
        self, answer: requests.Response, request: Request, call: Call
    ) -> Reply | FailedAttempt:
        headers, status = Headers(answer.headers), answer.status_code

        def end(received: int) -> None:
            call.release()
            answer.close()
            seconds = round(call.elapsed(), 3)
            _log.debug("HTTP %d, %d bytes in %s s", status, received, seconds)

        if (failed := turned_away(status, asked_wait(headers))) is not None:
            end(0)
            return failed
        answer.raw.decode_content = False  # requests asks for it too; tools for tests do not
        options = self._options
        terms = Terms(
            status=status,
            cap=min(options.max_body, _REFUSAL) if status >= REFUSED else options.max_body,
            timeout=options.timeout,
            call=call,
            repeatable=request.repeatable,
            gzip="gzip" in headers.get("content-encoding", "").lower(),
        )
        body = BodyChunks(answer.raw, terms, end)
        return Reply(
            status, headers, body, body.close, abort=call.abort, keep_coded=body.keep_coded
        )

    def _prepared(self, request: Request, key: APIKey) -> requests.PreparedRequest:
        url = f"{self._prefix}{request.path}"
        try:
            query = urlencode(request.query, quote_via=quote)
            if request.body is None:
                query = "&".join(filter(None, [f"apiKey={quote(key.reveal(), safe='')}", query]))
                asked = requests.Request("GET", f"{url}?{query}", headers=self._headers)
            else:
                asked = requests.Request(
                    "POST",
                    f"{url}?{query}" if query else url,
                    headers={**self._headers, "Content-Type": "application/json"},
                    data=json.dumps({"apiKey": key.reveal(), **request.body}).encode(),
                )
            # Our own session has nothing to add; looking for it takes 7 % of a small rental.
            own = self._own_session
            prepared = asked.prepare() if own else self._session.prepare_request(asked)
        except ValueError:
            raise ConfigurationError(
                "the request cannot be made: the key or the token is not text, or the base URL "
                "is not an address"
            ) from None
        prepared.hooks["response"].append(_refuse)
        return prepared

    def _scene(self, settings: Mapping[str, Any]) -> Scene:
        proxy: str | None = select_proxy(self._prefix, settings["proxies"])
        return Scene(self._address.peer, self._options.timeout, peer_shown(proxy or ""))

    def _settings(self) -> dict[str, Any]:
        """Return what a session adds to a request: stream, proxies, verify and cert.

        Raises:
            ConfigurationError: the key would go to a proxy that could read it.
        """
        verify = None if self._options.verify is True else self._options.verify
        settings: dict[str, Any] = dict(
            self._session.merge_environment_settings(
                self._prefix, dict(self._options.proxies), True, verify, None
            )
        )
        if not self._allow_http:
            self._address.require_private(select_proxy(self._prefix, settings["proxies"]))
        return settings


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.cookies = NoCookies()
    return session


def _refuse(answer: requests.Response, **_: object) -> None:
    """Refuse an answer that must not be read.

    This has to happen before the session sees a redirect: it would read the whole body of one,
    even where none is to be followed.
    """
    if (refused := refusal(answer.status_code, answer.headers)) is not None:
        answer.close()
        raise refused
