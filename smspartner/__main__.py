"""``python -m smspartner`` and the command ``smspartner``."""

from __future__ import annotations

import io
import os
import sys
from importlib.util import find_spec

from smspartner.interrupts import INTERRUPTED, end_at_once, raising_stops

_STANDARD_ERROR = 2


def main() -> int:
    """Run the command line; return its exit code."""
    end_at_once()
    _fill_gaps()
    missing = [name for name in ("click", "rich") if find_spec(name) is None]
    if missing:
        sys.stderr.write(
            f"smspartner: the command line needs {' and '.join(missing)}; "
            "install it with: pip install 'smspartner[cli]'\n"
        )
        return 2
    from smspartner.cli import run  # noqa: PLC0415 - click is an extra

    try:
        with raising_stops():
            return run()
    except KeyboardInterrupt:  # a moment before click listens for it, or after
        sys.stderr.write("smspartner: interrupted\n")
        return INTERRUPTED


def _fill_gaps() -> None:
    """Open the null device wherever standard input, output or error is closed (``2>&-``).

    The next file would get its number, and what is printed for people would end up in it. Where a
    terminal has fewer letters than the words, the others become question marks.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STANDARD_ERROR:
        pass
    os.close(descriptor)
    if sys.stdin is None:
        sys.stdin = os.fdopen(0)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # words are no reason to fail; data are bytes


if __name__ == "__main__":
    sys.exit(main())
