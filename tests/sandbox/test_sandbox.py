"""The sandbox answers as the service does: bodies, errors, states, and what it remembers."""

from __future__ import annotations

import http.client
import itertools
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, get_args
from urllib.parse import urlencode

import pytest

from smspartner.errors import ConfigurationError
from smspartner.models.number import RentedNumber
from smspartner.sandbox import FAULTS, Sandbox, State, body_size, number_at, render
from smspartner.sandbox.bodies import BLOCK
from smspartner.sandbox.people import CYCLE
from smspartner.sandbox.rentals import Ledger
from smspartner.sandbox.service import Question
from smspartner.sandbox.settings import Framing, RentalPlan, read_token
from smspartner.sandbox.wire import Format, Nulls, Value, to_bytes

DOWNLOAD: Final = "/v1/location/file/download"
STATUS: Final = "/v1/location/status"
FORMATS: Final[tuple[Format, ...]] = ("json", "xml")
CORPUS: Final = Path(__file__).parent.parent.parent / "fixtures"


class Got(NamedTuple):
    status: int
    media: str | None
    body: bytes


def ask(
    sandbox: Sandbox,
    path: str = DOWNLOAD,
    /,
    *,
    key: str | None = "",
    of: str | None = "",
    form: str | None = None,
) -> Got:
    """Ask on a connection of its own, with the sandbox's own key and token unless given."""
    connection = http.client.HTTPConnection(*address(sandbox), timeout=10)
    try:
        return ask_on(connection, target(sandbox, path, key=key, of=of, form=form))
    finally:
        connection.close()


def target(
    sandbox: Sandbox,
    path: str = DOWNLOAD,
    /,
    *,
    key: str | None = "",
    of: str | None = "",
    form: str | None = None,
) -> str:
    query = {
        "apiKey": sandbox.api_key if key == "" else key,
        "token": sandbox.token if of == "" else of,
        "_format": form,
    }
    given = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode(given)}"


def ask_on(connection: http.client.HTTPConnection, where: str) -> Got:
    connection.request("GET", where)
    with connection.getresponse() as response:
        return Got(response.status, response.headers["Content-Type"], response.read())


def request_bytes(sandbox: Sandbox, token: str) -> bytes:
    return f"GET {target(sandbox, of=token)} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def address(sandbox: Sandbox) -> tuple[str, int]:
    host, _, port = sandbox.url.removeprefix("http://").removesuffix("/v1").partition(":")
    return host, int(port)


def read_json(body: bytes) -> list[RentedNumber]:
    records = json.loads(body)["datas"]
    return [RentedNumber(each["id"], each["phone"], each["stopSms"]) for each in records]


def read_xml(body: bytes) -> list[RentedNumber]:
    record = re.compile(
        rb"<entry>\s*<entry>(\d+)</entry>\s*<entry><!\[CDATA\[(.*?)\]\]></entry>\s*"
        rb"<entry>(true|false)</entry>\s*</entry>"
    )
    return [
        RentedNumber(int(identifier), phone.decode(), stop == b"true")
        for identifier, phone, stop in record.findall(body)
    ]


CODE: Final[dict[Format, Callable[[bytes], int]]] = {
    "json": lambda body: json.loads(body)["code"],
    "xml": lambda body: int(re.findall(rb"<entry>(\d+)</entry>", body)[0]),
}
READ: Final = {"json": read_json, "xml": read_xml}


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    with Sandbox(numbers=3) as sandbox:
        yield sandbox


# --- bodies -------------------------------------------------------------------------------------


