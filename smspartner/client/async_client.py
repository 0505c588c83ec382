"""The client for event loops: the same calls, each in a thread of a pool of its own.

There is no second HTTP stack.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine, Iterable, Mapping
from copy import copy
from functools import partial
from inspect import signature
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

from smspartner.client.arguments import require
from smspartner.client.async_many import AsyncOutcomes
from smspartner.client.async_stream import AsyncNumberStream
from smspartner.client.base import decoding_in_turn
from smspartner.client.client import Client, SavedBody
from smspartner.client.many import saving
from smspartner.client.pool import LOST, Pool, tell
from smspartner.errors import ConfigurationError, boundary
from smspartner.models.account import Account
from smspartner.models.quote import Quote, Targeting
from smspartner.models.rental import Rental
from smspartner.models.status import RentalStatus
from smspartner.models.stops import StopList

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


def _like(
    method: Callable[Concatenate[Client, P], object],
) -> Callable[[Callable[..., R]], Callable[Concatenate[AsyncClient, P], R]]:
    """Give a method the arguments of a method of ``Client``, for type checkers and ``help``."""

    def same(own: Callable[..., R]) -> Callable[Concatenate[AsyncClient, P], R]:
        vars(own)["__signature__"] = signature(method)
        return own

    return same


def _made_like(init: Callable[P, None]) -> Callable[P, None]:
    """Give a constructor the arguments of ``Client`` beside ``concurrency``."""
    options = signature(Client.__init__)
    own = signature(init).parameters["concurrency"]
    vars(init)["__signature__"] = options.replace(parameters=[*options.parameters.values(), own])
    return init


class AsyncClient:
    """Does for asyncio what ``Client`` does: the same arguments, results and errors.

    Use it with ``async with``, or call ``aclose``. It belongs to one event loop. A task that is
    cancelled ends at once, and its thread at its next wait for the network; a call that had not
    begun is not made. What became of a rental is logged then, as a warning.

    Args:
        api_key: as for ``Client``.
        concurrency: how many calls may run at once; further ones wait for their turn.
        **options: the options of ``Client``, by name.

    Raises:
        ConfigurationError: an option that cannot work; the message names it.
    """

    @boundary
    @_made_like
    def __init__(
        self, api_key: str | None = None, *, concurrency: int = 64, **options: Any
    ) -> None:
        require("concurrency", concurrency, (int,), "a whole number above 0")
        if concurrency < 1:
            raise ConfigurationError("concurrency= must be a whole number above 0")
        self._client = decoding_in_turn(Client(api_key, **options))
        self._pool = Pool(concurrency)
        self._owns_pool = True

    @_like(Client.download)
    async def download(self, token: str, **options: Any) -> Rental:
        """Return all numbers of a rental; options and errors as ``Client.download``."""
        return await self._pool.call(
            lambda: self._client.download(token, **options),
            dropped=partial(tell, token, lambda _: LOST),
        )

    @_like(Client.stream)
    def stream(self, token: str, **options: Any) -> AsyncNumberStream:
        """Return the numbers of a rental as they arrive; to be used with ``async with``.

        Options and errors as ``Client.stream``; it is asked for on entering.
        """
        opened = partial(self._client.stream, token, **options)
        return AsyncNumberStream(self._pool, token, opened)

    @_like(Client.save)
    async def save(self, token: str, path: str | os.PathLike[str], **options: Any) -> SavedBody:
        """Write the raw body of a rental to a file; options and errors as ``Client.save``."""
        return await self._pool.call(
            lambda: self._client.save(token, path, **options),
            dropped=partial(tell, token, _saved),
        )

    @_like(Client.download_many)
    def download_many(
        self, tokens: Iterable[str], folder: str | os.PathLike[str], **options: Any
    ) -> AsyncOutcomes:
        """Save the bodies of many rentals into a folder, each asked for once.

        Options, outcomes and errors as ``Client.download_many``. ``jobs`` of the threads of this
        client are at work for it, while outcomes are taken.
        """
        return AsyncOutcomes(self._pool, saving(self._client, tokens, folder, **options))

    @_like(Client.status)
    async def status(self, token: str, **options: Any) -> RentalStatus:
        """Return the status of a rental; options and errors as ``Client.status``."""
        return await self.call(lambda: self._client.status(token, **options))

    @_like(Client.wait)
    async def wait(self, token: str, **options: Any) -> RentalStatus:
        """Wait until the file of a rental is there; options and errors as ``Client.wait``.

        ``on_status`` is called in the thread of the call.
        """
        return await self.call(lambda: self._client.wait(token, **options))

    @_like(Client.credits)
    async def credits(self, **options: Any) -> Account:
        """Return whose account the key belongs to; options and errors as ``Client.credits``."""
        return await self.call(lambda: self._client.credits(**options))

    @_like(Client.quote)
    async def quote(
        self, targeting: Targeting, volumes: Mapping[str, int], **options: Any
    ) -> Quote:
        """Return what a rental would cost; options and errors as ``Client.quote``."""
        return await self.call(lambda: self._client.quote(targeting, volumes, **options))

    @_like(Client.stop_list)
    async def stop_list(self, **options: Any) -> StopList:
        """Return the stop list of the account; options and errors as ``Client.stop_list``."""
        return await self.call(lambda: self._client.stop_list(**options))

    def add_stop(self, phone: str) -> Coroutine[Any, Any, int]:
        """Put a phone on the stop list; errors as ``Client.add_stop``."""
        # No coroutine of its own: an error would leave through its frame, which holds the phone.
        return self.call(lambda: self._client.add_stop(phone))

    async def remove_stop(self, stop_id: int) -> None:
        """Take an entry from the stop list; errors as ``Client.remove_stop``."""
        await self.call(lambda: self._client.remove_stop(stop_id))

    @_like(Client.with_options)
    def with_options(self, **options: Any) -> Self:
        """Return a copy with other options, as ``Client.with_options``; it shares the threads."""
        copied = copy(self)
        vars(copied).update(_client=self._client.with_options(**options), _owns_pool=False)
        return copied

    async def call(self, call: Callable[[], T]) -> T:
        """Call something else in a thread of this client, such as ``numbers.stream.to_arrow``.

        A task that is cancelled ends what this asks of the service.
        """
        return await self._pool.call(call)

    async def aclose(self) -> None:
        """End the calls that run, and free the threads and connections. A copy keeps them."""
        try:
            if self._owns_pool:
                await self._pool.aclose()
        finally:
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


def _saved(body: SavedBody) -> str:
    return f"it had been saved as {body.path}"
