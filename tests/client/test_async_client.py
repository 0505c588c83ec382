"""The client for event loops: what the other one promises, and what cancelling does."""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Any, Final

import pytest
from twin import own_threads as threads

from smspartner import (
    ConfigurationError,
    CountMismatchError,
    DownloadLostError,
    RawBody,
    RentalNotFoundError,
    RentedNumber,
    Sandbox,
    SMSPartnerError,
    TransportError,
)
from smspartner.client.async_client import AsyncClient
from smspartner.client.async_many import failure
from smspartner.client.async_stream import AsyncNumberStream
from smspartner.client.many import Outcome
from smspartner.client.pool import in_words, tell
from smspartner.files.journal import Journal
from smspartner.models.quote import Targeting
from smspartner.sandbox.bodies import render
from smspartner.transport import Reply, Request

KEY: Final = "s3cret-key-of-the-tests"
Work = Callable[[AsyncClient], Coroutine[Any, Any, Any]]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(numbers=2_000, api_key=KEY) as running:
        yield running


@asynccontextmanager
async def opened(sandbox: Sandbox, **options: Any) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(KEY, base_url=sandbox.url, **options) as client:
        yield client


def run(sandbox: Sandbox, work: Work, **options: Any) -> Any:
    async def main() -> Any:
        async with opened(sandbox, **options) as client:
            return await work(client)

    return asyncio.run(main())


@pytest.mark.parametrize("form", ["json", "xml"])
def test_every_call_gives_what_the_client_gives(
    sandbox: Sandbox, tmp_path: Path, form: str
) -> None:
    async def work(client: AsyncClient) -> None:
        rental = await client.download("n-5", format=form)
        assert rental.numbers == tuple(sandbox.expected("n-5"))
        assert (await client.save("n-5", tmp_path / form, format=form)).numbers == 5
        assert (await client.status("n-5", format=form)).numbers == 5
        assert not (await client.wait("n-5", format=form)).pending
        assert (await client.credits(format=form)).credits is not None
        targeting = Targeting(zipcode="60200")
        assert (await client.quote(targeting, {"60200": 20}, format=form)).volume == 20
        stop_id = await client.add_stop("0639980042")
        assert [stop.id for stop in await client.stop_list(format=form)] == [stop_id]
        await client.remove_stop(stop_id)
        with pytest.raises(RentalNotFoundError) as caught:
            await client.download("unknown")
        assert "rental unknown: " in str(caught.value)

    run(sandbox, work)
    assert threads() == []


def test_a_stream_is_read_by_batches_and_one_by_one_in_turn(sandbox: Sandbox) -> None:
    async def work(client: AsyncClient) -> None:
        async with client.stream("n-20000") as numbers:
            assert numbers.stream.declared == 20_000
            found: list[RentedNumber] = [await anext(numbers), await anext(numbers)]
            found += await numbers.next_batch()
            found += [number async for batch in numbers.batches() for number in batch]
            assert [number async for number in numbers] == []
        assert found == list(sandbox.expected("n-20000"))

    run(sandbox, work)


def test_a_batch_is_fetched_when_it_is_asked_for(sandbox: Sandbox) -> None:
    async def work(client: AsyncClient) -> None:
        async with client.stream("n-100000") as numbers:
            await anext(numbers)
            await asyncio.sleep(0.2)
            assert numbers.stream.found < 20_000

    run(sandbox, work)


def test_errors_are_those_of_the_client(sandbox: Sandbox) -> None:
    async def work(client: AsyncClient) -> None:
        async with client.stream("n-5000.declared-7") as numbers:
            for _ in range(2):
                with pytest.raises(CountMismatchError):
                    async for _ in numbers:
                        pass
        with pytest.raises(TransportError, match="this stream is closed"):
            await numbers.next_batch()
        with pytest.raises(ConfigurationError, match="open the stream first"):
            await client.stream("n-5").next_batch()

    run(sandbox, work)


@pytest.mark.parametrize("concurrency", [0, "64", True, None])
def test_concurrency_is_a_number(concurrency: Any) -> None:
    with pytest.raises(ConfigurationError, match="concurrency= must be a whole number above 0"):
        AsyncClient(KEY, concurrency=concurrency)


