"""Ctrl-C, SIGTERM and SIGHUP: an exception while a command works, and no hidden file in the end.

Windows has Ctrl-Break, and the closing of its window, instead of SIGHUP.

Only the command line handles signals; the library cleans up behind exceptions, whatever raised
them. What an exception at the wrong moment has left is settled at the end.

After the first one, what is in flight of many rentals or bodies finishes, within ``_FINISH``. A
second one ends the process at once: files are settled, threads are not waited for.
"""

from __future__ import annotations

import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Final, NoReturn

from smspartner.cli.console import say
from smspartner.files.unfinished import register

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

if sys.platform == "win32":
    _STOPS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGBREAK)
else:
    _STOPS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

#: Seconds until a dropped signal is raised again: what dropped it has long ended by then.
_AGAIN: Final = 0.01
#: Ignore repeats within this many seconds: a key that bounces, a signal to a group and its leader.
_PATIENCE: Final = 0.3
#: Seconds in which what is in flight may finish; systemd kills after 90.
_FINISH: Final = 60.0


def run_until_stopped(work: Callable[[], int], settle: Callable[[], object]) -> int:
    """Return what the work returns, or raise an exception in it for a signal.

    Call it in the main thread. A signal that was ignored before (by ``nohup``, or for a
    ``command &`` in a script) stays ignored.

    Args:
        work: is ended by ``KeyboardInterrupt``, or by ``SystemExit`` with the code that a shell
            reports for the signal.
        settle: is called last in any case, and no signal is heard meanwhile. From then on the
            system ends the process by them.
    """
    stops = _Stops()
    try:
        try:
            stops.hear()
            return work()
        finally:  # a signal may come just before this: it is raised once, and only here
            stops.ignore()
    finally:
        stops.ignore()
        settle()
        stops.leave()
        if stops.at_once:
            end_at_once(stops.code)


def end_at_once(code: int) -> NoReturn:
    """End the process without waiting for its threads: they may wait for the service."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, or none
            stream.flush()
    os._exit(code)


def settle_files() -> None:
    """Leave no hidden file when the program ends, and say what was kept."""
    for told in register.settle_all():
        say(f"smspartner: {told}")


@contextmanager
def held() -> Iterator[None]:
    """Hold stops back while processes are started: those inherit it until ``leave_to_parent``.

    Ctrl-C goes to every process of a terminal, and one that is being loaded would end in a
    traceback.
    """
    if sys.platform == "win32":
        yield
    else:
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave_to_parent() -> None:
    """Ignore Ctrl-C in a process that works for the command: the command decides what ends.

    SIGTERM and SIGHUP, which systemd sends to every process of a service, end it without a trace.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in _STOPS[1:]:
        signal.signal(number, end_worker)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)


def end_worker(*_: object) -> NoReturn:
    """End a process that works for the command; what it was writing goes."""
    register.settle_all()
    os._exit(1)


class _Stops:
    """Raises the exception of a signal once, and again until it is heard.

    Pressing Ctrl-C twice would otherwise interrupt the tidying up after the first time.

    Python drops an exception that is raised where none can get out, in a ``__del__`` or in the
    callback of a weak reference, and goes on; Ctrl-C was seen to vanish in that of an import lock.
    """

    def __init__(self) -> None:
        # What is ignored, or handled by something in C, stays so.
        self._heard = [
            number for number in _STOPS if signal.getsignal(number) not in {signal.SIG_IGN, None}
        ]
        self._number: int = signal.SIGINT
        self.at_once = False
        self._raised = -math.inf
        self._hook = sys.unraisablehook
        if sys.platform == "win32":
            self._timer = threading.Timer(0, signal.raise_signal)

    @property
    def code(self) -> int:
        """The exit code of a process that was stopped, as a shell reports it."""
        return 128 + self._number

    def hear(self) -> None:
        sys.unraisablehook = self._dropped
        self._handle(self._stop)

    def ignore(self) -> None:
        self._again_after(0)
        self._handle(lambda *_: None)

    def leave(self) -> None:
        self._handle(signal.SIG_DFL)
        sys.unraisablehook = self._hook

    def _handle(self, handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
        for number in self._heard:
            signal.signal(number, handler)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if now - self._raised < _PATIENCE:
            return
        self.at_once |= self._raised > -math.inf
        self._number, self._raised = number, now
        self._again_after(_FINISH)
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(self.code)

    def _dropped(self, unraisable: UnraisableHookArgs) -> None:
        if not isinstance(unraisable.exc_value, KeyboardInterrupt | SystemExit):
            self._hook(unraisable)
            return
        self._raised = -math.inf
        self._again_after(_AGAIN)

    def _again_after(self, seconds: float) -> None:
        """Raise the signal again after a time, instead of when it was said before; 0 for never."""
        if sys.platform == "win32":
            self._timer.cancel()
            self._timer = threading.Timer(seconds, signal.raise_signal, [self._number])
            self._timer.daemon = True
            if seconds:
                self._timer.start()
        else:
            signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(self._number))
            signal.setitimer(signal.ITIMER_REAL, seconds)
