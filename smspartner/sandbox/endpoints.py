"""What the service answers, before anything happens to it on its way (facts A1 to A8)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final, NamedTuple, TypeAlias

from smspartner.errors import APIError
from smspartner.models.status import RentalState
from smspartner.sandbox.bodies import Declared, body_size, render
from smspartner.sandbox.ledger import Ledger
from smspartner.sandbox.messages import ParsedRequest, Response, framework_error, whole
from smspartner.sandbox.records import Record, to_object
from smspartner.sandbox.refusals import http_status, refusal, said
from smspartner.sandbox.settings import RentalPlan, Settings
from smspartner.sandbox.stops import StopList
from smspartner.sandbox.targeting import price
from smspartner.sandbox.wire import MEDIA_TYPES, Format, Named, Value, to_bytes

#: The path of a download.
DOWNLOAD: Final = "/v1/location/file/download"

# Only that of DOWNLOADED is documented as a text of the wire.
_WORDS: Final = {
    RentalState.REQUESTED: "Requested",
    RentalState.GENERATING: "File being generated",
    RentalState.READY: "File ready",
    RentalState.FAILED: "Request failed",
    RentalState.DOWNLOADED: "File downloaded by user from api",
}

# The page's own samples, of two different moments. No rule of the serializer makes the XML: names
# are kept in one place and lost in another, and its short texts are not CDATA sections (fact A9).
_ACCOUNT: Final[dict[Format, bytes]] = {
    "json": b"""{
    "success": true,
    "code": 200,
    "user": {
        "username": "exemple@email.com",
        "firstname": "John",
        "lastname": "Doe"
    },
    "credits": {
        "creditSms": 269082,
        "creditSmsECO": 444570,
        "creditHlr": 2045023,
        "toSend": 0,
        "solde": "10225.119",
        "currency": "EUR",
        "balance": "10225.119"
    }
}""",
    "xml": b"""<?xml version='1.0' encoding='UTF-8'?>
<result>
  <entry>true</entry>
  <entry>200</entry>
  <entry>
    <username>exemple@email.com</username>
    <firstname>John</firstname>
    <lastname>Doe</lastname>
  </entry>
  <entry>
    <entry>269070</entry>
    <entry>444551</entry>
    <entry>2044937</entry>
    <entry>0</entry>
    <entry><![CDATA[10224.688]]></entry>
    <entry><![CDATA[EUR]]></entry>
    <entry><![CDATA[10224.688]]></entry>
  </entry>