def test_a_rental_looks_as_the_serializer_writes_it() -> None:
    first, second = number_at(5, 0), number_at(5, 1)
    assert not first.stop_sms
    assert b"".join(render(2, "json", seed=5)).decode() == (
        '{"success":true,"phoneNumbers":2,"datas":['
        f'{{"id":{first.id},"phone":"{first.phone}","stopSms":false}},'
        f'{{"id":{second.id},"phone":"{second.phone}","stopSms":false}}]}}'
    )
    assert b"".join(render(1, "xml", seed=5)).decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        "<result>\n"
        "  <entry>true</entry>\n"
        "  <entry>1</entry>\n"
        "  <entry>\n"
        "    <entry>\n"
        f"      <entry>{first.id}</entry>\n"
        f"      <entry><![CDATA[{first.phone}]]></entry>\n"
        "      <entry>false</entry>\n"
        "    </entry>\n"
        "  </entry>\n"
        "</result>\n"
    )


def test_an_empty_rental_is_an_empty_array() -> None:
    assert b"".join(render(0, "json")) == b'{"success":true,"phoneNumbers":0,"datas":[]}'
    assert b"".join(render(0, "xml", pretty=False)) == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        b"<result><entry>true</entry><entry>0</entry><entry/></result>\n"
    )


@pytest.mark.parametrize("pretty", [True, False], ids=["pretty", "one-line"])
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("numbers", [0, 1, BLOCK + 1, CYCLE + 1])
def test_blocks_give_the_bytes_of_the_serializer_and_the_size_said(
    form: Format, numbers: int, *, pretty: bool
) -> None:
    records = [number_at(9, position) for position in range(numbers)]
    datas: Value = [
        {"id": each.id, "phone": each.phone, "stopSms": each.stop_sms} for each in records
    ]
    said: Value = {"success": True, "phoneNumbers": numbers, "datas": datas}
    body = b"".join(render(numbers, form, seed=9, pretty=pretty))
    assert body == to_bytes(said, form, pretty=pretty)
    assert body_size(numbers, form, seed=9, pretty=pretty) == len(body)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("numbers", [9 * CYCLE, 9 * CYCLE + 1, 100 * CYCLE - 1, 123_456])
def test_the_size_is_right_where_identifiers_grow_by_a_digit(form: Format, numbers: int) -> None:
    assert body_size(numbers, form) == sum(map(len, render(numbers, form)))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("declared", [7, -1, "absent"])
def test_the_declared_count_can_be_wrong_or_absent(form: Format, declared: Any) -> None:
    body = b"".join(render(3, form, declared=declared))
    assert len(READ[form](body)) == 3
    assert body_size(3, form, declared=declared) == len(body)
    right = b"".join(render(3, form))
    count = b'"phoneNumbers":%s,' if form == "json" else b"  <entry>%s</entry>\n"
    said = b"" if declared == "absent" else count % str(declared).encode()
    assert body == right.replace(count % b"3", said, 1)


def test_a_million_numbers_are_never_in_memory() -> None:
    tracemalloc.start()
    size = sum(map(len, render(1_000_000, "xml")))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size == body_size(1_000_000, "xml") > 100_000_000
    assert peak < 8_000_000


def test_numbers_depend_on_seed_and_position_only() -> None:
    positions = [0, 1, 4321, CYCLE, 3 * CYCLE + 1]
    assert [number_at(4, at) for at in positions] == [number_at(4, at) for at in positions]
    assert number_at(4, 17) != number_at(5, 17)
    phones = [number_at(4, at).phone for at in range(CYCLE)]
    assert len(set(phones)) == CYCLE
    assert all(re.fullmatch(r"\+3363998\d{4}", phone) for phone in phones)


@pytest.mark.parametrize("seed", [0, 1, 42, -3])
def test_identifiers_grow_and_about_seven_percent_have_opted_out(seed: int) -> None:
    numbers = [number_at(seed, position) for position in range(2 * CYCLE)]
    identifiers = [number.id for number in numbers]
    assert all(low < high for low, high in itertools.pairwise(identifiers))
    assert 0.06 < sum(number.stop_sms for number in numbers) / len(numbers) < 0.08


