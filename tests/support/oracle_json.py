"""A second, independent reader of JSON answers: every JSON result is compared with it.

Python's own ``json``, made as strict as rule R11 asks, and rules R3 to R8 from their text. Like
``oracle_xml`` for XML it is slow, knows no limits, and only says whether a body is a success.
"""

from __future__ import annotations

import json
from typing import Any, NoReturn

from oracle_xml import RefusedError, as_integer


class Number(str):
    """A JSON number as it is written."""

    __slots__ = ()


class Ambiguous(dict[str, Any]):
    """An object in which a key comes twice; the last value wins.

    Attributes:
        all_values: the values of all its members, which are all numbers if they are records (R11).
    """

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.all_values = [value for _, value in pairs]


def has_doubles(body: bytes) -> bool:
    """Say whether a key comes twice in the answer or in a record: then readers may differ."""
    answer = parse(body)
    return any(isinstance(value, Ambiguous) for value in (answer, *_records(answer.get("datas"))))


def _records(datas: Any) -> list[Any]:
    if isinstance(datas, Ambiguous):
        return datas.all_values
    return list(datas.values()) if isinstance(datas, dict) else datas or []


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    return values if len(values) == len(pairs) else Ambiguous(pairs)


def _refuse_constant(name: str) -> NoReturn:
    raise RefusedError(f"{name} is not JSON")


def parse(body: bytes) -> Any:
    """Return a JSON value with numbers as they are written (rule R11)."""
    try:
        text = body.removeprefix(b"\xef\xbb\xbf").decode()
        if text.startswith("\ufeff"):
            raise RefusedError("two byte order marks")
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=Number,
            parse_float=Number,
            parse_constant=_refuse_constant,
        )
        # A lone surrogate has no UTF-8.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise RefusedError(str(error)) from None
    return value


def read(body: bytes) -> dict[str, Any]:
    """Return a success in the form of ``outcomes.json``.

    Raises:
        RefusedError: the body is an error of the service, or not what the rules allow.
    """
    answer = parse(body)
    if not isinstance(answer, dict):
        raise RefusedError("not an object")
    _require_success(answer.get("success"))
    count, datas = answer.get("phoneNumbers"), answer.get("datas")
    if isinstance(datas, str | bool):
        raise RefusedError("the numbers are a scalar")
    if count is None and datas is None:
        raise RefusedError("neither a count nor numbers")
    records = [_record(item) for item in _records(datas)]
    declared = None if count is None else _integer(count)
    if declared is not None and declared != len(records):
        raise RefusedError("another count")
    return {"declared": declared, "numbers": records}


def _require_success(flag: object) -> None:
    said = flag.lower() if isinstance(flag, str) else flag
    if said is not True and said != "true":
        raise RefusedError("no success")


def _record(item: object) -> list[Any]:
    if not isinstance(item, dict):
        raise RefusedError("a record is no object")
    phone = item.get("phone")
    if not isinstance(phone, str) or isinstance(phone, Number) or not phone.strip():
        raise RefusedError("no phone")
    return [_integer(item.get("id")), phone, _boolean(item.get("stopSms"))]


def _integer(value: object) -> int:
    integer = as_integer(value) if isinstance(value, str) else None
    if integer is None:
        raise RefusedError("not an integer")
    return integer


def _boolean(value: object) -> bool:
    word = str(value).lower() if isinstance(value, str | bool) else ""
    if word not in {"true", "false", "1", "0"}:
        raise RefusedError("not a boolean")
    return word in {"true", "1"}
