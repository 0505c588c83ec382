"""The client: one short method for each endpoint, from request to typed answer."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from smspartner.client.boundary import public
from smspartner.client.many import Outcome, Save, checked_jobs, each_once, folder_for, unique
from smspartner.client.stream import NumberStream
from smspartner.client.waiting import wait_until_ready
from smspartner.decoders import decoder_named
from smspartner.decoders.limits import DEFAULT_LIMITS, Limits
from smspartner.decoders.whole import decode_answer
from smspartner.errors import (
    APIKeyMissingError,
    ConfigurationError,
    LimitError,
    SMSPartnerError,
    TokenMissingError,
    TruncatedError,
)
from smspartner.files.raw_body import RawBody
from smspartner.files.targets import Target
from smspartner.models.account import Account
from smspartner.models.envelope import A
from smspartner.models.rental import Rental
from smspartner.models.status import RentalStatus
from smspartner.transport import Reply, Request, RequestsTransport, Transport
from smspartner.transport.secrets import APIKey

DEFAULT_BASE_URL: Final = "https://api.smspartner.fr/v1"
DOWNLOAD: Final = "location/file/download"
STATUS: Final = "location/status"


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedBody:
    """A raw body on disk, read through to its end.

    Attributes:
        path: where it is.
        bytes: its size.
        sha256: its checksum, in hexadecimal.
        format: the name of its format.
        numbers: how many numbers are in it.
        declared: how many the service declared.
    """

    path: Path
    bytes: int
    sha256: str
    format: str
    numbers: int
    declared: int | None


class Client:
    """Fetches rentals from SMS Partner.

    Use it as a context manager, or call ``close``. One client may be used by one thread at a
    time; clients are cheap.

    Args:
        api_key: the API key; None takes it from the environment variable SMSPARTNER_API_KEY.
        base_url: where the API is; None takes SMSPARTNER_BASE_URL, and without it the service.
        timeout: seconds to wait for a connection, and for each next byte.
        deadline: seconds a whole call may take, retries included; None for no bound.
        retries: how often to try again while no byte of a body has arrived.
        proxies: proxies by scheme, as requests takes them; the environment is not consulted.
        verify: whether TLS is verified, or the path of a CA bundle to verify with.
        allow_http: allow http to other hosts than this machine. The key is then readable to all
            between here and there.
        limits: bounds on what an answer may cost.
        transport: another way to make requests; the network options above are then not used.

    Raises:
        APIKeyMissingError: no key was given and none is in the environment.
        ConfigurationError: an option that cannot work.
    """

    @public
    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        timeout: float = 10.0,
        deadline: float | None = 3600.0,
        retries: int = 3,
        proxies: Mapping[str, str] | None = None,
        verify: bool | str = True,
        allow_http: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        transport: Transport | None = None,
    ) -> None:
        self._limits = limits
        self._deadline = deadline
        self._key = _key_from(api_key)
        self._transport = transport or RequestsTransport(
            base_url or os.environ.get("SMSPARTNER_BASE_URL") or DEFAULT_BASE_URL,
            timeout=timeout,
            deadline=deadline,
            retries=retries,
            max_body=limits.body,
            proxies=proxies,
            verify=verify,
            allow_http=allow_http,
        )

    @public
    def download(
        self,
        token: str,
        *,
        format: str = "json",  # noqa: A002 - the word users know from _format=
        wait: float | None = None,
    ) -> Rental:
        """Return all numbers of a rental.

        The service records a download (fact A4): treat it as something that may not be
        repeatable, and prefer ``save`` where the numbers must not be lost.

        Args:
            token: the rental's token.
            format: "json", or "xml" for who must keep XML; the result is the same.
            wait: seconds to wait for the file to be made, see ``wait``; None does not ask.

        Raises:
            RentalFailedError, DeadlineError: while waiting, see ``wait``.
            APIError: the service refused: wrong key, unknown rental …
            TransportError: no usable answer; ``retryable`` says whether to call again.
            DecodeError: the answer is not as the rules say.
        """
        if wait is not None:
            self.wait(token, deadline=wait, format=format)
        with self.stream(token, format=format) as stream:
            numbers = [number for batch in stream.batches() for number in batch]
            return Rental(tuple(numbers), stream.declared)

    @public
    def stream(
        self,
        token: str,
        *,
        format: str = "json",  # noqa: A002 - the word users know from _format=
        raw: RawBody | None = None,
    ) -> NumberStream:
        """Return the numbers of a rental as they arrive, with flat memory.

        The first numbers have been read when this returns, so a refusal is raised here.

        Args:
            token: the rental's token.
            format: "json" or "xml".
            raw: an open ``RawBody``: every chunk is on disk before it is decoded, and the rest
                of the body still goes there when decoding or writing fails.

        Raises:
            OutputError: ``raw`` is not open; nothing was requested.
            APIError, TransportError, DecodeError: as for ``download``; also while iterating.
        """
        decoder_named(format)
        if raw is not None:
            raw.require_open()
        query = {"token": _checked(token), "_format": format}
        reply = self._send(Request(path=DOWNLOAD, query=query))
        return NumberStream(reply, token, self._key, self._limits, raw)

    @public
    def save(
        self,
        token: str,
        path: Target,
        *,
        format: str = "json",  # noqa: A002 - the word users know from _format=
    ) -> SavedBody:
        """Write the raw body of a rental to a file, byte for byte.

        The file appears when it is whole, with mode 0600. No file is replaced: where ``path`` is
        taken, ``-2``, ``-3`` … is added, and the result's ``path`` says so. The body is read
        through on its way, so a refusal never becomes a file; a body that cannot be understood is
        kept all the same, and the error's ``kept`` says where.

        Args:
            token: the rental's token.
            path: the file to write.
            format: "json" or "xml".

        Raises:
            OutputError: the file cannot be written; asked before anything is requested.
            APIError, TransportError, DecodeError: as for ``download``.
        """
        with (
            RawBody(path) as raw,
            self.stream(token, format=format, raw=raw) as stream,
        ):
            numbers = sum(map(len, stream.batches()))
        return SavedBody(
            path=raw.kept or Path(path),
            bytes=raw.size,
            sha256=raw.sha256,
            format=stream.format,
            numbers=numbers,
            declared=stream.declared,
        )

    @public
    def download_many(
        self,
        tokens: Iterable[str],
        folder: Target,
        *,
        jobs: int = 4,
        resume: bool = True,
        format: str = "json",  # noqa: A002 - the word users know from _format=
    ) -> Iterator[Outcome]:
        """Save the bodies of many rentals into a folder, several at a time, each asked for once.

        What became of each is also in ``smspartner-journal.jsonl`` there, so a run that was
        stopped goes on where it was. ``open_bodies(folder)`` makes one table of them.

        Args:
            tokens: the rentals' tokens; each counts once.
            folder: made where it is not there, 0700.
            jobs: how many at a time.
            resume: False asks for all of them, also those that the journal has as downloaded.
            format: "json" or "xml".

        Returns:
            An iterator of outcomes (``token, state, path, numbers, error``) as they come. What is
            wrong with one rental never stops the others. Left early, nothing new is asked.

        Raises:
            ConfigurationError: an argument cannot work; nothing was asked for.
            OutputError: the folder or the journal cannot be written.
        """
        decoder_named(format)
        wanted = unique(tokens)
        place = folder_for(folder)
        return each_once(
            self,
            wanted,
            place,
            Save(self, place, format),
            jobs=checked_jobs(jobs),
            again=() if resume else frozenset(wanted),
        )

    @public
    def status(
        self,
        token: str,
        *,
        format: str = "json",  # noqa: A002 - the word users know from _format=
    ) -> RentalStatus:
        """Return the status of a rental (fact A4). Asking changes nothing at the service.

        Args:
            token: the rental's token.
            format: "json" or "xml".

        Raises:
            APIError: the service refused: wrong key, unknown rental …
            TransportError: no usable answer; asking again is always safe.
            DecodeError: the answer is not as the rules say.
        """
        return self._ask(_status(token, format), RentalStatus)

    @public
    def wait(
        self,
        token: str,
        *,
        deadline: float = 3600.0,
        poll: float = 2.0,
        format: str = "json",  # noqa: A002 - the word users know from _format=
        on_status: Callable[[RentalStatus], None] | None = None,
    ) -> RentalStatus:
        """Wait until the file of a rental is there, and return its status.

        Args:
            token: the rental's token.
            deadline: seconds until giving up.
            poll: seconds of the first pause; pauses grow by half, up to a minute.
            format: "json" or "xml".
            on_status: is called with every status on the way.

        Raises:
            RentalFailedError: the service could not make the file.
            RentalPendingError: it is still not there; waiting again is safe.
            DeadlineError: the service could not be asked in the end; waiting again is safe.
            ConfigurationError: ``deadline`` or ``poll`` is not a number of seconds.
            APIError, TransportError, DecodeError: as for ``status``.
        """

        def ask(*, within: float, once: bool) -> RentalStatus:
            bound = within if self._deadline is None else min(within, self._deadline)
            request = replace(_status(token, format), deadline=bound, retries=0 if once else None)
            return self._ask(request, RentalStatus)

        return wait_until_ready(ask, deadline=deadline, poll=poll, on_status=on_status)

    @public
    def credits(self, *, format: str = "json") -> Account:  # noqa: A002 - as everywhere
        """Return whose account the key belongs to, and what is left on it; errors as ``status``."""
        request = Request(path="me", query={"_format": format}, repeatable=True)
        return self._ask(request, Account)

    def _ask(self, request: Request, answer: type[A]) -> A:
        """Return the answer of an endpoint that is read in one piece."""
        decoder_named(request.query["_format"])
        with self._send(request) as reply:
            try:
                return decode_answer(
                    _collected(reply.chunks, self._limits.document),
                    answer,
                    media_type=reply.media_type,
                    http_status=reply.status,
                    limits=self._limits,
                )
            except SMSPartnerError as error:
                error.http_status, error.retry_after = reply.status, reply.retry_after
                error.retryable |= request.repeatable and isinstance(error, TruncatedError)
                raise

    def _send(self, request: Request) -> Reply:
        return self._transport.send(request, self._key)

    def close(self) -> None:
        """Free the connections. Streams that are still open are not closed."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        # Without a key where the constructor failed: error reports show it all the same.
        return f"Client({getattr(self, '_key', None)!r})"


def _status(token: str, form: str) -> Request:
    query = {"token": _checked(token), "_format": form}
    return Request(path=STATUS, query=query, repeatable=True)


def _checked(token: str) -> str:
    """Return a token that can be sent: text that is not blank."""
    if not isinstance(token, str):
        raise ConfigurationError("a rental's token is text")
    if not token or token.isspace():
        raise TokenMissingError(31, "a rental's token is needed, and it is empty")
    return token


def _collected(chunks: Iterable[bytes], limit: int) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise LimitError(
                f"the answer is larger than the limit of {limit} bytes for one that is read in one "
                "piece (Limits.document)"
            )
    return bytes(body)


def _key_from(given: str | None) -> APIKey:
    key = os.environ.get("SMSPARTNER_API_KEY") if given is None else given
    if not isinstance(key, str | None):
        raise ConfigurationError("the API key is not text")
    if not key or key.isspace():
        raise APIKeyMissingError(
            1, "an API key is needed: set SMSPARTNER_API_KEY, or give api_key= (--key-file)"
        )
    return APIKey(key.strip())
