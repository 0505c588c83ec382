"""Bodies of 1 MiB that were made to be slow or to fill the memory.

Run as a script it prints what each costs, measured in a process of its own:
one line of JSON with name, outcome, seconds of CPU, and peak memory in MiB.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Final, NamedTuple

import posix_only

from smspartner import SMSPartnerError, decode

SIZE: Final = 1024 * 1024

XML: Final = b"<result><entry>true</entry><entry>1</entry>"
RECORD: Final = (
    b"<entry><entry>1</entry><entry><![CDATA[+33639980042]]></entry><entry>true</entry></entry>"
)
OPEN: Final = XML + b"<entry>" + RECORD
CLOSE: Final = b"</entry></result>"
JSON: Final = b'{"success":true,"phoneNumbers":1,'
ROW: Final = b'{"id":1,"phone":"+33639980042","stopSms":true}'
ARRAY: Final = JSON + b'"datas":[' + ROW
KEYED: Final = JSON + b'"datas":{"7":' + ROW


class Cost(NamedTuple):
    """What reading a body took.

    Attributes:
        outcome: how many numbers it gave, or the exception's name.
        seconds: of processor time.
        mebibytes: of memory at the peak, the interpreter and all imports included.
    """

    outcome: str
    seconds: float
    mebibytes: float


def filled(head: bytes, unit: bytes, tail: bytes = b"") -> Callable[[], bytes]:
    """Return a body of 1 MiB that repeats one piece."""
    return lambda: head + unit * ((SIZE - len(head) - len(tail)) // len(unit)) + tail


def numbered(head: bytes, unit: bytes, tail: bytes) -> Callable[[], bytes]:
    """Return a body of 1 MiB that repeats one piece with a number in it."""
    room = SIZE - len(head) - len(tail)
    return lambda: head + b"".join(unit % i for i in range(room // (len(unit) + 4))) + tail


_WHITE: Final = b" \n\t\r"
_HEAD_X: Final = b"<entry><entry>"

BODIES: Final[dict[str, Callable[[], bytes]]] = {
    # Many false places where the records could begin.
    "json false heads": filled(JSON + b'"x":[', b'{"datas":[]},', b"0]}"),
    "json false heads in a text": filled(JSON + b'"x":"', b'\\"datas\\":[', b'"}'),
    "json open false heads": filled(JSON, b'"x":{"datas":['),
    "xml false heads": filled(XML + b"<x>", b"<entry><entry/></entry>", b"</x></result>"),
    "xml open false heads": filled(XML, _HEAD_X),
    "xml false heads in CDATA": filled(XML + b"<entry><![CDATA[", _HEAD_X, b"]]></entry></result>"),
    "xml false heads in a comment": filled(b"<result><!--", _HEAD_X, b"--></result>"),
    # Many false places where a record could end.
    "json false ends in a text": filled(ARRAY + b',{"x":"', b"},{", b'"}]}'),
    "json false ends in an open text": filled(ARRAY + b',{"x":"', b"},{"),
    "json false ends in texts": filled(ARRAY, b',{"id":1,"phone":"},{},{},{","stopSms":1}', b"]}"),
    "json false ends in a nested array": filled(ARRAY + b',{"x":[{}', b",{}", b"]}]}"),
    "json false ends behind the array": filled(ARRAY + b'],"x":[{}', b",{}", b"]}"),
    "keyed false ends": filled(KEYED + b',"8":{"x":{"a":{}', b',"b":{}', b"}}}}"),
    "keyed false keys": filled(KEYED + b',"8":{"x":"', b'},\\"a\\":{', b'"}}}'),
    "keyed quotes": filled(KEYED, b',"},"'),
    "xml false ends in CDATA": filled(
        OPEN + b"<entry><entry>1</entry><entry><![CDATA[",
        b"</entry><entry><a",
        b"]]></entry>" + CLOSE,
    ),
    "xml false ends in a comment": filled(OPEN + b"<!--", b"</entry><entry><a", b"-->" + CLOSE),
    "xml false ends in an open comment": filled(OPEN + b"<!--", b"</entry><entry><a"),
    "xml false ends in a nested entry": filled(
        OPEN + b"<entry><entry>1</entry><entry>",
        b"<entry><a/></entry>",
        b"</entry></entry>" + CLOSE,
    ),
    "xml false ends behind the array": filled(
        OPEN + b"</entry><entry>", b"<entry><a/></entry>", CLOSE
    ),
    # Records that all go the slow way.
    "json records with wrong ends": filled(ARRAY + b",", ROW[:-1] + b',"x":"},{"},', ROW + b"]}"),
    "json tiny wrong records": filled(ARRAY, b",{}", b"]}"),
    "xml slow records": filled(OPEN, RECORD.replace(b"+33", b"+33 "), CLOSE),
    "xml tiny records": filled(OPEN, b"<entry/>", CLOSE),
    "xml empty records": filled(XML + b"<entry>", b"<entry><a/></entry>", CLOSE),
    "xml records with white space": filled(OPEN, RECORD.replace(b"><", b">\n<"), CLOSE),
    "xml some records with quotes": filled(OPEN, RECORD * 9 + RECORD.replace(b"+33", b'"'), CLOSE),
    # White space.
    "json white space before": filled(b"", b" ", ARRAY + b"]}"),
    "json white space behind": filled(ARRAY + b"]}", _WHITE),
    "json white space in the array": filled(ARRAY, _WHITE, b"]}"),
    "json white space between": filled(ARRAY + b",", _WHITE, ROW + b"]}"),
    "json braces and white space": filled(ARRAY + b',{"x":[', b"}" + b" " * 999, b"]}"),
    "json brace, comma, white space": filled(ARRAY + b',{"x":"', b"},          ", b'"}]}'),
    "xml white space before": filled(b"", b" ", XML),
    "xml white space behind": filled(OPEN + CLOSE, _WHITE),
    "xml white space in a value": filled(OPEN + b"<entry><entry>1", _WHITE, b"</entry>" + CLOSE),
    "xml white space then comment": filled(
        XML + b"<entry><entry><entry>", b"\n", b"<!-- -->1</entry></entry>" + CLOSE
    ),
    "xml lines in a value": filled(
        XML + b"<entry><entry><entry>1\n", b"x\n", b"</entry></entry>" + CLOSE
    ),
    "xml white leaves": filled(XML, b"<entry>\n \n</entry>", b"</result>"),
    "xml white CDATA leaves": filled(OPEN, b"<entry>\n<![CDATA[a\n]]> \n</entry>", CLOSE),
    # Brackets and quotes.
    "json deep": filled(JSON + b'"x":', b"["),
    "json deep objects": filled(JSON, b'"x":{'),
    "json deep and closed": lambda: JSON + b'"x":' + b"[" * (SIZE // 2) + b"]" * (SIZE // 2) + b"}",
    "json brackets in a text": filled(ARRAY + b',{"x":"', b"[{", b'"}]}'),
    "json wide": filled(JSON + b'"x":[', b"[],", b"[]]}"),
    "json wide objects": filled(JSON + b'"x":[', b"{},", b"{}]}"),
    "json flag of lists": filled(b'{"success":[', b"[],", b"[]]}"),
    "json message of lists": filled(b'{"success":false,"message":[', b"[],", b"[]]}"),
    "json escaped quotes": filled(ARRAY + b',{"x":"', b'\\"', b'"}]}'),
    "json backslashes": filled(ARRAY + b',{"x":"', b"\\\\", b'"}]}'),
    "json open escaped quotes": filled(ARRAY + b',{"x":"', b'\\"'),
    "json quotes": filled(ARRAY, b',""'),
    "json escapes": filled(ARRAY + b',{"x":"', b"\\ud83d\\udcf5", b'"}]}'),
    # Numbers.
    "json huge integer": filled(JSON + b'"x":', b"9", b"}"),
    "json huge count": filled(b'{"success":true,"datas":[],"phoneNumbers":', b"9", b"}"),
    "json huge count as text": filled(b'{"success":true,"datas":[],"phoneNumbers":"', b"9", b'"}'),
    "json huge id": filled(JSON + b'"datas":[{"phone":"x","stopSms":1,"id":', b"9", b"}]}"),
    "json huge id as text": filled(
        JSON + b'"datas":[{"phone":"x","stopSms":1,"id":"', b"9", b'"}]}'
    ),
    "json huge exponent": filled(JSON + b'"datas":[{"phone":"x","stopSms":1,"id":1e', b"9", b"}]}"),
    "json long fraction": filled(JSON + b'"datas":[{"phone":"x","stopSms":1,"id":0.', b"3", b"}]}"),
    "json many integers": filled(JSON + b'"x":[', b"9" * 4000 + b",", b"0]}"),
    "json huge code": filled(b'{"success":false,"code":', b"9", b"}"),
    "xml huge count": filled(b"<r><entry>true</entry><entry>", b"9", b"</entry></r>"),
    "xml huge id": filled(XML + b"<entry><entry><entry>", b"9", b"</entry></entry>" + CLOSE),
    "xml huge code": filled(b"<r><entry>false</entry><entry>", b"9", b"</entry></r>"),
    # Texts.
    "json huge phone": filled(ARRAY + b',{"id":1,"stopSms":1,"phone":"', b"9", b'"}]}'),
    "json blank phone": filled(ARRAY + b',{"id":1,"stopSms":1,"phone":"', b" ", b'"}]}'),
    "json huge key": filled(JSON + b'"', b"k", b'":1}'),
    "json many keys": numbered(JSON, b'"k%d":1,', b'"x":1}'),
    "keyed many keys": numbered(KEYED, b',"k%d":{"id":1,"phone":"x","stopSms":1}', b"}}"),
    "keyed many pairs twice": filled(KEYED, b',"k":{"id":1,"phone":"x","stopSms":1}', b"}}"),
    "keyed wrong last": filled(KEYED, b',"k":{"id":1,"phone":"x","stopSms":1}', b',"z":{}}}'),
    "json bytes that are not UTF-8": filled(JSON + b'"x":"', b"\xff", b'"}'),
    "json NUL": filled(b"", b"\0"),
    "xml NUL": filled(b"<", b"\0"),
    "xml huge text": filled(XML + b"<entry>", b"x", CLOSE),
    "xml huge CDATA": filled(XML + b"<entry><![CDATA[", b"x", b"]]>" + CLOSE),
    "xml many CDATA": filled(
        XML + b"<entry><entry><entry>", b"<![CDATA[x]]>", b"</entry></entry>" + CLOSE
    ),
    "xml empty CDATA": filled(
        XML + b"<entry><entry><entry>\n", b"<![CDATA[]]>", b"</entry></entry>" + CLOSE
    ),
    "xml references": filled(XML + b"<entry><entry><entry>", b"&#65;", b"</entry></entry>" + CLOSE),
    "xml entities": filled(XML + b"<entry><entry><entry>", b"&lt;", b"</entry></entry>" + CLOSE),
    "xml brackets": filled(XML + b"<entry><![CDATA[", b"]]", b"]]>" + CLOSE),
    # Markup.
    "xml deep": filled(XML, b"<entry>"),
    "xml deep names": filled(XML, b"<a>"),
    "xml wide root": filled(XML, b"<entry/>", b"</result>"),
    "xml wide named root": filled(XML, b"<a/>", b"</result>"),
    "xml wide leaf": filled(XML + b"<entry><entry><entry>", b"<a/>", b"</entry></entry>" + CLOSE),
    "xml false flag, wide": filled(b"<r><entry>false</entry>", b"<entry/>", b"</r>"),
    "xml nested code": filled(b"<r><entry>false</entry><entry>", b"<a/>", b"</entry></r>"),
    "xml huge name": filled(b"<", b"a", b"/>"),
    "xml huge open name": filled(XML + b"<", b"a"),
    "xml many names": numbered(XML, b"<n%d/>", b"</result>"),
    "xml many attributes": numbered(XML + b"<x", b' a%d=""', b"/></result>"),
    "xml many attributes on the root": numbered(b"<result", b' a%d=""', b"><entry/></result>"),
    "xml doubled attributes": filled(XML + b"<x", b' a=""', b"/></result>"),
    "xml many namespaces": numbered(XML + b"<x", b' xmlns:n%d="u"', b"/></result>"),
    "xml nested namespaces": numbered(b"<r>", b'<a xmlns:n%d="u">', b""),
    "xml siblings with namespaces": numbered(XML, b'<a xmlns:n%d="u"/>', b"</result>"),
    "xml huge attribute": filled(XML + b'<x a="', b"v", b'"/></result>'),
    "xml huge comment": filled(XML + b"<!--", b"x", b"--></result>"),
    "xml many comments": filled(XML + b"<entry>", b"<!---->", CLOSE),
    "xml many instructions": filled(XML + b"<entry>", b"<?a?>", CLOSE),
    "xml comments in the prolog": filled(b"", b"<!---->", XML),
    "xml declaration without end": filled(b"<?xml version='1.0'", b" "),
    "xml encodings in the declaration": filled(b"<?xml ", b"encoding=", b"?>"),
    "xml DOCTYPE": filled(b"<!DOCTYPE r [", b"<!ENTITY a 'a'>", b"]><r/>"),
    "xml DOCTYPE without end": filled(b"<!DOCTYPE r [", b"<!--"),
    "xml open comment in the prolog": filled(b"<!--", b"x"),
    "xml unclosed": filled(OPEN, RECORD),
    "xml mismatched": filled(OPEN, b"</a>"),
    "xml less-than": filled(XML, b"<"),
    "xml UTF-16": lambda: filled(OPEN, RECORD, CLOSE)().decode().encode("utf-16")[:SIZE],
    # Small pieces that each become an object.
    "xml wide root with texts": filled(XML, b"<a/>x", b"</result>"),
    "xml wide attributes": filled(XML, b'<x a="" b="" c="" d="" e=""/>', b"</result>"),
    "xml entries at the limit": filled(XML, b"<a/>      x", b"</result>"),
    "xml wide refusal with texts": filled(b"<r><entry>false</entry>", b"<entry/>x", b"</r>"),
    "xml references to white space": filled(
        XML + b"<entry><entry><entry>", b"&#10;", b"</entry></entry>" + CLOSE
    ),
    "xml complaints": filled(
        b"<r><entry>false</entry><entry>",
        b"<entry><entry>a</entry><entry>b</entry></entry>",
        b"</entry></r>",
    ),
    "json complaints": filled(
        b'{"success":false,"errors":[', b'{"a":"x","b":"y"},', b'{"a":"x","b":"y"}]}'
    ),
    "json brackets in texts": filled(JSON + b'"x":[', b'"[",[],', b"0]}"),
    "json nested datas first": filled(JSON, b'"x":{"datas":[1]},', b'"datas":[]}'),
    "json open lists": filled(JSON + b'"x":[[', b"[],"),
    "json minus zeros": filled(ARRAY, b',{"id":-0,"phone":"x","stopSms":1}', b"]}"),
    "json large ids": filled(ARRAY, b',{"id":9007199254740993,"phone":"x","stopSms":1}', b"]}"),
    # Records of which each second one has another layout.
    "xml two layouts": filled(
        OPEN,
        RECORD + RECORD.replace(b"<![CDATA[", b"").replace(b"]]>", b""),
        CLOSE,
    ),
    "html": filled(b"<html>", b"<p>"),
    "text": filled(b"", b"x"),
    "digits": filled(b"", b"1 "),
}


def measure(name: str) -> Cost:
    """Read a body in a child process and return what it cost."""
    readable, writable = os.pipe()
    child = posix_only.fork()
    if child == 0:
        posix_only.setrlimit(posix_only.RLIMIT_CPU, (20, 21))
        body = BODIES[name]()
        os.write(writable, _outcome(body).encode())
        os._exit(0)
    os.close(writable)
    _, _, usage = posix_only.wait4(child, 0)
    with os.fdopen(readable) as pipe:
        outcome = pipe.read() or "killed"
    return Cost(outcome, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _outcome(body: bytes) -> str:
    try:
        return str(len(decode(body)))
    except SMSPartnerError as error:
        return type(error).__name__
    except BaseException as error:  # noqa: BLE001 - it is reported, and fails the test
        return f"foreign {type(error).__name__}"


def warm_up() -> None:
    """Load everything once, so that each child only pays for its body."""
    decode(ARRAY + b"]}")
    decode(OPEN + CLOSE)


def main() -> None:
    """Print the costs of the named bodies, or of all."""
    warm_up()
    for name in sys.argv[1:] or BODIES:
        sys.stdout.write(json.dumps([name, *measure(name)]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
