"""Keeping the API key, which travels in the query, out of everything that is shown."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import quote, urlencode

from smspartner.models.masks import MASK, mask_address

#: Every logger of urllib3 that may show an address. A filter on "urllib3" alone would not do:
#: filters of a logger are not applied to the records of its children.
LOGGERS: Final = (
    "urllib3",
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.contrib.pyopenssl",
    "urllib3.http2.connection",
    "urllib3.poolmanager",
    "urllib3.response",
    "urllib3.util.retry",
)


class Query(Mapping[str, str]):
    """Query parameters that can be held in a local variable: str and repr hide the key."""

    __slots__ = ("_values",)

    def __init__(self, params: Mapping[str, str]) -> None:
        self._values = dict(params)

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        shown = {n: MASK if n.lower() == "apikey" else v for n, v in self._values.items()}
        return f"Query({urlencode(shown, safe='*', errors='replace')})"

    def encoded(self) -> str:
        """Return the query as it is sent, with the key in it.

        Raises:
            UnicodeError: a value that is not text (a lone surrogate).
        """
        return urlencode(self._values, quote_via=quote, safe="")


#: How urllib3 begins to say that a line among the headers is none.
_HEADERS: Final = "Failed to parse headers"


class KeyFilter(logging.Filter):
    """Hides the key in log records, in the trace of an exception too."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite a record that shows the key; every record passes."""
        if str(record.msg).startswith(_HEADERS):
            # What could not be read of them is quoted, and may be anything.
            record.msg, record.args, record.exc_info = f"{_HEADERS} of the answer", (), None
        message = record.getMessage()
        if (masked := mask_address(message)) != message:
            record.msg, record.args = masked, ()
        if record.exc_info:
            # Some handlers show the variables of every frame, and one of them is the address.
            record.exc_text = mask_address(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        return True


_FILTER: Final = KeyFilter()


def hide_key_in_logs() -> None:
    """Put the filter on the loggers of urllib3; again changes nothing."""
    for name in LOGGERS:
        logging.getLogger(name).addFilter(_FILTER)
