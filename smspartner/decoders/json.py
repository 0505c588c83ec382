"""JSON: msgspec decodes, typed and in C (rules R5-R7, R11)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from typing import Any, Final, TypeVar

import msgspec

from smspartner.decoders.json_slices import SCANNER, find
from smspartner.decoders.limits import Limits
from smspartner.decoders.problems import answer_error, field_error
from smspartner.decoders.slices import Hole
from smspartner.errors import DecodeError, LimitError, RecordError, TruncatedError
from smspartner.models.envelope import A, Failure, RentalAnswer, require_phones, require_success
from smspartner.models.number import RentedNumber

T = TypeVar("T")

_NULL: Final = msgspec.Raw(b"null")
_BOM: Final = b"\xef\xbb\xbf"
# The last quote may be missing: a string that does not end would be looked for at each quote in it.
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_ONE_KIND: Final = bytes.maketrans(b"{}", b"[]")
_KEY_OF_MAP: Final = re.compile(rb'"[ \t\n\r]*:[ \t\n\r]*\{')
_BYTE: Final = re.compile(r"\(byte (\d+)\)$")
_MALFORMED: Final = re.compile(r"^JSON is malformed: | \(byte \d+\)$")
#: What json says of a text that does not end.
_IN_TEXT: Final = ("Unterminated string", "Invalid \\")
#: What may stand at the end of a body that stops early, or the beginning of it.
_STARTS: Final = ("true", "false", "null", "-", ".", "e+", "e-", "E+", "E-")
_LITERALS: Final[dict[str, object]] = {"true": True, "false": False, "null": None}


class _Raws(msgspec.Struct, rename="camel"):
    """What only its literal form tells: null from the text "null", 1 from true."""

    success: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    code: msgspec.Raw = _NULL
    message: msgspec.Raw = _NULL
    status: msgspec.Raw = _NULL
    title: msgspec.Raw = _NULL
    detail: msgspec.Raw = _NULL
    phone_numbers: msgspec.Raw = _NULL
    datas: msgspec.Raw = _NULL


class JSONDecoder:
    """The decoder of ``application/json``; the contract is in ``smspartner.decoders``."""

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
            DecodeError: anything else that RFC 8259 or the rules do not allow.
        """
        document = document.removeprefix(_BOM)
        _check_text(document)
        try:
            result = _parse(document, answer)
        except TruncatedError:
            _check_open(document, limits.depth)
            raise
        except msgspec.ValidationError as error:
            problem = error
        else:
            if result.success is not True:
                require_success(_failure(document))
                result = msgspec.structs.replace(result, success=True)
            records = 0
            if isinstance(result, RentalAnswer):
                _check_rental(result, document)
                records = len(result.datas or ())
            _check_depth(document, limits.depth, records)
            return result
        require_success(_failure(document))
        located = _locate(document, problem)
        if isinstance(located, RecordError):
            require_phones(_phones(document, located.index))
        raise located

    def find_hole(self, window: bytes, limits: Limits) -> Hole | None:
        """Return where ``datas`` opens, be it an array or an object."""
        return find(window, lambda document: self.decode(document, RentalAnswer, limits))


# Numbers stay text: an integer of 5,000 digits is none of its business.
_PAIRS: Final = json.JSONDecoder(object_pairs_hook=list, strict=False, parse_int=str)


