# ruff: noqa: INP001 - mkdocstrings loads this file by its path
"""For the reference: an example in a docstring becomes a block of code with its prompt."""

from __future__ import annotations

import re
from typing import Any, Final

import griffe

#: A prompt and all that follows it, up to an empty line.
_EXAMPLE: Final = re.compile(r"^(?P<margin> *)>>> .*(?:\n(?! *$).*)*", re.MULTILINE)


def fenced(docstring: str) -> str:
    """Return a docstring with its examples in fences; plain Markdown makes quotes of prompts."""
    return _EXAMPLE.sub(r"\g<margin>```pycon\n\g<0>\n\g<margin>```", docstring)


class Examples(griffe.Extension):
    """Puts the examples of every docstring into fences."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite a docstring before it is parsed."""
        if obj.docstring:
            obj.docstring.value = fenced(obj.docstring.value)
