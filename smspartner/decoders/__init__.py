"""Decoders: how the bytes of a body become an answer. The plug-in point of this library.

A decoder knows one encoding, keeps no state between calls, and honours three points:

1. It says which bodies are its own: ``name`` (what ``format=`` and ``_format=`` say),
   ``media_types`` (lower case), ``first_bytes`` (every byte a body of this encoding may begin
   with, white space and byte order mark aside).
2. ``decode`` turns one *complete* document into an instance of the ``Answer`` struct it is asked
   for: a refusal is an ``APIError``, anything that breaks a reading rule a ``DecodeError``, and no
   other exception leaves it. ``problems.read_fields`` does all of that from a map of fields.
3. ``find_hole`` says where the array of records opens, so that a body of any size can be read in
   slices with flat memory. A decoder that returns None is right too: its bodies are then read in
   one piece, under ``Limits.document``.

A decoder may also have ``find_list(window, answer, limits)``, which does the same for other answers
around a long list, such as the stop list.

``register_decoder`` makes a decoder known; the built-in ones are registered the same way, and
loaded when they are first needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from typing import Final, Protocol, cast

from smspartner.decoders.limits import Limits
from smspartner.decoders.slices import Hole
from smspartner.errors import ConfigurationError
from smspartner.models.envelope import A

__all__ = ["Decoder", "decoder_named", "decoders", "format_names", "register_decoder"]


class Decoder(Protocol):
    """One encoding; what it has to do stands in three points in the module's docstring."""

    name: str
    media_types: frozenset[str]
    first_bytes: bytes

    def decode(self, document: bytes, answer: type[A], limits: Limits) -> A:
        """Return a complete document as ``answer``, or raise APIError or DecodeError."""
        ...

    def find_hole(self, window: bytes, limits: Limits) -> Hole | None:
        """Return where the records open in the first bytes of a long body, None if nowhere."""
        ...


def _built_in(module: str) -> Callable[[], Decoder]:
    @cache
    def load() -> Decoder:
        return cast("Decoder", import_module(f"smspartner.decoders.{module}").DECODER)

    return load


_loaders: Final[dict[str, Callable[[], Decoder]]] = {
    "json": _built_in("json"),
    "xml": _built_in("xml.decoder"),
}


def register_decoder(decoder: Decoder) -> None:
    """Make a decoder known under its name; one that is known already is replaced.

    From then on ``format=decoder.name`` selects it, and bodies are recognised by its media types
    and first bytes.

    Raises:
        ConfigurationError: the decoder has no name.
    """
    if not decoder.name:
        raise ConfigurationError("a decoder needs a name: it is what format= says")
    _loaders[decoder.name] = lambda: decoder


def format_names() -> tuple[str, ...]:
    """Return the names of all known formats, built-in ones first."""
    return tuple(_loaders)


def decoder_named(name: str) -> Decoder:
    """Return the decoder of a format.

    Raises:
        ConfigurationError: no decoder has this name.
    """
    if name not in tuple(_loaders):  # what has no hash is refused too
        known = ", ".join(format_names())
        raise ConfigurationError(f"unknown format {name!r}; this library knows: {known}")
    return _loaders[name]()


def decoder_of(first: int) -> Decoder | None:
    """Return the decoder whose bodies may begin with this byte, None if there is none."""
    for load in _loaders.values():
        decoder = load()
        if first in decoder.first_bytes:
            return decoder
    return None


def decoders() -> Iterator[Decoder]:
    """Return every known decoder, built-in ones first."""
    return (load() for load in _loaders.values())