@pytest.mark.parametrize(("numbers", "form"), [(-1, "json"), (1, "csv")])
def test_a_body_that_cannot_be_is_refused_before_its_first_byte(numbers: int, form: str) -> None:
    with pytest.raises(ConfigurationError):
        render(numbers, form)


# --- the serializer, against bodies that the real one made ---------------------------------------


def corpus_pairs() -> list[Any]:
    return [
        pytest.param(nulls, path, id=f"{nulls}-{path.stem}")
        for nulls in get_args(Nulls)
        for path in sorted(CORPUS.rglob(f"nulls-{nulls}/*.json"))
        if path.name != "outcomes.json"
    ]


def test_the_corpus_is_there() -> None:
    assert len(corpus_pairs()) == 301


@pytest.mark.parametrize(("nulls", "path"), corpus_pairs())
def test_the_serializer_is_imitated_byte_for_byte(nulls: Nulls, path: Path) -> None:
    value = json.loads(path.read_bytes())
    assert to_bytes(value, "json", nulls=nulls) == path.read_bytes()
    assert to_bytes(value, "xml", nulls=nulls) == path.with_suffix(".xml").read_bytes()


@pytest.mark.parametrize(
    "path", sorted(CORPUS.rglob("nulls-dropped/*.xml")), ids=lambda path: path.stem
)
def test_nulls_are_dropped_as_the_real_serializer_drops_them(path: Path) -> None:
    kept = path.parent.parent / "nulls-kept" / path.with_suffix(".json").name
    value = json.loads(kept.read_bytes())
    assert to_bytes(value, "xml", nulls="dropped") == path.read_bytes()
    assert to_bytes(value, "json", nulls="dropped") == path.with_suffix(".json").read_bytes()


# --- answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
def test_a_download_gives_the_expected_numbers(shared: Sandbox, form: Format) -> None:
    got = ask(shared, form=form)
    assert got == Got(200, f"application/{form}", b"".join(render(3, form)))
    assert READ[form](got.body) == list(shared.expected())


def test_json_is_the_default_format(shared: Sandbox) -> None:
    assert ask(shared).media == "application/json"


ERRORS: Final[dict[int, tuple[dict[str, str | None], int, bytes]]] = {
    1: ({"key": None}, 401, b'"code":1,"message":"La Cl\\u00e9 API est requise"}'),
    10: ({"key": "wrong"}, 403, b'"code":10,"message":"Cl\\u00e9 API incorrecte"}'),
    31: ({"of": None}, 400, b'"code":31,"message":"Le token de la location est requis"}'),
    32: ({"of": "unknown"}, 404, b'"code":32,"message":"Location introuvable"}'),
}


@pytest.mark.parametrize("code", ERRORS)
@pytest.mark.parametrize("path", [DOWNLOAD, STATUS])
def test_each_error_code_in_json(shared: Sandbox, path: str, code: int) -> None:
    query, _, end = ERRORS[code]
    got = ask(shared, path, form="json", **query)
    assert got == Got(200, "application/json", b'{"success":false,' + end)


@pytest.mark.parametrize("code", ERRORS)
@pytest.mark.parametrize("path", [DOWNLOAD, STATUS])
def test_each_error_code_in_xml(shared: Sandbox, path: str, code: int) -> None:
    query, _, end = ERRORS[code]
    message = json.loads(b"{" + end)["message"]
    got = ask(shared, path, form="xml", **query)
    assert (got.status, got.media) == (200, "application/xml")
    assert got.body.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<result>\n  <entry>false</entry>\n'
        f"  <entry>{code}</entry>\n  <entry><![CDATA[{message}]]></entry>\n</result>\n"
    )


@pytest.mark.parametrize("code", ERRORS)
def test_errors_can_have_an_http_status_of_their_own(code: int) -> None:
    query, status, _ = ERRORS[code]
    with Sandbox(http_errors=True) as sandbox:
        assert ask(sandbox, **query).status == status


