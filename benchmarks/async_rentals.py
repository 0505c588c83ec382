"""Slow rentals at once from an event loop: ``AsyncClient`` against aiohttp and ``json.loads``.

python -m benchmarks.async_rentals
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import aiohttp

from benchmarks.memory import ROOT
from smspartner import AsyncClient

RENTALS: Final = 200
NUMBERS: Final = 1_000
ROUNDS: Final = 5
BODIES: Final = 10

_KEY: Final = "benchmark-key"
#: A service that takes 0.3 s for each answer, and next to no time of the processor.
_SERVER: Final = f"""
import asyncio, json
def body(n, form):
    rows = [(i, f"+336399800{{i % 100:02d}}") for i in range(n)]
    if form == "json":
        datas = [dict(id=i, phone=p, stopSms=False) for i, p in rows]
        return json.dumps(dict(success=True, phoneNumbers=n, datas=datas)).encode()
    each = "".join(f"<entry><entry>{{i}}</entry><entry><![CDATA[{{p}}]]></entry>"
                   "<entry>false</entry></entry>" for i, p in rows)
    head = f"<result><entry>true</entry><entry>{{n}}</entry><entry>"
    return f"{{head}}{{each}}</entry></result>".encode()
BODIES = {{"json": body({NUMBERS}, "json"), "xml": body(100_000, "xml")}}
async def serve(reader, writer):
    while head := await reader.read(65536):
        form = "xml" if b"_format=xml" in head else "json"
        await asyncio.sleep(0.3)
        found = BODIES[form]
        writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Type: application/" + form.encode()
                     + b"\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(found) + found)
        await writer.drain()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, input)
    raise SystemExit
try:
    asyncio.run(main())
except (SystemExit, EOFError):
    pass
"""


@dataclass
class _Number:
    id: int
    phone: str
    stop_sms: bool


async def ours(url: str) -> None:
    async with AsyncClient(_KEY, base_url=url, concurrency=RENTALS) as client:
        found = await asyncio.gather(*(client.download(f"t-{n}") for n in range(RENTALS)))
    assert {len(rental) for rental in found} == {NUMBERS}


async def aiohttps(url: str) -> None:
    async def one(session: aiohttp.ClientSession, number: int) -> list[_Number]:
        address = f"{url}/location/file/download?apiKey={_KEY}&token=t-{number}"
        async with session.get(address) as answer:
            rows = json.loads(await answer.read())["datas"]
        return [_Number(row["id"], row["phone"], row["stopSms"]) for row in rows]

    connector = aiohttp.TCPConnector(limit=RENTALS)
    async with aiohttp.ClientSession(connector=connector) as session:
        found = await asyncio.gather(*(one(session, number) for number in range(RENTALS)))
    assert {len(rental) for rental in found} == {NUMBERS}


async def lag(url: str) -> float:
    """Return the worst milliseconds that the loop was late while XML bodies were decoded."""
    worst = 0.0

    async def watch() -> None:
        nonlocal worst
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(0.001)
            worst = max(worst, (time.perf_counter() - begun - 0.001) * 1000)

    async def read(client: AsyncClient, number: int) -> None:
        async with client.stream(f"x-{number}", format="xml") as numbers:
            async for _ in numbers.batches():
                pass

    async with AsyncClient(_KEY, base_url=url) as client:
        watching = asyncio.create_task(watch())
        await asyncio.gather(*(read(client, number) for number in range(BODIES)))
        watching.cancel()
    return worst


def _timed(way: Callable[[str], Awaitable[None]], url: str) -> float:
    async def main() -> float:
        begun = time.perf_counter()
        await way(url)
        return time.perf_counter() - begun

    return asyncio.run(main())


def main() -> None:
    """Measure in turns, and print a small table."""
    command = [sys.executable, "-c", _SERVER]
    pipe = subprocess.PIPE
    with subprocess.Popen(  # noqa: S603 - written above
        command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT
    ) as service:
        assert service.stdout is not None
        url = f"http://127.0.0.1:{int(service.stdout.readline())}"
        pairs = [(_timed(ours, url), _timed(aiohttps, url)) for _ in range(ROUNDS)]
        lags = [asyncio.run(lag(url)) for _ in range(ROUNDS)]
        service.kill()
    own, other = (statistics.median(each) for each in zip(*pairs, strict=True))
    ratio = statistics.median(first / second for first, second in pairs)
    print(f"{RENTALS} rentals of {NUMBERS} numbers, 0.3 s each; medians of {ROUNDS} turns")
    print(f"  AsyncClient, concurrency={RENTALS}   {own:6.2f} s")
    print(f"  aiohttp, json.loads, dataclass  {other:6.2f} s")
    print(f"  ratio                           {ratio:6.2f}   (bar 1.5)")
    print(f"{BODIES} XML bodies of 100,000 numbers: the loop is late, ms")
    print(f"  median of the worst             {statistics.median(lags):6.1f}   (bar 25)")


if __name__ == "__main__":
    main()
