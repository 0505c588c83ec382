"""The API key, held so that nothing shows it by accident."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Final

from smspartner.errors import ConfigurationError, SMSPartnerError

MASK: Final = "***"

#: A text cut short ends in this; so may a key in it, of which so many characters tell too much.
_CUT: Final = "…"
_TELLING: Final = 4


class APIKey:
    """An API key whose repr hides it; ``reveal`` is the only way to it.

    Raises:
        ConfigurationError: the key cannot be sent, because it is not text.
    """

    def __init__(self, value: str) -> None:
        self._value = value
        if not value or any("\ud800" <= character <= "\udfff" for character in value):
            del value
            raise ConfigurationError("the API key is not text; is SMSPARTNER_API_KEY in UTF-8?")

    def reveal(self) -> str:
        """Return the key itself, to be put into a request and nowhere else."""
        return self._value

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        # Made when an error is first looked at: most clients never need it.
        forms = [_forms(character) for character in self._value]
        rest = ""
        for form in reversed(forms[_TELLING:]):
            rest = f"(?:{form}{rest}|{_CUT})"
        return re.compile("".join(forms[:_TELLING]) + rest)

    def hide_in(self, text: str) -> str:
        """Return a text with the key masked, however often it is percent-encoded."""
        return self._pattern.sub(MASK, text)

    def hide_in_error(self, error: SMSPartnerError) -> None:
        """Mask the key in whatever a service repeated of it into an error."""
        error.args = tuple(self._hidden(value) for value in error.args)
        for name, value in vars(error).items():
            setattr(error, name, self._hidden(value))

    def _hidden(self, value: object) -> object:
        return self.hide_in(value) if isinstance(value, str) else value

    def __repr__(self) -> str:
        return f"APIKey({MASK})"


def _forms(character: str) -> str:
    """Return a pattern for all ways a character of the key may come back in a text."""
    encoded = character.encode()
    percent = "".join(f"%(?:25)*{_any_case(byte)}" for byte in encoded)
    forms = [percent, re.escape(character)]  # the longer first: the key may hold a "%"
    if character == " ":
        forms += [r"\+", "%(?:25)*2[Bb]"]
    if not character.isascii():
        forms.append(re.escape(encoded.decode("latin-1")))  # UTF-8 taken for Latin-1
    return f"(?:{'|'.join(forms)})"


def _any_case(byte: int) -> str:
    return "".join(f"[{digit}{digit.lower()}]" for digit in f"{byte:02X}")
