"""Ctrl-C, SIGTERM and SIGHUP: heard wherever they come, and never while a file is settled.

In a command line, ``raising_stops`` makes each an exception while there is work to tidy up after:
``KeyboardInterrupt``, or ``SystemExit`` with the code that a shell reports for the signal. Before
and after that, ``end_at_once`` has the system end the process, without a traceback.

Anywhere, ``undisturbed`` lets them wait for the moment it takes to make, move or remove a file.
What handles them otherwise handles them then.

Python runs handlers in the main thread only, whichever thread the system chose for the signal. So
handlers are exchanged there; a signal mask would not do, as soon as there is another thread.
"""

from __future__ import annotations

import math
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

#: As a shell reports a program that Ctrl-C ended: 128 and the number of the signal.
INTERRUPTED: Final = 128 + signal.SIGINT

#: SIGHUP is the end of the terminal, or of the connection to it; Windows has none.
_STOPS: Final = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]

#: Seconds until a dropped signal is raised again: what dropped it has long ended by then.
_AGAIN: Final = 0.01
#: Seconds within which a second signal is the impatience that the first is already answering.
_PATIENCE: Final = 1.0


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let Ctrl-C and its like wait until the block is over: no file is made or moved by half."""
    with undisturbed_end() as settle:
        settle()
        yield


@contextmanager
def undisturbed_end() -> Iterator[Callable[[], None]]:
    """Yield a function; from its call to the end of the block, Ctrl-C and its like wait.

    For around other blocks, with the call as the last thing that is done in them: they are then
    left undisturbed from the first instruction on, which no ``__exit__`` can see to by itself.
    """
    came: list[int] = []

    def settle() -> None:
        for number in _heeded():
            stack.callback(signal.signal, number, signal.getsignal(number))
            signal.signal(number, lambda number, _: came.append(number))

    try:
        with ExitStack() as stack:
            yield settle if threading.current_thread() is threading.main_thread() else _nothing
    finally:
        for number in came:
            signal.raise_signal(number)


def end_at_once() -> None:
    """Let the system end this process by Ctrl-C and its like: nothing is left to be tidied."""
    for number in _heeded():
        signal.signal(number, signal.SIG_DFL)


@contextmanager
def raising_stops() -> Iterator[None]:
    """Turn Ctrl-C and its like into exceptions while the block runs, and end at once after it.

    For the main thread. A signal that was ignored before (by ``nohup``, or for a ``command &`` in
    a script) stays ignored.
    """
    stops = _Stops()
    hook, sys.unraisablehook = sys.unraisablehook, stops.dropped
    try:
        for number in _heeded():
            signal.signal(number, stops.stop)
        yield
    finally:
        end_at_once()
        stops.silence()
        sys.unraisablehook = hook


def _nothing() -> None:
    """Do what has to be done in another thread: no handler is run there."""


def _heeded() -> list[signal.Signals]:
    """Return those of the signals that are not ignored, nor handled by something in C."""
    return [number for number in _STOPS if signal.getsignal(number) not in {signal.SIG_IGN, None}]


class _Stops:
    """Raises the exception of a signal once, and again until it is heard.

    Whoever presses Ctrl-C twice would otherwise interrupt the tidying up after the first time.

    Python drops an exception that is raised where none can get out, in a ``__del__`` or in the
    callback of a weak reference, and goes on; Ctrl-C was seen to vanish in that of an import lock.
    """

    def __init__(self) -> None:
        self._number: int = signal.SIGINT
        self._raised = -math.inf
        self._hook = sys.unraisablehook

    def stop(self, number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if now - self._raised < _PATIENCE:
            return
        self._number, self._raised = number, now
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)

    def dropped(self, unraisable: UnraisableHookArgs) -> None:
        if sys.platform == "win32" or not isinstance(
            unraisable.exc_value, KeyboardInterrupt | SystemExit
        ):
            self._hook(unraisable)
            return
        self._raised = -math.inf
        signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(self._number))
        signal.setitimer(signal.ITIMER_REAL, _AGAIN)

    def silence(self) -> None:
        if sys.platform != "win32":  # pragma: no branch - there is no such timer there
            signal.setitimer(signal.ITIMER_REAL, 0)
