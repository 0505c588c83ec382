"""What a client is made of: its arguments, its copies, its end."""

from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import posix_only
import pytest
from rawserver import RawServer, answer
from twin import Connect

from smspartner import (
    APIError,
    APIKeyInvalidError,
    Client,
    ConfigurationError,
    NumberStream,
    RawBody,
    Sandbox,
)
from smspartner.transport import Reply
from smspartner.transport.secrets import APIKey

KEY: Final = "s3cret-key-of-the-tests"

#: What is no argument of a client, by its name.
WRONG: Final[dict[str, list[Any]]] = {
    "api_key": [5, b"key", ["key"]],
    "key_file": [5, True],
    "base_url": [5, b"https://api.example"],
    "timeout": ["10", None, True, [1]],
    "deadline": ["60", False, (1, 2)],
    "retries": ["3", 1.5, None, True],
    "proxies": ["http://proxy.example:3128", ["http://proxy.example"], {"https": 5}, {5: "x"}],
    "verify": [0, 1, None, 1.5],
    "allow_http": [0, "yes", None],
    "limits": [5, None, {"body": 5}],
    "transport": ["requests", 5, object()],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, each in WRONG.items() for v in each])
def test_an_argument_of_the_wrong_type_is_named(connect: Connect, name: str, value: Any) -> None:
    arguments: dict[str, Any] = {} if "key" in name else {"api_key": KEY}
    with pytest.raises(ConfigurationError, match=rf"^{name}= must ") as caught:
        connect(**arguments, **{name: value})
    assert value is None or repr(value) not in str(caught.value)


