"""The numbers of one rental on their way, for an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Any, Self

from smspartner.client.pool import LOST, Pool, tell, warn
from smspartner.client.stream import NumberStream
from smspartner.errors import ConfigurationError, SMSPartnerError
from smspartner.models.number import RentedNumber
from smspartner.transport import Abort


class AsyncNumberStream(AsyncIterator[RentedNumber]):
    """The numbers of one rental on their way, for ``async with`` and ``async for``.

    A batch is fetched when it is asked for, and not before. Tasks may share it: each number goes to
    one of them. Leaving it early drops the connection. ``AsyncClient.stream`` makes it.
    """

    def __init__(self, pool: Pool, token: str, opened: Callable[[], NumberStream]) -> None:
        self._pool = pool
        self._token = token
        self._opened = opened
        self._abort = Abort()
        self._lock = threading.Lock()
        self._turn = asyncio.Lock()
        self._stream: NumberStream | None = None
        self._ahead: deque[RentedNumber] = deque()
        self._ended = False

    @property
    def stream(self) -> NumberStream:
        """The stream itself, for what it knows: ``declared``, ``found``, ``format``, ``headers``.

        Raises:
            ConfigurationError: it has not been opened.
        """
        if self._stream is None:
            raise ConfigurationError("open the stream first: async with client.stream(token) as …")
        return self._stream

    def batches(self) -> AsyncIterator[list[RentedNumber]]:
        """Return an iterator over the numbers in lists: faster than one by one."""
        return _Batches(self.next_batch)

    async def next_batch(self) -> list[RentedNumber]:
        """Return the next numbers, none at the end; errors as ``NumberStream.batches``."""
        async with self._turn:
            ahead, self._ahead = self._ahead, deque()
            batch = list(ahead) or await self._pool.call(self._pulled, self._abort)
            self._ended = not batch
        return batch

    def _pulled(self) -> list[RentedNumber]:
        try:
            with self._lock:
                return next(self.stream.batches(), [])
        finally:
            if self._abort.done:  # it was left meanwhile
                self._close()

    async def __anext__(self) -> RentedNumber:
        if not self._ahead:
            batch = await self.next_batch()
            self._ahead.extend(batch)  # beside what another task has put there
        if not self._ahead:
            raise StopAsyncIteration
        return self._ahead.popleft()

    async def __aenter__(self) -> Self:
        opened = self._pool.call(self._opened, self._abort, partial(tell, self._token, _dropped))
        self._stream = await opened
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        raw = self.stream._raw  # noqa: SLF001 - of this room
        try:
            if raw is not None and isinstance(error, Exception) and not self._abort.done:
                # It still gets the rest of what was paid for, as with ``NumberStream``.
                drained = partial(self._drained, kind, error, trace)
                # ValueError: another thread reads ``stream`` itself.
                with suppress(SMSPartnerError, ValueError):  # the caller's own error says more
                    await self._pool.call(drained, self._abort, self._tell)
        finally:
            self._abort()  # a thread that reads it ends at its next wait, and closes it
            self._close()
        if kind is asyncio.CancelledError:
            self._tell()

    def _drained(self, *error: Any) -> None:
        with self._lock:  # after the batch that is being read
            self.stream.__exit__(*error)

    def _tell(self, _: object = None) -> None:
        if not self._ended:
            warn(self._token, f"after {self.stream.found} numbers; the others are lost")

    def _close(self) -> None:
        """Close the stream, unless another thread reads it: that one does so then."""
        if self._lock.acquire(blocking=False):
            try:
                self.stream.close()
            finally:
                self._lock.release()


class _Batches(AsyncIterator[list[RentedNumber]]):
    """No generator: one that is dropped would be closed at any later time."""

    def __init__(self, pull: Callable[[], Awaitable[list[RentedNumber]]]) -> None:
        self._pull = pull

    async def __anext__(self) -> list[RentedNumber]:
        if not (batch := await self._pull()):
            raise StopAsyncIteration
        return batch


def _dropped(stream: NumberStream) -> str:
    """Close a stream whose task was cancelled while it was opened."""
    stream.close()
    return LOST
