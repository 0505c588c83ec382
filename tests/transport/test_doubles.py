"""A test double for requests that is active gets the call, and no request is made."""

from __future__ import annotations

import importlib
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import requests
from rawserver import RawServer, keeps, whole
from transport_tools import KEY

from smspartner import Client, TransportError
from smspartner.transport import Request, RequestsTransport
from smspartner.transport.secrets import APIKey

BODY = (
    b'{"success":true,"phoneNumbers":1,"datas":[{"id":1,"phone":"+33639980042","stopSms":false}]}'
)
ADDRESS = "https://api.smspartner.fr/v1"
DOWNLOAD = f"{ADDRESS}/location/file/download"


def double(name: str) -> Any:
    """Return a package that stands in for requests in people's tests."""
    try:
        return importlib.import_module(name)
    except ImportError:
        pytest.skip(f"{name} is not installed: pip install 'smspartner[test]'")


def test_requests_mock_gets_the_call() -> None:
    with double("requests_mock").Mocker() as mock, Client(KEY) as client:
        mock.get(DOWNLOAD, content=BODY)
        assert client.download("t")[0].id == 1
        (asked,) = mock.request_history
        assert (asked.path, asked.qs["token"]) == ("/v1/location/file/download", ["t"])
        mock.get(f"{ADDRESS}/location/status", exc=requests.exceptions.ReadTimeout)
        with pytest.raises(TransportError, match="did not answer"):
            client.status("t")


def test_requests_mock_that_knows_no_answer_makes_no_request() -> None:
    mock = double("requests_mock")
    with mock.Mocker(), Client(KEY) as client, pytest.raises(mock.exceptions.NoMockAddress):
        client.download("t")


def test_responses_gets_the_call() -> None:
    responses = double("responses")
    with responses.RequestsMock() as mock, Client(KEY) as client:
        mock.get(DOWNLOAD, body=BODY)
        assert client.download("t")[0].id == 1
        assert len(mock.calls) == 1
        mock.get(DOWNLOAD, status=302, headers={"Location": "https://elsewhere.example"})
        with pytest.raises(TransportError, match="not followed"):
            client.download("t")


LOST: dict[str, tuple[Exception, bool]] = {
    "no answer": (requests.exceptions.ReadTimeout(), True),
    "cut": (requests.exceptions.ConnectionError(ConnectionResetError("reset")), True),
    "no connection": (requests.exceptions.ConnectTimeout(), False),
    "proxy": (requests.exceptions.ProxyError(), False),
}


@pytest.mark.parametrize("name", LOST)
def test_a_failure_that_a_double_makes_is_told_as_a_real_one(name: str) -> None:
    failure, maybe_received = LOST[name]
    transport = RequestsTransport(ADDRESS, retries=0)
    with double("responses").RequestsMock() as mock, closing(transport):
        mock.get(DOWNLOAD, body=failure)
        with pytest.raises(TransportError) as caught:
            transport.send(Request(path="location/file/download"), APIKey(KEY))
    assert caught.value.maybe_received is maybe_received


@pytest.mark.parametrize("used_before", [False, True])
def test_vcr_records_a_call_and_plays_it_back(tmp_path: Path, *, used_before: bool) -> None:
    vcr = double("vcr")
    cassette = str(tmp_path / "rental.yaml")
    recorder = vcr.VCR(filter_query_parameters=["apiKey"])
    with RawServer(keeps(whole(BODY))) as server, Client(KEY, base_url=server.url) as client:
        if used_before:  # a connection is kept, which must not get around the recorder
            client.download("t")
        with recorder.use_cassette(cassette):
            recorded = client.download("t")
        connections = server.connections
        with recorder.use_cassette(cassette, record_mode="none") as played:
            assert client.download("t") == recorded
            assert played.all_played
        assert server.connections == connections
        assert client.download("t") == recorded
    assert KEY not in Path(cassette).read_text()


def test_what_a_session_of_ones_own_does_with_requests_is_done() -> None:
    seen: list[str] = []

    class Mine(requests.Session):
        def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
            seen.append("send")
            return super().send(request, **kwargs)

    def hook(response: requests.Response, **_: object) -> None:
        seen.append(f"hook {response.status_code}")

    with RawServer(keeps(whole(BODY))) as server, Mine() as session:
        session.trust_env = False
        session.hooks["response"].append(hook)
        with Client(KEY, transport=RequestsTransport(server.url, session=session)) as client:
            client.download("t")
    assert seen == ["send", "hook 200"]
