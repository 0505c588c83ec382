"""The body with the numbers of a rental, of any size, in blocks and with its exact length.

A block is a template of two thousand records in which only the leading digits of the identifiers
are left open. One ``bytes.replace`` fills it in: 0.016 µs per record in either format, against 2 µs
to format each record (paid once, for the first 10,000).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final, Literal, NamedTuple, TypeAlias

from smspartner.errors import ConfigurationError
from smspartner.sandbox.people import CYCLE, face_at
from smspartner.sandbox.wire import DECLARATION

#: The count a body declares: the right one, none, or any other number.
Declared: TypeAlias = int | Literal["right", "absent"]

#: Records in a block; divides the cycle, so that the blocks of all cycles share their templates.
BLOCK: Final = 2_000

# The place of an identifier's digits above the last five; it occurs nowhere else.
_OPEN: Final = "@"

# The cycles whose number has a digit more than the one before, counted from 1.
_TENS: Final[list[int]] = [10**power for power in range(1, 19)]


class _Layout(NamedTuple):
    start: str
    counted: str
    opening: str
    record: str
    between: str
    closing: str
    nothing: str  # instead of opening, records and closing, where there is no record


_JSON: Final = _Layout(
    start='{"success":true,',
    counted='"phoneNumbers":%d,',
    opening='"datas":[',
    record='{"id":@%05d,"phone":"%s","stopSms":%s}',
    between=",",
    closing="]}",
    nothing='"datas":[]}',
)
_PRETTY: Final = _Layout(
    start=DECLARATION + "<result>\n  <entry>true</entry>\n",
    counted="  <entry>%d</entry>\n",
    opening="  <entry>\n",
    record=(
        "    <entry>\n      <entry>@%05d</entry>\n      <entry><![CDATA[%s]]></entry>\n"
        "      <entry>%s</entry>\n    </entry>\n"
    ),
    between="",
    closing="  </entry>\n</result>\n",
    nothing="  <entry/>\n</result>\n",
)
_ONE_LINE: Final = _Layout(
    start=DECLARATION + "<result><entry>true</entry>",
    counted="<entry>%d</entry>",
    opening="<entry>",
    record="<entry><entry>@%05d</entry><entry><![CDATA[%s]]></entry><entry>%s</entry></entry>",
    between="",
    closing="</entry></result>\n",
    nothing="<entry/></result>\n",
)


def render(
    numbers: int,
    format: str,  # noqa: A002 - the word of the wire and of every other call of this library
    *,
    seed: int = 0,
    pretty: bool = True,
    declared: Declared = "right",
) -> Iterator[bytes]:
    """Return the body of a rental in pieces, the way the service writes it (facts A2, A5).

    Args:
        numbers: how many records; the one at position i is ``number_at(seed, i)``.
        format: ``"json"`` or ``"xml"``.
        seed: chooses the numbers.
        pretty: for XML, indented (the service's default) or on one line.
        declared: the count in the envelope: ``"right"``, ``"absent"`` or any integer.

    Raises:
        ConfigurationError: another format, or a count below 0.
    """
    layout = _layout(numbers, format, pretty=pretty)
    return _pieces(layout, numbers, seed, declared)


def body_size(
    numbers: int,
    format: str,  # noqa: A002 - as for render
    *,
    seed: int = 0,
    pretty: bool = True,
    declared: Declared = "right",
) -> int:
    """Return the bytes of the body that ``render`` makes of the same arguments.

    Costs the same for ten thousand numbers as for ten million.
    """
    layout = _layout(numbers, format, pretty=pretty)
    cycles, rest = divmod(numbers, CYCLE)
    edges = len(_head(layout, numbers, declared)) + len(_tail(layout, numbers))
    whole = cycles * _places_size(layout, seed, CYCLE) if cycles else 0
    commas = len(layout.between) if numbers else 0
    # A template has one byte for the leading digits of an identifier; each further digit adds
    # one to all records from the cycle on in which it appears.
    digits = sum(max(0, numbers - (ten - 1) * CYCLE) for ten in _TENS)
    return edges + whole + _places_size(layout, seed, rest) + digits - commas


def _layout(numbers: int, format: str, *, pretty: bool) -> _Layout:  # noqa: A002 - as for render
    if numbers < 0:
        raise ConfigurationError("a rental cannot hold fewer than 0 numbers")
    if format not in {"json", "xml"}:
        raise ConfigurationError("the format of a body is 'json' or 'xml'")
    if format == "json":
        return _JSON
    return _PRETTY if pretty else _ONE_LINE


def _pieces(layout: _Layout, numbers: int, seed: int, declared: Declared) -> Iterator[bytes]:
    yield _head(layout, numbers, declared)
    for first in range(0, numbers, BLOCK):
        count = min(BLOCK, numbers - first)
        cycle, place = divmod(first, CYCLE)
        template = _template(layout, seed, place, count)
        block = template.replace(_OPEN.encode(), b"%d" % (cycle + 1))
        last = first + count == numbers
        yield block[: len(block) - len(layout.between)] if last else block
    yield _tail(layout, numbers)


def _head(layout: _Layout, numbers: int, declared: Declared) -> bytes:
    number = numbers if declared == "right" else declared
    count = "" if number == "absent" else layout.counted % number
    return f"{layout.start}{count}{layout.opening if numbers else ''}".encode()


def _tail(layout: _Layout, numbers: int) -> bytes:
    return (layout.closing if numbers else layout.nothing).encode()


def _places_size(layout: _Layout, seed: int, places: int) -> int:
    return sum(
        len(_template(layout, seed, place, min(BLOCK, places - place)))
        for place in range(0, places, BLOCK)
    )


# 32 templates are at most 8 MB: all three layouts of two seeds.
@lru_cache(maxsize=32)
def _template(layout: _Layout, seed: int, place: int, count: int) -> bytes:
    record = layout.record + layout.between
    faces = (face_at(seed, each) for each in range(place, place + count))
    return "".join(
        record % (face.id_end, face.phone, "true" if face.stop_sms else "false") for face in faces
    ).encode()