def test_an_empty_key_or_token_is_a_missing_one(shared: Sandbox) -> None:
    assert b'"code":1,' in ask(shared, f"{DOWNLOAD}?apiKey=&token=x&", key=None, of=None).body
    empty_token = f"{DOWNLOAD}?token=&apiKey={shared.api_key}&"
    assert b'"code":31,' in ask(shared, empty_token, key=None, of=None).body


def test_an_unknown_path_is_an_error_of_the_framework(shared: Sandbox) -> None:
    assert ask(shared, "/v1/nowhere") == Got(
        404, "application/json", b'{"code":404,"message":"Not Found"}'
    )
    assert ask(shared, "/v1/nowhere", form="xml").body == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<result>\n  <code>404</code>\n'
        b"  <message><![CDATA[Not Found]]></message>\n</result>\n"
    )


def test_an_unknown_format_is_not_acceptable(shared: Sandbox) -> None:
    assert ask(shared, form="csv").status == 406


@pytest.mark.parametrize("request_line", ["POST /v1/me HTTP/1.1", "GET", "\x00 \x01 HTTP/9.9"])
def test_what_is_no_get_request_is_refused_without_repeating_it(
    shared: Sandbox, request_line: str
) -> None:
    with socket.create_connection(address(shared), timeout=10) as connection:
        connection.sendall(f"{request_line}\r\nX-Secret: secret\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert re.match(rb"HTTP/1\.1 4\d\d |HTTP/1\.1 505 ", answer)
    assert b"\x01" not in answer
    assert b"secret" not in answer


# --- status and credits ---------------------------------------------------------------------------

LOCATION: Final = (
    '"location":{"sexe":"femme","minAge":31,"maxAge":49,"zipcode":"60200","interest":"12",'
    '"category":103,"details_localisation":[{"Type":"cp","Location":"60200","VolumeDesired":"10",'
    '"Volume":"266"}],"cost":{"quantity":10,"total":"0.900","cost_unity":"0.090"}}'
)


def test_a_downloaded_rental_has_the_status_of_the_public_sample() -> None:
    with Sandbox(numbers=10, status_style="text") as sandbox:
        ask(sandbox)
        assert ask(sandbox, STATUS).body.decode() == (
            f'{{"success":true,"token":"{sandbox.token}","status":"File downloaded by user from '
            f'api",{LOCATION},"file":{{"phoneNumbers":"10"}}}}'
        )


def test_the_xml_status_has_the_positions_of_the_json_keys() -> None:
    with Sandbox(pretty=False) as sandbox:
        assert ask(sandbox, STATUS, of="n-10", form="xml").body == (
            b'<?xml version="1.0" encoding="UTF-8"?>\n<result><entry>true</entry>'
            b"<entry><![CDATA[n-10]]></entry><entry>2</entry><entry>"
            b"<entry><![CDATA[femme]]></entry><entry>31</entry><entry>49</entry>"
            b"<entry><![CDATA[60200]]></entry><entry><![CDATA[12]]></entry><entry>103</entry>"
            b"<entry><entry><entry><![CDATA[cp]]></entry><entry><![CDATA[60200]]></entry>"
            b"<entry><![CDATA[10]]></entry><entry><![CDATA[266]]></entry></entry></entry>"
            b"<entry><entry>10</entry><entry><![CDATA[0.900]]></entry>"
            b"<entry><![CDATA[0.090]]></entry></entry></entry>"
            b"<entry><entry><![CDATA[10]]></entry></entry></result>\n"
        )


@pytest.mark.parametrize(
    ("nulls", "in_json", "in_xml"),
    [
        ("dropped", b"}}", b"</entry></entry></result>\n"),
        ("kept", b'}},"file":null}', b'<entry xsi:nil="true"/></result>\n'),
    ],
)
def test_before_the_file_is_made_its_place_is_null(
    nulls: Nulls, in_json: bytes, in_xml: bytes
) -> None:
    with Sandbox(nulls=nulls, pretty=False) as sandbox:
        as_json = ask(sandbox, STATUS, of="fails").body
        as_xml = ask(sandbox, STATUS, of="fails", form="xml").body
    assert as_json.endswith(in_json)
    assert (b'"file"' in as_json) == (b"xmlns:xsi" in as_xml) == (nulls == "kept")
    assert as_xml.endswith(in_xml)


def test_credits_are_the_public_pair_of_samples(shared: Sandbox) -> None:
    as_json = json.loads(ask(shared, "/v1/me", of=None).body)
    assert as_json["user"]["username"] == "exemple@email.com"
    assert as_json["credits"]["creditSmsECO"] == 444551
    got = ask(shared, "/v1/me", of=None, form="xml")
    assert got == Got(
        200,
        "application/xml",
        b"<result><entry>true</entry><entry>200</entry><entry><username>exemple@email.com"
        b"</username><firstname>John</firstname><lastname>Doe</lastname></entry><entry>"
        b"<entry>269070</entry><entry>444551</entry><entry>2044937</entry><entry>0</entry>"
        b"<entry><![CDATA[10224.688]]></entry><entry><![CDATA[EUR]]></entry>"
        b"<entry><![CDATA[10224.688]]></entry></entry></result>",
    )


def test_credits_need_the_key(shared: Sandbox) -> None:
    assert json.loads(ask(shared, "/v1/me", key="wrong").body)["code"] == 10


# --- the life of a rental -------------------------------------------------------------------------


def rental(token: str, **options: Any) -> RentalPlan:
    found = read_token(token, Sandbox(**options), {"stall"})
    assert found is not None
    return found


def test_a_rental_moves_on_at_its_pace() -> None:
    ledger = Ledger(clock=iter([100.0, 109.9, 110.0, 119.9, 120.0]).__next__)
    slow = rental("n-5.pace-10")
    seen = [ledger.state(slow).name for _ in range(5)]
    assert seen == ["REQUESTED", "REQUESTED", "GENERATING", "GENERATING", "READY"]


def test_a_rental_can_fail() -> None:
    now = 0.0
    ledger = Ledger(clock=lambda: now)
    failing = rental("fails", pace=1)
    assert ledger.state(failing) is State.REQUESTED
    now = 2.0
    assert ledger.state(failing) is State.FAILED
    assert ledger.download(failing, once=False) == 36


def test_a_file_that_is_not_ready_is_refused_and_not_counted() -> None:
    with Sandbox(pace=60) as sandbox:
        assert json.loads(ask(sandbox).body)["code"] == 33
        assert sandbox.downloads() == 0
        assert sandbox.state() is State.REQUESTED
        assert json.loads(ask(sandbox, STATUS).body)["status"] == 0


def test_downloads_are_counted() -> None:
    with Sandbox(numbers=1) as sandbox:
        for each in range(3):
            assert sandbox.downloads() == each
            ask(sandbox)
            ask(sandbox, STATUS)
        assert sandbox.downloads("n-1") == 0


def test_the_first_download_is_recorded() -> None:
    with Sandbox(numbers=1) as sandbox:
        assert sandbox.state() is State.READY
        first = ask(sandbox)
        assert sandbox.state() is State.DOWNLOADED
        assert json.loads(ask(sandbox, STATUS).body)["status"] == 5
        assert ask(sandbox) == first


def test_a_second_download_can_be_refused() -> None:
    with Sandbox(numbers=1, once=True) as sandbox:
        assert json.loads(ask(sandbox).body)["success"] is True
        assert json.loads(ask(sandbox).body)["code"] == 34
        assert json.loads(ask(sandbox, of="n-1").body)["success"] is True
        assert (sandbox.downloads(), sandbox.downloads("n-1")) == (1, 1)


@pytest.mark.parametrize("form", FORMATS)
def test_a_second_download_is_told_of_one_that_runs(form: Format) -> None:
    once = "n-10.fault-stall.times-1"
    with Sandbox(once=True, pretty=False) as sandbox:
        with socket.create_connection(address(sandbox), timeout=10) as running:
            running.sendall(request_bytes(sandbox, once))
            assert running.recv(8) == b"HTTP/1.1"
            assert sandbox.state(once) is State.DOWNLOADED
            assert CODE[form](ask(sandbox, of=once, form=form).body) == 35
        assert CODE[form](ask(sandbox, of=once, form=form).body) == 34
        assert sandbox.downloads(once) == 1


# --- tokens ---------------------------------------------------------------------------------------


def test_a_token_can_spell_out_a_rental() -> None:
    made = rental(
        "n-250.fault-stall.times-2.at-17.drip-0.25.framing-chunked.pace-0.5.declared-9.as-b.fails"
    )
    assert (made.numbers, made.fault, made.times, made.at) == (250, "stall", 2, 17)
    assert (made.drip, made.framing, made.pace) == (0.25, "chunked", 0.5)
    assert (made.declared, made.label, made.fails) == (9, "b", True)


def test_what_a_token_does_not_say_is_as_in_the_options() -> None:
    made = rental("as-other", numbers=12, pace=3, framing="close", declared="absent")
    assert (made.numbers, made.pace, made.framing, made.declared) == (12, 3, "close", "absent")


@pytest.mark.parametrize(
    "token",
    ["", "x", "n", "n-", "n--1", "n-1e3", "n-٣", "n-1.", ".n-1", "n-1.x-2", "fault-none", "fails-1",
     "framing-odd", "pace--1", "N-1", "n-1\n"],
    ids=ascii,
)  # fmt: skip
def test_any_other_token_is_unknown(token: str) -> None:
    assert read_token(token, Sandbox(), {"stall"}) is None


@pytest.mark.parametrize("form", FORMATS)
def test_a_token_of_any_size_is_served_and_expected(shared: Sandbox, form: Format) -> None:
    body = ask(shared, of="n-4321.as-first", form=form).body
    assert READ[form](body) == list(shared.expected("n-4321.as-first"))


# --- connections ----------------------------------------------------------------------------------


@pytest.mark.parametrize("framing", get_args(Framing))
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("numbers", [0, 5, BLOCK + 5])
def test_every_framing_carries_the_same_body(
    shared: Sandbox, framing: Framing, form: Format, numbers: int
) -> None:
    got = ask(shared, of=f"n-{numbers}.framing-{framing}", form=form)
    assert got.body == b"".join(render(numbers, form))


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_connection_serves_many_requests(shared: Sandbox, framing: Framing) -> None:
    connection = http.client.HTTPConnection(*address(shared), timeout=10)
    where = target(shared, of=f"n-2.framing-{framing}")
    connection.connect()
    used = connection.sock
    bodies = {ask_on(connection, where).body for _ in range(3)}
    errors = {ask_on(connection, "/v1/nowhere").status for _ in range(3)}
    assert connection.sock is used
    connection.close()
    assert bodies == {b"".join(render(2, "json"))}
    assert errors == {404}


def test_a_large_rental_is_never_in_memory_while_it_is_served(shared: Sandbox) -> None:
    ask(shared, of="n-20000", form="xml")
    buffer = bytearray(1 << 16)
    with socket.create_connection(address(shared), timeout=10) as connection:
        tracemalloc.start()
        where = target(shared, of="n-500000", form="xml")
        connection.sendall(f"GET {where} HTTP/1.1\r\nConnection: close\r\n\r\n".encode())
        received = sum(iter(lambda: connection.recv_into(buffer), 0))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert received > body_size(500_000, "xml") > 60_000_000
    assert peak < 4_000_000


def test_many_clients_are_served_at_once(shared: Sandbox) -> None:
    bodies: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: bodies.append(ask(shared, of="n-3000").body))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(bodies) == 20
    assert set(bodies) == {b"".join(render(3000, "json"))}


