"""The bodies of rentals: bytes, sizes, memory."""

from __future__ import annotations

import itertools
import re
import tracemalloc
from typing import Any

import pytest
from asking import (
    FORMATS,
    READ,
)

from smspartner.errors import ConfigurationError
from smspartner.sandbox import body_size, number_at, render
from smspartner.sandbox.bodies import BLOCK
from smspartner.sandbox.people import CYCLE
from smspartner.sandbox.wire import Format, Value, to_bytes


def test_a_rental_looks_as_the_serializer_writes_it() -> None:
    first, second = number_at(5, 0), number_at(5, 1)
    assert not first.stop_sms
    assert b"".join(render(2, "json", seed=5)).decode() == (
        '{"success":true,"phoneNumbers":2,"datas":['
        f'{{"id":{first.id},"phone":"{first.phone}","stopSms":false}},'
        f'{{"id":{second.id},"phone":"{second.phone}","stopSms":false}}]}}'
    )
    assert b"".join(render(1, "xml", seed=5)).decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        "<result>\n"
        "  <entry>true</entry>\n"
        "  <entry>1</entry>\n"
        "  <entry>\n"
        "    <entry>\n"
        f"      <entry>{first.id}</entry>\n"
        f"      <entry><![CDATA[{first.phone}]]></entry>\n"
        "      <entry>false</entry>\n"
        "    </entry>\n"
        "  </entry>\n"
        "</result>\n"
    )


def test_an_empty_rental_is_an_empty_array() -> None:
    assert b"".join(render(0, "json")) == b'{"success":true,"phoneNumbers":0,"datas":[]}'
    assert b"".join(render(0, "xml", pretty=False)) == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        b"<result><entry>true</entry><entry>0</entry><entry/></result>\n"
    )


@pytest.mark.parametrize("pretty", [True, False], ids=["pretty", "one-line"])
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("numbers", [0, 1, BLOCK + 1, CYCLE + 1])
def test_blocks_give_the_bytes_of_the_serializer_and_the_size_said(
    form: Format, numbers: int, *, pretty: bool
) -> None:
    records = [number_at(9, position) for position in range(numbers)]
    datas: Value = [
        {"id": each.id, "phone": each.phone, "stopSms": each.stop_sms} for each in records
    ]
    said: Value = {"success": True, "phoneNumbers": numbers, "datas": datas}
    body = b"".join(render(numbers, form, seed=9, pretty=pretty))
    assert body == to_bytes(said, form, pretty=pretty)
    assert body_size(numbers, form, seed=9, pretty=pretty) == len(body)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("numbers", [9 * CYCLE, 9 * CYCLE + 1, 100 * CYCLE - 1, 123_456])
def test_the_size_is_right_where_identifiers_grow_by_a_digit(form: Format, numbers: int) -> None:
    assert body_size(numbers, form) == sum(map(len, render(numbers, form)))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("declared", [7, -1, "absent"])
def test_the_declared_count_can_be_wrong_or_absent(form: Format, declared: Any) -> None:
    body = b"".join(render(3, form, declared=declared))
    assert len(READ[form](body)) == 3
    assert body_size(3, form, declared=declared) == len(body)
    right = b"".join(render(3, form))
    count = b'"phoneNumbers":%s,' if form == "json" else b"  <entry>%s</entry>\n"
    said = b"" if declared == "absent" else count % str(declared).encode()
    assert body == right.replace(count % b"3", said, 1)


def test_a_million_numbers_are_never_in_memory() -> None:
    tracemalloc.start()
    size = sum(map(len, render(1_000_000, "xml")))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size == body_size(1_000_000, "xml") > 100_000_000
    assert peak < 8_000_000


def test_numbers_depend_on_seed_and_position_only() -> None:
    positions = [0, 1, 4321, CYCLE, 3 * CYCLE + 1]
    assert [number_at(4, at) for at in positions] == [number_at(4, at) for at in positions]
    assert number_at(4, 17) != number_at(5, 17)
    phones = [number_at(4, at).phone for at in range(CYCLE)]
    assert len(set(phones)) == CYCLE
    assert all(re.fullmatch(r"\+3363998\d{4}", phone) for phone in phones)


@pytest.mark.parametrize("seed", [0, 1, 42, -3])
def test_identifiers_grow_and_about_seven_percent_have_opted_out(seed: int) -> None:
    numbers = [number_at(seed, position) for position in range(2 * CYCLE)]
    identifiers = [number.id for number in numbers]
    assert all(low < high for low, high in itertools.pairwise(identifiers))
    assert 0.06 < sum(number.stop_sms for number in numbers) / len(numbers) < 0.08


@pytest.mark.parametrize(("numbers", "form"), [(-1, "json"), (1, "csv")])
def test_a_body_that_cannot_be_is_refused_before_its_first_byte(numbers: int, form: str) -> None:
    with pytest.raises(ConfigurationError):
        render(numbers, form)
