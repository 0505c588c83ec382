"""The options of a sandbox, and the tokens that spell out a rental."""

from __future__ import annotations

import hashlib
import math
import re
import ssl
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, TypeAlias

from smspartner.errors import ConfigurationError
from smspartner.sandbox.bodies import Declared
from smspartner.sandbox.records import Record, require_json, to_object
from smspartner.sandbox.wire import Nulls, Value

#: How the end of a body is told: by Content-Length, chunks, or the end of the connection.
Framing: TypeAlias = Literal["length", "chunked", "close"]

#: Which answers a fault strikes.
FaultOn: TypeAlias = Literal["downloads", "all"]

_FRAMINGS: Final = ("length", "chunked", "close")
_FAULT_ON: Final = ("downloads", "all")
_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "framing": _FRAMINGS,
    "fault_on": _FAULT_ON,
    "nulls": ("dropped", "kept"),
    "status_style": ("code", "text"),
}


@dataclass(kw_only=True, repr=False, eq=False)
class Settings:
    """The options of a sandbox.

    All but ``host``, ``port``, ``tls``, ``seed``, ``api_key``, ``token`` and ``stop_list`` may be
    changed while it runs.

    Attributes:
        numbers: how many numbers the rental of ``token`` has.
        records: the numbers of that rental, instead of made-up ones: ``RentedNumber``, tuples of
            id, phone and stopSms, or mappings that are sent as they are, right or wrong.
        seed: chooses the numbers, and the key and the token where none is given.
        api_key: the only key that is accepted.
        token: the rental that is there from the start; other tokens say what they are (below).
        credits: the ``credits`` that ``me`` answers; None for the documented sample.
        stop_list: the phones that are on the account's stop list from the start.
        host: the address to listen on. All but 127.0.0.1 can be reached by others, see the docs.
        port: the port to listen on; 0 is any free port.
        tls: a server's context makes the address one of https.
        pretty: XML indented, or on one line.
        declared: the count in the envelope: "right", "absent" or any integer.
        nulls: how a missing value is written: "dropped" (left out) or "kept" (as null).
        status_style: a rental's state as a code (the list of fact A4) or as text (its sample).
        http_errors: errors with the HTTP status 400, 401, 403 or 404 instead of 200.
        framing: how the end of a body is told: "length" (Content-Length), "chunked" or "close".
        pace: seconds a rental stays requested, and again seconds it is generating.
        once: refuse a second download of a rental: code 35 while the first one runs, then 34.
        delay: seconds before every answer.
        fault: the name of the fault that strikes, see ``smspartner.sandbox.faults``.
        fault_on: what it strikes: "downloads", or "all" answers.
        times: how many answers per token a fault strikes before all is well; None is all.
        at: bytes of the body that are sent before the fault; None is half of them.
        drip: seconds between two bytes of a fault that dribbles.
        retry_after: the Retry-After of a 429, 503 or 504.
        redirect_to: scheme and host that a redirect points to.
        bomb: bytes that a gzip bomb decodes to.

    A token that was never rented spells out what it is, in parts joined by dots:

    | part | what it is |
    | --- | --- |
    | `n-250000` | that many numbers |
    | `fails` | the service cannot make this rental |
    | `fault-NAME` | a fault strikes each download of this token |
    | `times-2`, `at-17`, `drip-0.01`, `framing-chunked` | how the fault strikes |
    | `on-all` | the fault strikes its status too |
    | `pace-0.5` | seconds per step of its life |
    | `declared-7` | the count in the envelope; also `declared-absent` |
    | `as-LABEL` | no effect: makes another rental of the same kind |

    ``n-1000.fault-stall.at-17`` is a rental of 1,000 numbers that stalls after 17 bytes. What a
    token does not say is as in the options. Any other token is unknown: code 32.
    """

    numbers: int = 1000
    seed: int = 0
    records: Sequence[Record] | None = None
    api_key: str = ""
    token: str = ""
    credits: Mapping[str, Value] | None = None
    stop_list: Sequence[str] = ()
    host: str = "127.0.0.1"
    port: int = 0
    tls: ssl.SSLContext | None = None
    pretty: bool = True
    declared: Declared = "right"
    nulls: Nulls = "dropped"
    status_style: Literal["code", "text"] = "code"
    http_errors: bool = False
    framing: Framing = "length"
    pace: float = 0.0
    once: bool = False
    delay: float = 0.0
    fault: str | None = None
    fault_on: FaultOn = "downloads"
    times: int | None = None
    at: int | None = None
    drip: float = 0.1
    retry_after: str = "1"
    redirect_to: str = "http://elsewhere.invalid"
    bomb: int = 1 << 30

    def __post_init__(self) -> None:
        self.api_key = self.api_key or _made_up("key", self.seed)
        self.token = self.token or _made_up("token", self.seed)
        if self.records is not None:
            self.records = list(self.records)
            self.numbers = len(self.records)
            require_json("records", *map(to_object, self.records))
        require_json("credits", self.credits)
        for name in ("numbers", "port", "pace", "delay", "drip", "bomb"):
            value = getattr(self, name)
            if value < 0 or not math.isfinite(value):
                raise ConfigurationError(f"{name} must be 0 or more")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ConfigurationError(f"{name} must be one of {', '.join(choices)}")