</result>
""",
}
_USER: Final = {"username": "exemple@email.com", "firstname": "John", "lastname": "Doe"}


class _Call(NamedTuple):
    """A request whose key is right, as an endpoint sees it."""

    request: ParsedRequest
    rental: RentalPlan | None
    fields: Mapping[str, Any]


_Endpoint: TypeAlias = "Callable[[_Call], Value | Response]"


class Endpoints:
    """Answers requests as SMS Partner would.

    Args:
        settings: the options of the sandbox.
        ledger: what has happened to its rentals.
        stops: its stop list.
    """

    def __init__(self, settings: Settings, ledger: Ledger, stops: StopList) -> None:
        self.settings = settings
        self.ledger = ledger
        self._stops = stops
        self._reads: dict[str, _Endpoint] = {
            DOWNLOAD: self._download,
            "/v1/location/status": self._status,
            "/v1/me": self._account,
            "/v1/stop-sms/list": lambda _: stops.said(),
            "/v1/stop-sms/delete": self._remove_stop,
        }
        self._posts: dict[str, _Endpoint] = {
            "/v1/location/optin": lambda call: price(call.fields),
            "/v1/stop-sms/add": self._add_stop,
        }

    def answer(self, request: ParsedRequest, rental: RentalPlan | None) -> Response:
        """Return the answer; a download that is allowed is counted by it.

        Args:
            request: what was asked.
            rental: what its token means, None where it means nothing.
        """
        path, form = request.path, request.form
        posted = path in self._posts
        if not posted and path not in self._reads:
            return framework_error(HTTPStatus.NOT_FOUND, form)
        if request.method not in (allowed := ("POST",) if posted else ("GET", "HEAD")):
            allow = f"Allow: {', '.join(allowed)}"
            return framework_error(HTTPStatus.METHOD_NOT_ALLOWED, form, allow)
        if request.query.get("_format", form) not in MEDIA_TYPES:
            return framework_error(HTTPStatus.NOT_ACCEPTABLE, form)
        endpoint = (self._posts if posted else self._reads)[path]
        try:
            answer = endpoint(_Call(request, rental, self._checked(request)))
        except APIError as error:
            status = http_status(error) if self.settings.http_errors else HTTPStatus.OK
            return replace(self._say(form, said(error), status), refused=True)
        return answer if isinstance(answer, Response) else self._say(form, answer)

    def _checked(self, request: ParsedRequest) -> Mapping[str, Any]:
        """Return what was posted, or the query, once the key in it is the right one."""
        fields = request.fields() if request.method == "POST" else request.query
        if fields is None:
            raise refusal(90)
        key = fields.get("apiKey")
        if key != self.settings.api_key:
            raise refusal(10 if key else 1)
        return fields

    def _account(self, call: _Call) -> Value | Response:
        if self.settings.credits is None:
            form = call.request.form
            return whole(_ACCOUNT[form], MEDIA_TYPES[form])
        return {
            "success": True,
            "code": 200,
            "user": Named(_USER),
            "credits": self.settings.credits,
        }

    def _status(self, call: _Call) -> Value:
        rental = _known(call)
        return _status_of(rental, self.ledger.state(rental), self.settings)

    def _download(self, call: _Call) -> Response:
        rental, form, settings = _known(call), call.request.form, self.settings
        self.ledger.begin_download(rental, once=settings.once)
        if settings.records is not None and rental.token == settings.token:
            answer = self._say(form, _given(settings.records, rental.declared))
        else:
            answer = _made_up(rental, form, settings)
        return replace(answer, counted=rental.token)

    def _add_stop(self, call: _Call) -> Value:
        phone = call.fields.get("phoneNumber")
        if not phone:
            raise refusal(2, "Le numéro de téléphone est requis")
        return {"success": True, "code": 200, "stopId": self._stops.add(str(phone))}

    def _remove_stop(self, call: _Call) -> Value:
        stop_id = call.fields.get("id")
        if not stop_id:
            raise refusal(3, "L'identifiant est requis")
        self._stops.remove(int(stop_id) if re.fullmatch(r"[0-9]{1,18}", stop_id) else -1)
        return {"success": True, "code": 200}

    def _say(self, form: Format, value: Value, status: int = HTTPStatus.OK) -> Response:
        body = to_bytes(value, form, pretty=self.settings.pretty, nulls=self.settings.nulls)
        return whole(body, MEDIA_TYPES[form], status)


def _known(call: _Call) -> RentalPlan:
    if call.rental is None:
        raise refusal(32 if call.request.token else 31)
    return call.rental


def _given(records: Sequence[Record], declared: Declared) -> Value:
    count = len(records) if declared == "right" else declared
    datas = [to_object(record) for record in records]
    counted = {} if count == "absent" else {"phoneNumbers": count}
    return {"success": True, **counted, "datas": datas}


def _made_up(rental: RentalPlan, form: Format, settings: Settings) -> Response:
    seed, pretty = settings.seed, settings.pretty
    count, declared = rental.numbers, rental.declared
    return Response(
        render(count, form, seed=seed, pretty=pretty, declared=declared),
        body_size(count, form, seed=seed, pretty=pretty, declared=declared),
        MEDIA_TYPES[form],
    )


def _status_of(rental: RentalPlan, state: RentalState, settings: Settings) -> Value:
    count = rental.numbers
    made = state in {RentalState.READY, RentalState.DOWNLOADED}
    place: Value = {
        "Type": "cp",
        "Location": "60200",
        "VolumeDesired": str(count),
        "Volume": str(count + 256),
    }
    euros, thousandths = divmod(count * 90, 1000)
    return {
        "success": True,
        "token": rental.token,
        "status": _WORDS[state] if settings.status_style == "text" else state.value,
        "location": {
            "sexe": "femme",
            "minAge": 31,
            "maxAge": 49,
            "zipcode": "60200",
            "interest": "12",
            "category": 103,
            "details_localisation": [place],
            "cost": {
                "quantity": count,
                "total": f"{euros}.{thousandths:03d}",
                "cost_unity": "0.090",
            },
        },
        "file": {"phoneNumbers": str(count)} if made else None,
    }
