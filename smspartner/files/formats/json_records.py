"""JSON objects as columns: which of their keys are known, and that all have the same ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final

import msgspec

from smspartner.errors import DecodeError, LimitError
from smspartner.files.columns import WIRE_NAMES, Columns, counted_from, find_columns, typed
from smspartner.files.input_file import InputFile

_INDEX: Final = re.compile(r"\$\[(\d+)\]")
_MISSING: Final = re.compile(r"missing required field `(\w+)`")
# msgspec wants six bytes behind the first half of a character, and takes the end for a cut.
_HALF: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u[dD][89abAB][0-9a-fA-F]{2}[^\\]")
_MALFORMED: Final = re.compile(r"^JSON is malformed: | \(byte \d+\)$")


class Malformed(Exception):  # noqa: N818 - a signal inside this package; it never leaves it
    """A piece of JSON cannot be parsed: the cut was wrong, or the file is.

    Attributes:
        truncated: whether the parser wanted more.
    """

    def __init__(self, problem: str, piece: bytes) -> None:
        half = _HALF.search(piece[-24:])
        super().__init__("half a character" if half else _MALFORMED.sub("", problem))
        self.truncated = not half and "truncated" in problem


class Records:
    """Decodes one piece of JSON after the other, all with the keys of the very first record.

    Args:
        file: where they come from.
        lines: each piece is objects one after the other; otherwise it is an array of objects.

    Attributes:
        found: records decoded so far.
    """

    def __init__(self, file: InputFile, *, lines: bool) -> None:
        self.found = 0
        self._file = file
        self._lines = lines
        self._record: Callable[[bytes], list[Any]] | None = None
        self._getters: dict[str, Callable[[Any], Any]] = {}
        self._strangers: list[bytes] = []

    def decode(self, piece: bytes) -> Columns | None:
        """Return the records of a piece as columns, or None.

        Raises:
            Malformed: it cannot be parsed.
            DecodeError: a record is not like the first one, or a value is wrong.
        """
        records = self._guarded(piece)
        if not records:
            return None
        columns = {name: list(map(get, records)) for name, get in self._getters.items()}
        batch = typed(columns, counted_from(self.found, self._file))
        self.found += len(records)
        return batch

    def _guarded(self, piece: bytes) -> list[Any]:
        try:
            if not piece.isascii():
                piece.decode()  # msgspec does not look inside the values that it skips
            return self._decoded(piece)
        except msgspec.ValidationError as error:
            problem = self._odd(str(error))
        except msgspec.DecodeError as error:
            raise Malformed(str(error), piece) from None
        except UnicodeDecodeError:
            problem = DecodeError(f"{self._place(0)} or soon after it: this is not UTF-8")
        except RecursionError:
            problem = LimitError(f"{self._place(0)} or soon after it: nested too deep to be read")
        raise problem

    def _decoded(self, piece: bytes) -> list[Any]:
        if self._record is None:
            raws = self._decoder(msgspec.Raw)(piece)
            if not raws:
                return []
            self._declare(list(msgspec.json.decode(raws[0], type=dict[str, msgspec.Raw])))
        records = self._record(piece) if self._record else []
        if any(name in piece for name in self._strangers):
            self._check_strangers(piece)
        return records

    def _decoder(self, record: Any) -> Callable[[bytes], list[Any]]:
        if self._lines:
            return msgspec.json.Decoder(record).decode_lines
        return msgspec.json.Decoder(list[record]).decode

    def _declare(self, names: list[str]) -> None:
        """Make the struct of the known keys among these; further ones are passed over."""
        places = find_columns(names, self._place(0))
        rename = {column: names[place] for column, place in places.items()}
        fields = [(column, Any) for column in places]
        self._record = self._decoder(msgspec.defstruct("Record", fields, rename=rename, gc=False))
        self._getters = {column: attrgetter(column) for column in places}
        self._strangers = [
            b'"%s"' % name.encode()
            for name, column in WIRE_NAMES.items()
            if column not in places or name not in names
        ]

    def _check_strangers(self, piece: bytes) -> None:
        """Refuse a known key that the first record has not: its values would not be seen."""
        strangers = {name[1:-1].decode() for name in self._strangers}
        records = self._decoder(dict[str, msgspec.Raw])(piece)
        for index, record in enumerate(records):
            if odd := strangers & record.keys():
                raise DecodeError(
                    f"{self._place(index)}: it has {min(odd)}, which the first record has not"
                )

    def _odd(self, problem: str) -> DecodeError:
        found, missing = _INDEX.search(problem), _MISSING.search(problem)
        where = self._place(int(found[1]) if found else 0)
        if missing:
            return DecodeError(f"{where}: {missing[1]} is missing, which the first record has")
        return DecodeError(f"{where}: not an object of named values")

    def _place(self, index: int) -> str:
        return counted_from(self.found, self._file)(index)