@lru_cache(maxsize=32)
def _decoder(type_: type[Any]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(type_, strict=False)


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
    raise DecodeError(f"the JSON is not well-formed ({_MALFORMED.sub('', reason)})")


def _at_end(reason: str, size: int) -> bool:
    """Say whether the parser wanted more: in its own words, or in the middle of a number."""
    place = _BYTE.search(reason)
    if place is None or "trailing" in reason:
        return "truncated" in reason
    return int(place[1]) >= size


def _stops_early(document: bytes) -> bool:
    r"""Say whether more bytes could make it whole: msgspec says so of ``nu}`` and "\ud800" too."""
    try:
        SCANNER.decode(document.decode())
    except json.JSONDecodeError as error:
        rest = error.doc[error.pos :].strip()
        in_text = error.msg.startswith(_IN_TEXT) and not rest.endswith("}")
        return in_text or any(start.startswith(rest) for start in _STARTS)
    except RecursionError:
        return True
    return False


def _failure(document: bytes) -> Failure:
    """Return a document read as a refusal; one that is not an object at all is a DecodeError."""
    try:
        raws = _parse(document, _Raws)
    except msgspec.ValidationError:
        raise DecodeError(
            "the body is not a JSON object: it is not an answer of this service"
        ) from None
    names = (name for name in Failure.__struct_fields__ if getattr(raws, name) is not msgspec.UNSET)
    return Failure(**{name: _literal(getattr(raws, name)) for name in names})


def _literal(raw: msgspec.Raw) -> object:
    """Return a scalar as XML would give it: numbers as their text; [] for a list or a map."""
    text = bytes(raw).decode()
    if text in _LITERALS:
        return _LITERALS[text]
    if text.startswith(("[", "{")):
        return []
    return msgspec.json.decode(raw, type=str) if text.startswith('"') else text


def _check_text(document: bytes) -> None:
    """Refuse what is not UTF-8; msgspec does not look inside values that it skips (rule R11)."""
    if document.isascii():
        return
    try:
        document.decode()
    except UnicodeDecodeError as error:
        place, cut_short = error.start, error.end == len(document) and "end of data" in error.reason
    else:
        return
    if cut_short:
        raise TruncatedError("the JSON body stops in the middle of a character")
    raise DecodeError(f"the JSON is not UTF-8 (byte {place})")


def _check_depth(document: bytes, depth: int, records: int) -> None:
    """Refuse a well-formed document nested deeper than ``depth`` (rule R10).

    Each record opens one bracket and closes it before the next does, so the depth cannot exceed
    the opening brackets less one for each record but one. Only a document beyond that is looked
    at closely: with strings and all but brackets removed, each round of removing pairs takes one
    level off.
    """
    if document.count(b"{") + _count(document, b"[", depth) - records < depth:
        return
    if _unpaired(document, depth):
        raise LimitError(f"the JSON is nested deeper than {depth} levels")


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


def _check_open(document: bytes, depth: int) -> None:
    """Refuse a document that stops with more than ``depth`` brackets open.

    How deep msgspec goes before it refuses by itself depends on the version of Python.
    """
    if _unpaired(document, depth) > depth:
        raise LimitError(f"the JSON is nested deeper than {depth} levels")


def _unpaired(document: bytes, rounds: int) -> int:
    """Return how many brackets are left when pairs have been removed so many times."""
    brackets = _STRING.sub(b"", document).translate(_ONE_KIND, _NOT_BRACKETS)
    for _ in range(rounds):
        brackets = brackets.replace(b"[]", b"")
    return len(brackets)


def _check_rental(answer: RentalAnswer, document: bytes) -> None:
    """Check what no type can say, here of JSON and then of every encoding.

    Leniency about numbers takes the text "null" for null, and an object keeps only the last of
    two records under one key: both would lose numbers without a word.
    """
    if answer.phone_numbers is None or answer.datas is None:
        raws = _parse(document, _Raws)
        if answer.phone_numbers is None and bytes(raws.phone_numbers) != b"null":
            raise DecodeError("phoneNumbers: expected an integer or null, found text")
        if answer.datas is None and bytes(raws.datas) != b"null":
            raise DecodeError("datas: expected an array, an object or null, found text")
    if isinstance(answer.datas, dict):
        _check_keys(answer.datas, document)
    # What is blank holds a space, or an escape, or is not ASCII: looking for these bytes takes
    # 5 ns a record where looking at every phone takes 40.
    answer.check(may_be_blank=b" " in document or b"\\" in document or not document.isascii())


def _check_keys(records: dict[str, RentedNumber], document: bytes) -> None:
    """Refuse an object of records in which a key comes twice."""
    if len(_KEY_OF_MAP.findall(document)) == len(records) + 1:
        return  # as many maps as records, and the object itself: none was replaced
    try:
        pairs: list[tuple[str, Any]] = _PAIRS.decode(document.decode())
    except RecursionError:
        raise LimitError("the JSON is nested deeper than can be read") from None
    if len(dict(pairs)["datas"]) != len(records):
        raise DecodeError("datas: a key comes twice, so one of its two records would be lost")


def _phones(document: bytes, count: int) -> Iterator[str]:
    """Yield the phones of the first records, as far as they are right.

    They always are, unless a second list of numbers has taken the place of the one with the error.
    """
    datas = bytes(_parse(document, _Raws).datas)
    keyed = datas.startswith(b"{")
    type_: Any = dict[str, msgspec.Raw] if keyed else list[msgspec.Raw]
    with suppress(msgspec.ValidationError):
        records = msgspec.json.decode(datas, type=type_)
        for record in islice(records.values() if keyed else records, count):
            yield msgspec.json.decode(record, type=RentedNumber, strict=False).phone


def _locate(document: bytes, problem: msgspec.ValidationError) -> DecodeError:
    """Return the error of a document that is well-formed but not as the rules say.

    msgspec names the place of an item in a list, but not in an object: there each record is
    decoded on its own to find it.
    """
    if "`$.datas[...]" not in str(problem):
        return answer_error(problem)
    records = msgspec.json.decode(_parse(document, _Raws).datas, type=dict[str, msgspec.Raw])
    for index, record in enumerate(records.values()):
        try:
            msgspec.json.decode(record, type=RentedNumber, strict=False)
        except msgspec.ValidationError as error:
            return field_error(index, error)
    return answer_error(problem)


DECODER: Final = JSONDecoder()