def test_a_closed_client_refuses(sandbox: Sandbox) -> None:
    async def main() -> None:
        client = AsyncClient(KEY, base_url=sandbox.url)
        assert KEY not in repr(client)
        await client.aclose()
        with pytest.raises(ConfigurationError, match="this client is closed"):
            await client.download("n-5")

    asyncio.run(main())


def test_many_calls_run_at_once() -> None:
    async def work(client: AsyncClient) -> None:
        rentals = await asyncio.gather(*(client.download(f"n-5.as-{n}") for n in range(50)))
        assert [len(rental) for rental in rentals] == [5] * 50

    with Sandbox(api_key=KEY, delay=0.2) as slow:
        begun = time.monotonic()
        run(slow, work, concurrency=50)
        assert time.monotonic() - begun < 50 * 0.2 / 2


# --- cancelling -----------------------------------------------------------------------------------


async def cancelled(work: Coroutine[Any, Any, object], after: float) -> float:
    """Cancel a task after so many seconds; return how long it took to end then."""
    task = asyncio.create_task(work)
    await asyncio.sleep(after)
    task.cancel()
    begun = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await task
    return time.monotonic() - begun


def test_a_cancelled_download_ends_at_once_and_tells_what_became_of_it(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(client: AsyncClient) -> None:
        assert await cancelled(client.download("fault-stall-recorded.as-cancel"), 0.2) < 0.1

    begun = time.monotonic()
    run(sandbox, work)
    assert time.monotonic() - begun < 3
    assert threads() == []
    (told,) = [each for each in caplog.records if each.levelno == logging.WARNING]
    said = told.getMessage()
    assert "rental fault-stall-recorded.as-cancel: cancelled: the download may have been" in said


def test_a_call_that_had_not_begun_is_not_made(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(client: AsyncClient) -> None:
        first = asyncio.create_task(client.download("fault-stall.as-first"))
        await asyncio.sleep(0.1)
        await cancelled(client.download("n-5.as-second"), 0.05)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first

    run(sandbox, work, concurrency=1)
    assert "n-5.as-second" not in {each.token for each in sandbox.requests}
    assert "rental n-5.as-second: cancelled: before it was asked for" in caplog.text


def test_what_was_downloaded_for_a_cancelled_task_is_told(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(client: AsyncClient) -> None:
        download, go_on = client._client.download, threading.Event()

        def late(token: str) -> Any:
            rental = download(token)
            go_on.wait(5)
            return rental

        vars(client._client)["download"] = late
        await cancelled(client.download("n-5.as-late"), 0.3)
        go_on.set()

    run(sandbox, work)
    assert "rental n-5.as-late: cancelled: it had been downloaded" in caplog.text


def test_a_stream_that_opens_for_a_cancelled_task_is_closed(sandbox: Sandbox) -> None:
    async def work(client: AsyncClient) -> None:
        opened_ones: list[Any] = []
        stream, go_on = client._client.stream, threading.Event()

        def late(token: str) -> Any:
            opened_ones.append(stream(token))
            go_on.wait(5)
            return opened_ones[0]

        vars(client._client)["stream"] = late
        await cancelled(client.stream("n-5.as-opened").__aenter__(), 0.3)
        go_on.set()
        await client.aclose()
        with pytest.raises(TransportError, match="this stream is closed"):
            next(opened_ones[0])

    run(sandbox, work)


def test_closing_ends_the_calls_that_run(sandbox: Sandbox) -> None:
    async def main() -> None:
        client = AsyncClient(KEY, base_url=sandbox.url)
        task = asyncio.create_task(client.download("fault-stall.as-closing"))
        await asyncio.sleep(0.2)
        await client.aclose()
        with pytest.raises(DownloadLostError):
            await task

    asyncio.run(main())
    assert threads() == []


@pytest.mark.parametrize("count", [60, pytest.param(500, marks=pytest.mark.slow)])
def test_streams_dropped_at_random_moments_leave_nothing_open(sandbox: Sandbox, count: int) -> None:
    async def one(client: AsyncClient) -> None:
        with suppress(asyncio.CancelledError):
            async with client.stream("n-20000") as numbers:
                async for _ in numbers.batches():
                    await asyncio.sleep(random.random() / 100)

    async def work(client: AsyncClient) -> None:
        tasks = [asyncio.create_task(one(client)) for _ in range(count)]
        for task in tasks:
            await asyncio.sleep(random.random() / 100)
            task.cancel()
        await asyncio.gather(*tasks)

    def files() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    run(sandbox, work)
    before = files()
    run(sandbox, work)
    time.sleep(0.2)  # the sandbox closes its own ends, which are of this process too
    assert files() <= before + 5
    assert threads() == []


def test_nothing_is_lost_by_a_cancel_behind_the_end(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(client: AsyncClient) -> None:
        async with client.stream("n-5") as numbers:
            assert len([number async for number in numbers]) == 5
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run(sandbox, work)
    assert "are lost" not in caplog.text


def test_many_rentals_that_are_left_early_finish_and_go_on_the_next_time(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    tokens = [f"n-5.as-many-{place}" for place in range(5)]

    async def work(client: AsyncClient) -> None:
        async with client.download_many(tokens, tmp_path, jobs=2) as outcomes:
            assert (await anext(outcomes)).state == "done"
        assert sum(sandbox.downloads(token) for token in tokens) == 2
        found = [outcome.state async for outcome in client.download_many(tokens, tmp_path)]
        assert sorted(found) == ["before"] * 2 + ["done"] * 3

    run(sandbox, work)
    assert [sandbox.downloads(token) for token in tokens] == [1] * 5


@pytest.mark.parametrize("left", ["closed", "dropped"])
def test_what_is_in_flight_when_many_are_left_is_in_the_journal(
    sandbox: Sandbox, tmp_path: Path, left: str
) -> None:
    async def work(client: AsyncClient) -> None:
        outcomes = client.download_many(["n-5.as-first", "n-90000.as-long"], tmp_path, jobs=2)
        await anext(outcomes)
        if left == "closed":
            await outcomes.aclose()
        del outcomes
        with Journal(tmp_path) as journal:
            for _ in range(500):
                if {entry.state for entry in journal.entries().values()} == {"done"}:
                    return
                await asyncio.sleep(0.01)
        pytest.fail("the rental stays asked for")

    run(sandbox, work)


def test_many_rentals_that_are_cancelled_stay_asked_in_the_journal(
    sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tokens = ["fault-stall-recorded.as-ended", "n-5.as-never"]

    async def all_of(client: AsyncClient) -> None:
        async with client.download_many(tokens, tmp_path, jobs=1) as outcomes:
            async for _ in outcomes:
                pass

    async def work(client: AsyncClient) -> None:
        assert await cancelled(all_of(client), 0.3) < 0.2

    run(sandbox, work)
    (line,) = (tmp_path / "smspartner-journal.jsonl").read_text().splitlines()
    assert '"state":"asked"' in line
    assert "rental fault-stall-recorded.as-ended: cancelled: " in caplog.text
    assert sandbox.downloads("n-5.as-never") == 0


def test_many_rentals_that_were_left_give_nothing_more(sandbox: Sandbox, tmp_path: Path) -> None:
    async def work(client: AsyncClient) -> None:
        outcomes = client.download_many(["n-5.as-one", "n-5.as-two"], tmp_path, jobs=1)
        assert (await anext(outcomes)).state == "done"
        await outcomes.aclose()
        assert await anext(outcomes, None) is None

    run(sandbox, work)


def test_only_a_failure_of_many_rentals_is_told_of_a_cancelled_task(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for error in (None, TransportError("cut")):
        ended: Future[Outcome] = Future()
        ended.set_result(Outcome(token="T", state="failed" if error else "done", error=error))
        tell("T", failure, ended)
    assert [record.getMessage() for record in caplog.records] == ["rental T: cancelled: cut"]


def test_a_phone_that_is_refused_stays_in_no_frame(sandbox: Sandbox) -> None:
    phone = "0639980042"

    async def work(client: AsyncClient) -> None:
        await client.add_stop(phone)
        with pytest.raises(SMSPartnerError) as caught:
            await client.add_stop(phone)
        frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)][1:]
        assert frames
        assert not any(phone in repr(frame.f_locals) for frame in frames)

    run(sandbox, work)


def test_two_tasks_may_pull_from_one_stream(sandbox: Sandbox) -> None:
    async def work(client: AsyncClient) -> None:
        async with client.stream("n-20000") as numbers:
            await asyncio.gather(*(numbers.next_batch() for _ in range(4)))

    run(sandbox, work)


def test_a_copy_shares_the_threads_and_leaves_them(sandbox: Sandbox) -> None:
    async def work(client: AsyncClient) -> None:
        async with client.with_options(retries=0) as copied:
            assert len(await copied.download("n-5")) == 5
            assert await client.call(threading.active_count) > 0
        assert len(await client.download("n-5")) == 5

    run(sandbox, work)


@pytest.mark.parametrize(
    ("error", "words"),
    [(ValueError("secret"), "ValueError"), (TransportError("cut"), "cut; what came is in body")],
)
def test_what_became_of_a_cancelled_call_is_told_in_words(error: Exception, words: str) -> None:
    if isinstance(error, TransportError):
        error.kept = Path("body")
    assert in_words(error) == words


def test_a_body_that_was_saved_for_a_cancelled_task_is_told(
    sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(client: AsyncClient) -> None:
        save, go_on = client._client.save, threading.Event()

        def late(token: str, path: Path) -> Any:
            saved = save(token, path)
            go_on.wait(5)
            return saved

        vars(client._client)["save"] = late
        await cancelled(client.save("n-5.as-saved", tmp_path / "body"), 0.3)
        go_on.set()

    run(sandbox, work)
    assert "rental n-5.as-saved: cancelled: it had been saved as " in caplog.text


def test_many_rentals_that_are_cancelled_while_they_finish_end_at_once(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async def work(client: AsyncClient) -> None:
        outcomes = client.download_many(["n-5.as-quick", "fault-stall.as-slow"], tmp_path, jobs=2)
        await anext(outcomes)
        assert await cancelled(outcomes.aclose(), 0.1) < 0.2

    run(sandbox, work)


# --- a body that stops half-way -------------------------------------------------------------------


#: JSON is read in pieces of 64 KiB: there are numbers in the first part already.
NUMBERS: Final = 2_000
BODY: Final = b"".join(render(NUMBERS, "json"))
FIRST: Final = 70_000


class HalfWay:
    """A transport whose body stops within the numbers; its rest comes when it is let through."""

    def __init__(self) -> None:
        self.let_through, self.waits, self.closed = Event(), Event(), Event()

    def send(self, request: Request, key: object) -> Reply:  # noqa: ARG002 - protocol
        return Reply(200, {}, self._chunks(), on_close=self.closed.set)

    def _chunks(self) -> Iterator[bytes]:
        yield BODY[:FIRST]
        self.waits.set()
        assert self.let_through.wait(5)
        yield BODY[FIRST:]

    def close(self) -> None:
        pass

    async def at_half(self, numbers: AsyncNumberStream) -> asyncio.Task[list[RentedNumber]]:
        """Return the task that waits for the rest."""
        assert await numbers.next_batch()
        task = asyncio.create_task(numbers.next_batch())
        await happens(self.waits)
        return task


async def happens(event: Event) -> None:
    assert await asyncio.get_running_loop().run_in_executor(None, event.wait, 5)


@asynccontextmanager
async def busy(client: AsyncClient) -> AsyncIterator[Event]:
    """Take one thread of the client until the event is set."""
    begun, go_on = Event(), Event()

    def wait() -> None:
        begun.set()
        go_on.wait(5)

    task = asyncio.create_task(client.call(wait))
    await happens(begun)
    yield go_on
    go_on.set()
    await task


def test_a_time_limit_for_a_batch_leaves_as_what_it_is(tmp_path: Path) -> None:
    async def main() -> None:
        half = HalfWay()
        async with AsyncClient(KEY, transport=half) as client:

            async def read() -> None:
                with RawBody(tmp_path / "body") as raw:
                    async with client.stream("t", raw=raw) as numbers, asyncio.timeout(0.05):
                        async for _ in numbers.batches():
                            pass

            with pytest.raises(TimeoutError):
                await read()
            assert not half.closed.is_set()
            half.let_through.set()
            await happens(half.closed)

    asyncio.run(main())


def test_an_error_lets_a_raw_body_come_to_its_end_behind_the_batch_in_flight(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        half = HalfWay()
        async with AsyncClient(KEY, transport=half) as client:
            with RawBody(tmp_path / "body") as raw:
                numbers = await client.stream("t", raw=raw).__aenter__()
                batch = await half.at_half(numbers)
                asyncio.get_running_loop().call_later(0.05, half.let_through.set)
                await numbers.__aexit__(ValueError, ValueError("own"), None)
            assert (raw.kept, raw.size) == (tmp_path / "body", len(BODY))
            assert await batch
            assert half.closed.is_set()

    asyncio.run(main())


def test_a_stream_that_is_read_past_the_client_leaves_the_error_as_it_is(tmp_path: Path) -> None:
    async def main() -> None:
        half = HalfWay()
        async with AsyncClient(KEY, transport=half) as client:
            with pytest.raises(TimeoutError), RawBody(tmp_path / "body") as raw:
                async with client.stream("t", raw=raw) as numbers, asyncio.timeout(0.05):
                    await client.call(lambda: list(numbers.stream.batches()))
            half.let_through.set()

    asyncio.run(main())


@pytest.mark.parametrize("kept", [True, False])
def test_an_error_leaves_a_stream_of_a_closed_client_as_it_is(
    tmp_path: Path, *, kept: bool
) -> None:
    async def main() -> None:
        half = HalfWay()
        client = AsyncClient(KEY, transport=half)
        with RawBody(tmp_path / "body") as raw:
            numbers = await client.stream("t", raw=raw if kept else None).__aenter__()
            await client.aclose()
            await numbers.__aexit__(ValueError, ValueError("own"), None)
        assert half.closed.is_set()

    asyncio.run(main())


def test_an_error_leaves_a_stream_without_waiting_for_the_calls_of_others() -> None:
    async def main() -> None:
        half = HalfWay()
        async with AsyncClient(KEY, transport=half, concurrency=1) as client:
            stream = await client.stream("t").__aenter__()
            async with busy(client):
                await asyncio.wait_for(stream.__aexit__(ValueError, ValueError("own"), None), 1)
                assert half.closed.is_set()

    asyncio.run(main())


def test_a_stream_that_is_cancelled_while_a_raw_body_comes_is_closed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        half = HalfWay()
        async with AsyncClient(KEY, transport=half, concurrency=1) as client:
            with RawBody(tmp_path / "body") as raw:
                stream = await client.stream("t", raw=raw).__aenter__()
                async with busy(client):
                    await cancelled(stream.__aexit__(ValueError, ValueError("own"), None), 0.05)
                    assert half.closed.is_set()

    asyncio.run(main())
    assert "numbers; the others are lost" in caplog.text


# --- several tasks --------------------------------------------------------------------------------


def test_tasks_that_share_a_stream_take_each_number_once(sandbox: Sandbox) -> None:
    async def work(client: AsyncClient) -> None:
        found: list[RentedNumber] = []

        async def take(numbers: AsyncNumberStream) -> None:
            async for number in numbers:
                found.append(number)
                await asyncio.sleep(0)

        async with client.stream("n-10000") as numbers:
            await asyncio.gather(*(take(numbers) for _ in range(4)))
        assert len(found) == 10_000
        assert set(found) == set(sandbox.expected("n-10000"))

    run(sandbox, work)


def test_a_task_that_waits_for_its_turn_at_a_stream_may_be_cancelled() -> None:
    async def main() -> None:
        half = HalfWay()
        async with (
            AsyncClient(KEY, transport=half) as client,
            client.stream("t") as numbers,
        ):
            batch = await half.at_half(numbers)
            await cancelled(numbers.next_batch(), 0.01)
            half.let_through.set()
            assert await batch
            async for _ in numbers.batches():
                pass

    asyncio.run(main())


def test_tasks_that_share_many_rentals_take_each_outcome_once(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    tokens = [f"n-5.as-shared-{place}" for place in range(9)]

    async def work(client: AsyncClient) -> None:
        outcomes = client.download_many(tokens, tmp_path)

        async def take() -> list[str]:
            return [outcome.token async for outcome in outcomes]

        taken = await asyncio.gather(*(take() for _ in range(3)))
        assert sorted(token for each in taken for token in each) == tokens

    run(sandbox, work)


def test_a_task_that_is_cancelled_ends_many_rentals_and_cancels_no_other_task(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async def work(client: AsyncClient) -> None:
        outcomes = client.download_many(["fault-stall.as-a", "fault-stall.as-b"], tmp_path)
        first, second = (asyncio.create_task(anext(outcomes, None)) for _ in range(2))
        await asyncio.sleep(0.1)
        first.cancel()
        assert await second is None
        await outcomes.aclose()

    run(sandbox, work)


def test_many_rentals_that_are_left_while_they_begin_ask_for_nothing(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async def work(client: AsyncClient) -> None:
        async with busy(client) as go_on:
            outcomes = client.download_many(["n-5.as-left"], tmp_path)
            task = asyncio.create_task(anext(outcomes, None))
            await asyncio.sleep(0)
            await outcomes.aclose()
            go_on.set()
            assert await task is None
        assert sandbox.downloads("n-5.as-left") == 0

    run(sandbox, work, concurrency=1)


# --- calls that are not made ----------------------------------------------------------------------


@pytest.mark.parametrize("closing_is", ["waited for", "cancelled"])
def test_closing_fails_a_call_that_had_not_begun(sandbox: Sandbox, closing_is: str) -> None:
    async def work(client: AsyncClient) -> None:
        async with busy(client) as go_on:
            download = asyncio.create_task(client.download("n-5.as-queued"))
            await asyncio.sleep(0)
            closing = asyncio.create_task(client.aclose())
            await asyncio.sleep(0)
            if closing_is == "cancelled":
                closing.cancel()
                await asyncio.wait([closing])
            go_on.set()
            with pytest.raises(ConfigurationError, match="this client is closed"):
                await download  # and no CancelledError, which a group of tasks passes over
            await asyncio.wait([closing])

    run(sandbox, work, concurrency=1)
    assert sandbox.downloads("n-5.as-queued") == 0


def test_closing_fails_many_rentals_that_had_not_been_asked_for(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    async def work(client: AsyncClient) -> None:
        begun, go_on = Event(), Event()

        def save(token: str, *_: object, **__: object) -> None:
            begun.set()
            go_on.wait(5)
            raise TransportError(f"{token} was cut")

        vars(client._client)["save"] = save
        outcomes = client.download_many(["A", "B", "C"], tmp_path, jobs=2)
        first = asyncio.create_task(anext(outcomes))
        await happens(begun)
        closing = asyncio.create_task(client.aclose())
        await asyncio.sleep(0)
        go_on.set()
        found = [await first] + [outcome async for outcome in outcomes]
        await closing
        assert sorted(str(outcome.error) for outcome in found) == [
            "A was cut",
            "rental B: this client is closed: make another one",
            "rental C: this client is closed: make another one",
        ]

    run(sandbox, work, concurrency=1)


def no_more_threads(patch: pytest.MonkeyPatch, before: Callable[[], object]) -> None:
    """Have the system refuse further threads to clients."""
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if not thread.name.startswith("smspartner_"):
            return start(thread)
        before()
        raise RuntimeError("can't start new thread")

    patch.setattr(threading.Thread, "start", refuse)


def test_a_call_without_a_thread_is_not_made_later(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(client: AsyncClient) -> None:
        async with busy(client):
            with monkeypatch.context() as patch:
                no_more_threads(patch, bool)
                with pytest.raises(TransportError, match="no thread could be started") as caught:
                    await client.download("n-5.as-refused")
            assert caught.value.retryable
        await client.call(bool)

    run(sandbox, work, concurrency=2)
    assert sandbox.downloads("n-5.as-refused") == 0


def test_a_call_that_another_thread_has_begun_meanwhile_gives_what_it_gives(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(client: AsyncClient) -> None:
        begun = Event()

        def call() -> str:
            begun.set()
            return "made"

        async with busy(client) as go_on:

            def others_go_on() -> None:
                go_on.set()
                assert begun.wait(5)

            with monkeypatch.context() as patch:
                no_more_threads(patch, others_go_on)
                assert await client.call(call) == "made"

    run(sandbox, work, concurrency=2)