def test_an_answer_can_be_delayed() -> None:
    with Sandbox(delay=0.1) as sandbox:
        begun = time.monotonic()
        ask(sandbox)
        assert time.monotonic() - begun >= 0.1


# --- starting, stopping, remembering --------------------------------------------------------------


def test_requests_are_remembered_without_the_key() -> None:
    with Sandbox(numbers=1) as sandbox:
        before = time.monotonic()
        ask(sandbox)
        ask(sandbox, STATUS, of="n-5", form="xml")
        ask(sandbox, "/v1/me", of=None)
    seen = sandbox.requests
    assert [(each.path, each.token, each.format) for each in seen] == [
        (DOWNLOAD, sandbox.token, "json"),
        (STATUS, "n-5", "xml"),
        ("/v1/me", "", "json"),
    ]
    assert before <= seen[0].time <= seen[1].time <= seen[2].time <= time.monotonic()
    assert seen[0].headers["accept-encoding"] == "identity"
    assert sandbox.api_key not in repr(seen)


def test_nothing_is_printed_and_no_repr_has_the_key(capfd: pytest.CaptureFixture[str]) -> None:
    with Sandbox(numbers=1) as sandbox:
        ask(sandbox)
        ask(sandbox, "/v1/nowhere")
        ask(sandbox, key="wrong")
        assert sandbox.api_key not in repr(sandbox)
    assert sandbox.api_key not in repr(sandbox)
    assert capfd.readouterr() == ("", "")


