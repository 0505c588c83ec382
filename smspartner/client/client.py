"""The client: one short method for each endpoint, from request to typed answer."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from smspartner.client.account import AccountClient
from smspartner.client.arguments import require, require_token
from smspartner.client.asking import ask_once
from smspartner.client.boundary import public
from smspartner.client.stream import NumberStream
from smspartner.client.waiting import wait_until_ready
from smspartner.decoders import decoder_named
from smspartner.files.raw_body import RawBody
from smspartner.files.targets import Target
from smspartner.models.rental import Rental
from smspartner.models.status import RentalStatus
from smspartner.transport import Headers, Request

if TYPE_CHECKING:
    from smspartner.client.many import Outcome

DOWNLOAD: Final = "location/file/download"
STATUS: Final = "location/status"

#: Of the deadline of a download, a tenth is for asking what became of it; in seconds:
_LEAST_SHARE: Final = 2.0
_LARGEST_SHARE: Final = 30.0


class SavedBody(msgspec.Struct, frozen=True, kw_only=True):
    """A raw body on disk, read through to its end.

    Attributes:
        path: where it is.
        bytes: its size.
        sha256: its checksum, in hexadecimal.
        format: the name of its format.
        numbers: how many numbers are in it.
        declared: how many the service declared.
        headers: the headers of the answer.
    """

    path: Path
    bytes: int
    sha256: str
    format: str
    numbers: int
    declared: int | None
    headers: Headers


class Client(AccountClient):
    """Fetches rentals from SMS Partner, and asks what else its account can.

    Its arguments are those of ``BaseClient``. Use it as a context manager, or call ``close``. What
    holds of threads, forks and pickling: docs/in-a-program.md.
    """

    @public
    def download(
        self,
        token: str,
        *,
        format: str = "json",  # noqa: A002 - the word users know from _format=
        wait: float | None = None,
    ) -> Rental:
        """Return all numbers of a rental.

        The service counts a download, and refuses another with code 34 (facts A4, A6). So it is
        never asked for again blindly: what became of a request without an answer is asked of
        ``status`` first. Prefer ``save`` where the numbers must not be lost.

        Args:
            token: the rental's token.
            format: "json", or "xml" to keep XML; the result is the same.
            wait: seconds to wait for the file to be made, see ``wait``; None does not ask.

        Raises:
            RentalPendingError: the file is not ready; asking again is safe.
            RentalUsedError: it has been downloaded before.
            RentalFailedError, DeadlineError: also while waiting, see ``wait``.
            APIError: the service refused: wrong key, unknown rental …
            TransportError: the service was not reached, or is unavailable; calling again is safe.
            DownloadLostError: the download may have been counted, and its answer is lost.
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
            SMSPartnerError: as for ``download``; also while iterating.
        """
        caller = self._open()
        rental = require_token(token)
        decoder_named(format)
        if raw is not None:
            require("raw", raw, (RawBody,), "an open RawBody")
            raw.require_open()
        request = Request(path=DOWNLOAD, query={"token": rental, "_format": format})
        share = min(max(0.1 * (caller.deadline or math.inf), _LEAST_SHARE), _LARGEST_SHARE)

        def attempt(within: float | None) -> NumberStream:
            return NumberStream(caller.send(replace(request, deadline=within)), rental, caller, raw)

        return ask_once(
            attempt,
            lambda: self._status(rental, format, within=share, retries=1),
            deadline=caller.deadline,
            patience=caller.timeout,
            again=caller.retries != 0,
        )

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
        taken, the new one has ``-2``, ``-3`` … before its ending, and the result's ``path`` says
        so. The body is read through on its way, so a refusal never becomes a file; a body that
        cannot be understood is kept all the same, and the error's ``kept`` says where.

        Args:
            token: the rental's token.
            path: the file to write.
            format: "json" or "xml".

        Raises:
            OutputError: the file cannot be written; asked before anything is requested.
            SMSPartnerError: as for ``download``.
        """
        require("path", path, (str, os.PathLike), "the name of a file")
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
            headers=stream.headers,
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
        from smspartner.client.many import saving  # noqa: PLC0415 - an eighth of all modules

        return saving(self, tokens, folder, jobs=jobs, resume=resume, format=format).outcomes()

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
        return self._status(token, format)

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
            return self._status(token, format, within=within, retries=0 if once else None)

        return wait_until_ready(ask, deadline=deadline, poll=poll, on_status=on_status)

    @public
    def _status(
        self,
        token: str,
        form: str,
        *,
        within: float | None = None,
        retries: int | None = None,
    ) -> RentalStatus:
        caller = self._open()
        bounds = [bound for bound in (within, caller.deadline) if bound is not None]
        request = Request(
            path=STATUS,
            query={"token": require_token(token), "_format": form},
            repeatable=True,
            deadline=min(bounds, default=None),
            retries=retries,
        )
        return caller.answer(request, RentalStatus)
