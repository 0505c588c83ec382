"""Bodies made wrong: random, but the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final

from bodies import STYLES, people, render, rental
from cases import FIXTURES, SMALL, corpus

_SCALARS: Final = (
    *(b"1", b"0", b"-0", b"007", b"1e5", b"1E400", b"-1.5", b"2.0", b"9" * 25, b"9" * 4500),
    *(b"true", b"false", b"TRUE", b"null", b"NaN", b"+33639980042", b" ", b"\n", b"\t", b"\r"),
    *(b"\0", b"\x01", b"\x0b", b"\x0c", b"\x1c", b"\x7f", b"\x85", b"\xa0", b"\xff", b"\xc3\xa9"),
    *(b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xff\xfe", b"\xf0\x9f\x93\xb5", b"\\", b"'", b'"', b"/"),
)
TOKENS: Final = {
    "json": (
        *_SCALARS,
        *(b"{", b"}", b"[", b"]", b",", b":", b'""', b"{}", b"[]", b"},{", b"]}", b"\\ud800"),
        *(b'"datas":[', b'"datas":{', b'"id":1,', b'"phone":"x",', b'"success":false,'),
        *(b'"phoneNumbers":1,', b'"stopSms":1', b'{"id":1,"phone":"x","stopSms":true}', b"\\u0000"),
        *(b'],"datas":[', b'"a":', b"\\u002b", b"\\n", b"/**/", b"[" * 70, b'{"a":' * 70),
    ),
    "xml": (
        *(
            b"<entry>",
            b"</entry>",
            b"<entry/>",
            b"<![CDATA[",
            b"]]>",
            b"<!--",
            b"-->",
            b"<!-- x -->",
        ),
        *(
            b"<?a b?>",
            b"<?xml version='1.0'?>",
            b"<!DOCTYPE r []>",
            b"&amp;",
            b"&#49;",
            b"&#xD800;",
        ),
        *(
            b"&x;",
            b"<result>",
            b"</result>",
            b"<datas>",
            b"</datas>",
            b"<code>1</code>",
            b"<a b='c'>",
        ),
        *(b"</a>", b' xsi:nil="true"', b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'),
        *(
            b'encoding="UTF-7"',
            b"</entry><entry>",
            b"</entry></entry>",
            b"<entry><entry>",
            b"<a:b/>",
        ),
        *(b"<entry><entry>1</entry><entry>x</entry><entry>1</entry></entry>", b"<entry>" * 70),
        *(b"</entry></entry><entry><entry>", b"<success>true</success>", b"<phone>x</phone>"),
    ),
}


@cache
def seeds(format_: str) -> tuple[bytes, ...]:
    """Return the bodies to start from: the small fixtures of one format, and usual records."""
    found = {case.body for case in corpus() if case.format == format_}
    for folder in ("documented", "invalid", "cases"):
        found |= {path.read_bytes() for path in (FIXTURES / folder).glob(f"*.{format_}")}
    # What the fast path of XML reads in one way or the other.
    for further in ({}, {"name": "Jean"}, {"name": "Amélie", "age": 31}):
        rows = [row | further for row in people(6)]
        found |= {render(rental(rows), format_, style) for style in STYLES}
    return tuple(sorted(body for body in found if 0 < len(body) <= SMALL))


def mutants(format_: str, seed: int, amount: int, bodies: Sequence[bytes] = ()) -> Iterator[bytes]:
    """Yield mutated bodies: of these, or of the fixtures."""
    chance = random.Random(f"{format_} {seed}")
    for _ in range(amount):
        yield mutate(chance.choice(bodies or seeds(format_)), chance, TOKENS[format_])


def mutate(body: bytes, chance: random.Random, tokens: Sequence[bytes]) -> bytes:
    """Return a body with one to four places changed: put in, taken out, repeated, replaced."""
    wrong = bytearray(body)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 4))):
        start = chance.randrange(len(wrong) + 1)
        end = min(len(wrong), start + chance.choice((1, 1, 2, 7, 8, 20, 60)))
        match chance.randrange(7):
            case 0 | 1:
                wrong[start:start] = chance.choice(tokens)
            case 2:
                wrong[start:end] = chance.choice(tokens)
            case 3:
                del wrong[start:end]
            case 4:
                elsewhere = chance.randrange(len(wrong) + 1)
                wrong[elsewhere:elsewhere] = wrong[start:end]
            case 5:
                del wrong[start:]
            case _:
                wrong[start : start + 1] = bytes([chance.randrange(256)])
    return bytes(wrong)
