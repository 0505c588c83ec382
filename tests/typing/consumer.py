"""The public API as its users write it. This file is type-checked and never run."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import assert_type

import smspartner
from smspartner import (
    APIError,
    Client,
    CountMismatchError,
    Limits,
    NumberStream,
    RawBody,
    RecordError,
    Rental,
    RentalState,
    RentalStatus,
    RentedNumber,
    ResponseReader,
    Sandbox,
    SMSPartnerError,
)


def with_a_client() -> None:
    with Client(api_key="key", timeout=5.0, limits=Limits(document=1_000_000)) as client:
        rental = client.download("token", format="xml", wait=60.0)
        assert_type(rental, Rental)
        assert_type(rental.numbers, tuple[RentedNumber, ...])
        assert_type(rental.declared, int | None)
        assert_type(len(rental), int)
        with RawBody("body.json") as raw, client.stream("token", raw=raw) as stream:
            assert_type(stream, NumberStream)
            assert_type(stream.declared, int | None)
            for number in stream:
                assert_type(number, RentedNumber)
                assert_type((number.id, number.phone, number.stop_sms), tuple[int, str, bool])
            for batch in stream.batches():
                assert_type(batch, list[RentedNumber])
        assert_type(client.save("token", Path("body.xml"), format="xml").path, Path)
        status = client.wait("token", deadline=60.0)
        assert_type(status, RentalStatus)
        assert_type(status.state, RentalState)
        if status.targeting is not None and status.targeting.cost is not None:
            assert_type(status.targeting.cost.total, Decimal | None)


def with_bytes(body: bytes, chunks: Iterable[bytes]) -> None:
    assert_type(smspartner.decode(body), Rental)
    for number in smspartner.iter_decode(chunks, format="json"):
        assert_type(number, RentedNumber)
    reader = ResponseReader()
    assert_type(reader.feed(body), list[RentedNumber])
    assert_type(reader.close(), list[RentedNumber])


def with_errors(body: bytes) -> None:
    try:
        smspartner.decode(body)
    except APIError as error:
        assert_type((error.code, error.message), tuple[int | None, str | None])
        assert_type(error.http_status, int | None)
    except RecordError as error:
        assert_type((error.index, error.field), tuple[int, str | None])
    except CountMismatchError as error:
        assert_type((error.declared, error.found), tuple[int, int])
    except SMSPartnerError as error:
        assert_type(error.retryable, bool)


def with_the_sandbox() -> None:
    with Sandbox(numbers=10) as sandbox:
        assert_type((sandbox.url, sandbox.api_key, sandbox.token), tuple[str, str, str])
