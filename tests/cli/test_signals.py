"""Ctrl-C, SIGTERM and SIGHUP: heard at once, also where Python drops what they are made into."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Final

import pytest

from smspartner.interrupts import raising_stops, undisturbed, undisturbed_end

STOPS: Final = {
    signal.SIGINT: "KeyboardInterrupt",
    signal.SIGTERM: "SystemExit 143",
    signal.SIGHUP: "SystemExit 129",
}
RAISED: Final[dict[signal.Signals, type[BaseException]]] = {
    signal.SIGINT: KeyboardInterrupt,
    signal.SIGTERM: SystemExit,
    signal.SIGHUP: SystemExit,
}

#: Runs a block and prints what it ended with.
PROGRAM: Final = """
import os, signal, sys, time, weakref
from smspartner.interrupts import end_at_once, raising_stops

def send(*_):
    os.kill(os.getpid(), {number})

class Sends:
    __del__ = send

try:
    with raising_stops():
{block}
except KeyboardInterrupt:
    print("KeyboardInterrupt")
except SystemExit as error:
    print("SystemExit", error)
else:
    print("deaf")
"""

#: Where a signal can come, and what is done then; each would take seconds if it were lost.
MOMENTS: Final = {
    "in ordinary code": ["send()", "time.sleep(5)"],
    "in __del__": ["Sends()", "time.sleep(5)"],
    "in the callback of a weak reference": [
        "lost = Sends.__class__('Lost', (), {})()",
        "ref = weakref.ref(lost, send)",
        "del lost",
        "time.sleep(5)",
    ],
    "twice where it is dropped": ["Sends()", "Sends()", "time.sleep(5)"],
}


def run(program: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.parametrize("number", STOPS, ids=lambda number: number.name)
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_stop_is_heard_wherever_it_comes(moment: str, number: signal.Signals) -> None:
    block = "\n".join(f"        {line}" for line in MOMENTS[moment])
    done = run(PROGRAM.format(number=int(number), block=block))
    assert (done.stdout, done.stderr) == (STOPS[number] + "\n", "")


@pytest.mark.parametrize("number", STOPS, ids=lambda number: number.name)
def test_where_nothing_is_to_be_tidied_the_system_ends_the_process(number: signal.Signals) -> None:
    before = "from smspartner.interrupts import *; end_at_once()"
    after = "from smspartner.interrupts import *\nwith raising_stops(): pass"
    for moment in (before, after):
        done = run(f"{moment}\nimport os; os.kill(os.getpid(), {int(number)})")
        assert (done.returncode, done.stderr) == (-number, "")


@pytest.mark.parametrize("number", STOPS, ids=lambda number: number.name)
def test_a_signal_that_was_ignored_stays_ignored(number: signal.Signals) -> None:
    ignored = f"import signal; signal.signal({int(number)}, signal.SIG_IGN)\n"
    done = run(ignored + PROGRAM.format(number=int(number), block="        send()"))
    assert (done.stdout, done.stderr) == ("deaf\n", "")


def test_other_exceptions_that_python_drops_are_still_reported() -> None:
    block = "        Sends.__del__ = lambda self: 1 / 0\n        Sends()"
    done = run(PROGRAM.format(number=0, block=block))
    assert done.stdout == "deaf\n"
    assert "ZeroDivisionError" in done.stderr


def test_ctrl_c_beside_the_work_of_a_command_is_one_line_too() -> None:
    done = run(
        "import sys, smspartner.cli as cli\n"
        "def run(): raise KeyboardInterrupt\n"
        "cli.run = run\n"
        "from smspartner.__main__ import main; sys.exit(main())"
    )
    assert (done.returncode, done.stderr) == (130, "smspartner: interrupted\n")


def test_impatience_does_not_interrupt_the_tidying_up() -> None:
    block = (
        "        try:\n            send()\n        finally:\n"
        "            send()\n            send()\n            print('tidied')"
    )
    done = run(PROGRAM.format(number=int(signal.SIGINT), block=block))
    assert (done.stdout, done.stderr) == ("tidied\nKeyboardInterrupt\n", "")


# Waiting


@pytest.fixture(params=STOPS, ids=lambda number: number.name)
def number(request: pytest.FixtureRequest) -> Iterator[signal.Signals]:
    """Return a signal whose handler raises."""
    stop: signal.Signals = request.param
    with raising_stops_again():
        yield stop


@contextmanager
def raising_stops_again() -> Iterator[None]:
    """Raise stops in this process, and leave its handlers as they were."""
    before = {number: signal.getsignal(number) for number in (*STOPS, signal.SIGALRM)}
    try:
        with raising_stops():
            yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def test_a_stop_waits_until_the_block_is_over(number: signal.Signals) -> None:
    done = []

    def work() -> None:
        with undisturbed():
            signal.raise_signal(number)
            done.append("the rest of the block")
        done.append("what follows it")

    with pytest.raises(RAISED[number]):
        work()
    assert done == ["the rest of the block"]


def test_a_stop_waits_too_where_another_thread_gets_the_signal(number: signal.Signals) -> None:
    done = []
    over = Event()
    other = Thread(target=over.wait)

    def work() -> None:
        with undisturbed():
            signal.pthread_kill(other.ident or 0, number)
            time.sleep(0.01)
            done.append("the rest of the block")

    other.start()
    try:
        with pytest.raises(RAISED[number]):
            work()
    finally:
        over.set()
        other.join()
    assert done == ["the rest of the block"]


@pytest.mark.parametrize("settled", [False, True])
def test_a_stop_is_raised_at_once_until_the_end_has_begun(
    number: signal.Signals,
    settled: bool,  # noqa: FBT001 - a case of the test
) -> None:
    done = []

    def work() -> None:
        with undisturbed_end() as settle:
            if settled:
                settle()
            signal.raise_signal(number)
            done.append(settled)

    with pytest.raises(RAISED[number]):
        work()
    assert done == [True] * settled


def test_a_stop_that_waited_is_heard_though_the_block_fails(number: signal.Signals) -> None:
    def work() -> None:
        with undisturbed():
            signal.raise_signal(number)
            raise ValueError

    with pytest.raises(RAISED[number]) as caught:
        work()
    assert isinstance(caught.value.__context__, ValueError)


def test_in_another_thread_there_is_nothing_to_wait_for() -> None:
    done = []

    def work() -> None:
        with undisturbed():
            done.append("undisturbed")

    thread = Thread(target=work)
    thread.start()
    thread.join()
    assert done == ["undisturbed"]
