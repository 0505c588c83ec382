"""``AsyncClient`` with the methods of ``Client``, so that one test states a promise of both."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from functools import cache, wraps
from inspect import isawaitable
from types import TracebackType
from typing import Any, Self, TypeVar

from smspartner import AsyncClient, Client, RentedNumber
from smspartner.client.async_many import AsyncOutcomes
from smspartner.client.async_stream import AsyncNumberStream

T = TypeVar("T")

#: ``Client``, or its twin in its clothes.
Connect = Callable[..., Client]


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """Return an event loop that runs in a thread of its own."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return loop


#: Threads that were there before the test: other tests may have left some.
_before: set[threading.Thread] = set()


def note_threads() -> None:
    """Take all threads that are there for those of others."""
    _before.update(threading.enumerate())


def own_threads() -> list[str]:
    """Return the names of the threads of clients that have begun since."""
    began = set(threading.enumerate()) - _before
    return [each.name for each in began if each.name.startswith("smspartner_")]


def _wait(what: Awaitable[T]) -> T:
    async def awaited() -> T:
        return await what

    return asyncio.run_coroutine_threadsafe(awaited(), _loop()).result()


class Twin:
    """Calls an ``AsyncClient``, and waits for it; its arguments are those of ``AsyncClient``."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._twin = AsyncClient(*arguments, **options)

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._twin, name)

        @wraps(method)
        def call(*arguments: Any, **options: Any) -> Any:
            return _plain(method(*arguments, **options))

        return call

    @property
    def _caller(self) -> Any:
        return self._twin._client._caller

    def close(self) -> None:
        _wait(self._twin.aclose())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return repr(self._twin)


class _Stream(Iterator[RentedNumber]):
    """A stream that has been opened."""

    def __init__(self, numbers: AsyncNumberStream) -> None:
        self._numbers = numbers
        _wait(numbers.__aenter__())

    def __next__(self) -> RentedNumber:
        if (number := _wait(anext(self._numbers, None))) is None:
            raise StopIteration
        return number

    def batches(self) -> Iterator[list[RentedNumber]]:
        return iter(lambda: _wait(self._numbers.next_batch()), [])

    def close(self) -> None:
        self.__exit__(None, None, None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._numbers.stream, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _wait(self._numbers.__aexit__(kind, error, trace))


def _outcomes(outcomes: AsyncOutcomes) -> Iterator[Any]:
    try:
        while (outcome := _wait(anext(outcomes, None))) is not None:
            yield outcome
    finally:
        _wait(outcomes.aclose())


def _plain(result: Any) -> Any:
    """Return what a method of ``Client`` returns, for what the twin's did."""
    if isinstance(result, AsyncNumberStream):
        return _Stream(result)
    if isinstance(result, AsyncOutcomes):
        return _outcomes(result)
    if isinstance(result, AsyncClient):
        copied = Twin.__new__(Twin)
        copied._twin = result
        return copied
    return _wait(result) if isawaitable(result) else result
