"""What POSIX has and Windows has not. A test that uses any of it is skipped on Windows.

Used while a module of tests is imported, the whole module is skipped.
"""

from __future__ import annotations

import sys

if sys.platform == "win32":
    from typing import Any

    import pytest

    def __getattr__(name: str) -> Any:
        pytest.skip(f"Windows has no {name}", allow_module_level=True)

else:
    from os import O_NONBLOCK, fork, geteuid, killpg, mkfifo, seteuid, sysconf, wait4
    from pty import openpty
    from resource import RLIMIT_CPU, RLIMIT_FSIZE, getrlimit, setrlimit
    from signal import ITIMER_REAL, SIGALRM, SIGHUP, SIGKILL, setitimer

    __all__ = [
        "ITIMER_REAL",
        "O_NONBLOCK",
        "RLIMIT_CPU",
        "RLIMIT_FSIZE",
        "SIGALRM",
        "SIGHUP",
        "SIGKILL",
        "fork",
        "geteuid",
        "getrlimit",
        "killpg",
        "mkfifo",
        "openpty",
        "seteuid",
        "setitimer",
        "setrlimit",
        "sysconf",
        "wait4",
    ]
