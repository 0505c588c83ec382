"""Ctrl-C, SIGTERM and SIGHUP: heard at once, also where Python drops what they are made into."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread
from typing import Final

import posix_only
import pytest

import smspartner
from smspartner.cli import signals
from smspartner.files.atomic import atomic_writer
from smspartner.files.raw_body import RawBody
from smspartner.files.unfinished import Register

STOPS: Final = {
    signal.SIGINT: "KeyboardInterrupt",
    signal.SIGTERM: "SystemExit 143",
    posix_only.SIGHUP: "SystemExit 129",
}
#: Runs a block and prints what it ended with.
PROGRAM: Final = """
import os, signal, sys, time, weakref
from smspartner.cli.signals import run_until_stopped

def send(*_):
    os.kill(os.getpid(), {number})

class Sends:
    __del__ = send

def work():
{block}
    return 0

try:
    run_until_stopped(work, lambda: None)
except KeyboardInterrupt:
    print("KeyboardInterrupt")
except SystemExit as error:
    print("SystemExit", error)
else:
    print("deaf", flush=True)  # what ends without Python's own end writes nothing more
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
    block = "\n".join(f"    {line}" for line in MOMENTS[moment])
    done = run(PROGRAM.format(number=int(number), block=block))
    assert (done.stdout, done.stderr) == (STOPS[number] + "\n", "")


@pytest.mark.parametrize("number", STOPS, ids=lambda number: number.name)
def test_the_system_ends_a_process_whose_work_is_over(number: signal.Signals) -> None:
    after = f"\nos.kill(os.getpid(), {int(number)}); time.sleep(5)"
    done = run(PROGRAM.format(number=0, block="    pass") + after)
    assert (done.returncode, done.stdout, done.stderr) == (-number, "deaf\n", "")


@pytest.mark.parametrize("number", STOPS, ids=lambda number: number.name)
def test_files_are_settled_in_the_end_and_no_signal_disturbs_that(number: signal.Signals) -> None:
    block = "    send()\n    time.sleep(5)"
    program = PROGRAM.format(number=int(number), block=block)
    settle = "lambda: [send(), send(), print('settled')]"
    done = run(program.replace("lambda: None", settle))
    assert (done.stdout, done.stderr) == (f"settled\n{STOPS[number]}\n", "")


@pytest.mark.parametrize("number", STOPS, ids=lambda number: number.name)
def test_a_signal_that_was_ignored_stays_ignored(number: signal.Signals) -> None:
    ignored = f"import signal; signal.signal({int(number)}, signal.SIG_IGN)\n"
    done = run(ignored + PROGRAM.format(number=int(number), block="    send()"))
    assert (done.stdout, done.stderr) == ("deaf\n", "")


def test_other_exceptions_that_python_drops_are_still_reported() -> None:
    block = "    Sends.__del__ = lambda self: 1 / 0\n    Sends()"
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
        "    try:\n        send()\n    finally:\n"
        "        send()\n        send()\n        print('tidied')"
    )
    done = run(PROGRAM.format(number=int(signal.SIGINT), block=block))
    assert (done.stdout, done.stderr) == ("tidied\nKeyboardInterrupt\n", "")


#: A thread that would hold the process up, and a stop.
HELD: Final = """    from threading import Thread
    Thread(target=time.sleep, args=(30,)).start()
    try:
        send()
    finally:
"""


@pytest.mark.parametrize("number", STOPS, ids=lambda number: number.name)
def test_a_second_stop_ends_the_process_at_once(number: signal.Signals) -> None:
    block = HELD + "        time.sleep(0.4)\n        send()\n        time.sleep(30)"
    program = PROGRAM.format(number=int(number), block=block)
    started = time.monotonic()
    done = run(program.replace("lambda: None", "lambda: print('settled')"))
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, "settled\n", "")
    assert time.monotonic() - started < 10


def test_after_the_first_stop_what_is_at_work_may_finish_within_a_bound() -> None:
    block = HELD + "        time.sleep(30)"
    bound = "\nimport smspartner.cli.signals as signals\nsignals._FINISH = 0.4\n"
    program = bound + PROGRAM.format(number=int(signal.SIGTERM), block=block)
    started = time.monotonic()
    assert run(program).returncode == 143
    assert time.monotonic() - started < 10


def test_ctrl_c_while_the_command_line_is_loaded_is_one_line_too() -> None:
    done = run(
        "import sys, smspartner.__main__ as program\n"
        "def find_spec(name): raise KeyboardInterrupt\n"
        "program.find_spec = find_spec\n"
        "sys.exit(program.main())"
    )
    assert (done.returncode, done.stderr) == (130, "smspartner: interrupted\n")


ASYNCIO: Final = """
import asyncio, os, signal
from smspartner.files.atomic import atomic_writer
from smspartner.files.raw_body import RawBody

calls = []

async def main():
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: calls.append(1))
    for number in range(50):
        with RawBody("body") as raw, atomic_writer("n.csv") as file:
            raw.write(b"x")
            file.write(b"x")
            os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(0.001)
    print(len(calls))

asyncio.run(main())
"""


def test_a_program_with_a_handler_of_its_own_gets_one_call_for_each_signal(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASYNCIO],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("50\n", "")


def test_no_module_but_those_of_the_command_line_handles_signals() -> None:
    package = Path(smspartner.__file__).parent
    named = [
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"^\s*(?:import|from) signal\b", path.read_text("utf-8"), re.MULTILINE)
    ]
    assert named == ["cli/signals.py"]


def test_what_is_settled_in_the_end_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    register = Register()
    register.add(tmp_path / "body", lambda: "the body is kept in body")
    monkeypatch.setattr(signals, "register", register)
    signals.settle_files()
    assert capsys.readouterr().err == "smspartner: the body is kept in body\n"


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, posix_only.SIGHUP], ids=lambda number: number.name
)
def test_a_process_that_works_for_the_command_leaves_nothing_when_it_is_ended(
    tmp_path: Path, number: signal.Signals
) -> None:
    program = (
        "import os, signal\n"
        "from smspartner.cli.signals import leave_to_parent\n"
        "from smspartner.files.atomic import atomic_writer\n"
        "leave_to_parent()\n"
        "with atomic_writer('n.csv') as file:\n"
        "    file.write(b'x')\n"
        "    os.kill(os.getpid(), signal.SIGINT)  # is left to the command\n"
        f"    os.kill(os.getpid(), {int(number)})\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, timeout=30, check=False)
    assert done.returncode == 1
    assert list(tmp_path.iterdir()) == []


def test_in_a_thread_nothing_differs(tmp_path: Path) -> None:
    def work() -> None:
        with RawBody(tmp_path / "body") as raw, atomic_writer(tmp_path / "n.csv") as file:
            raw.write(b"x")
            file.write(b"y")

    before = [signal.getsignal(number) for number in STOPS]
    thread = Thread(target=work)
    thread.start()
    thread.join()
    assert (tmp_path / "body").read_bytes() + (tmp_path / "n.csv").read_bytes() == b"xy"
    assert [signal.getsignal(number) for number in STOPS] == before