def test_the_same_seed_gives_the_same_sandbox() -> None:
    one, same, other = Sandbox(seed=1), Sandbox(seed=1), Sandbox(seed=2)
    assert (one.api_key, one.token) == (same.api_key, same.token)
    assert {one.api_key, one.token}.isdisjoint({other.api_key, other.token})


def test_key_and_token_can_be_chosen() -> None:
    chosen: dict[str, Any] = {"api_key": "a key/with+signs&é", "token": "mine & yours"}
    with Sandbox(numbers=1, **chosen) as sandbox:
        assert json.loads(ask(sandbox).body)["success"] is True


def test_it_listens_on_the_loopback_interface_only(shared: Sandbox) -> None:
    assert shared.url == f"http://127.0.0.1:{address(shared)[1]}/v1"


def test_a_client_that_leaves_is_not_worth_a_word(capfd: pytest.CaptureFixture[str]) -> None:
    with Sandbox() as sandbox:
        with socket.create_connection(address(sandbox)) as connection:
            connection.sendall(request_bytes(sandbox, "n-9000000"))
            assert connection.recv(100).startswith(b"HTTP/1.1 200 OK\r\n")
        assert ask(sandbox).status == 200
    assert capfd.readouterr() == ("", "")


def test_a_bug_in_the_sandbox_is_reported_without_the_key(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_exchange: object) -> None:
        raise ZeroDivisionError("for this test")

    monkeypatch.setitem(FAULTS, "broken", broken)
    with Sandbox(fault="broken") as sandbox:
        with pytest.raises(http.client.RemoteDisconnected):
            ask(sandbox)
        key = sandbox.api_key
    words = capfd.readouterr().err
    assert "ZeroDivisionError: for this test" in words
    assert key not in words