def _made_up(what: str, seed: int) -> str:
    return hashlib.sha256(f"sandbox {what} {seed}".encode()).hexdigest()[:40]


@dataclass(frozen=True, slots=True, kw_only=True)
class RentalPlan:
    """One rental of the sandbox, as its token spells it; see ``Settings`` for the fields."""

    token: str
    numbers: int
    declared: Declared
    framing: Framing
    pace: float
    fault: str | None
    fault_on: FaultOn
    times: int | None
    at: int | None
    drip: float
    fails: bool = False
    label: str = field(default="", repr=False)


def default_rental(settings: Settings) -> RentalPlan:
    """Return the rental that is there from the start."""
    return RentalPlan(
        token=settings.token,
        numbers=settings.numbers,
        declared=settings.declared,
        framing=settings.framing,
        pace=settings.pace,
        fault=settings.fault,
        fault_on=settings.fault_on,
        times=settings.times,
        at=settings.at,
        drip=settings.drip,
    )


def _declared(text: str) -> Declared:
    return "absent" if text == "absent" else int(text)


# What stands before the "-" of a part: the field it sets, how its value is spelled and read.
_WHOLE: Final = r"\d{1,12}"
_SECONDS: Final = r"\d{1,6}(?:\.\d{1,6})?"
_PARTS: Final[dict[str, tuple[str, str, Callable[[str], Any]]]] = {
    "n": ("numbers", _WHOLE, int),
    "fault": ("fault", r"[a-z0-9-]+", str),
    "on": ("fault_on", "|".join(_FAULT_ON), str),
    "times": ("times", _WHOLE, int),
    "at": ("at", _WHOLE, int),
    "drip": ("drip", _SECONDS, float),
    "framing": ("framing", "|".join(_FRAMINGS), str),
    "pace": ("pace", _SECONDS, float),
    "declared": ("declared", f"absent|{_WHOLE}", _declared),
    "as": ("label", r"[\w-]+", str),
}


def read_token(token: str, settings: Settings, faults: Container[str]) -> RentalPlan | None:
    """Return the rental that a token spells out, None if it spells out none.

    Args:
        token: what the request gave.
        settings: the options, for what the token does not say.
        faults: the names of all faults.
    """
    changes: dict[str, Any] = {"token": token}
    if token != settings.token:
        # A number may hold a dot ("pace-0.5"): a part begins where a letter follows the dot.
        for part in re.split(r"\.(?=[a-z])", token):
            change = _read_part(part)
            if not change:
                return None
            changes |= change
    rental = replace(default_rental(settings), **changes)
    return rental if rental.fault is None or rental.fault in faults else None


def _read_part(part: str) -> dict[str, Any]:
    if part == "fails":
        return {"fails": True}
    name, _, text = part.partition("-")
    field_name, spelling, read = _PARTS.get(name, ("", "", str))
    if not field_name or not re.fullmatch(spelling, text, re.ASCII):
        return {}
    return {field_name: read(text)}
