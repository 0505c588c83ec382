"""Any value as the service's serializer writes it (fact A5), JSON or positional XML.

The rules were compared byte for byte with bodies that the real serializer made.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, TypeAlias

Format: TypeAlias = Literal["json", "xml"]
Nulls: TypeAlias = Literal["dropped", "kept"]
Value: TypeAlias = "bool | int | float | str | Sequence[Value] | Mapping[str, Value] | None"

DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
MEDIA_TYPES: Final[dict[Format, str]] = {"json": "application/json", "xml": "application/xml"}

_NIL: Final = ' xsi:nil="true"'
_NIL_NAMESPACE: Final = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


class Named(dict[str, Value]):
    """A mapping that keeps its element names in XML, as an object does in PHP (A5.2)."""


def to_bytes(value: Value, form: Format, *, pretty: bool = True, nulls: Nulls = "dropped") -> bytes:
    """Return a whole body.

    Args:
        value: what the body says.
        form: ``"json"`` or ``"xml"``.
        pretty: for XML, indented (the service's default) or on one line.
        nulls: what becomes of None, in both formats: its place is left out, or it is written.
    """
    kept = value if nulls == "kept" else without_nulls(value)
    return to_json(kept) if form == "json" else to_xml(kept, pretty=pretty)


def to_json(value: Value) -> bytes:
    """Return a value in PHP's JSON: no spaces, ``/`` and all non-ASCII escaped (A5.8)."""
    return json.dumps(value, separators=(",", ":")).replace("/", "\\/").encode("ascii")


def to_xml(value: Value, *, pretty: bool = True) -> bytes:
    """Return a value as positional XML: keys are lost, each None is an ``xsi:nil`` (A5.1-5)."""
    namespace = _NIL_NAMESPACE if _holds_null(value) else ""
    root = _element("result", value, margin="", step="  " if pretty else "", namespace=namespace)
    # A lone surrogate is written raw, as any character that XML forbids (fact A5.7).
    return (DECLARATION + root.rstrip("\n") + "\n").encode("utf-8", "surrogatepass")


def without_nulls(value: Value) -> Value:
    """Return the value with every None left out.

    A list that loses one keeps the keys of the others, and so becomes a mapping where they are
    no longer 0…n-1 (A5.6).
    """
    if isinstance(value, Mapping):
        kept = {key: without_nulls(each) for key, each in value.items() if each is not None}
        return Named(kept) if isinstance(value, Named) else kept
    if not isinstance(value, Sequence) or isinstance(value, str):
        return value
    left = {at: without_nulls(each) for at, each in enumerate(value) if each is not None}
    if list(left) == list(range(len(left))):
        return list(left.values())
    return {str(at): each for at, each in left.items()}


def _holds_null(value: Value) -> bool:
    return value is None or any(_holds_null(child) for _, child in _children(value))


def _children(value: Value) -> Iterable[tuple[str, Value]]:
    if isinstance(value, Named):
        return value.items()
    if isinstance(value, Mapping):
        return (("entry", child) for child in value.values())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return (("entry", child) for child in value)
    return ()


def _element(name: str, value: Value, *, margin: str, step: str, namespace: str = "") -> str:
    end = "\n" if step else ""
    if value is None:
        return f"{margin}<{name}{namespace}{_NIL}/>{end}"
    if isinstance(value, bool | int | float | str):
        return f"{margin}<{name}{namespace}>{_scalar(value)}</{name}>{end}"
    content = "".join(
        _element(child_name, child, margin=margin + step, step=step)
        for child_name, child in _children(value)
    )
    if not content:
        return f"{margin}<{name}{namespace}/>{end}"
    return f"{margin}<{name}{namespace}>{end}{content}{margin}</{name}>{end}"


def _scalar(value: bool | float | str) -> str:  # noqa: FBT001 - a scalar of the wire, not a switch
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        text = value.partition("\0")[0].replace("]]>", "]]]]><![CDATA[>")  # A5.7, A5.3
        return f"<![CDATA[{text}]]>"
    if isinstance(value, int):
        return str(value)
    text = f"{value:.14G}"  # PHP's precision for text; its JSON has all 17 digits
    return f"{text}.0" if text.lstrip("-").isdigit() else text
