"""Bodies for the tests, all made here.

As the service writes them (fact A5), in either format and any style::

    render(rental(people(3)), "xml", Style(nulls_kept=True))

By hand, for what the service would never write::

    xml_body(xml_record(1, PHONE, "true") * 2, count=2)
    json_body(as_json(people(2)), count=2)

``values_of`` gives what such records should be read as. Nothing here is shared with the readers or
the sandbox; ``parity/test_parity.py`` holds ``render`` against the recorded corpus, byte for byte.

Values: dict (a map, or an object if it is a ``Named``), list, str, int, float, bool, None.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

PHONE: Final = "+33639980042"
#: How many records a body has that is read in one piece, and one that is read in slices.
FEW: Final = 3
MANY: Final = 1500
XSI: Final = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
_SAME: Final = object()


class Named(dict[str, Any]):
    """A map whose keys the XML keeps as element names (fact A5.2)."""


@dataclass(frozen=True)
class Style:
    """The settings of the serializer.

    Attributes:
        nulls_kept: null is written, instead of being left out (fact A5.5).
        pretty: XML with two-space indent, instead of all on one line.
    """

    nulls_kept: bool = False
    pretty: bool = True

    def __str__(self) -> str:
        nulls = "nulls-kept" if self.nulls_kept else "nulls-dropped"
        return f"{nulls}-{'pretty' if self.pretty else 'one-line'}"


STYLES: Final = tuple(Style(kept, pretty) for kept in (False, True) for pretty in (True, False))


def people(number: int) -> list[dict[str, Any]]:
    """Return records with phones reserved for fiction; one in nine has opted out."""
    return [
        {
            "id": 100_000 + 7 * place,
            "phone": f"+3363998{place % 10_000:04}",
            "stopSms": place % 9 == 0,
        }
        for place in range(number)
    ]


def rental(
    records: Sequence[Mapping[str, Any]],
    *,
    count: object = _SAME,
    keyed: bool = False,
    **further: object,
) -> dict[str, Any]:
    """Return a success with these records.

    Args:
        records: the records, as maps with the wire's names.
        count: the declared count, None for none; as many as there are if it is not given.
        keyed: whether JSON gets an object instead of an array (fact A5.6).
        further: further keys of the answer.
    """
    datas: object = list(records)
    if keyed and records:
        datas = {str(7 + place): record for place, record in enumerate(records)}
    declared = len(records) if count is _SAME else count
    return {"success": True, "phoneNumbers": declared, "datas": datas, **further}


def to_json(answer: object, style: Style = Style()) -> bytes:
    """Return an answer as the serializer writes JSON (fact A5.8)."""
    if not style.nulls_kept:
        answer = _without_nulls(answer)
    text = json.dumps(answer, separators=(",", ":"), ensure_ascii=True)
    return text.replace("/", "\\/").replace("\x7f", "\\u007f").encode("ascii")


def to_xml(answer: object, style: Style = Style()) -> bytes:
    """Return an answer as the serializer writes XML (fact A5.1 to A5.5)."""
    root = "result"
    if style.nulls_kept and _holds_null(answer):
        root += f" {XSI}"
    lines = _element(root, answer, style, 0)
    newline = "\n" if style.pretty else ""
    body = newline.join(lines)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'.encode("utf-8", "surrogatepass")


def render(answer: object, format_: str, style: Style = Style()) -> bytes:
    """Return an answer in one of the two formats."""
    return to_json(answer, style) if format_ == "json" else to_xml(answer, style)


def cdata(text: str) -> str:
    """Return text as one CDATA section, split where it holds the end of one (fact A5.3)."""
    return "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>"


def _without_nulls(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value if item is not None]
    return value


def _holds_null(value: object) -> bool:
    if isinstance(value, dict | list):
        return any(map(_holds_null, _items(value)))
    return value is None


def _items(value: dict[str, Any] | list[Any]) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value


def _element(tag: str, value: object, style: Style, depth: int) -> Iterator[str]:
    indent = "  " * depth if style.pretty else ""
    if value is None:
        yield f'{indent}<{tag} xsi:nil="true"/>'
    elif not isinstance(value, dict | list):
        yield f"{indent}<{tag}>{scalar(value)}</{tag.partition(' ')[0]}>"
    elif not value:
        yield f"{indent}<{tag}/>"
    else:
        yield f"{indent}<{tag}>"
        for name, item in _children(value):
            if item is not None or style.nulls_kept:
                yield from _element(name, item, style, depth + 1)
        yield f"{indent}</{tag.partition(' ')[0]}>"


def _children(value: dict[str, Any] | list[Any]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Named):
        yield from value.items()
    else:
        yield from (("entry", item) for item in _items(value))


def scalar(value: object) -> str:
    """Return a scalar's markup: NUL cuts a text (fact A5.7), a float has 14 digits."""
    if isinstance(value, str):
        return cdata(value.partition("\0")[0])
    if isinstance(value, float):
        digits, exponent, power = f"{value:.14G}".partition("E")
        return (digits if "." in digits else f"{digits}.0") + exponent + power
    return json.dumps(value)


def values_of(records: Iterable[Mapping[str, Any]]) -> list[list[Any]]:
    """Return what records should be read as, in the form of ``outcomes.json``."""
    return [[record["id"], record["phone"], record["stopSms"]] for record in records]


def xml_record(*values: object) -> str:
    """Return a record whose entries hold this markup."""
    return "<entry>" + "".join(f"<entry>{value}</entry>" for value in values) + "</entry>"


def xml_body(records: str, count: object = "", further: str = "") -> bytes:
    """Return a success of these records in XML; without a count unless one is given."""
    counted = f"<entry>{count}</entry>" if count != "" else ""
    flag = "<entry>true</entry>"
    return f"<result>{flag}{counted}<entry>{records}</entry>{further}</result>".encode()


def json_body(records: str, count: object = None, further: str = "") -> bytes:
    """Return a success of these records in JSON; without a count unless one is given."""
    counted = f'"phoneNumbers":{count},' if count is not None else ""
    return f'{{"success":true,{counted}"datas":[{records}]{further}}}'.encode()


def as_json(rows: list[dict[str, Any]], separator: str = ",") -> str:
    """Return records as the text inside a JSON array."""
    return separator.join(json.dumps(row) for row in rows)


def as_xml(rows: list[dict[str, Any]], separator: str = "") -> str:
    """Return records as the markup inside a list of XML."""
    return separator.join(
        xml_record(row["id"], cdata(row["phone"]), str(row["stopSms"]).lower()) for row in rows
    )


def short(text: object) -> str:
    """Return a value as the id of a test."""
    return ascii(text)[:24] or "empty"
