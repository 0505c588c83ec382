"""The stop list of the account: ``stop-sms/*`` (fact A8)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import pytest
from rich.pretty import pretty_repr

from smspartner import (
    APIError,
    Client,
    ConfigurationError,
    CountMismatchError,
    DecodeError,
    RecordError,
    Sandbox,
    SMSPartnerError,
)
from smspartner.decoders.whole import decode_answer
from smspartner.models.stops import Stop, StopList
from smspartner.sandbox import FAULTS
from smspartner.sandbox.wire import Format, Value, to_bytes

FORMATS: Final[tuple[Format, ...]] = ("json", "xml")
every_format = pytest.mark.parametrize("form", FORMATS)

#: The page's own sample, its phone but for the digits that are hidden there.
SAMPLE: Final = (
    b'{"success":true,"code":200,"nbData":1,"data":[{"id":19,"phoneNumber":"+33639980042",'
    b'"createdAt":"2015-07-20 10:19:45"}]}'
)
ENTRY: Final[dict[str, Value]] = {
    "id": 19,
    "phoneNumber": "+33639980042",
    "createdAt": "2015-07-20 10:19:45",
}
VALUE: Final[dict[str, Value]] = {"success": True, "code": 200, "nbData": 1, "data": [ENTRY]}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Client]:
    with Client(sandbox.api_key, base_url=sandbox.url, retries=0) as made:
        yield made


def read(value: Value, form: Format, *, nulls: Any = "dropped") -> StopList:
    return decode_answer(to_bytes(value, form, nulls=nulls), StopList)


@every_format
def test_the_documented_answer_is_a_sequence_of_stops(form: Format) -> None:
    found = read(VALUE, form)
    stop = Stop(id=19, phone="+33639980042", created_at="2015-07-20 10:19:45")
    assert found == decode_answer(SAMPLE, StopList)
    assert (len(found), found[0], found[-1:], list(found)) == (1, stop, (stop,), [stop])
    assert found.phones == ("+33639980042",)
    found.check()


def test_phones_are_masked_where_they_are_only_shown() -> None:
    found = decode_answer(SAMPLE, StopList)
    assert repr(found) == "StopList(1 phones)"
    assert "+33 6 •• •• •• 42" in repr(found[0])
    shown = repr(found) + repr(found[0]) + pretty_repr(found) + pretty_repr(found[0])
    assert "39980042" not in shown
    assert pretty_repr(found) == "StopList(phones=1)"


@every_format
@pytest.mark.parametrize("data", [[], None])
def test_an_empty_list_is_allowed(form: Format, data: Value) -> None:
    found = read({**VALUE, "nbData": 0, "data": data}, form, nulls="kept")
    found.check()
    assert (list(found), found.phones) == ([], ())


def test_entries_under_keys_are_the_entries_in_order() -> None:
    assert read({**VALUE, "data": {"7": ENTRY}}, "json") == read(VALUE, "xml")


@every_format
def test_a_time_may_be_missing(form: Format) -> None:
    found = read({**VALUE, "data": [{**ENTRY, "createdAt": None}]}, form)
    assert found[0].created_at is None


@every_format
def test_a_list_that_is_not_whole_is_refused(form: Format) -> None:
    with pytest.raises(CountMismatchError):
        read({**VALUE, "nbData": 2}, form).check()
    with pytest.raises(DecodeError, match="is this a stop list"):
        read({"success": True, "code": 200}, "json").check()


@every_format
@pytest.mark.parametrize(
    "text", [" ", "unknown", "12:30", "2015-07-20 10:19:45", "06", "O639980042"]
)
def test_an_entry_whose_phone_is_none_is_refused(form: Format, text: str) -> None:
    found = read({**VALUE, "nbData": 2, "data": [ENTRY, {**ENTRY, "phoneNumber": text}]}, form)
    with pytest.raises(RecordError, match=r"\[1\].phoneNumber: Expected a phone") as caught:
        found.check()
    assert text.strip() not in str(caught.value) or not text.strip()


@every_format
@pytest.mark.parametrize(
    "text", ["0639980042", "+33 6.39.98.00.42", "(+33) 6/39-98_00\xa042", "751234"]
)
def test_a_phone_may_be_spelled_in_any_way(form: Format, text: str) -> None:
    read({**VALUE, "data": [{**ENTRY, "phoneNumber": text}]}, form).check()


@every_format
def test_a_list_is_fetched(client: Client, form: Format) -> None:
    client.add_stop("0639980042")
    client.add_stop("+33639980043")
    assert client.stop_list(format=form).phones == ("+33639980042", "+33639980043")


def test_a_phone_is_added_and_removed(client: Client) -> None:
    assert list(client.stop_list()) == []
    stop_id = client.add_stop(" 06 39 98 00 42 ")
    (stop,) = client.stop_list()
    assert (stop.id, stop.phone) == (stop_id, "+33639980042")
    with pytest.raises(APIError) as caught:
        client.add_stop("+33639980042")
    assert caught.value.code == 3
    client.remove_stop(stop_id)
    with pytest.raises(APIError) as caught:
        client.remove_stop(stop_id)
    assert caught.value.code == 4
    with pytest.raises(APIError) as caught:
        client.add_stop("nobody")
    assert caught.value.code == 9
    assert "This phone number is not valid" in str(caught.value)


@pytest.mark.parametrize("phone", ["+33639980042000", "06 39 98 00 42 00 00"])
def test_a_refusal_does_not_show_the_phone(client: Client, phone: str) -> None:
    with pytest.raises(APIError) as caught:
        client.add_stop(phone)
    error = caught.value
    assert error.code == 9
    assert "This phone number is not valid (" in str(error)
    assert "3998" not in f"{error} {error!r} {error.details}".replace(" ", "")


@pytest.mark.parametrize("phone", ["", " ", "\ud800", None, 639980042, b"0639980042"], ids=ascii)
def test_what_is_no_phone_is_not_sent(sandbox: Sandbox, client: Client, phone: Any) -> None:
    with pytest.raises(ConfigurationError, match="phone="):
        client.add_stop(phone)
    assert sandbox.requests == []


@pytest.mark.parametrize("stop_id", [-1, 2**63, 10**5000, True, "300", None, 1.0], ids=type)
def test_what_is_no_id_is_not_sent(sandbox: Sandbox, client: Client, stop_id: Any) -> None:
    with pytest.raises(ConfigurationError, match="stop_id="):
        client.remove_stop(stop_id)
    assert sandbox.requests == []


@pytest.mark.parametrize("format_", ["csv", None, []])
def test_a_format_that_is_none_is_told(sandbox: Sandbox, client: Client, format_: Any) -> None:
    with pytest.raises(ConfigurationError, match="unknown format"):
        client.stop_list(format=format_)
    assert sandbox.requests == []


#: What changes something, one of them by a GET.
CHANGES: Final = (("add", "POST"), ("remove", "GET"))


@pytest.mark.parametrize("fault", sorted(set(FAULTS) - {"dribble", "dribble-headers"}))
@pytest.mark.parametrize(("change", "method"), CHANGES)
def test_what_may_have_been_received_is_never_sent_again(
    sandbox: Sandbox, change: str, method: str, fault: str
) -> None:
    sandbox.fault, sandbox.fault_on, sandbox.bomb = fault, "all", 1 << 20
    options: dict[str, Any] = {"retries": 3, "timeout": 0.5, "deadline": 1}
    with (
        Client(sandbox.api_key, base_url=sandbox.url, **options) as client,
        suppress(SMSPartnerError),
    ):
        _ = client.add_stop("0639980042") if change == "add" else client.remove_stop(300)
    assert [request.method for request in sandbox.requests] == [method]
