"""Addresses, options, sessions, proxies and the environment."""

from __future__ import annotations

import select
import socket
import ssl
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import requests
from rawserver import Peer, RawServer, Script, answer, dead_port, dribbles, resets, stalls
from requests.adapters import HTTPAdapter
from transport_tools import (
    BODY,
    CERTIFICATE,
    KEY,
    SLACK,
    failure,
    fetch,
    get,
    leaks,
    timed_failure,
    tls_server,
    transport,
)
from urllib3.connection import HTTPConnection

from smspartner.errors import ConfigurationError, DeadlineError
from smspartner.transport import Request
from smspartner.transport.address import Address
from smspartner.transport.call import Call
from smspartner.transport.connection import guarded


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.smspartner.fr/v1",
        "ftp://api.smspartner.fr",
        "https://",
        "https:///v1",
        "https://host:99999",
        "https://host:port",
        "https://[::1",
        "https://user:password@host",
        "https://host/v1?apiKey=x",
        "https://host/v1#x",
        "https://ho st/v1",
        "https://host/v1\n",
        "https://host\\@evil.example",
        f"https://{'a' * 64}.example",
        "http://api.smspartner.fr/v1",
        "http://127.0.0.1.example",
        "HTTP://api.smspartner.fr/v1",
        "hTTp://127.0.0.1.example",
        "http://localhost.example",
    ],
)
def test_a_base_url_that_cannot_be_right_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        transport(url)
    assert "base URL" in str(caught.value)
    assert "apiKey=x" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "peer"),
    [
        ("https://api.smspartner.fr/v1/", "api.smspartner.fr:443"),
        ("https://API.smspartner.fr:8443", "api.smspartner.fr:8443"),
        ("http://localhost:8080/v1", "localhost:8080"),
        ("http://app.localhost", "app.localhost:80"),
        ("http://127.9.9.9", "127.9.9.9:80"),
        ("http://[::1]:81/", "[::1]:81"),
        ("https://numéros.example", "numéros.example:443"),
        ("HTTPS://API.smspartner.fr/v1/", "api.smspartner.fr:443"),
    ],
)
def test_https_and_this_machine_are_right(url: str, peer: str) -> None:
    assert Address.parse(url).peer == peer


def test_scheme_and_host_are_written_in_one_way_and_the_path_is_left() -> None:
    assert (
        Address.parse("HTTPS://API.Example:8443/Some/V1/").url == "https://api.example:8443/Some/V1"
    )


def test_http_elsewhere_is_allowed_only_when_asked_for() -> None:
    assert Address.parse("http://host.example/v1", allow_http=True).peer == "host.example:80"


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 0},
        {"timeout": float("nan")},
        {"timeout": float("inf")},
        {"timeout": 1e10},
        {"deadline": 1e10},
        {"deadline": -1},
        {"retries": -1},
        {"backoff": float("nan")},
        {"max_body": 0},
        {"verify": "no/such/file.pem"},
        {"verify": __file__},
        {"proxies": {"https": "ftp://proxy.example"}},
        {"proxies": {"https": "http://"}},
        {"proxies": {"https": "http://proxy.example:port"}},
    ],
    ids=str,
)
def test_an_option_that_cannot_work_is_refused_before_anything_is_sent(
    options: dict[str, Any],
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        transport("https://host.example", **options)
    (name,) = options
    assert name in str(caught.value)


def test_a_proxy_that_is_none_is_none() -> None:
    with RawServer(answer(BODY)) as server:
        assert fetch(server.url, proxies={"http": None, "https": None}) == BODY


@pytest.mark.parametrize("proxies", [{"http": "http://10.0.0.1:8"}, {"all": "http://10.0.0.1:8"}])
def test_plain_http_to_this_machine_does_not_leave_it_through_a_proxy(
    proxies: dict[str, str],
) -> None:
    with pytest.raises(ConfigurationError, match=r"through the proxy 10\.0\.0\.1:8"):
        transport("http://127.0.0.1:9", proxies=proxies)
    transport("http://127.0.0.1:9", proxies={"http": "http://127.0.0.1:8"}).close()
    transport("http://127.0.0.1:9", proxies=proxies, allow_http=True).close()
    transport("https://127.0.0.1:9", proxies=proxies).close()


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "HTTP://127.0.0.1:9", "Http://LOCALHOST:9"])
@pytest.mark.parametrize("proxy", ["http://10.0.0.1:8", "HTTP://10.0.0.1:8", "10.0.0.1:8"])
@pytest.mark.parametrize("name", ["http", "HTTP", "all", "ALL"])
def test_no_spelling_gets_around_the_guard_of_the_key(url: str, proxy: str, name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"through the proxy 10\.0\.0\.1:8"):
        transport(url, proxies={name: proxy})
    transport(url, proxies={name: proxy.replace("10.0.0.1", "127.0.0.1")}).close()


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "HTTP://127.0.0.1:9"])
def test_a_proxy_of_a_session_is_guarded_too(url: str) -> None:
    with requests.Session() as session:
        session.proxies = {"http": "http://10.0.0.1:8"}
        with pytest.raises(ConfigurationError, match="which could read the key"):
            transport(url, session=session)


