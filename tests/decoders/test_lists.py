"""Other lists than a rental's are read in slices too: the stop list, in both formats."""

from __future__ import annotations

from typing import Any, Final

import pytest
from asking import FORMATS
from cases import TINY_WINDOWS, SetWindow, in_pieces
from hypothesis import given, settings
from hypothesis import strategies as st
from invariants import window

from smspartner import APIError, CountMismatchError, DecodeError, Limits, RecordError, decoders
from smspartner.decoders.whole import decode_answer, decode_list
from smspartner.errors import LimitError, TruncatedError
from smspartner.models.stops import Stop, StopList
from smspartner.sandbox.wire import Format, Nulls, Value, to_bytes

COUNT: Final = 12


def entry(at: int) -> dict[str, Value]:
    created = None if at % 5 == 3 else f"2026-01-31 10:19:{at:02}"
    return {"id": at, "phoneNumber": f"+3363998{at:04}", "createdAt": created}


def answer(*, keyed: bool = False, **changes: Value) -> dict[str, Value]:
    entries: Any = [entry(at) for at in range(COUNT)]
    if keyed:
        entries = {str(7 + at): each for at, each in enumerate(entries)}
    return {"success": True, "code": 200, "nbData": COUNT, "data": entries, **changes}


EXPECTED: Final = StopList(
    success=True,
    code=200,
    nb_data=COUNT,
    data=[Stop(at, f"+3363998{at:04}", entry(at)["createdAt"]) for at in range(COUNT)],  # type: ignore[arg-type]
)


@pytest.mark.parametrize("size", [*TINY_WINDOWS, 65536])
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("nulls", ["dropped", "kept"])
@pytest.mark.parametrize("keyed", [False, True])
def test_a_list_is_the_same_in_slices_and_as_a_whole(
    form: Format, nulls: Nulls, size: int, set_window: SetWindow, *, keyed: bool
) -> None:
    set_window(size)
    for pretty in (True, False):
        body = to_bytes(answer(keyed=keyed), form, nulls=nulls, pretty=pretty)
        assert decode_answer(body, StopList) == EXPECTED
        for piece in (1, 50, len(body)):
            assert decode_list(in_pieces(body, piece), StopList) == EXPECTED


@settings(max_examples=60)
@given(data=st.data(), form=st.sampled_from(FORMATS), pretty=st.booleans())
def test_whatever_the_texts_a_list_is_the_same_in_both_formats(
    data: st.DataObject, form: Format, *, pretty: bool
) -> None:
    texts = st.sampled_from(["06", "x", "]]>", "</entry>", "},{", '"', "[", "a\nb", "é", "0", " "])
    entries: list[Value] = [
        {
            "id": at,
            "phoneNumber": data.draw(texts) + "1",
            "createdAt": data.draw(texts),
            "more": data.draw(texts),
        }
        for at in range(COUNT)
    ]
    value = answer(data=entries)
    expected = decode_answer(to_bytes(value, "json"), StopList)
    with window(data.draw(st.integers(100, 500))):
        body = to_bytes(value, form, pretty=pretty)
        assert decode_list([body], StopList) == expected


@pytest.mark.parametrize("form", FORMATS)
def test_two_entries_under_one_key_are_both_read(form: Format) -> None:
    body = to_bytes(answer(keyed=True), form).replace(b'"8":', b'"7":')
    assert decode_answer(body, StopList) == EXPECTED


@pytest.mark.parametrize("size", [200, 65536])
@pytest.mark.parametrize("form", FORMATS)
def test_what_is_wrong_is_told_as_in_a_whole(
    form: Format, size: int, set_window: SetWindow
) -> None:
    set_window(size)
    entries: Any = [entry(at) for at in range(COUNT)]
    right = to_bytes(answer(), form)
    with pytest.raises(CountMismatchError):
        decode_list([to_bytes(answer(nbData=9), form)], StopList)
    with pytest.raises(TruncatedError):
        decode_list([right[:-40]], StopList)
    with pytest.raises(APIError):
        decode_list([to_bytes({"success": False, "code": 96}, form)], StopList)
    entries[9] = {**entries[9], "id": "x"}
    with pytest.raises(DecodeError) as caught:
        decode_list([to_bytes(answer(data=entries), form)], StopList)
    if isinstance(caught.value, RecordError):
        assert (caught.value.index, caught.value.field) == (9, "id")
    with pytest.raises(LimitError):
        decode_list([right], StopList, limits=Limits(body=300))


def test_a_list_that_is_absent_is_not_an_empty_one() -> None:
    for form in FORMATS:
        body = to_bytes(answer(nbData=0, data=None), form, nulls="kept")
        found = decode_list([body], StopList)
        assert found.data is None


def test_a_decoder_that_knows_no_other_lists_reads_them_in_one_piece(
    set_window: SetWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Plain:
        name = "json"
        media_types = frozenset({"application/json"})
        first_bytes = b"{"

        def __init__(self) -> None:
            built_in = decoders.decoder_named("json")
            self.decode, self.find_hole = built_in.decode, built_in.find_hole

    plain = Plain()
    monkeypatch.setattr(decoders, "_loaders", dict(decoders._loaders))
    decoders.register_decoder(plain)
    set_window(100)
    body = to_bytes(answer(), "json")
    assert decode_list([body], StopList) == EXPECTED
    with pytest.raises(LimitError, match="cannot be read in slices"):
        decode_list([body], StopList, limits=Limits(document=300))
