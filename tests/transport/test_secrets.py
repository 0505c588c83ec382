"""The key is masked in whatever a service repeats of it."""

from __future__ import annotations

import html
import json
import pickle
from pprint import pformat
from typing import Final
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from leaks import walked
from rich.pretty import pretty_repr

from smspartner import (
    APIError,
    Client,
    ConfigurationError,
)
from smspartner.decoders.detect import excerpt
from smspartner.models.masks import MASK
from smspartner.transport import Headers, Request
from smspartner.transport.secrets import APIKey

DIGITS: Final = "deadbeef123456cafebabe0a1b2c3d4e5f6a7b8c"
KEYS: Final = (DIGITS, "0" * 40, "k/3y+öß %b", "a&b<c>'d\"e", "back\\slash", "two  spaces", "abc")


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


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=6, max_size=38))
def test_any_key_is_masked_in_an_excerpt(key: str) -> None:
    key = f"a{key}b"  # punctuation at either end is left, as it tells nothing
    shown = APIKey(key).hide_in(excerpt(f"X {key} Y".encode()))
    assert shown[1:-1].startswith(f"X {MASK}")


@pytest.mark.parametrize("key", [DIGITS, "abcdefghijkl"])
def test_a_key_that_is_cut_short_is_masked_as_far_as_it_goes(key: str) -> None:
    for size in range(4, len(key)):
        assert APIKey(key).hide_in(f"x {key[:size]}… y") == f"x {MASK} y"


@pytest.mark.parametrize(
    "shown",
    [
        DIGITS[:17] + "\n" + DIGITS[17:],
        DIGITS[:17] + "\\r\\n" + DIGITS[17:],
        DIGITS[:17] + "<br />" + DIGITS[17:],
        DIGITS[:5] + "&shy;" + DIGITS[5:20] + "&#8203;" + DIGITS[20:],
        "".join(f"&#{ord(sign)};" for sign in DIGITS),
        "".join(f"&amp;#x{ord(sign):x};" for sign in DIGITS),
        "".join(f"%{ord(sign):x}" for sign in DIGITS),
        " ".join(DIGITS),
        DIGITS.upper(),
        DIGITS[:20],
        DIGITS[20:],
        DIGITS[13:21],
        f"{DIGITS[:4]}…",
        f"…{DIGITS[-4:]}",
        f"{DIGITS[:4]}...{DIGITS[-4:]}",
        f"{DIGITS[:6]}***{DIGITS[-6:]}",
    ],
)
def test_a_key_is_masked_in_parts_split_and_in_references(shown: str) -> None:
    for text in (shown, f"clé « {shown} »", f'{{"error":"{shown}"}}'):
        masked = APIKey(DIGITS).hide_in(text)
        assert MASK in masked
        assert not [n for n in range(36) if DIGITS[n : n + 4] in masked.lower()]


def test_words_are_left_as_they_are() -> None:
    said = "HTTP 404: n'est pas valide (922264); https://api.smspartner.fr/v1 — 100 %, &c. … ok ***"
    assert APIKey(DIGITS).hide_in(said) == said


def test_a_text_without_end_is_cut_before_it_is_looked_through() -> None:
    shown = APIKey(DIGITS).hide_in(f"{'é' * 65_530}{DIGITS}")
    assert shown == f"{'é' * 65_530}{MASK}"


def test_a_key_that_is_not_utf_8_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"is not text; is it in UTF-8\?"):
        APIKey("key\udcff")


def test_a_key_without_letters_or_digits_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"neither letters nor digits.*from api_key="):
        APIKey("?!")


def test_the_key_is_in_no_attribute() -> None:
    assert DIGITS not in "".join(walked(APIKey(DIGITS)))
    assert APIKey(DIGITS).reveal() == DIGITS


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
    error = APIError(10, f"no such key: {DIGITS}", details=((DIGITS, f"not {DIGITS}"),))
    error.add_note(f"the key {DIGITS}")
    APIKey(DIGITS).hide_in_error(error)
    assert DIGITS not in "".join([*walked(error.args), *walked(vars(error)), repr(error)])
    assert (error.details, error.__notes__) == (((MASK, f"not {MASK}"),), [f"the key {MASK}"])
    assert str(error) == f"no such key: {MASK} (code 10)"


def test_headers_are_a_mapping_that_shows_no_values() -> None:
    headers = Headers({"Content-Type": "x/y"})
    assert (repr(headers), len(headers)) == ("Headers(content-type)", 1)


def test_a_request_shows_nothing_of_its_body() -> None:
    asked = Request(path="stop-sms/add", query={"_format": "json"}, body={"phone": "+33639980042"})
    for shown in (repr(asked), pretty_repr(asked), pformat(asked)):
        assert "stop-sms/add" in shown
        assert "39980042" not in shown
