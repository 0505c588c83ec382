"""Libraries that come with an extra of this package, imported when they are needed."""

from __future__ import annotations

import shlex
from importlib import import_module
from typing import Any

from smspartner.errors import ConfigurationError


def load(module: str, install: str) -> Any:
    """Import a module of an optional library.

    Args:
        module: its full name.
        install: what to give to pip, such as ``smspartner[arrow]``.

    Raises:
        ConfigurationError: it is not installed; the message says how to install it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        library = module.partition(".")[0]
        words = shlex.join(install.split())  # as a shell takes them
        raise ConfigurationError(f"{library} is not installed: pip install {words}") from error
