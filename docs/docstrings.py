# ruff: noqa: INP001 - mkdocstrings loads this file by its path
"""For the reference: an example in a docstring becomes a block of code."""

from __future__ import annotations

import re
from textwrap import dedent
from typing import Any, Final

import griffe

#: A prompt and all that follows it, up to an empty line.
_EXAMPLE: Final = re.compile(r"^(?P<margin> *)>>> .*(?:\n(?! *$).*)*", re.MULTILINE)
#: A paragraph of two colons, and the indented lines that it is for.
_LITERAL: Final = re.compile(r"^::\n\n(?P<code>(?:(?: {4}.*)?\n)* {4}.*)$", re.MULTILINE)


def fenced(docstring: str) -> str:
    """Return a docstring with its examples in fences.

    Plain Markdown makes quotes of prompts, and shows the two colons before a block.
    """
    docstring = _LITERAL.sub(lambda it: f"```python\n{dedent(it['code'])}\n```", docstring)
    return _EXAMPLE.sub(r"\g<margin>```pycon\n\g<0>\n\g<margin>```", docstring)


class Examples(griffe.Extension):
    """Puts the examples of every docstring into fences."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite a docstring before it is parsed."""
        if obj.docstring:
            obj.docstring.value = fenced(obj.docstring.value)
