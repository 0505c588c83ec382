"""``--opt-outs-account``: whoever is on the account's stop list is left out, or nothing is fetched.

The list may be empty or huge, grow, be wrong, or not come at all.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from asking import DOWNLOAD, FORMATS

from smspartner import APIError, Client, CountMismatchError, DecodeError, Limits, Sandbox, write
from smspartner.cli import run
from smspartner.sandbox import FAULTS
from smspartner.sandbox.wire import Format, Value

LIST: Final = "/v1/stop-sms/list"
#: With a tenth of it no other answer would be read.
HUGE: Final = 3000
SMALL: Final = Limits(document=20_000)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def download(service: Path) -> Callable[..., int]:
    def run_it(token: str, *more: str) -> int:
        options = ("-o", str(service / "n.csv"), "--opt-outs-account", "-q", *more)
        return run(["download", token, *options])

    return run_it


def stops(*phones: str, first: int = 300) -> list[Value]:
    return [
        {"id": at, "phoneNumber": phone, "createdAt": "2026-01-31 10:19:45"}
        for at, phone in enumerate(phones, first)
    ]


def answer_of(*entries: Value, **changes: Value) -> dict[str, Value]:
    said: dict[str, Value] = {"success": True, "code": 200, "nbData": len(entries)}
    return {**said, "data": list(entries), **changes}


def paths(sandbox: Sandbox) -> list[str]:
    return [request.path for request in sandbox.requests]


def written() -> list[str]:
    return [line.split(",")[1] for line in Path("n.csv").read_text().splitlines()[1:]]


def test_the_list_is_fetched_before_the_rental(
    sandbox: Sandbox, download: Callable[..., int]
) -> None:
    assert download("n-10") == 0
    assert paths(sandbox) == [LIST, DOWNLOAD]
    assert len(written()) == 10


def test_a_list_that_grows_while_a_rental_is_waited_for_counts_as_it_is_in_the_end(
    sandbox: Sandbox, download: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    phones = [number.phone for number in sandbox.expected("n-10")]
    lists = [stops(), stops(*phones[:3]), stops(*phones[:9])]
    monkeypatch.setattr(sandbox.stops, "said", lambda: answer_of(*lists.pop(0)))
    assert download("n-10", "--wait") == 0
    assert written() == phones[3:]
    assert len(lists) == 1
    assert paths(sandbox)[-2:] == [LIST, DOWNLOAD]


def test_no_list_is_fetched_that_is_not_asked_for(sandbox: Sandbox, service: Path) -> None:
    assert run(["download", "n-10", "--wait", "-q", "-o", str(service / "n.csv")]) == 0
    assert LIST not in paths(sandbox)


def test_a_list_that_fails_after_the_wait_leaves_the_rental_unspent(
    sandbox: Sandbox, download: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    lists = [answer_of(), answer_of(nbData=7)]
    monkeypatch.setattr(sandbox.stops, "said", lambda: lists.pop(0))
    assert download("n-10", "--wait") == 7
    assert sandbox.downloads("n-10") == 0


@pytest.mark.parametrize("form", FORMATS)
def test_a_list_that_grew_while_it_was_answered_is_refused(
    sandbox: Sandbox, client: Client, form: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One page of several, or entries behind the count.
    entries = stops("+33639980001", "+33639980002")
    for count in (1, 3, 4000):
        monkeypatch.setattr(sandbox.stops, "said", lambda n=count: answer_of(*entries, nbData=n))
        with pytest.raises(CountMismatchError):
            client.stop_list(format=form)


ENTRY: Final[Any] = stops("+33639980001")[0]
WRONG: Final[dict[str, dict[str, Value]]] = {
    "one of two": answer_of(ENTRY, nbData=2),
    "two of one": answer_of(ENTRY, ENTRY, nbData=1),
    "no list": {"success": True, "code": 200},
    "the list under another name": answer_of(datas=[ENTRY], data=None, nbData=1),
    "no phone": answer_of({**ENTRY, "phoneNumber": None}),
    "an empty phone": answer_of({**ENTRY, "phoneNumber": ""}),
    "a time for a phone": answer_of({**ENTRY, "phoneNumber": "2015-07-20 10:19:45"}),
    "a number for a phone": answer_of({**ENTRY, "phoneNumber": 33639980001}),
    "a hidden phone": answer_of({**ENTRY, "phoneNumber": "+33xxxxxxxxx"}),
    "no id": answer_of({**ENTRY, "id": None}),
    "null for an entry": answer_of(ENTRY, None, nbData=2),
    "texts": answer_of("+33639980001"),
    "a text": answer_of(data="+33639980001", nbData=1),
    "a refusal": {"success": False, "code": 96, "message": "Adresse IP non autorisée"},
    "no answer of this service": {},
}


@pytest.mark.parametrize("name", WRONG)
def test_a_list_that_cannot_be_understood_leaves_the_rental_unspent(
    sandbox: Sandbox,
    download: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    sandbox.nulls = "kept"
    monkeypatch.setattr(sandbox.stops, "said", lambda: WRONG[name])
    assert download("n-10") in {4, 7}
    assert set(paths(sandbox)) == {LIST}
    assert not Path("n.csv").exists()
    assert "39980001" not in capsys.readouterr().err
    with Client(sandbox.api_key, base_url=sandbox.url, retries=0) as client:
        for form in FORMATS:
            if (name, form) != ("a number for a phone", "xml"):  # XML cannot tell it from text
                with pytest.raises(APIError if name == "a refusal" else DecodeError):
                    client.stop_list(format=form)


@pytest.mark.parametrize("fault", sorted(set(FAULTS) - {"dribble", "dribble-headers"}))
def test_whatever_happens_to_the_list_on_its_way_the_rental_stays_unspent_or_is_right(
    sandbox: Sandbox, download: Callable[..., int], fault: str
) -> None:
    phones = [number.phone for number in sandbox.expected("n-10")]
    for phone in phones[:4]:
        sandbox.stops.add(phone)
    sandbox.fault, sandbox.fault_on, sandbox.times = fault, "all", 1
    sandbox.bomb = 1 << 20
    code = download("n-10", "--retries", "0", "--timeout", "0.3", "--deadline", "2")
    if code:
        assert DOWNLOAD not in paths(sandbox)
        assert not Path("n.csv").exists()
    else:
        assert written() == phones[4:]


@pytest.mark.parametrize("form", FORMATS)
def test_an_empty_list_leaves_out_nobody(sandbox: Sandbox, client: Client, form: Format) -> None:
    found = client.stop_list(format=form)
    assert list(found) == []
    assert write(list(sandbox.expected("n-10")), "/dev/null", opt_outs=found, to="csv").rows == 10


@pytest.mark.parametrize("form", FORMATS)
def test_a_huge_list_leaves_out_all_who_are_on_it(
    sandbox: Sandbox, form: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    phones = [number.phone for number in sandbox.expected("n-10")]
    others = (f"+3368{at:07}" for at in range(HUGE))
    huge = answer_of(*stops(*others), *stops(*phones[:7], first=HUGE + 300))
    monkeypatch.setattr(sandbox.stops, "said", lambda: huge)
    with Client(sandbox.api_key, base_url=sandbox.url, limits=SMALL) as client:
        found = client.stop_list(format=form)
    assert (len(found), found.code, found[-1].phone) == (HUGE + 7, 200, phones[6])
    assert write(list(sandbox.expected("n-10")), "/dev/null", opt_outs=found, to="csv").rows == 3


PROGRAM: Final = """
import sys
from smspartner.decoders.whole import decode_list
from smspartner.models.stops import StopList

