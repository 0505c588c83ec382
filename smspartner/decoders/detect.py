"""Which decoder a body belongs to: the body decides (rule R2)."""

from __future__ import annotations

import re
from typing import Final

from smspartner.decoders import Decoder, decoder_named, decoder_of, decoders
from smspartner.errors import UnknownFormatError
from smspartner.models.masks import mask_address, mask_digits

#: White space before a body, which is no part of it.
WHITE: Final = b" \t\r\n"

_LEADING: Final = rb"(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)?[\x00 \t\r\n]*+"
_HTML: Final = rb"(?i)<(?:!doctype\s+html|html)\b"
# A look at a byte or two costs less than a pattern: small bodies are many.
_USUAL: Final = (b"{", b"<")
_MAY_BE_HTML: Final = (b"<!", b"<h", b"<H")
_SEEN: Final = 1024
_EXCERPT: Final = 80


def decoder_for(
    start: bytes | bytearray, *, format_name: str | None = None, media_type: str | None = None
) -> Decoder:
    """Return the decoder of a body.

    A format that was asked for by name wins, then the media type, then the first byte that is
    neither white space nor byte order mark. A body that cannot be what its media type says
    (``<`` under ``application/json``) goes to the decoder that can read it.

    Args:
        start: the beginning of the body, with its first 100 bytes of content or all it has.
        format_name: the name of a decoder.
        media_type: the Content-Type in lower case without parameters.

    Raises:
        ConfigurationError: no decoder has the name ``format_name``.
        UnknownFormatError: the body is empty, HTML, or nothing that a decoder can read.
    """
    content = start
    if start[:1] not in _USUAL:
        leading = re.match(_LEADING, start)
        begin = leading.end() if leading else 0
        content = start[begin : begin + _SEEN]
    if not content:
        raise UnknownFormatError("the answer is empty: there is nothing to read")
    if content[:2] in _MAY_BE_HTML and re.match(_HTML, content):
        raise UnknownFormatError(f"the answer is an HTML page, not data: {excerpt(content)}")
    decoder = None
    if format_name is not None:
        decoder = decoder_named(format_name)
    elif media_type is not None:
        decoder = next((known for known in decoders() if media_type in known.media_types), None)
    if decoder is not None and (not decoder.first_bytes or content[0] in decoder.first_bytes):
        return decoder
    if format_name is None and (found := decoder_of(content[0])):
        return found
    wanted = f"not {decoder.name}" if decoder else "neither JSON nor XML"
    raise UnknownFormatError(f"the answer is {wanted}: {excerpt(content)}")


def is_blank(start: bytes) -> bool:
    """Say whether nothing has come yet but white space and a byte order mark."""
    return re.fullmatch(_LEADING, start) is not None


def excerpt(content: bytes | bytearray) -> str:
    """Return the beginning of a body as it may be shown: one line, long digit runs masked."""
    text = " ".join(content[:_SEEN].decode("utf-8", "replace").split())
    text = mask_digits(mask_address(text))
    shown = text if len(text) <= _EXCERPT else text[: _EXCERPT - 1] + "…"
    return repr(shown)
