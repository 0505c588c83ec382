"""Where the API key comes from: the caller, the environment, or a file.

In this order, and nothing else is looked at: ``api_key`` or ``key_file`` of the call, the variable
SMSPARTNER_API_KEY, the file that SMSPARTNER_KEY_FILE names, the file that ``smspartner key set``
writes.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import Final

from smspartner.errors import APIKeyMissingError, ConfigurationError
from smspartner.transport.secrets import APIKey

KEY_VARIABLE: Final = "SMSPARTNER_API_KEY"
FILE_VARIABLE: Final = "SMSPARTNER_KEY_FILE"

#: Bytes of a key file at most: a device, or a file without an end, is not read through.
_LARGEST: Final = 64 * 1024
_OURS: Final = rf"(?:export\s+)?{KEY_VARIABLE}\s*=\s*(?P<quote>[\"']?)(.*?)(?P=quote)"
_SETTING: Final = r"(?:export\s+)?[A-Z][A-Z0-9_]*\s*=\s*\S.*"

_log: Final = logging.getLogger("smspartner")


def default_key_file() -> Path:
    """Return where ``smspartner key set`` keeps the key.

    Raises:
        ConfigurationError: this user has no home.
    """
    try:
        home = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    except RuntimeError:
        raise ConfigurationError("this user has no home: set HOME or XDG_CONFIG_HOME") from None
    return home / "smspartner" / "key"


def find_key(api_key: str | None = None, key_file: str | os.PathLike[str] | None = None) -> APIKey:
    """Return the API key.

    Args:
        api_key: the key itself.
        key_file: a file with the key in it.

    Raises:
        APIKeyMissingError: there is none anywhere.
        ConfigurationError: both were given, a file cannot be read, or what is there is no key.
    """
    if api_key is not None and key_file is not None:
        raise ConfigurationError("give api_key= or key_file=, not both")
    if not isinstance(api_key, str | None):
        raise ConfigurationError("the API key is not text")
    if key_file is not None:
        return _from_file(Path(key_file), "key_file=")
    given = os.environ.get(KEY_VARIABLE) if api_key is None else api_key
    if given and not given.isspace():
        return APIKey(given.strip(), "api_key=" if api_key else f"the variable {KEY_VARIABLE}")
    unseen = ""
    if api_key is None:
        if named := os.environ.get(FILE_VARIABLE):
            return _from_file(Path(named), FILE_VARIABLE)
        kept, unseen = _kept()
        if kept is not None:
            return _from_file(kept, "smspartner key set")
    raise APIKeyMissingError(
        1,
        f"an API key is needed: run smspartner key set, set {KEY_VARIABLE} or {FILE_VARIABLE}, or "
        f"give key_file={unseen}",
    )


def _kept() -> tuple[Path | None, str]:
    """Return the file that ``smspartner key set`` wrote, or why nobody could look for it."""
    try:
        file = default_key_file()
    except ConfigurationError as error:
        return None, f" ({error.what})"
    try:
        return (file if file.exists() else None), ""
    except OSError as error:
        return None, f" ({str(file)!r} could not be looked at: {str(error.strerror).lower()})"


def _from_file(path: Path, source: str) -> APIKey:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
            open_to_others = bool(os.fstat(file.fileno()).st_mode & 0o077)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "that is no name of a file"
        raise ConfigurationError(
            f"cannot read the key file {str(path)!r}: {reason}; smspartner key set writes one"
        ) from None
    try:
        value = _key_in(content)
    except ConfigurationError as error:
        raise ConfigurationError(f"cannot use the key file {str(path)!r}: {error}") from None
    if open_to_others:
        _log.warning("others can read the key file %r: chmod 600 it", str(path))
    return APIKey(value, f"the file {str(path)!r} ({source})")


def _key_in(content: bytes) -> str:
    """Return the key in a file: the only line, or a line ``SMSPARTNER_API_KEY=…`` (a .env file)."""
    if len(content) > _LARGEST:
        raise ConfigurationError("it is larger than any key")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError("it is not text") from None
    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    ours = [found[2] for line in lines if (found := re.fullmatch(_OURS, line))]
    if len(ours) == 1 and ours[0]:
        return ours[0]
    if ours:
        raise ConfigurationError(f"{KEY_VARIABLE} is empty in it, or there more than once")
    if any(re.fullmatch(_SETTING, line) for line in lines):
        raise ConfigurationError(f"it looks like a .env file, but has no line {KEY_VARIABLE}=…")
    if len(lines) != 1:
        raise ConfigurationError("it holds more than the key" if lines else "it is empty")
    return lines[0]
