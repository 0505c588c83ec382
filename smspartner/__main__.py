"""``python -m smspartner`` and the command ``smspartner``."""

from __future__ import annotations

import gc
import io
import os
import sys
from importlib.util import find_spec

_STANDARD_ERROR = 2
#: As a shell reports a program that Ctrl-C ended: 128 and the number of the signal.
_INTERRUPTED = 130
#: Objects made before the next search for garbage. There is none in what is loaded at the start: of
#: a download of 1,000 numbers, the usual searches take 5 % of the time, the one at the end 10 %.
_GARBAGE = 200_000


def main() -> int:
    """Run the command line; return its exit code."""
    gc.set_threshold(_GARBAGE)
    try:
        return _main()
    except KeyboardInterrupt:  # while the command line is loaded, or when its work is over
        sys.stderr.write("smspartner: interrupted\n")
        return _INTERRUPTED
    finally:
        gc.freeze()


def _main() -> int:
    _fill_gaps()
    missing = [name for name in ("click", "rich") if find_spec(name) is None]
    if missing:
        sys.stderr.write(
            f"smspartner: the command line needs {' and '.join(missing)}; "
            "install it with: pip install 'smspartner[cli]'\n"
        )
        return 2
    from smspartner.cli import run  # noqa: PLC0415 - click is an extra
    from smspartner.cli.signals import run_until_stopped, settle_files  # noqa: PLC0415

    return run_until_stopped(run, settle_files)


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
