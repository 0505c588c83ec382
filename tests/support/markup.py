"""Bodies by hand: markup and JSON for what the serializer would never write."""

from __future__ import annotations

import json
from typing import Any, Final

from render import cdata

PHONE: Final = "+33639980042"
#: How many records a body has that is read in one piece, and one that is read in slices.
FEW: Final = 3
MANY: Final = 1500


def xml_record(*values: object) -> str:
    """Return a record whose entries hold this markup."""
    return "<entry>" + "".join(f"<entry>{value}</entry>" for value in values) + "</entry>"


def xml_body(records: str, count: object = "", further: str = "") -> bytes:
    counted = f"<entry>{count}</entry>" if count != "" else ""
    flag = "<entry>true</entry>"
    return f"<result>{flag}{counted}<entry>{records}</entry>{further}</result>".encode()


def json_body(records: str, count: object = None, further: str = "") -> bytes:
    counted = f'"phoneNumbers":{count},' if count is not None else ""
    return f'{{"success":true,{counted}"datas":[{records}]{further}}}'.encode()


def as_json(rows: list[dict[str, Any]], separator: str = ",") -> str:
    return separator.join(json.dumps(row) for row in rows)


def as_xml(rows: list[dict[str, Any]], separator: str = "") -> str:
    return separator.join(
        xml_record(row["id"], cdata(row["phone"]), str(row["stopSms"]).lower()) for row in rows
    )


def short(text: object) -> str:
    return ascii(text)[:24] or "empty"
