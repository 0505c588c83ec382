"""From a request to its typed answer: what every endpoint shares."""

from __future__ import annotations

from collections.abc import Iterable
from threading import Lock

from msgspec.structs import replace

from smspartner.decoders import decoder_named
from smspartner.decoders.limits import Limits
from smspartner.decoders.whole import decode_answer, decode_list
from smspartner.errors import AccountError, APIError, LimitError, SMSPartnerError, TruncatedError
from smspartner.models.envelope import A, ListAnswer
from smspartner.models.masks import Hidden
from smspartner.transport import Headers, Reply, Request, Transport
from smspartner.transport.secrets import APIKey

#: Below it are the endpoints of rentals.
_RENTALS = "location/"


class Caller(Hidden, frozen=True, kw_only=True):
    """Sends requests and reads their answers.

    Attributes:
        transport: what sends them.
        key: the API key.
        limits: bounds on what an answer may cost.
        timeout: seconds without a byte after which the transport gives up.
        deadline: seconds for a whole call, None for the transport's own bound.
        retries: attempts after the first one, None for the transport's own number.
        turn: held by whatever decodes a stream, so that only one does at a time; None for no such
            rule.
    """

    transport: Transport
    key: APIKey
    limits: Limits
    timeout: float
    deadline: float | None = None
    retries: int | None = None
    turn: Lock | None = None

    def send(self, request: Request) -> Reply:
        """Return the answer to a request, its body not read yet; errors as the transport's."""
        if request.deadline is None:
            request = replace(request, deadline=self.deadline)
        if request.retries is None:
            request = replace(request, retries=self.retries)
        return self.transport.send(request, self.key)

    def answer(self, request: Request, kind: type[A]) -> A:
        """Return the answer to a request: a list is read in slices, all others in one piece.

        Raises:
            APIError: the service refused.
            TransportError: no usable answer; ``retryable`` where the request changes nothing.
            DecodeError: the answer is not as the rules say.
        """
        decoder_named(request.query["_format"])
        with self.send(request) as reply:
            try:
                return self._read(reply, kind)
            except SMSPartnerError as error:
                told = _by_call(error, request)
                self.note_head(told, reply)
                told.retryable |= request.repeatable and isinstance(told, TruncatedError)
                raise told from None

    def _read(self, reply: Reply, kind: type[A]) -> A:
        if issubclass(kind, ListAnswer):
            return decode_list(
                reply.chunks,
                kind,
                media_type=reply.media_type,
                http_status=reply.status,
                limits=self.limits,
            )
        return decode_answer(
            _collected(reply.chunks, self.limits.document),
            kind,
            media_type=reply.media_type,
            http_status=reply.status,
            limits=self.limits,
        )

    def note_head(self, error: SMSPartnerError, reply: Reply) -> None:
        """Note in an error what the head of the answer says."""
        error.http_status, error.retry_after = reply.status, reply.retry_after
        error.headers = self.headers_of(reply)

    def headers_of(self, reply: Reply) -> Headers:
        """Return the headers of an answer, the key masked where the service repeats it."""
        return Headers({name: self.key.hide_in(value) for name, value in reply.headers.items()})


def _by_call(error: SMSPartnerError, request: Request) -> SMSPartnerError:
    """Return a refusal as what it means for its call.

    Fact A6: outside of ``location/`` the same codes mean other things, but for those about the
    account.
    """
    rentals = request.path.startswith(_RENTALS)
    if isinstance(error, APIError) and not (rentals or isinstance(error, AccountError)):
        return APIError(error.code, error.message, error.http_status, error.details)
    return error


def _collected(chunks: Iterable[bytes], limit: int) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise LimitError(
                f"the answer is larger than the limit of {limit} bytes for one that is read in one "
                "piece (Limits.document)"
            )
    return bytes(body)
