"""A program whose standard error is a terminal."""

from __future__ import annotations

import os
import select
import signal
import subprocess

import posix_only


def on_terminal(*args: str, stop_after: bytes = b"") -> tuple[int, bytes, str]:
    """Run a command with standard error on a terminal; return exit code, stdout and screen."""
    screen, theirs = posix_only.openpty()
    process = subprocess.Popen(
        args,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(theirs)
    shown = bytearray()
    interrupted = False
    try:
        while select.select([screen], [], [], 20)[0]:
            try:
                shown += os.read(screen, 4096)
            except OSError:  # how Linux says that the other side is closed
                break
            if stop_after and stop_after in shown and not interrupted:
                process.send_signal(signal.SIGINT)
                interrupted = True
        out, _ = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
        os.close(screen)
    return process.returncode, out, shown.decode()
