"""Keeping the key out of what urllib3 logs of our own calls."""

from __future__ import annotations

import logging
from typing import Final

from smspartner.errors import printable
from smspartner.models.masks import mask_address, mask_digits
from smspartner.transport.call import current_call

#: The loggers of urllib3 that show addresses. A filter on "urllib3" alone would not do: the filters
#: of a logger are not applied to the records of its children.
LOGGERS: Final = ("urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry")


class OwnCalls(logging.Filter):
    """Masks the key in the records of calls that this library makes; leaves all others alone."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite a record of a call that is being made here; every record passes."""
        call = current_call()
        if call is None or call.key is None:
            return True
        message = call.key.hide_in(mask_address(record.getMessage()))
        if record.exc_info:
            # Headers that cannot be read: what is quoted of them may be anything, phones too, and
            # the variables of the frames hold the address.
            message, record.exc_info = mask_digits(message), None
        record.msg, record.args = printable(message), ()
        return True


_own_calls: Final = OwnCalls()


def mask_own_calls() -> None:
    """Put the filter on the loggers; again changes nothing."""
    for name in LOGGERS:
        logging.getLogger(name).addFilter(_own_calls)