@pytest.mark.parametrize("name", ["HTTPS", "https", "All"])
def test_a_proxy_is_used_however_its_name_is_spelled(name: str) -> None:
    error = failure("https://127.0.0.1:9", proxies={name: f"HTTP://127.0.0.1:{dead_port()}"})
    assert "the proxy 127.0.0.1" in str(error)


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_of_the_environment_that_may_be_needed_is_named(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "http://me:secret@proxy.example:3128")
    hint = f"{variable} is set and not used: if that proxy is needed, give proxies= (--proxy)"
    for url in (f"https://127.0.0.1:{dead_port()}", "https://nothing.invalid"):
        error = failure(url)
        assert hint in str(error)
        assert "secret" not in str(error)
        proxies = {"https": f"http://127.0.0.1:{dead_port()}"}
        assert "not used" not in str(failure(url, proxies=proxies))


def test_the_secrets_of_tls_are_not_logged_where_the_environment_asks_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "secrets"))
    with RawServer(answer(BODY), tls=tls_server()) as server:
        assert fetch(server.url, verify=CERTIFICATE) == BODY
        with requests.Session() as session:
            assert fetch(server.url, verify=CERTIFICATE, session=session) == BODY
    assert not list(tmp_path.iterdir())


def test_a_certificate_of_a_session_is_sent() -> None:
    tls = tls_server()
    tls.verify_mode = ssl.CERT_REQUIRED
    tls.load_verify_locations(CERTIFICATE)
    with RawServer(answer(BODY), tls=tls) as server, requests.Session() as session:
        session.cert = CERTIFICATE
        assert fetch(server.url, verify=CERTIFICATE, session=session) == BODY


def test_an_https_proxy_is_verified_by_the_same_rules() -> None:
    with (
        RawServer(answer(BODY), tls=tls_server()) as server,
        RawServer(relays_to(server.port), tls=tls_server()) as proxy,
    ):
        proxies = {"https": f"https://127.0.0.1:{proxy.port}"}
        assert fetch("https://localhost/v1", proxies=proxies, verify=CERTIFICATE) == BODY
    with RawServer(relays_to(dead_port()), tls=tls_server()) as proxy:
        proxies = {"https": f"https://127.0.0.1:{proxy.port}"}
        assert "certificate" in str(failure("https://localhost/v1", proxies=proxies))
        assert not proxy.heads


def test_a_folder_of_authorities_is_taken(tmp_path: Path) -> None:
    transport("https://host.example", verify=tmp_path).close()


def test_a_key_that_is_not_text_is_refused_and_not_shown() -> None:
    client = transport("https://host.example")
    with pytest.raises(ConfigurationError) as caught:
        get(client, Request(path="x", query={"token": f"{KEY}\udcff"}))
    assert not leaks(str(caught.value))
    client.close()


