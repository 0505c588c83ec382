"""For tests of declared answers: whether a struct knows every name of a sample, in its order.

A name that is forgotten, or spelled in another way, is None from JSON, while XML is read by
position: the two formats then differ without an error. So each struct is compared with a sample.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any, Union, get_args, get_origin

import msgspec

from smspartner.models.envelope import xml_orders


def require_wire_names(struct: type[msgspec.Struct], sample: bytes) -> None:
    """Require a struct, and those in it, to declare the keys of a JSON sample in their order.

    Args:
        struct: what declares the answer.
        sample: a JSON body of the service with all keys that are documented.

    Raises:
        AssertionError: a key that no field declares, fields the sample does not have, or another
            order; the message says where.
    """
    problems = list(_problems(struct, msgspec.json.decode(sample), struct.__name__))
    if problems:
        raise AssertionError("; ".join(problems))


def _problems(kind: Any, value: object, place: str) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _problems(kind, item, place)
    elif isinstance(value, dict) and get_origin(kind) is not dict and (struct := _struct_in(kind)):
        fields = {field.encode_name: field.type for field in xml_orders(struct)[0]}
        if list(fields) != list(value):
            yield f"{place} declares {', '.join(fields)}; the sample has {', '.join(value)}"
        for name in fields.keys() & value.keys():
            yield from _problems(fields[name], value[name], f"{place}.{name}")


def _struct_in(kind: Any) -> type[msgspec.Struct] | None:
    """Return the struct that a type is, or is a list, a map or an option of."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    if get_origin(kind) in {list, tuple, dict, Union, types.UnionType}:
        return next(filter(None, map(_struct_in, get_args(kind))), None)
    return None
