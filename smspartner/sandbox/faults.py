"""What can go wrong between the service and its client, on demand.

A fault is chosen by its name, for all downloads (``Sandbox(fault="stall")``) or by a token
(``fault-stall``, see ``Settings``). ``at``, ``times``, ``drip`` and ``framing`` shape it; with
``fault_on="all"`` it strikes every other answer too.

The body stops early, and the download is counted:
    ``cut`` after ``at`` bytes, under the framing in force; ``short-length``, ``cut-chunk`` and
    ``cut-close`` under one of their own; ``no-last-chunk`` between chunks; ``small-length`` where
    Content-Length is too small; ``reset`` with a TCP reset; ``gzip-cut`` inside a gzip stream whose
    HTTP body is complete; ``cut-headers`` inside the headers.
Time passes:
    ``stall`` in the body, ``stall-headers`` before any byte; ``dribble`` a byte of the body every
    ``drip`` seconds, ``dribble-headers`` of the headers too.
The answer is lost, though the download is counted; a refusal gets through:
    ``stall-recorded`` sends nothing, ``reset-recorded`` a TCP reset, ``504-recorded`` the 504 of a
    proxy that did not wait longer.
Something else arrives, and no download is counted:
    ``429``, ``503``, ``504`` with Retry-After; ``html`` a 502 page of a proxy; ``redirect`` to
    another host with the key in the address, ``redirect-bomb`` with a bomb as its body;
    ``garbage`` that is not HTTP; ``reset-early`` a TCP reset before any byte.
The answer is complete, but unusual:
    ``102`` and ``103``: an interim answer comes before it, ``interim`` has several;
    ``wrong-type`` labels it HTML, ``other-type`` the other format; ``empty`` sends no body;
    ``gzip`` compresses it unasked; ``gzip-bomb`` adds ``bomb`` bytes of white space.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Final, TypeAlias

from smspartner.sandbox.exchange import Exchange, framed
from smspartner.sandbox.gzipped import bomb, compressed
from smspartner.sandbox.messages import Response, framework_error, whole
from smspartner.sandbox.settings import Framing
from smspartner.sandbox.wire import MEDIA_TYPES, Format

Fault: TypeAlias = Callable[[Exchange], None]

_GZIP: Final = "Content-Encoding: gzip"
_PAGE: Final = (
    "<!DOCTYPE html>\n<html>\n<head><title>{0}</title></head>\n"
    "<body>\n<center><h1>{0}</h1></center>\n<hr><center>nginx</center>\n</body>\n</html>\n"
)


def _cut(exchange: Exchange, framing: Framing | None = None) -> None:
    answer = exchange.answer()
    exchange.send(answer, framing, cut=_passing(exchange, answer))


def _no_last_chunk(exchange: Exchange) -> None:
    answer = exchange.answer()
    exchange.send(answer, "chunked", cut=answer.size)


def _small_length(exchange: Exchange) -> None:
    answer = exchange.answer()
    exchange.write([exchange.head(answer, "length", length=_passing(exchange, answer))])
    exchange.write(answer.body)
    exchange.finished = True


def _cut_headers(exchange: Exchange) -> None:
    lines = exchange.head(exchange.answer(), exchange.framing)
    exchange.write([lines[: len(lines) // 2]])
    exchange.finished = True


def _reset(exchange: Exchange) -> None:
    _cut(exchange)
    exchange.reset()


def _stall(exchange: Exchange) -> None:
    _cut(exchange)
    exchange.stall()


def _recorded(exchange: Exchange, then: Fault) -> None:
    answer = exchange.answer()
    if answer.refused:
        exchange.send(answer)
    else:
        then(exchange)


def _interim(exchange: Exchange, *statuses: HTTPStatus) -> None:
    answer = exchange.answer()
    exchange.write(f"HTTP/1.1 {each.value} {each.phrase}\r\n\r\n".encode() for each in statuses)
    exchange.send(answer)


def _dribble(exchange: Exchange) -> None:
    answer = exchange.answer()
    exchange.write([exchange.head(answer, exchange.framing)])
    _dribble_body(exchange, answer)


def _dribble_headers(exchange: Exchange) -> None:
    answer = exchange.answer()
    exchange.dribble([exchange.head(answer, exchange.framing)])
    _dribble_body(exchange, answer)


def _dribble_body(exchange: Exchange, answer: Response) -> None:
    exchange.dribble(framed(answer.body, exchange.framing))
    exchange.finished |= exchange.framing == "close"


def _busy(exchange: Exchange, status: HTTPStatus) -> None:
    later = f"Retry-After: {exchange.settings.retry_after}"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        exchange.send(framework_error(status, exchange.request.form, later), "length")
    else:
        exchange.send(_page(status, later), "length")


def _html(exchange: Exchange) -> None:
    exchange.send(_page(HTTPStatus.BAD_GATEWAY), "length")


def _redirect(exchange: Exchange) -> None:
    exchange.send(_page(HTTPStatus.FOUND, _elsewhere(exchange)), "length")


def _redirect_bomb(exchange: Exchange) -> None:
    body = bomb([b""], exchange.settings.bomb)
    status, headers = HTTPStatus.FOUND, (_elsewhere(exchange), _GZIP)
    exchange.send(Response(body, 0, "text/html", status, headers), "chunked")


def _garbage(exchange: Exchange) -> None:
    exchange.write([b"\x15\x03\x01\x00\x02\x02\x0a this is not HTTP\r\n\r\n"])
    exchange.finished = True


def _wrong_type(exchange: Exchange) -> None:
    exchange.send(replace(exchange.answer(), media="text/html; charset=UTF-8"))


def _other_type(exchange: Exchange) -> None:
    other: Format = "xml" if exchange.request.form == "json" else "json"
    exchange.send(replace(exchange.answer(), media=MEDIA_TYPES[other]))


def _empty(exchange: Exchange) -> None:
    exchange.send(replace(exchange.answer(), body=[], size=0))


def _gzip(exchange: Exchange) -> None:
    answer = exchange.answer()
    exchange.send(replace(answer, body=compressed(answer.body), headers=(_GZIP,)), "chunked")


def _gzip_cut(exchange: Exchange) -> None:
    answer = exchange.answer()
    # In memory, so that the length of what is left can be stated and nothing looks amiss.
    body = b"".join(compressed(answer.body))
    left = body[: len(body) // 2 if exchange.at is None else exchange.at]
    exchange.send(replace(answer, body=[left], size=len(left), headers=(_GZIP,)))


def _gzip_bomb(exchange: Exchange) -> None:
    answer = exchange.answer()
    body = bomb(answer.body, exchange.settings.bomb)
    exchange.send(replace(answer, body=body, headers=(_GZIP,)), "chunked")


def _passing(exchange: Exchange, answer: Response) -> int:
    return answer.size // 2 if exchange.at is None else exchange.at


def _page(status: HTTPStatus, *headers: str) -> Response:
    page = _PAGE.format(f"{status.value} {status.phrase}").encode()
    return whole(page, "text/html", status, *headers)


def _elsewhere(exchange: Exchange) -> str:
    return f"Location: {exchange.settings.redirect_to}{exchange.request.target}"


_504: Final[Fault] = partial(_busy, status=HTTPStatus.GATEWAY_TIMEOUT)
_PROCESSING: Final = HTTPStatus.PROCESSING
_HINTS: Final = HTTPStatus.EARLY_HINTS

#: Every fault by its name.
FAULTS: Final[dict[str, Fault]] = {
    "cut": _cut,
    "short-length": partial(_cut, framing="length"),
    "cut-chunk": partial(_cut, framing="chunked"),
    "cut-close": partial(_cut, framing="close"),
    "no-last-chunk": _no_last_chunk,
    "small-length": _small_length,
    "cut-headers": _cut_headers,
    "reset": _reset,
    "reset-early": Exchange.reset,
    "stall": _stall,
    "stall-headers": Exchange.stall,
    "stall-recorded": partial(_recorded, then=Exchange.stall),
    "reset-recorded": partial(_recorded, then=Exchange.reset),
    "504-recorded": partial(_recorded, then=_504),
    "dribble": _dribble,
    "dribble-headers": _dribble_headers,
    "429": partial(_busy, status=HTTPStatus.TOO_MANY_REQUESTS),
    "503": partial(_busy, status=HTTPStatus.SERVICE_UNAVAILABLE),
    "504": _504,
    "html": _html,
    "redirect": _redirect,
    "redirect-bomb": _redirect_bomb,
    "garbage": _garbage,
    "102": lambda exchange: _interim(exchange, _PROCESSING),
    "103": lambda exchange: _interim(exchange, _HINTS),
    "interim": lambda exchange: _interim(exchange, _PROCESSING, _HINTS, _HINTS, _PROCESSING),
    "wrong-type": _wrong_type,
    "other-type": _other_type,
    "empty": _empty,
    "gzip": _gzip,
    "gzip-cut": _gzip_cut,
    "gzip-bomb": _gzip_bomb,
}
