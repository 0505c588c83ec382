"""The client for event loops: the same calls, each in a thread of a pool of its own.

There is no second HTTP stack. A task that is cancelled ends at once, and its thread at its next
wait for the network; a call that had not begun is not made.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from smspartner.client.arguments import require
from smspartner.client.base import decoding_in_turn
from smspartner.client.client import Client, SavedBody
from smspartner.client.stream import NumberStream
from smspartner.errors import ConfigurationError, printable
from smspartner.models.account import Account
from smspartner.models.number import RentedNumber
from smspartner.models.quote import Quote, Targeting
from smspartner.models.rental import Rental
from smspartner.models.status import RentalStatus
from smspartner.models.stops import StopList
from smspartner.transport import Abort

T = TypeVar("T")

_log: Final = logging.getLogger("smspartner")


class AsyncClient:
    """Does for asyncio what ``Client`` does: the same arguments, results and errors.

    Use it with ``async with``, or call ``aclose``. It belongs to one event loop.

    Args:
        api_key: as for ``Client``.
        concurrency: how many calls may run at once; further ones wait for their turn.
        **options: the options of ``Client``, by name.

    Raises:
        ConfigurationError: an option that cannot work; the message names it.
    """

    def __init__(
        self, api_key: str | None = None, *, concurrency: int = 64, **options: Any
    ) -> None:
        require("concurrency", concurrency, (int,), "a whole number above 0")
        if concurrency < 1:
            raise ConfigurationError("concurrency= must be a whole number above 0")
        self._client = decoding_in_turn(Client(api_key, **options))
        self._pool = ThreadPoolExecutor(concurrency, thread_name_prefix="smspartner")
        self._running: dict[Future[Any], Abort] = {}

    async def download(self, token: str, **options: Any) -> Rental:
        """Return all numbers of a rental; options and errors as ``Client.download``."""
        return await self.call(
            lambda: self._client.download(token, **options), dropped=partial(_tell, token)
        )

    def stream(self, token: str, **options: Any) -> AsyncNumberStream:
        """Return the numbers of a rental as they arrive; to be used with ``async with``.

        Options and errors as ``Client.stream``; it is asked for on entering.
        """
        return AsyncNumberStream(self, lambda: self._client.stream(token, **options))

    async def save(self, token: str, path: str | os.PathLike[str], **options: Any) -> SavedBody:
        """Write the raw body of a rental to a file; options and errors as ``Client.save``."""
        return await self.call(
            lambda: self._client.save(token, path, **options), dropped=partial(_tell, token)
        )

    async def status(self, token: str, **options: Any) -> RentalStatus:
        """Return the status of a rental; options and errors as ``Client.status``."""
        return await self.call(lambda: self._client.status(token, **options))

    async def wait(self, token: str, **options: Any) -> RentalStatus:
        """Wait until the file of a rental is there; options and errors as ``Client.wait``.

        ``on_status`` is called in the thread of the call.
        """
        return await self.call(lambda: self._client.wait(token, **options))

    async def credits(self, **options: Any) -> Account:
        """Return whose account the key belongs to; options and errors as ``Client.credits``."""
        return await self.call(lambda: self._client.credits(**options))

    async def quote(
        self, targeting: Targeting, volumes: Mapping[str, int], **options: Any
    ) -> Quote:
        """Return what a rental would cost; options and errors as ``Client.quote``."""
        return await self.call(lambda: self._client.quote(targeting, volumes, **options))

    async def stop_list(self, **options: Any) -> StopList:
        """Return the stop list of the account; options and errors as ``Client.stop_list``."""
        return await self.call(lambda: self._client.stop_list(**options))

    async def add_stop(self, phone: str) -> int:
        """Put a phone on the stop list; errors as ``Client.add_stop``."""
        return await self.call(lambda: self._client.add_stop(phone))

    async def remove_stop(self, stop_id: int) -> None:
        """Take an entry from the stop list; errors as ``Client.remove_stop``."""
        await self.call(lambda: self._client.remove_stop(stop_id))

    async def call(
        self,
        call: Callable[[], T],
        abort: Abort | None = None,
        dropped: Callable[[Future[T]], object] = lambda _: None,
    ) -> T:
        """Make a call of a ``Client`` in a thread of the pool.

        Args:
            call: what to call.
            abort: what ends it, made anew where it is not given.
            dropped: is called with what came of it, if the task was cancelled.
        """
        ends = abort or Abort()

        def work() -> T:
            with ends:
                return call()

        try:
            future = self._pool.submit(work)
        except RuntimeError:
            raise ConfigurationError("this client is closed: make another one") from None
        self._running[future] = ends
        future.add_done_callback(lambda _: self._running.pop(future, None))
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            future.add_done_callback(dropped)
            ends()
            raise

    async def aclose(self) -> None:
        """End the calls that run, and free the threads and connections."""
        running = dict(self._running)
        for abort in running.values():
            abort()
        self._pool.shutdown(wait=False, cancel_futures=True)
        await asyncio.gather(*map(asyncio.wrap_future, running), return_exceptions=True)
        self._pool.shutdown()  # its threads have nothing to do any more
        self._client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"AsyncClient({self._client!r})"


def _tell(token: str, ended: Future[Any]) -> None:
    """Log what became of a download whose task was cancelled."""
    if ended.cancelled():
        became = "cancelled before it was asked for"
    elif (error := ended.exception()) is not None:
        became = f"cancelled: {getattr(error, 'what', error)}"
    else:
        became = "cancelled when it had been downloaded; its numbers are lost"
    _log.warning("%s", printable(f"rental {token}: {became}"))


class AsyncNumberStream(AsyncIterator[RentedNumber]):
    """The numbers of one rental on their way, for ``async with`` and ``async for``.

    A batch is fetched when it is asked for, and not before. Leaving it early drops the connection.
    ``AsyncClient.stream`` makes it.
    """

    def __init__(self, client: AsyncClient, opened: Callable[[], NumberStream]) -> None:
        self._client = client
        self._opened = opened
        self._abort = Abort()
        self._lock = threading.Lock()
        self._stream: NumberStream | None = None
        self._ahead: deque[RentedNumber] = deque()

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
        ahead, self._ahead = self._ahead, deque()
        return list(ahead) or await self._client.call(self._pulled, self._abort)

    def _pulled(self) -> list[RentedNumber]:
        with self._lock:
            return next(self.stream.batches(), [])

    async def __anext__(self) -> RentedNumber:
        if not self._ahead:
            self._ahead = deque(await self.next_batch())
        if not self._ahead:
            raise StopAsyncIteration
        return self._ahead.popleft()

    async def __aenter__(self) -> Self:
        self._stream = await self._client.call(self._opened, self._abort, _close)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._abort()  # a thread that reads it ends at once
        with self._lock:
            self.stream.close()


class _Batches(AsyncIterator[list[RentedNumber]]):
    """No generator: one that is dropped would be closed at any later time."""

    def __init__(self, pull: Callable[[], Awaitable[list[RentedNumber]]]) -> None:
        self._pull = pull

    async def __anext__(self) -> list[RentedNumber]:
        if not (batch := await self._pull()):
            raise StopAsyncIteration
        return batch


def _close(ended: Future[NumberStream]) -> None:
    """Close a stream whose task was cancelled while it was opened."""
    if not ended.cancelled() and ended.exception() is None:
        ended.result().close()
