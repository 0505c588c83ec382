"""``python -m smspartner`` and the command ``smspartner``."""

from __future__ import annotations

import signal
import sys
from importlib.util import find_spec
from typing import NoReturn

#: 128 + 15, as a shell reports a program that SIGTERM ended.
TERMINATED = 143


def main() -> int:
    """Run the command line; return its exit code."""
    missing = [name for name in ("click", "rich") if find_spec(name) is None]
    if missing:
        sys.stderr.write(
            f"smspartner: the command line needs {' and '.join(missing)}; "
            "install it with: pip install 'smspartner[cli]'\n"
        )
        return 2
    signal.signal(signal.SIGTERM, _terminate)
    from smspartner.cli import run  # noqa: PLC0415 - click is an extra

    return run()


def _terminate(*_: object) -> NoReturn:
    """End like Ctrl-C does, so that unfinished files are tidied away."""
    raise SystemExit(TERMINATED)


if __name__ == "__main__":
    sys.exit(main())
