"""The API key, held so that nothing shows it by accident."""

from __future__ import annotations

import html
import json
import re
from functools import cached_property
from typing import Final, NoReturn

from smspartner.errors import ConfigurationError, SMSPartnerError
from smspartner.models.masks import MASK

#: Characters of a key at most: what is longer is no key, but a file that was taken for one.
_LONGEST: Final = 256
#: Of a key that is cut short ("…"), so many characters tell too much.
_TELLING: Final = 4


class APIKey:
    """An API key whose repr hides it; ``reveal`` is the only way to it.

    Raises:
        ConfigurationError: the key cannot be sent, because it is not text, or no key.
    """

    def __init__(self, value: str) -> None:
        self._value = value
        problem = ""
        if not value or any("\ud800" <= character <= "\udfff" for character in value):
            problem = "the API key is not text; is SMSPARTNER_API_KEY in UTF-8?"
        elif len(value) > _LONGEST:
            problem = f"the API key has {len(value)} characters: is it another file or text?"
        if problem:
            del value
            raise ConfigurationError(problem)

    def reveal(self) -> str:
        """Return the key itself, to be put into a request and nowhere else."""
        return self._value

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        # Made when an error is first looked at: most clients never need it.
        forms = [_forms(character) for character in self._value]
        whole = "".join(forms)
        if len(forms) <= _TELLING:
            return re.compile(whole)
        return re.compile(f"{whole}|{''.join(forms[:_TELLING])}\\S*?…")

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

    def __reduce__(self) -> NoReturn:
        raise TypeError("an API key is never pickled: make the client where it is used")

    def __repr__(self) -> str:
        return f"APIKey({MASK})"


def _forms(character: str) -> str:
    """Return a pattern for all ways a character of the key may come back in a text."""
    encoded = character.encode()
    percent = "".join(f"%(?:25)*{_any_case(byte)}" for byte in encoded)
    # In HTML, in JSON, in the repr of a text; where it could be a digit of a phone, masked as one.
    others = {html.escape(character), json.dumps(character)[1:-1], repr(character)[1:-1]}
    forms = [percent, *map(re.escape, sorted(others - {character})), re.escape(character)]
    if not character.isascii():
        forms.append(re.escape(encoded.decode("latin-1")))  # UTF-8 taken for Latin-1
    if character in "/'\"":
        forms.append(rf"\\{character}")
    if character.isspace():
        forms += [r"\+", "%(?:25)*2[Bb]", r"\s*"]
    if character in "0123456789 ./-":
        forms.append("•")
    return f"(?:{'|'.join(forms)})"


def _any_case(byte: int) -> str:
    return "".join(f"[{digit}{digit.lower()}]" for digit in f"{byte:02X}")
