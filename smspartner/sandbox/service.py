"""What the service answers, before anything happens to it on its way (facts A1 to A6)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qs

from smspartner.sandbox.bodies import body_size, render
from smspartner.sandbox.rentals import Ledger, State
from smspartner.sandbox.settings import RentalPlan, Settings
from smspartner.sandbox.wire import MEDIA_TYPES, Format, Named, Value, to_bytes

#: The path of a download.
DOWNLOAD: Final = "/v1/location/file/download"

#: Each code's message (facts A3, A6), and its HTTP status where refusals have one.
_ERRORS: Final[dict[int, tuple[str, HTTPStatus]]] = {
    1: ("La Clé API est requise", HTTPStatus.UNAUTHORIZED),
    10: ("Clé API incorrecte", HTTPStatus.FORBIDDEN),
    31: ("Le token de la location est requis", HTTPStatus.BAD_REQUEST),
    32: ("Location introuvable", HTTPStatus.NOT_FOUND),
    33: ("Le fichier de la location est introuvable", HTTPStatus.NOT_FOUND),
    34: ("Le fichier de la location a déjà été utilisé", HTTPStatus.BAD_REQUEST),
    35: ("Le fichier de la location est en cours de téléchargement", HTTPStatus.BAD_REQUEST),
    36: ("La location du fichier a échoué", HTTPStatus.BAD_REQUEST),
}

# The provider's own pair of samples: names are kept in one place and lost in another, and its
# short texts are not CDATA sections, so no rule of the serializer makes it.
_CREDITS: Final[dict[Format, bytes]] = {
    "json": (
        b'{"success":true,"code":200,"user":{"username":"exemple@email.com","firstname":"John",'
        b'"lastname":"Doe"},"credits":{"creditSms":269070,"creditSmsECO":444551,'
        b'"creditHlr":2044937,"toSend":0,"solde":"10224.688","currency":"EUR",'
        b'"balance":"10224.688"}}'
    ),
    "xml": (
        b"<result><entry>true</entry><entry>200</entry><entry>"
        b"<username>exemple@email.com</username><firstname>John</firstname>"
        b"<lastname>Doe</lastname></entry><entry><entry>269070</entry><entry>444551</entry>"
        b"<entry>2044937</entry><entry>0</entry><entry><![CDATA[10224.688]]></entry>"
        b"<entry><![CDATA[EUR]]></entry><entry><![CDATA[10224.688]]></entry></entry></result>"
    ),
}


@dataclass(frozen=True, slots=True)
class Question:
    """A request, taken apart.

    Attributes:
        target: path and query as they came; the key is in it.
        path: the path alone.
        form: the format asked for, JSON where none or another one was.
        acceptable: whether the format asked for is one of the two.
        key: the API key, empty where there is none.
        token: the rental's token, empty where there is none.
    """

    target: str
    path: str
    form: Format
    acceptable: bool
    key: str
    token: str

    @classmethod
    def of(cls, target: str) -> Question:
        """Take a request's target apart; of a parameter given twice the last one counts."""
        path, _, query = target.partition("?")
        given = {name: values[-1] for name, values in parse_qs(query).items()}
        form = given.get("_format", "json")
        return cls(
            target=target,
            path=path,
            form="xml" if form == "xml" else "json",
            acceptable=form in MEDIA_TYPES,
            key=given.get("apiKey", ""),
            token=given.get("token", ""),
        )

    def __repr__(self) -> str:
        return f"Question({self.path!r}, {self.form!r})"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in good order.

    Attributes:
        body: its bytes, in pieces, to be taken once.
        size: how many bytes that are.
        media: its media type.
        status: its HTTP status.
        headers: further header lines.
        refused: whether it refuses what was asked for.
        counted: the token of the download that it is, empty where it is none.
    """

    body: Iterable[bytes]
    size: int
    media: str
    status: int = 200
    headers: tuple[str, ...] = ()
    refused: bool = False
    counted: str = ""


def whole(body: bytes, media: str, status: int = 200, *headers: str) -> Answer:
    """Return an answer whose body is held in memory."""
    return Answer([body], len(body), media, status, headers)


def framework_error(status: HTTPStatus, form: Format, *headers: str) -> Answer:
    """Return an error of the framework itself, by name in both formats (A5.9)."""
    said = Named({"code": status.value, "message": status.phrase})
    return whole(to_bytes(said, form), MEDIA_TYPES[form], status, *headers)


class Service:
    """Answers questions as SMS Partner would.

    Args:
        settings: the options of the sandbox.
        ledger: the life of its rentals.
    """

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self.settings = settings
        self.ledger = ledger
        self._endpoints = {
            DOWNLOAD: self._download,
            "/v1/location/status": self._status,
            "/v1/me": self._credits,
        }

    def answer(self, question: Question, rental: RentalPlan | None) -> Answer:
        """Return the answer; a download that is allowed is recorded by it.

        Args:
            question: what was asked.
            rental: what its token means, None where it means nothing.
        """
        if not question.acceptable:
            return framework_error(HTTPStatus.NOT_ACCEPTABLE, "json")
        endpoint = self._endpoints.get(question.path)
        if endpoint is None:
            return framework_error(HTTPStatus.NOT_FOUND, question.form)
        if question.key != self.settings.api_key:
            return self._refuse(question, 10 if question.key else 1)
        return endpoint(question, rental)

    def _credits(self, question: Question, _rental: RentalPlan | None) -> Answer:
        return whole(_CREDITS[question.form], MEDIA_TYPES[question.form])

    def _status(self, question: Question, rental: RentalPlan | None) -> Answer:
        if rental is None:
            return self._refuse(question, 32 if question.token else 31)
        return self._say(question, _status_of(rental, self.ledger.state(rental), self.settings))

    def _download(self, question: Question, rental: RentalPlan | None) -> Answer:
        if rental is None:
            return self._refuse(question, 32 if question.token else 31)
        refusal = self.ledger.download(rental, once=self.settings.once)
        if refusal:
            return self._refuse(question, refusal)
        seed, pretty = self.settings.seed, self.settings.pretty
        form, count, declared = question.form, rental.numbers, rental.declared
        return Answer(
            render(count, form, seed=seed, pretty=pretty, declared=declared),
            body_size(count, form, seed=seed, pretty=pretty, declared=declared),
            MEDIA_TYPES[form],
            counted=rental.token,
        )

    def _refuse(self, question: Question, code: int) -> Answer:
        message, status = _ERRORS[code]
        said: Value = {"success": False, "code": code, "message": message}
        answer = self._say(question, said, status if self.settings.http_errors else HTTPStatus.OK)
        return replace(answer, refused=True)

    def _say(self, question: Question, said: Value, status: int = 200) -> Answer:
        pretty, nulls = self.settings.pretty, self.settings.nulls
        body = to_bytes(said, question.form, pretty=pretty, nulls=nulls)
        return whole(body, MEDIA_TYPES[question.form], status)


def _status_of(rental: RentalPlan, state: State, settings: Settings) -> Value:
    count = rental.numbers
    made = state in {State.READY, State.DOWNLOADED}
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
        "status": state.words if settings.status_style == "text" else int(state),
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
