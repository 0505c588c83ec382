"""What becomes of each fault of the sandbox: the table behind ``test_faults.py`` and the docs.

A row is named by what follows ``fault-`` in a token, so that anybody can try it::

    smspartner sandbox
    smspartner download fault-cut -o numbers.csv

The table of ``docs/faults.md`` is made of it:

    python tests/support/fault_table.py
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from smspartner import (
    DownloadLostError,
    LimitError,
    RedirectError,
    SMSPartnerError,
    TransportError,
    TruncatedError,
    UnknownFormatError,
)

ROOT: Final = Path(__file__).resolve().parent.parent.parent
PAGE: Final = ROOT / "docs" / "faults.md"

#: What is left of the body: nothing; what arrived, marked as incomplete; all of it.
Kept: TypeAlias = Literal["nothing", "part", "all"]

_NEVER: Final = "yes: nothing was handed out"
_BEGUN: Final = "no: the download may count"
_DONE: Final = "no need"


class Fate(NamedTuple):
    """What a fault does, and what comes of it.

    Attributes:
        happens: on the way from the service.
        error: the exception, None where all is well.
        exit: the exit code of ``smspartner download``.
        words: what the one line says, in part.
        again: whether it is safe to run again; begins with "yes" where ``retryable`` is True.
        kept: what is left of the body.
        status: the ``http_status`` of the exception.
        healed: whether the client asks again by itself, if it may.
        recorded: whether the service takes the rental for downloaded.
        deadline: seconds allowed for the whole call.
        silence: seconds without a byte that are allowed.
    """

    happens: str
    error: type[SMSPartnerError] | None
    exit: int
    words: str
    again: str
    kept: Kept = "nothing"
    status: int | None = 200
    healed: bool = False
    recorded: bool = True
    deadline: float = 30.0
    silence: float = 10.0

    @property
    def retryable(self) -> bool:
        return self.again.startswith("yes")


def _cut(happens: str, words: str = "the connection was cut after") -> Fate:
    return Fate(happens, TruncatedError, 7, words, _BEGUN, kept="part")


def _not_begun(happens: str, words: str, silence: float = 10.0) -> Fate:
    return Fate(happens, DownloadLostError, 5, words, _BEGUN, silence=silence)


def _no_answer(happens: str, words: str, *, recorded: bool, **more: Any) -> Fate:
    # One that was not counted is asked for once more, after so many seconds of silence.
    said = {"status": None, "recorded": recorded, "healed": not recorded, "silence": 0.2, **more}
    return Fate(happens, DownloadLostError, 5, words, _BEGUN, **said)


def _busy(happens: str, words: str, status: int) -> Fate:
    said: dict[str, Any] = {"status": status, "healed": True, "recorded": False}
    return Fate(happens, TransportError, 6, words, _NEVER, **said)


def _fine(happens: str) -> Fate:
    return Fate(happens, None, 0, "", _DONE, kept="all")


def _redirect(happens: str) -> Fate:
    return Fate(
        happens,
        RedirectError,
        1,
        "a redirect to http://elsewhere.invalid:80; it was not followed",
        "no: correct the base URL first",
        status=302,
        recorded=False,
    )


def _late(happens: str, kept: Kept = "nothing", status: int | None = None) -> Fate:
    words = "the 0.2 s allowed for the whole call ran out"
    return Fate(happens, DownloadLostError, 5, words, _BEGUN, kept, status, deadline=0.2)


_STOPS: Final = "body stops before its end"

FATES: Final[dict[str, Fate]] = {
    "cut": _cut("the body stops half-way, short of its Content-Length"),
    "cut.at-0": _not_begun("a head, and no byte of the body", "the connection was cut, after 0"),
    "short-length": _cut("the same, whatever the framing in force"),
    "cut-chunk": _cut("the body stops inside an HTTP chunk"),
    "no-last-chunk": _cut("all of the body, but not the chunk that ends it"),
    "cut-close": _cut("a body without a length stops: HTTP sees nothing", _STOPS),
    "small-length": _cut("Content-Length says too little: HTTP sees nothing", _STOPS),
    "gzip-cut": _cut("a gzip stream stops: HTTP sees nothing"),
    "reset": _cut("TCP reset in the body"),
    "reset.at-0": _not_begun("TCP reset behind the head", "the connection was cut, after 0"),
    "stall": Fate(
        "the body stalls half-way",
        DownloadLostError,
        5,
        "the body stalled: no byte for 0.2 s, after",
        _BEGUN,
        kept="part",
        silence=0.2,
    ),
    "stall.at-0": _not_begun("silence behind the head", "no byte for 0.2 s, after 0", 0.2),
    "dribble.drip-0.05": _late("a byte of the body now and then", "part", 200),
    "dribble-headers.drip-0.05": _late("a byte of the head now and then"),
    "dribble": _fine("the same, but within the deadline"),
    "dribble-headers": _fine("the same, but within the deadline"),
    "cut-headers": _no_answer("the head stops half-way", "before it answered", recorded=True),
    "stall-headers": _no_answer("no answer at all", "did not answer within 0.2 s", recorded=False),
    "reset-early": _no_answer("TCP reset instead of an answer", "before it", recorded=False),
    "stall-recorded": _no_answer(
        "the same, though the download is counted",
        "did not answer within 0.2 s",
        recorded=True,
    ),
    "reset-recorded": _no_answer(
        "TCP reset instead of an answer, though the download is counted",
        "before it answered",
        recorded=True,
    ),
    "garbage": _no_answer(
        "what comes is not HTTP", "not answer in HTTP", recorded=False, healed=False
    ),
    "429": _busy("HTTP 429 with Retry-After", "asked too often (HTTP 429)", 429),
    "503": _busy("HTTP 503 with Retry-After", "unavailable (HTTP 503)", 503),
    "504": _no_answer("HTTP 504 with Retry-After", "(HTTP 504)", recorded=False, status=504),
    "504-recorded": _no_answer(
        "the same, though the download is counted", "(HTTP 504)", recorded=True, status=504
    ),
    "html": _no_answer("HTTP 502 with a page of a proxy", "(HTTP 502)", recorded=False, status=502),
    "redirect": _redirect("HTTP 302 to another host, the key in the address"),
    "redirect-bomb": _redirect("the same, with a gzip bomb as its body"),
    "empty": Fate("HTTP 200 without a body", UnknownFormatError, 7, "the answer is empty", _BEGUN),
    "gzip-bomb": Fate(
        "gzip that decodes to far more than a rental",
        LimitError,
        7,
        "larger than the limit of 1048576 bytes (Limits.record)",
        "no: it would be the same",
        kept="part",
    ),
    "102": _fine("an interim answer, HTTP 102, before the answer"),
    "103": _fine("an interim answer, HTTP 103, before the answer"),
    "interim": _fine("several interim answers before the answer"),
    "gzip": _fine("gzip that was not asked for, whole"),
    "wrong-type": _fine("a Content-Type that says HTML"),
    "other-type": _fine("a Content-Type that says the other format"),
}

_HEADER: Final = (
    "`fault-…`",
    "what happens on the way",
    "the caller sees",
    "exit code",
    "kept of the body",
    "safe to run again",
    "test",
)
_KEPT: Final[dict[Kept, str]] = {
    "nothing": "nothing",
    "part": "what came, as `….incomplete`",
    "all": "all, where asked for",
}
_BEGIN: Final = "<!-- fault table: made by tests/support/fault_table.py -->\n"
_END: Final = "<!-- end of the fault table -->\n"
_AGAIN: Final = {
    TransportError: ", after 3 more attempts",
    DownloadLostError: ", after 1 more attempt",
}
_MADE: Final = re.compile(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", re.DOTALL)


def table() -> str:
    """Return the table as it stands in the docs, with the marks around it."""
    rows = [_HEADER, ("---",) * len(_HEADER), *_rows()]
    return _BEGIN + "".join(f"| {' | '.join(row)} |\n" for row in rows) + _END


def _rows() -> Iterator[tuple[str, ...]]:
    for name, fate in FATES.items():
        yield (
            f"`{name}`",
            fate.happens,
            _seen(fate),
            str(fate.exit),
            _KEPT[fate.kept],
            fate.again,
            f"`promises/test_faults.py -k ':{name}]'`",
        )


def _seen(fate: Fate) -> str:
    if fate.error is None:
        return "the numbers, all of them"
    again = _AGAIN[fate.error] if fate.healed else ""
    status = f", `http_status` {fate.status}" if fate.status else ""
    return f"`{fate.error.__name__}`{status}{again}"


def made(page: str) -> str:
    """Return a page with its table made anew."""
    return _MADE.sub(lambda _: table(), page)


if __name__ == "__main__":
    PAGE.write_text(made(PAGE.read_text()))
    sys.stdout.write(f"{PAGE.name}\n")
