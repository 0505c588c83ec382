"""Bodies, as the service sent them: whatever a decoder is registered for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from smspartner.decoders import decoders
from smspartner.decoders.reader import ResponseReader, iter_batches
from smspartner.errors import (
    APIError,
    CountMismatchError,
    DecodeError,
    LimitError,
    RecordError,
    TruncatedError,
    UnknownFormatError,
    UnsafeXMLError,
    api_error,
)
from smspartner.files.columns import Columns
from smspartner.files.input_file import InputFile
from smspartner.files.sources import WHOLE_COPY
from smspartner.models.masks import mask_digits
from smspartner.models.number import RentedNumber

#: Byte order marks and white space.
_LEADING: Final = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"
#: Errors that are a message and nothing else.
_PLAIN: Final = (LimitError, TruncatedError, UnknownFormatError, UnsafeXMLError)


class BodyFormat:
    """A body in JSON or XML; HTML is taken for one too, as the reader says best what it is not."""

    name = "body"
    endings = ()
    ordered = True

    def recognises(self, start: bytes) -> bool:
        """Go by the first byte, as the reader does; but a body is no lone text in quotes."""
        first = start.lstrip(_LEADING)[:1]
        return first not in {b"", b'"'} and any(first in known.first_bytes for known in decoders())

    def read(self, file: InputFile) -> Iterator[Columns]:
        """Yield the numbers; the errors are those of the reader, and name the file."""
        reader = ResponseReader()
        with _naming(file):
            for records in iter_batches(reader, file.chunks()):
                file.kind = f"{(reader.format or '').upper()} body"
                file.declared = reader.declared
                yield _columns(records)
            file.kind = f"{(reader.format or '').upper()} body"
            file.declared = reader.declared


def _columns(records: list[RentedNumber]) -> Columns:
    return {
        "id": [number.id for number in records],
        "phone": [number.phone for number in records],
        "stop_sms": [number.stop_sms for number in records],
    }


@contextmanager
def _naming(file: InputFile) -> Iterator[None]:
    try:
        yield
    except CountMismatchError as error:
        file.declared = error.declared
        error.add_note(f"the file is {file}")
        raise
    except (APIError, DecodeError) as error:
        found = error
    else:
        return
    raise _named(file, found)


def _named(file: InputFile, error: APIError | DecodeError) -> APIError | DecodeError:
    """Return the same error, about this file."""
    if isinstance(error, APIError):
        said = mask_digits(error.message) if error.message else "without a reason"
        return api_error(error.code, f"{file}: the service refused, there are no numbers: {said}")
    if isinstance(error, RecordError):
        return RecordError(error.index, error.field, f"{error.reason}, in {file}")
    kind = type(error) if type(error) in _PLAIN else DecodeError
    advice = f"; {WHOLE_COPY}" if kind is TruncatedError else ""
    return kind(f"{file}: {error}{advice}")
