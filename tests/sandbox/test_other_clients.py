"""Clients of others against the sandbox: the page's own, and six ways to fetch a file.

The clients of the page differ from it in the address, the key and the token, and ask for XML too.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Final

import pytest
from asking import FORMATS, READ

from smspartner import Sandbox
from smspartner.sandbox import render
from smspartner.sandbox.wire import Format

SANDBOX: Final = {"numbers": 10}
MANY: Final = 250_000

PHP: Final = """<?php
$data = '{query}';
$curl = curl_init();
curl_setopt($curl, CURLOPT_URL, '{url}?'.$data);
curl_setopt($curl, CURLOPT_RETURNTRANSFER, true);
curl_setopt($curl, CURLOPT_TIMEOUT, 10);
$result = curl_exec($curl);
curl_close($curl);
echo $result;
"""
PYTHON: Final = """
import sys
import requests
answer = requests.get("{url}?{query}")
sys.stdout.buffer.write(answer.content)
"""
RUBY: Final = """
require 'net/http'
STDOUT.binmode
STDOUT.write(Net::HTTP.get(URI('{url}?{query}')))
"""
NODE: Final = """
require('http').get('{url}?{query}', (answer) => answer.pipe(process.stdout))
"""


def command(tool: str, *arguments: str) -> list[str]:
    """Return a command line, or skip the test where there is no such program."""
    path = shutil.which(tool)
    if path is None:
        pytest.skip(f"{tool} is not installed")
    return [path, *arguments]


def with_curl(url: str, query: str) -> list[str]:
    header = "Content-Type: application/json"
    return command("curl", "-s", "-H", header, "-X", "GET", f"{url}?{query}")


def with_php(url: str, query: str) -> list[str]:
    if b"curl" not in subprocess.run(command("php", "-m"), capture_output=True, check=True).stdout:
        pytest.skip("php is installed without its curl")
    code = PHP.format(url=url, query=query).removeprefix("<?php")
    return command("php", "-d", "memory_limit=512M", "-r", code)


CLIENTS: Final[dict[str, Callable[[str, str], list[str]]]] = {
    "curl": with_curl,
    "PHP": with_php,
    "Python": lambda url, query: [sys.executable, "-c", PYTHON.format(url=url, query=query)],
    "wget": lambda url, query: command("wget", "-q", "-O", "-", f"{url}?{query}"),
    "Ruby": lambda url, query: command("ruby", "-e", RUBY.format(url=url, query=query)),
    "Node": lambda url, query: command("node", "-e", NODE.format(url=url, query=query)),
}


def fetched(client: str, sandbox: Sandbox, path: str, query: str) -> bytes:
    """Return what a client writes to its standard output."""
    line = CLIENTS[client](f"{sandbox.url}/{path}", f"apiKey={sandbox.api_key}{query}")
    return subprocess.run(line, capture_output=True, check=True, timeout=120).stdout


def of(token: str, form: Format) -> str:
    """Return the end of a query; the page asks for no format where it wants JSON."""
    return f"&token={token}" + ("&_format=xml" if form == "xml" else "")


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("client", ["curl", "PHP", "Python"])
def test_the_clients_of_the_page_run(sandbox: Sandbox, client: str, form: Format) -> None:
    token = sandbox.token
    body = fetched(client, sandbox, "location/file/download", of(token, form))
    assert READ[form](body) == list(sandbox.expected())
    status = fetched(client, sandbox, "location/status", of(token, form))
    assert b"femme" in status
    assert b"exemple@email.com" in fetched(client, sandbox, "me", of("", form))


def test_the_curl_of_the_page_as_it_is_printed_gives_no_token(sandbox: Sandbox) -> None:
    curl = command("curl")[0]
    url = f"{sandbox.url}/location/file/download?apiKey={sandbox.api_key}&token={sandbox.token}"
    script = f'{curl} -s -H "Content-Type: application/json" -X GET {url}\nwait'
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, check=True, timeout=60)
    assert done.stdout.startswith(b'{"success":false,"code":31,')


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("client", CLIENTS)
def test_a_large_rental_is_the_same_from_every_client(
    sandbox: Sandbox, client: str, form: Format
) -> None:
    body = fetched(client, sandbox, "location/file/download", of(f"n-{MANY}", form))
    assert body == b"".join(render(MANY, form))
