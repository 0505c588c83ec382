"""The worst bodies: full of what looks like something else, or just within a limit.

For time, they may cost many times the usual; what matters is that this grows with their size and
no faster. So each is made in three sizes, each twice the one before.

For memory, they are as large as a body may be that is read in one piece.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from benchmarks.bodies import whole
from benchmarks.contenders import chunks
from benchmarks.measure import Say, Spread
from benchmarks.memory import peak
from smspartner.decoders.limits import DEFAULT_LIMITS, KIB
from smspartner.decoders.reader import WINDOW, ResponseReader, iter_batches

#: Nanoseconds per byte for each of the three sizes.
Growth = Mapping[str, Sequence[Spread]]

_JSON_RECORD: Final = b'{"id":%d,"phone":"+33639980042","stopSms":false,"x":%s},'
_XML_RECORD: Final = (
    b"<entry><entry>%d</entry><entry><![CDATA[+33639980042]]></entry><entry>false</entry>%s</entry>"
)
_JSON_ENDS: Final = b"},{"
_XML_ENDS: Final = b"</entry><entry><entry>"
_CDATA: Final = b"<entry><![CDATA[%s]]></entry>"
# Bytes of the sandbox's records.
_USUAL: Final = {"json": 53, "xml": 126}
# What a record holds besides the text that fills it.
_FRAME: Final = 200

_SMALL: Final = 3 * KIB
_OVER_THE_WINDOW: Final = WINDOW + _FRAME
_UNDER_THE_LIMIT: Final = DEFAULT_LIMITS.record - _FRAME


def _filled(template: bytes, text: bytes, length: int) -> bytes:
    return template % (text * (length // len(text)))


def _records(template: bytes, extra: bytes, size: int) -> bytes:
    """Return so many bytes of records, each with something extra in it."""
    record = len(template % (10**6, extra))
    return b"".join(template % (number, extra) for number in range(max(2, size // record)))


def _json(extra: bytes, size: int) -> bytes:
    records = _records(_JSON_RECORD, extra, size).removesuffix(b",")
    return b'{"success":true,"datas":[%s]}' % records


def _xml(extra: bytes, size: int) -> bytes:
    records = _records(_XML_RECORD, extra, size)
    return b"<result><success>true</success><datas>%s</datas></result>" % records


def _json_heads(size: int) -> bytes:
    heads = _filled(b"%s{}", b'{"datas":[{"id":1}]},', size // 2)
    return _json(b"1", size // 2).replace(b'"datas"', b'"x":[%s],"datas"' % heads, 1)


def _xml_heads(size: int) -> bytes:
    heads = _filled(b"<x>%s</x>", b"<entry><entry>1</entry></entry>", size // 2)
    return _xml(b"", size // 2).replace(b"<datas>", heads + b"<datas>", 1)


_CASES: Final[dict[str, Callable[[int], bytes]]] = {
    "JSON, as usual": lambda size: whole(size // _USUAL["json"], "json"),
    "XML, as usual": lambda size: whole(size // _USUAL["xml"], "xml"),
    "JSON, text full of record ends": partial(_json, _filled(b'"%s"', _JSON_ENDS, _SMALL)),
    "JSON, lists of what looks like records": partial(_json, _filled(b"[%s{}]", b"{},", _SMALL)),
    "JSON, records just over the window": partial(
        _json, _filled(b'"%s"', _JSON_ENDS, _OVER_THE_WINDOW)
    ),
    "JSON, records just under the limit": partial(
        _json, _filled(b'"%s"', _JSON_ENDS, _UNDER_THE_LIMIT)
    ),
    "JSON, false heads": _json_heads,
    "XML, CDATA full of record ends": partial(_xml, _filled(_CDATA, _XML_ENDS, _SMALL)),
    "XML, comments full of record ends": partial(_xml, _filled(b"<!--%s-->", _XML_ENDS, _SMALL)),
    "XML, entries of what looks like records": partial(
        _xml, _filled(b"<entry>%s</entry>", b"<entry><entry>1</entry></entry>", _SMALL)
    ),
    "XML, white space between entries": partial(_xml, _filled(b"%s", b"\n", _SMALL)),
    "XML, records just over the window": partial(
        _xml, _filled(_CDATA, _XML_ENDS, _OVER_THE_WINDOW)
    ),
    "XML, records just under the limit": partial(
        _xml, _filled(_CDATA, _XML_ENDS, _UNDER_THE_LIMIT)
    ),
    "XML, false heads": _xml_heads,
}


_JSON_OPEN: Final = b'{"success":true,"phoneNumbers":1,'
_XML_OPEN: Final = b"<result><entry>true</entry><entry>1</entry>"
# So far behind the beginning, the records are not looked for.
_FAR: Final = WINDOW + KIB


def _repeated(head: bytes, unit: bytes, tail: bytes, size: int) -> bytes:
    return head + unit * ((size - len(head) - len(tail)) // len(unit)) + tail


#: Bodies that are read in one piece, and take the most memory in proportion to their size.
_PIECES: Final[dict[str, Callable[[int], bytes]]] = {
    "XML, empty elements and texts": partial(_repeated, _XML_OPEN, b"<a/>xxxxxx", b"</result>"),
    "XML, elements with names of their own": lambda size: (
        b"%s%s</result>"
        % (_XML_OPEN, b"".join(b"<n%07d/>" % number for number in range(size // 11)))
    ),
    "XML, attributes": partial(
        _repeated, _XML_OPEN, b'<x a="xxxxxx" b="xxxxxx" c="xxxxxx"/>', b"</result>"
    ),
    "XML, records": lambda size: _repeated(
        b"<result><!--%s--><entry>true</entry><entry>" % (b"x" * _FAR),
        _XML_RECORD % (1, b""),
        b"</entry></result>",
        size,
    ),
    "XML, complaints": partial(
        _repeated,
        b"<r><entry>false</entry><entry>",
        b"<entry><entry>element</entry><entry>message 7</entry></entry>",
        b"</entry></r>",
    ),
    "JSON, records": partial(
        _repeated,
        b'{"success":true,"datas":[' + b" " * _FAR,
        b'{"id":1,"phone":"x","stopSms":1},',
        b'{"id":1,"phone":"x","stopSms":1}]}',
    ),
    "JSON, records under one key": partial(
        _repeated,
        b'{"success":true,"datas":{' + b" " * _FAR,
        b'"k":{"id":1,"phone":"x","stopSms":1},',
        b'"k":{"id":1,"phone":"x","stopSms":1}}}',
    ),
    "JSON, complaints": partial(
        _repeated,
        b'{"success":false,"errors":[',
        b'{"a":"x","b":"y"},',
        b'{"a":"x","b":"y"}]}',
    ),
    "JSON, lists that do not end": partial(_repeated, _JSON_OPEN + b'"x":[[', b"[],", b""),
    "JSON, brackets in texts": partial(_repeated, _JSON_OPEN + b'"x":[', b'"[",[],', b"0]}"),
}


def peaks(say: Say) -> Mapping[str, int]:
    """Return the bytes that reading each of the worst pieces adds at its peak."""
    found = {}
    for name, make in _PIECES.items():
        say(f"memory of the worst case: {name}")
        found[name] = peak(["decode"], body=[make(DEFAULT_LIMITS.document)])
    return found


def sizes_of(smallest: int) -> list[int]:
    """Return the three sizes, in bytes."""
    return [smallest, 2 * smallest, 4 * smallest]


def measure(smallest: int, rounds: int, say: Say) -> Growth:
    """Read every case in three sizes, which take turns."""
    growth = {}
    for name, make in _CASES.items():
        say(f"worst case: {name}")
        bodies = [make(size) for size in sizes_of(smallest)]
        taken = [[_per_byte(body) for body in bodies] for _ in range(rounds)]
        growth[name] = [Spread.of(series) for series in zip(*taken, strict=True)]
    return growth


def _per_byte(body: bytes) -> float:
    start = time.process_time_ns()
    found = sum(map(len, iter_batches(ResponseReader(), chunks(io.BytesIO(body)))))
    taken = time.process_time_ns() - start
    assert found >= 2, "a worst case has to be a body that can be read"
    return taken / len(body)
