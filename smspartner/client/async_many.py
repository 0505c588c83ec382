"""Many rentals for an event loop: what ``Client.download_many`` does, in the threads of a pool."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from types import TracebackType
from typing import Self

from smspartner.client.many import Each, Outcome
from smspartner.client.pool import Pool, in_words, tell
from smspartner.errors import SMSPartnerError
from smspartner.files.journal import Journal


class AsyncOutcomes(AsyncIterator[Outcome]):
    """What becomes of many rentals, for ``async for``; ``AsyncClient.download_many`` makes it.

    Tasks may share it: each outcome goes to one of them. Left early, nothing new is asked, and what
    is in flight finishes: the end of ``async with``, or ``aclose``, waits for it. Cancelled, what
    is in flight is ended; what the service may have got stays ``asked`` in the journal, so that the
    next run asks what became of it.
    """

    def __init__(self, pool: Pool, each: Each) -> None:
        self._pool = pool
        self._each = each
        self._left: Iterator[str] | None = iter(each.tokens)
        self._once: Callable[[str], Outcome] | None = None
        self._at_work: set[asyncio.Task[Outcome]] = set()
        self._turn = asyncio.Lock()

    async def __anext__(self) -> Outcome:
        async with self._turn:
            if self._left is not None:
                await self._begin(self._left)
            while self._at_work:
                try:
                    done, _ = await asyncio.wait(self._at_work, return_when=asyncio.FIRST_COMPLETED)
                except asyncio.CancelledError:
                    self._cancel()
                    raise
                task = done.pop()
                self._at_work.discard(task)
                if not task.cancelled():  # by ``_cancel``, in another task
                    return task.result()
            self._leave()
            raise StopAsyncIteration

    async def aclose(self) -> None:
        """Ask for nothing new, and wait for what is in flight."""
        self._leave()
        try:
            await asyncio.gather(*self._at_work, return_exceptions=True)
        except asyncio.CancelledError:
            self._cancel()
            raise
        self._at_work.clear()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is asyncio.CancelledError:
            self._cancel()
        await self.aclose()

    async def _begin(self, left: Iterator[str]) -> None:
        """Have as many at work as may be."""
        if (once := self._once) is None:
            once = await self._pool.call(self._opened)
        if self._left is not left:  # it was left meanwhile
            return
        self._once = once
        while len(self._at_work) < self._each.jobs and (token := next(left, None)) is not None:
            self._at_work.add(asyncio.create_task(self._asked(once, token)))

    async def _asked(self, once: Callable[[str], Outcome], token: str) -> Outcome:
        dropped = partial(tell, token, failure)
        try:
            return await self._pool.call(partial(once, token), dropped=dropped)
        except SMSPartnerError as error:  # of the pool: the rental was not asked for
            error.token = token
            return Outcome(token=token, state="failed", error=error)

    def _opened(self) -> Callable[[str], Outcome]:
        """Open the journal: it is closed when no rental can be asked for any more."""
        journal, each = Journal(self._each.folder).__enter__(), self._each

        def once(token: str) -> Outcome:  # no ``partial``: another one made of it forgets it
            return each.once(journal, token)

        weakref.finalize(once, journal.__exit__, None, None, None)
        return once

    def _leave(self) -> None:
        self._left = self._once = None

    def _cancel(self) -> None:
        """End what is in flight."""
        self._leave()
        for task in self._at_work:
            task.cancel()


def failure(outcome: Outcome) -> str | None:
    """Return what is to be told of a rental whose task was cancelled, or None."""
    return None if outcome.error is None else in_words(outcome.error)
