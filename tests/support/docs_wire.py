"""The tables about the wire: layouts, codes, scalars, limits, and where the formats differ."""

from __future__ import annotations

import json
import types
from decimal import Decimal
from typing import Any, Final, get_args, get_origin

import msgspec
from docs_blocks import ROOT
from docs_markdown import code, described, summary, table

from smspartner import DecodeError, decode, errors
from smspartner.decoders.limits import GIB, KIB, MIB, Limits
from smspartner.models import status
from smspartner.models.envelope import Flag, xml_orders

_KINDS: Final = {int: "integer", str: "text", bool: "boolean", Decimal: "decimal"}


def kind_of(type_: Any) -> str:
    """Return a type in the words of the wire."""
    if type_ == Flag:
        return "flag"
    if isinstance(type_, types.UnionType):
        return " or ".join(dict.fromkeys(map(kind_of, filter(_is_value, get_args(type_)))))
    origin = get_origin(type_)
    if origin is list:
        return f"list of {kind_of(get_args(type_)[0])}"
    if origin is dict:
        return f"object of {kind_of(get_args(type_)[1])}"
    if origin is not None:
        return kind_of(get_args(type_)[0])
    return _KINDS.get(type_) or f"[{type_.__name__}](#{type_.__name__.lower()})"


def _is_value(type_: Any) -> bool:
    return type_ not in {type(None), msgspec.UnsetType}


def layout(struct: type[msgspec.Struct]) -> str:
    """Return the fields of a struct: the places of the XML and the keys of the JSON."""
    meaning: dict[str, str] = {}
    for each in reversed(struct.__mro__):
        meaning |= described(each)
    entries = [field.name for field in xml_orders(struct)[0]]
    rows = [
        (
            str(entries.index(field.name) + 1) if field.name in entries else "none",
            code(field.encode_name),
            kind_of(field.type),
            "no" if field.required else "yes",
            code(field.name),
            meaning.get(field.name, ""),
        )
        for field in msgspec.structs.fields(struct)
    ]
    header = ("XML entry", "JSON key", "kind", "may be absent", "in Python", "meaning")
    shown = 6 if any(row[-1] for row in rows) else 5
    return table(header[:shown], (row[:shown] for row in rows))


def states() -> str:
    words: dict[status.RentalState, list[str]] = {}
    for text, state in status._TEXTS.items():
        words.setdefault(state, []).append(code(text))
    rows = [
        (str(state.value), ", ".join(words[state]), code(f"RentalState.{state.name}"))
        for state in status.RentalState
        if state.value is not None
    ]
    return table(
        ("code", "text, in any case", "in Python"),
        [*rows, ("any other", "any other", code("RentalState.UNKNOWN"))],
    )


def api_errors() -> str:
    rows = [
        (str(number), code(kind.__name__), summary(kind).split(": ", 1)[1])
        for number, kind in errors.API_ERRORS.items()
    ]
    return table(("code", "exception", "meaning"), rows)


#: A value as it stands in JSON, and as text in XML.
_SCALARS: Final = (
    *("12", "-3", "12.0", "1e2", "1.5", '"12"', '"12.0"', '"+12"', '"007"', '" 12"', '""'),
    *("true", "false", "1", "0", '"TRUE"', '"False"', '"1"', '"0"', '"yes"', '"on"', "2", "null"),
)


def scalars() -> str:
    """Read each value at the place of an integer and of a boolean, in both formats."""
    rows = [
        (code(literal), _outcome(f"{literal},false"), _outcome(f"7,{literal}", "stop_sms"))
        for literal in dict.fromkeys(_SCALARS)
    ]
    return table(("value in JSON", "as an integer", "as a boolean"), rows)


def _outcome(values: str, field: str = "id") -> str:
    first, second = values.split(",")
    record = f'{{"id":{first},"phone":"+33639980042","stopSms":{second}}}'
    found = {_read(f'{{"success":true,"datas":[{record}]}}', field)}
    if "null" not in values:
        texts = [json.loads(value) if value[0] == '"' else value for value in (first, second)]
        cells = [f"<entry>{text}</entry>" for text in (texts[0], "+33639980042", texts[1])]
        document = (
            f"<result><entry>true</entry><entry><entry>{''.join(cells)}</entry></entry></result>"
        )
        found.add(_read(document, field))
    assert len(found) == 1, f"{values}: the formats differ: {found}"
    return found.pop()


def _read(body: str, field: str) -> str:
    try:
        return code(str(getattr(decode(body.encode()).numbers[0], field)))
    except DecodeError:
        return "refused"


def divergences() -> str:
    """Return the pairs of the corpus whose two bodies do not give the same."""
    found: dict[str, tuple[str, str, str]] = {}
    for setting in ("nulls-dropped", "nulls-kept"):
        pairs = json.loads((ROOT / "fixtures/corpus" / setting / "outcomes.json").read_text())
        for name, pair in pairs.items():
            if "both" not in pair:
                row = (pair["because"], _told(pair["json"]), _told(pair["xml"]))
                assert found.setdefault(name, row) == row
    return table(
        ("case", "because", "JSON gives", "XML gives"),
        [(code(name), *row) for name, row in sorted(found.items())],
    )


def _told(outcome: dict[str, Any]) -> str:
    if "numbers" in outcome:
        count = "no count" if outcome["declared"] is None else f"the count {outcome['declared']}"
        found = len(outcome["numbers"])
        return f"{found} number{'s' * (found != 1)}, {count}"
    if outcome["error"] == "api":
        return f"code {outcome['code']}, {code(json.dumps(outcome['message'], ensure_ascii=False))}"
    return "`DecodeError`"


def limits() -> str:
    meaning = described(Limits)
    rows = [
        (code(each.name), _size(each.default), meaning[each.name])
        for each in msgspec.structs.fields(Limits)
    ]
    return table(("limit", "unless set", "of what"), rows)


def _size(value: Any) -> str:
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if value % unit == 0:
            return f"{value // unit} {name}"
    return str(value)