def test_nothing_is_taken_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login me password pw\n")
    dead = f"http://127.0.0.1:{dead_port()}"
    for name, value in {"http_proxy": dead, "all_proxy": dead, "NETRC": str(netrc)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("no_proxy", raising=False)
    with RawServer(answer(BODY)) as server:
        assert fetch(server.url) == BODY
        assert b"authorization" not in server.heads[0].lower()


def test_a_proxy_that_is_given_is_used() -> None:
    with RawServer(answer(BODY)) as proxy:
        proxies = {"http": f"http://me:pw@127.0.0.1:{proxy.port}"}
        assert fetch("http://service.example/v1", proxies=proxies, allow_http=True) == BODY
        assert proxy.heads[0].startswith(b"GET http://service.example/v1/location")
        assert b"\r\nProxy-Authorization: Basic " in proxy.heads[0]


def relays_to(port: int) -> Script:
    """Return a script that opens the tunnel a client asks for, wherever it was to lead."""

    def script(peer: Peer) -> None:
        with socket.create_connection(("127.0.0.1", port)) as far:
            peer.send(b"HTTP/1.1 200 Connected\r\n\r\n")
            ends = {peer.sock: far, far: peer.sock}
            while True:
                for end in select.select(list(ends), [], [], 5)[0]:
                    if not (data := end.recv(65536)):
                        return
                    ends[end].sendall(data)

    return script


def test_a_proxy_sees_neither_key_nor_path_of_an_https_request() -> None:
    with (
        RawServer(answer(BODY), tls=tls_server()) as server,
        RawServer(relays_to(server.port)) as proxy,
    ):
        proxies = {"https": f"http://127.0.0.1:{proxy.port}"}
        assert fetch("https://localhost/v1", proxies=proxies, verify=CERTIFICATE) == BODY
        assert proxy.heads[0].startswith(b"CONNECT localhost:443 ")
        assert server.heads[0].startswith(b"GET /v1/location/file/download?apiKey=")


def test_a_way_to_connect_that_is_not_urllib3s_own_is_left_to_look_up_names() -> None:
    near, far = socket.socketpair()

    class Elsewhere(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return near

    with near, far:
        connection, call = guarded(Elsewhere)("nothing.invalid", timeout=60.0), Call(5.0)
        with call.current():
            assert connection._new_conn() is near
        call.release()
        assert near.gettimeout() == pytest.approx(5.0, abs=0.1)


def test_what_a_recorder_puts_in_place_of_connections_is_left_alone() -> None:
    assert guarded(object) is object


@pytest.mark.skipif(find_spec("socks") is not None, reason="PySocks is installed")
def test_a_socks_proxy_names_the_package_it_needs() -> None:
    with pytest.raises(ConfigurationError, match="pip install PySocks"):
        transport("https://host.example", proxies={"https": "socks5h://proxy.example:1080"})


@pytest.mark.parametrize(
    ("script", "words", "connections"),
    [
        pytest.param(
            answer(status="407 Who"), "could not be used: it answered HTTP 407", 1, id="password"
        ),
        pytest.param(resets(), "closed the connection", 2, id="reset"),
    ],
)
def test_a_proxy_that_fails_is_named_without_its_password(
    script: Script, words: str, connections: int
) -> None:
    with RawServer(script) as proxy:
        proxies = {"https": f"http://me:pw-of-proxy@127.0.0.1:{proxy.port}"}
        error = failure("https://service.example", proxies=proxies, retries=1)
        assert proxy.connections == connections
        assert not leaks(str(proxy.heads))
    assert f"the proxy 127.0.0.1:{proxy.port}" in str(error)
    assert words in str(error)
    assert "pw-of-proxy" not in str(error)


@pytest.mark.parametrize("script", [stalls(), dribbles(b"HTTP/1.1 200 " + b"O" * 99)])
def test_the_deadline_holds_while_a_proxy_opens_a_tunnel(script: Script) -> None:
    with RawServer(script) as proxy:
        proxies = {"https": f"http://127.0.0.1:{proxy.port}"}
        error, seconds = timed_failure("https://service.example", proxies=proxies, deadline=0.3)
    assert type(error) is DeadlineError
    assert seconds < 0.3 + SLACK


def test_the_time_a_tunnel_took_is_missing_for_the_tls_handshake_behind_it() -> None:
    def script(peer: Peer) -> None:
        time.sleep(0.75)
        peer.send(b"HTTP/1.1 200 Connected\r\n\r\n")
        peer.stall()

    with RawServer(script) as proxy:
        proxies = {"https": f"http://127.0.0.1:{proxy.port}"}
        error, seconds = timed_failure("https://service.example", proxies=proxies, deadline=0.8)
    assert type(error) is DeadlineError
    assert seconds < 0.8 + SLACK


def test_a_session_that_is_given_is_used_and_stays_open() -> None:
    class Counting(HTTPAdapter):
        sent = 0

        def send(self, *args: Any, **kwargs: Any) -> requests.Response:
            self.sent += 1
            return super().send(*args, **kwargs)

    adapter = Counting()
    with requests.Session() as session, RawServer(answer(BODY)) as server:
        session.trust_env = False
        session.headers["X-Mine"] = "yes"
        assert fetch(server.url, session=session) == BODY
        assert b"\r\nX-Mine: yes\r\n" in server.heads[0]
        session.mount("http://", adapter)
        assert fetch(server.url, session=session) == BODY
        assert adapter.sent == 1
        assert session.get_adapter("http://x") is adapter