def test_a_question_does_not_show_its_key() -> None:
    question = Question.of(f"{DOWNLOAD}?apiKey=secret&token=x&_format=xml")
    assert question.key == "secret"
    assert repr(question) == f"Question('{DOWNLOAD}', 'xml')"


def test_a_stop_does_not_wait_for_a_delay() -> None:
    sandbox = Sandbox(delay=60).start()
    with socket.create_connection(address(sandbox)) as connection:
        connection.sendall(request_bytes(sandbox, "n-1"))
        while not sandbox.requests:
            time.sleep(0.005)
        begun = time.monotonic()
        sandbox.stop()
        assert time.monotonic() - begun < 1


def test_stopping_ends_answers_under_way_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    sandbox = Sandbox().start()
    idle = socket.create_connection(address(sandbox))
    busy = socket.create_connection(address(sandbox))
    busy.sendall(request_bytes(sandbox, "n-9000000"))
    assert busy.recv(8) == b"HTTP/1.1"
    begun = time.monotonic()
    sandbox.stop()
    assert time.monotonic() - begun < 2
    assert set(threading.enumerate()) <= before
    idle.close()
    busy.close()


def test_a_sandbox_can_be_started_again() -> None:
    sandbox = Sandbox(numbers=1)
    for _ in range(2):
        with sandbox:
            assert ask(sandbox).status == 200
            assert len(sandbox.requests) == 1
    sandbox.stop()


