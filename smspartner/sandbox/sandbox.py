"""``Sandbox``, the public class."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import repeat
from threading import Thread
from types import TracebackType
from typing import Final, Self

from smspartner.errors import APIError, ConfigurationError
from smspartner.models.number import RentedNumber
from smspartner.models.status import RentalState
from smspartner.sandbox.endpoints import Endpoints
from smspartner.sandbox.faults import FAULTS
from smspartner.sandbox.ledger import Ledger
from smspartner.sandbox.messages import Request
from smspartner.sandbox.people import numbers_of
from smspartner.sandbox.records import to_numbers
from smspartner.sandbox.server import Server
from smspartner.sandbox.settings import RentalPlan, Settings, read_token
from smspartner.sandbox.stops import StopList

# Seconds.
_SLICE: Final = 0.2


class Sandbox(Settings):
    """A stand-in for the service, for tests, demonstrations and benchmarks.

    Args:
        **options: see ``Settings``; ``numbers`` is the one most often given.

    Raises:
        ConfigurationError: an option has a value that it cannot have.

    Attributes:
        stops: the account's stop list, which a test may change while clients read it.

    >>> with Sandbox(numbers=2, seed=7) as sandbox:
    ...     sandbox.url.startswith("http://127.0.0.1:")
    True
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        try:
            self.stops = StopList(self.stop_list)
        except APIError as error:
            raise ConfigurationError(
                "stop_list holds a phone that is not valid, or one twice "
                f"(the service's code {error.code})"
            ) from None
        self._ledger = Ledger()
        self._server: Server | None = None
        self._thread: Thread | None = None
        self._process = 0

    def __setattr__(self, name: str, value: object) -> None:
        if name == "fault" and value is not None and value not in FAULTS:
            raise ConfigurationError(f"there is no fault {value!r}; use {', '.join(FAULTS)}")
        super().__setattr__(name, value)

    def __repr__(self) -> str:
        where = self.url if self._server else "not running"
        return f"<Sandbox {where}, {self.numbers} numbers, seed {self.seed}>"

    @property
    def url(self) -> str:
        """The base address to give to a client, up to and with ``/v1``."""
        scheme = "https" if self.tls else "http"
        host = "127.0.0.1" if self.host == "0.0.0.0" else self.host  # noqa: S104 - all addresses
        return f"{scheme}://{host}:{self._running().server_port}/v1"

    @property
    def requests(self) -> list[Request]:
        """The requests since the last start, oldest first, at most 10,000; they outlive a stop."""
        return list(self._server.log) if self._server else []

    def expected(self, token: str | None = None) -> Iterator[RentedNumber]:
        """Return, one by one, the numbers a client should read.

        Args:
            token: which rental; None for the one that is there from the start.

        Raises:
            ConfigurationError: there is no such rental, or one of ``records`` is wrong.
        """
        rental = self._rental(token)
        if self.records is not None and rental.token == self.token:
            return to_numbers(self.records)
        return numbers_of(self.seed, rental.numbers)

    def state(self, token: str | None = None) -> RentalState:
        """Return the state of a rental, None for the one that is there from the start."""
        return self._ledger.state(self._rental(token))

    def downloads(self, token: str | None = None) -> int:
        """Return how many downloads of a rental were counted; ``token`` as in ``state``."""
        return self._ledger.downloads(self._rental(token).token)

    def start(self) -> Self:
        """Start to answer, in a thread of its own.

        Raises:
            ConfigurationError: it is running already, or the port cannot be had.
        """
        if self._thread:
            raise ConfigurationError("this sandbox is running already")
        self._server, self._process = Server(Endpoints(self, self._ledger, self.stops)), os.getpid()
        self._thread = Thread(target=self._server.run, name="smspartner-sandbox", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop at once, also in the middle of answers; do nothing where nothing runs.

        Nothing either in a forked child: it has no threads, and its parent uses the sockets.
        """
        server, thread = self._server, self._thread
        if server and thread and self._process == os.getpid():
            server.stop()
            thread.join()
            self._thread = None

    def serve_forever(self) -> None:
        """Answer until Ctrl-C (``KeyboardInterrupt`` goes on to the caller) or ``stop``."""
        try:
            if not self._thread:
                self.start()
            # In slices: on Windows a wait without end does not hear Ctrl-C.
            any(map(self._running().stopped.wait, repeat(_SLICE)))
        finally:
            self.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _running(self) -> Server:
        if self._server is None:
            raise ConfigurationError("start the sandbox first")
        return self._server

    def _rental(self, token: str | None) -> RentalPlan:
        rental = read_token(self.token if token is None else token, self, FAULTS)
        if rental is None:
            raise ConfigurationError("the sandbox has no rental with this token")
        return rental
