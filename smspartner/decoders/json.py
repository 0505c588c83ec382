"""JSON: msgspec decodes, typed and in C (rules R5-R7, R11)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from typing import Any, Final, TypeVar, cast

import msgspec

from smspartner.decoders.json_slices import find, items
from smspartner.decoders.limits import KIB, Limits
from smspartner.decoders.problems import (
    WideNumber,
    answer_error,
    is_blank,
    is_of_record,
    read_records,
    require_exact,
    with_numbers,
)
from smspartner.decoders.slices import Hole
from smspartner.errors import Complaint, DecodeError, LimitError, TruncatedError
from smspartner.models.envelope import A, Key, ListAnswer, Refusal, RentalAnswer, require_success
from smspartner.models.number import EXACT, RentedNumber

T = TypeVar("T")

_NULL: Final = msgspec.Raw(b"null")
_BOM: Final = b"\xef\xbb\xbf"
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b'[]{}"'))
_ONE_KIND: Final = bytes.maketrans(b"{}", b"[]")
# Brackets and quotes looked at together: in pieces, as each takes up to 30 times its size.
_AT_ONCE: Final = 64 * KIB
#: One level deeper, one level less deep: signed bytes.
_STEPS: Final = bytes.maketrans(b"[]", b"\x01\xff")
_BYTE: Final = r" \(byte (\d+)\)$"
_MALFORMED: Final = r"^JSON is malformed: | \(byte \d+\)$"
#: With one of these, whatever stops early goes on: it was inside a literal, a number, an escape.
_ENDINGS: Final = (
    *(b"", b"0", b'"', b"0000", b"000", b"00", b"rue", b"ue", b"e", b"alse", b"lse", b"se"),
    *(b"ull", b"ll", b"l", b"\\udc00", b"udc00", b"dc00", b"c00"),
    *(b"00\\udc00", b"0\\udc00"),
)
# So long that the parser reads every ending as a whole.
_ROOM: Final = b" " * 12
_REASON: Final = ("code", "message", "status", "title", "detail")
# Integers: looking for one takes a tenth of the time of bytes of that length (0.03 of 0.34 µs).
_BACKSLASH, _MINUS, _SPACE, _DOT = b"\\- ."
# A boolean that is written -0, as a number or as text with escapes.
_ODD_FLAG: Final = rb'[:,\[][ \t\r\n]*"?(?:-|\\u002[dD])(?:0|\\u0030)"?[ \t\r\n]*[,}]'
# An integer that may have a fraction, as a number or as text; a phone with dots looks like one.
_FRACTION: Final = rb'[:,\[][ \t\r\n]*"?-?[0-9]++(?:\.|[eE]-)'


class _Raws(msgspec.Struct, rename="camel"):
    """What only its literal form tells: null from the text "null", 1 from true."""

    success: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    code: msgspec.Raw = _NULL
    message: msgspec.Raw = _NULL
    status: msgspec.Raw = _NULL
    title: msgspec.Raw = _NULL
    detail: msgspec.Raw = _NULL
    errors: msgspec.Raw = _NULL
    error: msgspec.Raw = _NULL
    phone_numbers: msgspec.Raw = _NULL
    datas: msgspec.Raw = _NULL


class _RawRecord(msgspec.Struct, rename="camel"):
    id: msgspec.Raw
    stop_sms: msgspec.Raw


class JSONDecoder:
    """The decoder of ``application/json``; see ``smspartner.decoders``."""

    name = "json"
    media_types = frozenset({"application/json", "text/json", "application/problem+json"})
    first_bytes = b'{["'

    def decode(self, document: bytes, answer: type[A], limits: Limits) -> A:
        """Return a complete JSON document as ``answer``.

        Raises:
            APIError: the document says no (rule R4).
            RecordError: a record is wrong (rule R6).
            TruncatedError: the document stops early.
            LimitError: nested deeper than ``limits.depth``.
            DecodeError: anything else that RFC 8259 or the reading rules do not allow.
        """
        document = document.removeprefix(_BOM)
        if not document.isascii():
            _require_utf8(document)
        try:
            result = _parse(document, answer)
        except TruncatedError:
            _require_depth(document, limits.depth)
            raise
        except msgspec.ValidationError as error:
            _require_depth(document, limits.depth)
            raws = _raws(document)
            require_success(_refusal(raws))
            if not is_of_record(error):
                raise answer_error(error) from None
            return _one_by_one(document, raws, answer, error)
        records = len(result.datas or ()) if isinstance(result, RentalAnswer) else 0
        _require_depth(document, limits.depth, records)
        if result.success is not True:
            require_success(_refusal(_raws(document)))
            result = msgspec.structs.replace(result, success=True)
        if not isinstance(result, RentalAnswer):
            require_exact(document.decode())
            return result
        _require_nulls(result, document)
        if _is_suspect(document, result):
            _read_closely(_raws(document))
        return result

    def find_hole(self, window: bytes, limits: Limits) -> Hole | None:
        """Return where ``datas`` opens, be it an array or an object."""
        return self.find_list(window, RentalAnswer, limits)

    def find_list(self, window: bytes, answer: type[ListAnswer], limits: Limits) -> Hole | None:
        """Return where the list of an answer opens, be it an array or an object."""
        return find(window, answer, lambda document: self.decode(document, answer, limits))


@lru_cache(maxsize=32)
def _decoder(type_: type[Any]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(type_, strict=False, dec_hook=Key.hook)


_NUMBER: Final = _decoder(WideNumber)


def _parse(document: bytes, type_: type[T]) -> T:
    """Return a document as a type.

    Raises:
        msgspec.ValidationError: well-formed, but not of this type.
        TruncatedError, LimitError, DecodeError: not well-formed.
    """
    try:
        result: T = _decoder(type_).decode(document)  # type: ignore[arg-type]
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError as error:
        reason = str(error)
    except RecursionError:
        raise LimitError("the JSON is nested deeper than can be read") from None
    else:
        return result
    if _at_end(reason, len(document)) and _stops_early(document):
        raise TruncatedError("the JSON body stops before its end")
    # The byte it counts is one of the slice, not of the body.
    raise DecodeError(f"the JSON is not well-formed ({re.sub(_MALFORMED, '', reason)})")


def _at_end(reason: str, size: int) -> bool:
    """Say whether the parser wanted more: in its own words, or in the middle of a number."""
    place = re.search(_BYTE, reason)
    if place is None or "trailing" in reason:
        return "truncated" in reason
    return int(place[1]) >= size


def _stops_early(document: bytes) -> bool:
    """Say whether more bytes could make it whole: msgspec says so of ``nu}`` too.

    Tried out, as the parser keeps nothing of what it passes over: building the values to see
    where they stop takes 20 times the memory of the document.
    """
    return any(_goes_on(document + ending + _ROOM) for ending in _ENDINGS)


def _goes_on(document: bytes) -> bool:
    try:
        msgspec.json.decode(document, type=msgspec.Raw)
    except msgspec.DecodeError as error:
        return "truncated" in str(error)
    except RecursionError:  # deeper than the depth that is asked for next
        pass
    return True


def _raws(document: bytes) -> _Raws:
    try:
        return _parse(document, _Raws)
    except msgspec.ValidationError:
        raise DecodeError(
            "the body is not a JSON object: it is not an answer of this service"
        ) from None


def _refusal(raws: _Raws) -> Refusal:
    """Return a document read as a refusal."""
    said = {name: _literal(getattr(raws, name)) for name in _REASON}
    if not isinstance(raws.success, msgspec.UnsetType):
        said["success"] = _literal(raws.success)
    return Refusal(**said, errors=_complaints(raws.errors), error=_complaints(raws.error))


def _complaints(raw: msgspec.Raw) -> list[Complaint]:
    """Return a list of complaints, [] where it is anything else (fact A6)."""
    found = []
    for item in _members(raw) if bytes(raw).startswith(b"[") else ():
        try:
            texts = msgspec.json.decode(item, type=dict[str, str])
        except msgspec.ValidationError:
            return []
        if len(texts) != 2:  # noqa: PLR2004 - an element and a message
            return []
        # By name, or in the order in which they stand, as in XML.
        first, last = texts.values()
        found.append((texts.get("elementId", first), texts.get("message", last)))
    return found


def _literal(raw: msgspec.Raw) -> object:
    """Return a scalar as XML would give it: numbers as their text; [] for a list or a map."""
    text = bytes(raw).decode()
    if text == "null":
        return None
    if text.startswith(("[", "{")):
        return []
    return msgspec.json.decode(raw, type=str) if text.startswith('"') else text


def _require_utf8(document: bytes) -> None:
    """Refuse what is not UTF-8; msgspec does not look inside values that it skips (rule R11)."""
    try:
        document.decode()
    except UnicodeDecodeError as error:
        place, cut_short = error.start, error.end == len(document) and "end of data" in error.reason
    else:
        return
    if cut_short:
        raise TruncatedError("the JSON body stops in the middle of a character")
    raise DecodeError(f"the JSON is not UTF-8 (byte {place})")


def _require_depth(document: bytes, depth: int, records: int = 0) -> None:
    """Refuse a document whose lists and maps are nested deeper than ``depth`` (rule R10).

    Each record opens one bracket and closes it before the next does, so the depth cannot exceed
    the opening brackets less one for each record but one. Only a document beyond that is looked
    at closely.
    """
    if document.count(b"{") + _count(document, b"[", depth) - records < depth:
        return
    if _nesting(document) > depth:
        raise LimitError(f"the JSON is nested deeper than {depth} levels")


def _nesting(document: bytes) -> int:
    """Return how deep brackets are nested; what stands in texts counts for nothing."""
    skeleton = (
        document.replace(b"\\\\", b"").replace(b'\\"', b"").translate(_ONE_KIND, _NOT_BRACKETS)
    )
    deepest = depth = outside = 0
    for start in range(0, len(skeleton), _AT_ONCE):
        parts = skeleton[start : start + _AT_ONCE].split(b'"')
        brackets = b"".join(parts[outside::2])
        steps = memoryview(brackets.translate(_STEPS)).cast("b")
        depths = list(accumulate(steps, initial=depth))
        deepest, depth = max(deepest, *depths), depths[-1]
        outside = (outside + len(parts) - 1) % 2
    return deepest


def _count(document: bytes, byte: bytes, most: int) -> int:
    """Return how often a rare byte is there, if not more often than ``most``.

    Looking for the next takes 2 ns a record, where ``count`` and ``split`` take 21.
    """
    place = -1
    for count in range(most):
        place = document.find(byte, place + 1)
        if place < 0:
            return count
    return most


def _is_suspect(document: bytes, answer: RentalAnswer) -> bool:
    """Say whether a rental has to be read closely, for what no type can say.

    Leniency about numbers takes the text "null" for null, -0 for a boolean, and rounds a fraction.
    What is blank holds a space, or an escape, or is not ASCII: looking for these bytes takes 5 ns a
    record.
    """
    escapes = _BACKSLASH in document
    if (escapes or _MINUS in document) and re.search(_ODD_FLAG, document):
        return True
    if (_DOT in document or _MINUS in document) and re.search(_FRACTION, document):
        return True
    if abs(answer.phone_numbers or 0) >= EXACT:
        return True
    may_be_blank = escapes or _SPACE in document or not document.isascii()
    return may_be_blank and is_blank(answer.records)


def _require_nulls(answer: RentalAnswer, document: bytes) -> None:
    """Refuse a text that has been read as null.

    Raises:
        DecodeError: as said.
    """
    if answer.phone_numbers is not None and answer.datas is not None:
        return
    raws = _raws(document)
    if answer.phone_numbers is None and bytes(raws.phone_numbers) != b"null":
        raise DecodeError("phoneNumbers: expected an integer or null, found text")
    if answer.datas is None and bytes(raws.datas) != b"null":
        raise DecodeError("datas: expected an array, an object or null, found text")


def _one_by_one(
    document: bytes, raws: _Raws, answer: type[A], problem: msgspec.ValidationError
) -> A:
    """Return a rental whose records cannot be read all at once, if they are right.

    Raises:
        RecordError: one is wrong.
        DecodeError: the count is.
    """
    numbers = _read_closely(raws)
    if any(abs(number.id) >= EXACT for number in numbers):
        found = with_numbers(numbers, {"phoneNumbers": _literal(raws.phone_numbers)}, answer)
        _require_nulls(cast("RentalAnswer", found), document)
        return found
    raise answer_error(problem)  # in a list of numbers that another has replaced


def _read_closely(raws: _Raws) -> list[RentedNumber]:
    """Return the records of a rental read one by one; its count is looked at too.

    Raises:
        RecordError: one is wrong.
        DecodeError: the count is nearly an integer.
    """
    require_exact(str(_literal(raws.phone_numbers)), "phoneNumbers")
    return read_records(_members(raws.datas), _NUMBER.decode, _said)


def _members(raw: msgspec.Raw) -> Iterator[bytes]:
    """Yield the members of a list, or the values of a map, one by one as they are written."""
    value = bytes(raw)
    if value.startswith((b"[", b"{")):
        # As Latin-1, positions in text and bytes are equal.
        for item in items(value[1:].decode("latin-1"), keyed=value.startswith(b"{")):
            yield value[1 + item.start : 1 + item.end]


def _said(record: bytes) -> dict[str, object]:
    raws = msgspec.json.decode(record, type=_RawRecord)
    return {"id": _literal(raws.id), "stopSms": _literal(raws.stop_sms)}


DECODER: Final = JSONDecoder()
