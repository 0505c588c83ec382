"""The key is masked in whatever a service repeats of it."""

from __future__ import annotations

import html
import json
import pickle
from typing import Final
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smspartner import (
    APIError,
    Client,
    ConfigurationError,
)
from smspartner.decoders.detect import excerpt
from smspartner.models.masks import MASK
from smspartner.transport import Headers, Query
from smspartner.transport.secrets import APIKey

DIGITS: Final = "deadbeef123456cafebabe0a1b2c3d4e5f6a7b8c"
KEYS: Final = (DIGITS, "0" * 40, "k/3y+öß %", "a&b<c>'d\"e", "back\\slash", "two  spaces", "abc")


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "spelled",
    [str, quote, quote_plus, html.escape, json.dumps, repr, lambda key: quote(quote(key))],
)
def test_a_key_is_masked_in_every_spelling(key: str, spelled: object) -> None:
    assert callable(spelled)
    shown = APIKey(key).hide_in(f"before {spelled(key)} after")
    assert shown.replace('"', "").replace("'", "") == f"before {MASK} after"


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_masked_in_an_excerpt_where_phones_are_masked_first(key: str) -> None:
    shown = APIKey(key).hide_in(excerpt(f"x?key={key}&token=t".encode()))
    assert shown == f"'x?key={MASK}&token=t'"


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=8, max_size=40))
def test_any_key_is_masked_in_an_excerpt(key: str) -> None:
    shown = APIKey(key).hide_in(excerpt(f"x {key} y".encode()))
    assert shown[1:-1].startswith(f"x {MASK}")


@pytest.mark.parametrize("key", [DIGITS, "abcdefghijkl"])
def test_a_key_that_is_cut_short_is_masked_as_far_as_it_goes(key: str) -> None:
    for size in range(4, len(key)):
        assert APIKey(key).hide_in(f"x {key[:size]}… y") == f"x {MASK} y"


def test_a_key_of_the_greatest_length_is_masked_from_deep_down_too() -> None:
    key = APIKey("k" * 256)

    def deep(levels: int) -> str:
        return deep(levels - 1) if levels else key.hide_in("k" * 256)

    assert deep(500) == MASK


def test_what_is_too_long_for_a_key_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="has 257 characters: is it another file"):
        Client("k" * 257)


def test_a_key_is_never_pickled() -> None:
    with Client(DIGITS) as client, pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(client)


def test_an_address_is_masked_in_an_excerpt_where_the_key_is_not_known() -> None:
    assert excerpt(b"GET /me?apiKey=abc&token=t") == "'GET /me?apiKey=***&token=t'"


def test_what_an_error_says_of_the_key_is_masked() -> None:
    error = APIError(10, f"no such key: {DIGITS}")
    APIKey(DIGITS).hide_in_error(error)
    assert str(error) == f"no such key: {MASK} (code 10)"


def test_headers_and_queries_are_mappings_that_show_no_values() -> None:
    headers, query = Headers({"Content-Type": "x/y"}), Query({"apiKey": "k" * 40, "token": "t"})
    assert (repr(headers), len(headers)) == ("Headers(content-type)", 1)
    assert (repr(query), len(query)) == ("Query(apiKey=***&token=t)", 2)