CALLS: Final[dict[str, Callable[[Client], object]]] = {
    "token": lambda client: client.download(5),  # type: ignore[arg-type]
    "raw": lambda client: client.stream("t", raw="body"),  # type: ignore[arg-type]
    "path": lambda client: client.save("t", 5),  # type: ignore[arg-type]
    "deadline": lambda client: client.wait("t", deadline="60"),  # type: ignore[arg-type]
    "poll": lambda client: client.wait("t", poll=None),  # type: ignore[arg-type]
    "phone": lambda client: client.add_stop(639980042),  # type: ignore[arg-type]
    "stop_id": lambda client: client.remove_stop("19"),  # type: ignore[arg-type]
    "targeting": lambda client: client.quote({}, {}),  # type: ignore[arg-type]
    "retries": lambda client: client.with_options(retries=None),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", CALLS)
def test_an_argument_of_a_call_that_is_wrong_is_named_before_anything_is_sent(
    connect: Connect, name: str
) -> None:
    with (
        connect(KEY, base_url="http://127.0.0.1:9/v1") as client,
        pytest.raises(ConfigurationError, match=rf"{name}= must "),
    ):
        CALLS[name](client)


def test_a_token_that_was_read_wrong_is_refused_before_anything_is_sent(
    connect: Connect, tmp_path: Path
) -> None:
    with connect(KEY, base_url="http://127.0.0.1:9/v1") as client:
        for call in (client.download, lambda token: client.download_many([token], tmp_path)):
            with pytest.raises(ConfigurationError, match="token is not text: look at how it was"):
                call("caf\udce9")


def test_a_phone_that_is_empty_is_refused_before_anything_is_sent(connect: Connect) -> None:
    with (
        connect(KEY, base_url="http://127.0.0.1:9/v1") as client,
        pytest.raises(ConfigurationError, match="phone= is empty"),
    ):
        client.add_stop(" ")


def test_the_key_comes_from_a_file(connect: Connect, tmp_path: Path) -> None:
    with Sandbox(numbers=1) as sandbox:
        file = tmp_path / "key"
        file.write_text(f"{sandbox.api_key}\n")
        file.chmod(0o600)
        with connect(key_file=file, base_url=sandbox.url) as client:
            assert len(client.download(sandbox.token)) == 1


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("argument", "api_key="),
        ("variable", "the variable SMSPARTNER_API_KEY"),
        ("file", "the file '{file}' (key_file=)"),
        ("file of the variable", "the file '{file}' (SMSPARTNER_KEY_FILE)"),
    ],
)
def test_a_wrong_key_says_where_it_came_from(
    connect: Connect, given: str, origin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "key"
    file.write_text(KEY)
    file.chmod(0o600)
    monkeypatch.delenv("SMSPARTNER_API_KEY", raising=False)
    arguments: dict[str, Any] = {}
    if given == "argument":
        arguments["api_key"] = KEY
    elif given == "variable":
        monkeypatch.setenv("SMSPARTNER_API_KEY", KEY)
    elif given == "file":
        arguments["key_file"] = file
    else:
        monkeypatch.setenv("SMSPARTNER_KEY_FILE", str(file))
    with (
        Sandbox() as sandbox,
        connect(base_url=sandbox.url, **arguments) as client,
        pytest.raises(APIKeyInvalidError) as caught,
    ):
        client.download("n-1")
    assert caught.value.__notes__ == [
        f"the key was taken from {origin.format(file=file)}; correct it there"
    ]
    assert KEY not in str(caught.value)


# --- copies, and the end --------------------------------------------------------------------------


def test_a_copy_has_other_options_and_the_same_connections(
    connect: Connect, sandbox: Sandbox
) -> None:
    with connect(sandbox.api_key, base_url=sandbox.url) as client:
        copy = client.with_options(deadline=60, retries=0)
        assert type(copy) is type(client)
        assert copy._caller.transport is client._caller.transport
        assert (copy._caller.deadline, copy._caller.retries) == (60, 0)
        assert client.with_options(deadline=None)._caller.deadline == float("inf")
        assert (client._caller.deadline, client._caller.retries) == (3600.0, 3)
        assert copy.download("n-3") == client.download("n-3")


def test_closing_a_copy_leaves_the_client_open_and_closing_the_client_closes_its_copies(
    connect: Connect, sandbox: Sandbox
) -> None:
    with connect(sandbox.api_key, base_url=sandbox.url) as client:
        with client.with_options(retries=0) as copy:
            copy.status("n-3")
        with pytest.raises(ConfigurationError, match="closed"):
            copy.status("n-3")
        client.status("n-3")
        another = client.with_options(retries=0)
    with pytest.raises(ConfigurationError, match="closed"):
        another.status("n-3")


def every_call(client: Client, folder: Path) -> list[Callable[[], object]]:
    return [
        lambda: client.download("n-3"),
        lambda: client.stream("n-3"),
        lambda: client.save("n-3", folder / "body"),
        lambda: client.status("n-3"),
        lambda: client.wait("n-3"),
        client.credits,
        client.stop_list,
        lambda: client.add_stop("0639980042"),
        lambda: client.remove_stop(1),
        lambda: client.with_options(retries=0),
    ]


def test_a_closed_client_refuses_every_call(
    connect: Connect, sandbox: Sandbox, tmp_path: Path
) -> None:
    client = connect(sandbox.api_key, base_url=sandbox.url)
    client.close()
    before = len(sandbox.requests)
    for call in every_call(client, tmp_path):
        with pytest.raises(ConfigurationError, match="this client is closed"):
            call()
    assert len(sandbox.requests) == before
    assert list(tmp_path.iterdir()) == []


def test_one_client_serves_many_threads(connect: Connect, sandbox: Sandbox) -> None:
    found: list[int] = []
    with connect(sandbox.api_key, base_url=sandbox.url) as client:
        threads = [
            threading.Thread(target=lambda n=n: found.append(len(client.download(f"n-{n}"))))
            for n in range(1, 21)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(found) == list(range(1, 21))


@pytest.mark.parametrize("connect", [Client])
def test_a_forked_child_uses_connections_of_its_own(connect: Connect, sandbox: Sandbox) -> None:
    with connect(sandbox.api_key, base_url=sandbox.url) as client:
        client.status("n-3")
        child = posix_only.fork()
        if child == 0:
            os._exit(len(client.download("n-3")))
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 3
        assert len(client.download("n-4")) == 4


@pytest.mark.parametrize("connect", [Client])
def test_neither_client_nor_stream_is_pickled(connect: Connect, sandbox: Sandbox) -> None:
    with connect(sandbox.api_key, base_url=sandbox.url) as client, client.stream("n-3") as stream:
        for each in (client, stream):
            with pytest.raises(TypeError, match="pickle"):
                pickle.dumps(each)


# --- what the head said ---------------------------------------------------------------------------


def test_headers_are_on_streams_saved_bodies_and_errors(
    connect: Connect, sandbox: Sandbox, tmp_path: Path
) -> None:
    with connect(sandbox.api_key, base_url=sandbox.url) as client:
        with client.stream("n-3") as stream:
            assert stream.headers["Content-Type"] == "application/json"
        with RawBody(tmp_path / "raw"):
            pass
        assert client.save("n-3", tmp_path / "body").headers["content-type"] == "application/json"
        with pytest.raises(APIError) as caught:
            client.download("unknown")
        with pytest.raises(APIError) as asked:
            client.status("unknown")
    for error in (caught.value, asked.value):
        assert error.headers is not None
        assert error.headers["content-type"] == "application/json"
        assert "application/json" not in repr(error.headers)


def test_a_key_that_headers_repeat_is_masked(connect: Connect) -> None:
    class Repeating:
        def send(self, request: object, key: object) -> Reply:  # noqa: ARG002 - protocol
            return Reply(200, {"X-Url": f"/me?apiKey={KEY}"}, [b'{"success":false,"code":11}'])

        def close(self) -> None:
            pass

    with connect(KEY, transport=Repeating()) as client, pytest.raises(APIError) as caught:
        client.credits()
    assert caught.value.headers is not None
    assert caught.value.headers["x-url"] == "/me?apiKey=***"
    assert pickle.loads(pickle.dumps(caught.value.headers, 0)) == caught.value.headers  # noqa: S301


@pytest.mark.parametrize("way", ["batches", "one by one", "table"])
def test_a_key_that_a_refusal_repeats_behind_the_numbers_is_masked(
    connect: Connect, way: str
) -> None:
    person = b'{"id":1,"phone":"+33639980042","stopSms":false},'
    body = (
        b'{"success":true,"phoneNumbers":20000,"datas":[%s],"success":false,"code":10,"message":"%s"}'
        % ((person * 20_000)[:-1], KEY.encode())
    )
    ways: dict[str, Callable[[NumberStream], object]] = {
        "batches": lambda numbers: list(numbers.batches()),
        "one by one": list,
        "table": NumberStream.to_arrow,
    }
    with (
        RawServer(answer(body)) as server,
        connect(KEY, base_url=server.url) as client,
        client.stream("t") as numbers,
        pytest.raises(APIKeyInvalidError) as caught,
    ):
        ways[way](numbers)
    assert KEY not in f"{caught.value!r} {caught.value} {vars(caught.value)}"
    assert caught.value.__notes__ == ["the key was taken from api_key=; correct it there"]


@pytest.mark.parametrize("missing", ["send", "close"])
def test_a_transport_without_a_method_is_refused(connect: Connect, missing: str) -> None:
    methods = {"send": print, "close": print} | {missing: None}
    with pytest.raises(ConfigurationError, match=f"Mine has no {missing}"):
        connect(KEY, transport=type("Mine", (), methods)())


def test_a_key_without_an_origin_is_an_argument() -> None:
    assert APIKey("abc").origin == "api_key="
