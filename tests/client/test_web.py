"""In a web application phones go where they should; no error page has one, or the key."""

from __future__ import annotations

import re
import warnings
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from twin import own_threads

from smspartner import AsyncClient, Sandbox

with warnings.catch_warnings():  # Starlette asks for another library than the one it knows
    warnings.simplefilter("ignore")
    from fastapi import FastAPI
    from fastapi.responses import StreamingResponse
    from fastapi.testclient import TestClient

SANDBOX = {"numbers": 2000}
#: What a page that shows an error asks for.
PAGE = {"Accept": "text/html"}


@pytest.fixture
def app(sandbox: Sandbox) -> FastAPI:
    """Return an application that shows its errors, as one does while it is being written."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncClient(sandbox.api_key, base_url=sandbox.url, retries=0) as client:
            app.state.client = client
            yield

    app = FastAPI(lifespan=lifespan, debug=True)

    @app.get("/{token}")
    async def numbers(token: str) -> list[str]:
        rental = await app.state.client.download(token)
        return [number.phone for number in rental]

    @app.get("/{token}/csv")
    async def csv(token: str) -> StreamingResponse:
        stack = AsyncExitStack()
        stream = await stack.enter_async_context(app.state.client.stream(token))

        async def lines() -> AsyncIterator[str]:
            async with stack:
                async for batch in stream.batches():
                    yield "".join(f"{number.phone}\n" for number in batch)

        return StreamingResponse(lines(), media_type="text/csv")

    return app


@pytest.mark.parametrize(
    "rental", ["unknown", "n-50.fault-cut", "n-50.fault-html", "n-50.declared-7", "n-9.fault-reset"]
)
def test_no_error_page_shows_a_phone_or_the_key(
    app: FastAPI, sandbox: Sandbox, rental: str
) -> None:
    with TestClient(app, raise_server_exceptions=False) as browser:
        answer = browser.get(f"/{rental}", headers=PAGE)

    assert answer.status_code == 500
    assert f"rental {rental}" in answer.text
    assert sandbox.api_key not in answer.text
    assert re.search(r"3998[ .-]?\d{4}", answer.text) is None


def test_phones_are_whole_where_they_are_asked_for(app: FastAPI) -> None:
    with TestClient(app) as browser:
        phones = browser.get("/n-3").json()
        lines = browser.get("/n-2000/csv").text.split()

    assert phones == lines[:3]
    assert len(lines) == 2000


def test_a_refusal_is_no_half_file_and_what_fails_later_is_noticed(app: FastAPI) -> None:
    with TestClient(app, raise_server_exceptions=False) as browser:
        assert browser.get("/unknown/csv").status_code == 500
    with TestClient(app) as browser, pytest.raises(Exception, match="the connection was cut"):
        browser.get("/n-20000.fault-cut/csv")
    assert own_threads() == []
