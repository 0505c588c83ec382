"""Threads that make the calls of an event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, TypeVar

from smspartner.errors import (
    ConfigurationError,
    SMSPartnerError,
    TransportError,
    boundary,
    printable,
)
from smspartner.transport import Abort

T = TypeVar("T")

_log: Final = logging.getLogger("smspartner")


class Pool:
    """Makes calls in threads of its own: never in those that the loop shares with other code.

    A task that is cancelled ends at once, and its thread at its next wait for the network; a call
    that had not begun is not made.

    Args:
        threads: how many calls may run at once; further ones wait for their turn.
    """

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="smspartner")
        self._running: dict[Future[Any], Abort] = {}
        self._closed = False

    async def call(
        self,
        call: Callable[[], T],
        abort: Abort | None = None,
        dropped: Callable[[Future[T]], object] = lambda _: None,
    ) -> T:
        """Make a call in a thread.

        Args:
            call: what to call.
            abort: what ends it, made anew where it is not given.
            dropped: is called with what came of it, in any thread, if the task was cancelled.

        Raises:
            ConfigurationError: the client is closed, or was before the call had begun.
            TransportError: no thread can be started; the call is not made.
            Exception: as ``call`` raises them.
        """
        ends = abort or Abort()
        future: Future[T] = Future()

        @boundary  # the call itself holds what it was given: a phone, a token
        def work() -> T:
            self._require_open()
            with ends:
                return call()

        self._require_open()
        try:
            self._threads.submit(_run, future, work)
        except RuntimeError as error:
            # It may be in the queue all the same, and even have begun in another thread.
            if future.cancel():
                raise TransportError(
                    f"no thread could be started, and the call was not made: {error}",
                    retryable=True,
                ) from None
        self._running[future] = ends
        future.add_done_callback(lambda _: self._running.pop(future, None))
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            ends()
            future.add_done_callback(dropped)
            raise

    async def aclose(self) -> None:
        """End the calls that run, and the threads."""
        self._closed = True  # what has not begun fails: a task that nobody cancelled must not be
        running = dict(self._running)
        for abort in running.values():
            abort()
        self._threads.shutdown(wait=False)
        ended = asyncio.gather(*map(asyncio.wrap_future, running), return_exceptions=True)
        await asyncio.shield(ended)  # nor where this one is
        self._threads.shutdown()  # they have nothing to do any more

    def _require_open(self) -> None:
        if self._closed:
            raise ConfigurationError("this client is closed: make another one")


def _run(future: Future[T], work: Callable[[], T]) -> None:
    """Make a call unless its future was cancelled.

    ``submit`` has a future of its own, but keeps it to itself where no thread can be started.
    """
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001 - it is raised where the future is awaited
        future.set_exception(error)
    else:
        future.set_result(result)


#: What became of a rental that was downloaded for a task that had been cancelled.
LOST: Final = "it had been downloaded; its numbers are lost"


def tell(token: str, said: Callable[[T], str | None], ended: Future[T]) -> None:
    """Log what became of a rental whose task was cancelled.

    Args:
        token: the rental's token.
        said: says what came of a call that succeeded all the same; None for nothing to tell.
        ended: the call.
    """
    if ended.cancelled():
        warn(token, "before it was asked for")
    elif (error := ended.exception()) is not None:
        warn(token, in_words(error))
    elif (became := said(ended.result())) is not None:
        warn(token, became)


def warn(token: str, became: str) -> None:
    """Log what became of a rental whose task was cancelled, in words."""
    _log.warning("%s", printable(f"rental {token}: cancelled: {became}"))


def in_words(error: BaseException) -> str:
    """Return an error in words, and where what came of a body is."""
    if not isinstance(error, SMSPartnerError):
        return type(error).__name__
    return error.what if error.kept is None else f"{error.what}; what came is in {error.kept}"
