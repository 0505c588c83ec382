"""Fetch and read the numbers of SMS Partner contact rentals.

One contract, two encodings: JSON and positional XML give the same typed objects, in slices with
flat memory. The public names are below; they are loaded when first used, so that importing this
package loads neither requests nor lxml.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from smspartner._version import __version__
from smspartner.errors import (
    AccountError,
    APIError,
    APIKeyInvalidError,
    APIKeyMissingError,
    ConfigurationError,
    CountMismatchError,
    DeadlineError,
    DecodeError,
    DownloadLostError,
    LimitError,
    OutputError,
    RecordError,
    RedirectError,
    RentalFailedError,
    RentalNotFoundError,
    RentalPendingError,
    RentalUsedError,
    SMSPartnerError,
    TokenMissingError,
    TransportError,
    TruncatedError,
    UnknownFormatError,
    UnsafeXMLError,
)

if TYPE_CHECKING:
    from smspartner.client.async_client import AsyncClient
    from smspartner.client.client import Client, SavedBody
    from smspartner.client.stream import NumberStream
    from smspartner.decoders import register_decoder
    from smspartner.decoders.limits import Limits
    from smspartner.decoders.reader import ResponseReader
    from smspartner.decoders.whole import decode, iter_decode
    from smspartner.engines.polars import scan_polars
    from smspartner.files.bodies import open_bodies, read_batches
    from smspartner.files.opt_outs import OptOuts, read_opt_outs
    from smspartner.files.raw_body import RawBody
    from smspartner.files.read import open_numbers
    from smspartner.files.sinks import register_sink
    from smspartner.files.write import Written, write
    from smspartner.models.account import Account
    from smspartner.models.number import RentedNumber
    from smspartner.models.quote import Quote, Targeting
    from smspartner.models.rental import Rental
    from smspartner.models.status import RentalState, RentalStatus
    from smspartner.models.stops import Stop, StopList
    from smspartner.sandbox import Sandbox
    from smspartner.transport import Transport

__all__ = [
    "APIError",
    "APIKeyInvalidError",
    "APIKeyMissingError",
    "Account",
    "AccountError",
    "AsyncClient",
    "Client",
    "ConfigurationError",
    "CountMismatchError",
    "DeadlineError",
    "DecodeError",
    "DownloadLostError",
    "LimitError",
    "Limits",
    "NumberStream",
    "OptOuts",
    "OutputError",
    "Quote",
    "RawBody",
    "RecordError",
    "RedirectError",
    "Rental",
    "RentalFailedError",
    "RentalNotFoundError",
    "RentalPendingError",
    "RentalState",
    "RentalStatus",
    "RentalUsedError",
    "RentedNumber",
    "ResponseReader",
    "SMSPartnerError",
    "Sandbox",
    "SavedBody",
    "Stop",
    "StopList",
    "Targeting",
    "TokenMissingError",
    "Transport",
    "TransportError",
    "TruncatedError",
    "UnknownFormatError",
    "UnsafeXMLError",
    "Written",
    "__version__",
    "decode",
    "iter_decode",
    "open_bodies",
    "open_numbers",
    "read_batches",
    "read_opt_outs",
    "register_decoder",
    "register_sink",
    "scan_polars",
    "write",
]

_HOMES = {
    "Account": "models.account",
    "AsyncClient": "client.async_client",
    "Client": "client.client",
    "Limits": "decoders.limits",
    "NumberStream": "client.stream",
    "OptOuts": "files.opt_outs",
    "RawBody": "files.raw_body",
    "Rental": "models.rental",
    "RentalState": "models.status",
    "RentalStatus": "models.status",
    "RentedNumber": "models.number",
    "ResponseReader": "decoders.reader",
    "Quote": "models.quote",
    "Sandbox": "sandbox",
    "SavedBody": "client.client",
    "Stop": "models.stops",
    "StopList": "models.stops",
    "Targeting": "models.quote",
    "Transport": "transport",
    "Written": "files.write",
    "decode": "decoders.whole",
    "open_bodies": "files.bodies",
    "open_numbers": "files.read",
    "read_batches": "files.bodies",
    "read_opt_outs": "files.opt_outs",
    "register_sink": "files.sinks",
    "write": "files.write",
    "scan_polars": "engines.polars",
    "iter_decode": "decoders.whole",
    "register_decoder": "decoders",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
