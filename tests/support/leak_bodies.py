"""Wrong bodies with a phone, or the key, where it hurts, and the error that each ends in."""

from __future__ import annotations

import json
from typing import Final, TypeAlias
from urllib.parse import quote

from bodies import json_body, xml_body, xml_record
from leaks import KEY, PHONE, spellings

from smspartner import (
    AccountError,
    APIError,
    APIKeyInvalidError,
    APIKeyMissingError,
    CountMismatchError,
    DecodeError,
    LimitError,
    RecordError,
    RentalNotFoundError,
    RentalUsedError,
    SMSPartnerError,
    TokenMissingError,
    TruncatedError,
    UnknownFormatError,
    UnsafeXMLError,
)
from smspartner.sandbox import render

SENT: Final = quote(KEY, safe="")

WHOLE_JSON: Final = b"".join(render(3000, "json"))
WHOLE_XML: Final = b"".join(render(3000, "xml"))


def _records(*records: str) -> str:
    return json_body(",".join(records), 1).decode()


def _entries(*entries: str) -> str:
    return xml_body("".join(entries), 1).decode()


def _refusal(message: str) -> str:
    return json.dumps({"success": False, "code": 10, "message": message}, ensure_ascii=False)


_COMPLAINTS: Final = json.dumps(
    {"success": False, "code": 9, "errors": [{"elementId": SENT, "message": f"not valid ({KEY})"}]}
)

Wrong: TypeAlias = tuple[type[SMSPartnerError], str | bytes]

BODIES: Final[dict[str, Wrong]] = {
    "html": (UnknownFormatError, f"<html>{PHONE} {KEY} {SENT}</html>"),
    "html, cut": (UnknownFormatError, f"<html><body>GET /v1/me?{'x' * 45}&apiKey={SENT}</html>"),
    "text": (UnknownFormatError, f"{PHONE} 06 39 98 00 42 {quote(KEY)}"),
    "csv": (UnknownFormatError, f"id,phone\n1,{PHONE}\n"),
    "nothing": (UnknownFormatError, ""),
    "doctype": (UnsafeXMLError, f'<!DOCTYPE x [<!ENTITY a "{PHONE}{KEY}">]><result/>'),
    "encoding": (UnsafeXMLError, f'<?xml version="1.0" encoding="p{PHONE[1:]}"?><result/>'),
    "short JSON": (TruncatedError, WHOLE_JSON[:5000]),
    "long JSON, short": (TruncatedError, WHOLE_JSON[:-9]),
    "short XML": (TruncatedError, WHOLE_XML[:5000]),
    "long XML, short": (TruncatedError, WHOLE_XML[:-9]),
    "id": (RecordError, _records(f'{{"id":"{PHONE}","phone":"{PHONE}","stopSms":true}}')),
    "stop": (RecordError, _records(f'{{"id":1,"phone":"{PHONE}","stopSms":"{PHONE}"}}')),
    "list": (RecordError, _records(f'{{"id":1,"phone":["{PHONE}"],"stopSms":false}}')),
    "number": (RecordError, _records('{"id":1,"phone":33639980042,"stopSms":false}')),
    "text for a record": (RecordError, _records(f'"{PHONE}"')),
    "id, XML": (RecordError, _entries(xml_record(PHONE, PHONE, "true"))),
    "stop, XML": (RecordError, _entries(xml_record(1, PHONE, PHONE))),
    "two entries": (
        RecordError,
        _entries(f"<entry><entry>1</entry><entry>{PHONE}</entry></entry>"),
    ),
    "late record": (
        RecordError,
        (WHOLE_JSON[::-1].replace(b"eslaf", b'"2400893363+"', 1))[::-1],
    ),
    "late record, XML": (
        RecordError,
        (WHOLE_XML[::-1].replace(b"eslaf", b"2400893363+", 1))[::-1],
    ),
    "count": (CountMismatchError, WHOLE_JSON.replace(b'"phoneNumbers":3000', b'"phoneNumbers":2')),
    "count, XML": (CountMismatchError, WHOLE_XML.replace(b"<entry>3000<", b"<entry>2<")),
    "text for a count": (DecodeError, f'{{"success":true,"phoneNumbers":"{PHONE}","datas":[]}}'),
    "flag": (DecodeError, f'{{"success":"{PHONE}"}}'),
    "flag, XML": (DecodeError, f"<result><entry>{PHONE}</entry><entry/></result>"),
    "not JSON": (DecodeError, _records(f'{{"id":1,"phone":"{PHONE}","stopSms":false}},{PHONE}')),
    "not XML": (DecodeError, _entries(f"<a>{PHONE}</b>")),
    "tag": (DecodeError, _entries(f"<p{PHONE[1:]}></q{PHONE[1:]}>")),
    "entity": (DecodeError, _entries(f"&p{PHONE[1:]};")),
    "comment": (DecodeError, _entries(f"<!-- -- {PHONE} -->")),
    "control character": (DecodeError, _entries(f"<![CDATA[{PHONE}\x12]]>")),
    "attribute": (DecodeError, _entries(f'<entry a="{PHONE}" a="{PHONE}"/>')),
    "bytes": (DecodeError, b'{"success":true,"phoneNumbers":"+33639980042\xff"}'),
    "key of a record": (RecordError, f'{{"success":true,"datas":{{"{PHONE}":"{PHONE}"}}}}'),
    "behind the end": (
        DecodeError,
        _records(f'{{"id":1,"phone":"{PHONE}","stopSms":false}}') + PHONE,
    ),
    "depth": (
        LimitError,
        '{"success":true,"datas":[],"x":' + "[" * 100 + f'"{PHONE}"' + "]" * 100 + "}",
    ),
    "depth, XML": (LimitError, "<entry>" * 100 + PHONE + "</entry>" * 100),
    "record": (LimitError, _records(f'{{"id":1,"phone":"{PHONE * 200_000}","stopSms":false}}')),
    "record, XML": (LimitError, _entries(xml_record(1, PHONE * 200_000, "false"))),
    "no key": (APIKeyMissingError, '{"success":false,"code":1,"message":"La clé"}'),
    "wrong key": (APIKeyInvalidError, _refusal(" ".join(spellings(KEY)[:10]))),
    "no token": (TokenMissingError, f'{{"success":false,"code":31,"message":"{SENT}"}}'),
    "account": (AccountError, _refusal(KEY).replace("10", "11")),
    "used": (RentalUsedError, _refusal(KEY).replace("10", "34")),
    "complaints": (APIError, _COMPLAINTS),
    "unknown": (RentalNotFoundError, f'{{"success":false,"code":32,"message":"{quote(KEY)}"}}'),
    "problem": (APIError, f'{{"title":"{KEY}","status":404,"detail":"GET /?apiKey={SENT}"}}'),
}