def test_starting_twice_is_refused(shared: Sandbox) -> None:
    with pytest.raises(ConfigurationError, match="already"):
        shared.start()


def test_a_sandbox_that_was_never_started_has_no_address() -> None:
    sandbox = Sandbox()
    assert sandbox.requests == []
    assert "not running" in repr(sandbox)
    with pytest.raises(ConfigurationError, match="start"):
        assert sandbox.url


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def wait_for_answer(port: int) -> None:
    give_up = time.monotonic() + 10
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", "/")
            connection.getresponse().close()
        except ConnectionRefusedError:
            assert time.monotonic() < give_up
            time.sleep(0.01)
        else:
            return
        finally:
            connection.close()


@pytest.mark.parametrize("started", [True, False], ids=["started", "not-started"])
def test_serving_for_ever_ends_with_a_stop(*, started: bool) -> None:
    port = free_port()
    sandbox = Sandbox(port=port)
    if started:
        sandbox.start()
    server = threading.Thread(target=sandbox.serve_forever)
    server.start()
    wait_for_answer(port)
    sandbox.stop()
    server.join(5)
    assert not server.is_alive()


def test_ctrl_c_goes_on_to_the_caller_and_leaves_nothing_behind() -> None:
    port = free_port()
    code = f"""
from smspartner.sandbox import Sandbox
sandbox = Sandbox(port={port})
try:
    sandbox.serve_forever()
except KeyboardInterrupt:
    print("stopped", sandbox._thread)
"""
    command = [sys.executable, "-X", "dev", "-c", code]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe) as process:
        wait_for_answer(port)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=10) == (b"stopped None\n", b"")


def test_it_needs_the_standard_library_and_our_models_only() -> None:
    heavy = {"requests", "urllib3", "lxml", "defusedxml", "click", "rich"}
    code = f"import sys, smspartner.sandbox; print({heavy!r} & set(sys.modules))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stdout == b"set()\n"


def test_a_port_that_is_taken_is_said_so(shared: Sandbox) -> None:
    port = address(shared)[1]
    with pytest.raises(ConfigurationError, match=rf"127\.0\.0\.1:{port} .*another port"):
        Sandbox(port=port).start()
    with pytest.raises(ConfigurationError, match="another port"):
        Sandbox(port=70_000).start()


@pytest.mark.parametrize(
    "options",
    [{"numbers": -1}, {"pace": -0.1}, {"delay": float("nan")}, {"framing": "odd"},
     {"nulls": "odd"}, {"status_style": "odd"}, {"fault": "odd"}],
    ids=lambda options: next(iter(options)),
)  # fmt: skip
def test_an_option_that_cannot_be_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        Sandbox(**options)


def test_an_unknown_token_has_nothing_to_expect() -> None:
    with pytest.raises(ConfigurationError, match="token"):
        Sandbox().expected("unknown")


def test_a_running_sandbox_takes_no_fault_that_it_does_not_know() -> None:
    with Sandbox() as sandbox:
        sandbox.fault = "cut"
        with pytest.raises(ConfigurationError, match="there is no fault 'stal'"):
            sandbox.fault = "stal"
        assert sandbox.fault == "cut"