entry = {
    "json": b'{"id":%d,"phoneNumber":"+3363998%04d","createdAt":"2015-07-20 10:19:45"}',
    "xml": b"<entry><entry>%d</entry><entry><![CDATA[+3363998%04d]]></entry>"
           b"<entry><![CDATA[2015-07-20 10:19:45]]></entry></entry>",
}[sys.argv[1]]
separator, head, tail = {
    "json": (b",", b'{"success":true,"code":200,"nbData":100000,"data":[', b"]}"),
    "xml": (b"", b"<result><entry>true</entry><entry>200</entry><entry>100000</entry><entry>",
            b"</entry></result>"),
}[sys.argv[1]]

def body():
    yield head
    for at in range(100_000):
        yield (separator if at else b"") + entry % (at, at % 10_000)
    yield tail

assert len(decode_list(body(), StopList)) == 100_000
with open("/proc/self/status") as status:
    print(next(line.split()[1] for line in status if line.startswith("VmHWM")))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
@pytest.mark.parametrize("form", FORMATS)
def test_a_huge_list_takes_no_more_memory_than_its_entries(form: Format) -> None:
    command = [sys.executable, "-c", PROGRAM, form]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    # Measured: 50 MiB, of which 25 are the entries.
    assert int(done.stdout) / 1024 < 80
