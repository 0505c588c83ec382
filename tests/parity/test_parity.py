"""Rules R1 and R12: format x chunking x case, against one expectation for each case."""

from __future__ import annotations

import json
from typing import Any, Final

import oracle_xml
import pytest
from bodies import Style, render
from cases import (
    CHUNKINGS,
    FIXTURES,
    OWN,
    SETTINGS,
    TINY_WINDOWS,
    Case,
    Outcome,
    SetWindow,
    corpus,
    cut_at_random,
    every_case,
    in_pieces,
    outcome_of,
    outcomes,
    read_fed,
    read_iterated,
    read_whole,
)

from smspartner import SMSPartnerError, decode

#: Rule R1: where XML carries less than JSON. Pair -> why, in the corpus' own words.
NAMED_DIVERGENCES: Final = {
    "datas_empty_string": "XML writes an empty string as it may write an empty array; "
    "JSON tells them apart",
    "datas_null_then_extra": "the dropped null moves a text entry to where the numbers belong: "
    "XML refuses",
    "env_order_datas_first": "XML finds the numbers where the count belongs, so no count is "
    "declared",
    "err_order_success_last": "XML has no keys: another order is refused, never guessed",
    "failure_null": "the dropped null leaves XML without its success entry",
    "msg_crlf": "every XML parser turns CR LF into LF",
    "msg_ctl_01": "not a character of XML 1.0",
    "msg_ctl_esc": "not a character of XML 1.0",
    "msg_ctl_nul": "the server cuts the XML text at NUL",
    "phone_int": "XML cannot tell a number from text",
    "rec_extra_first": "XML has no keys: another order is refused, never guessed",
    "rec_order_phone_first": "XML has no keys: another order is refused, never guessed",
}
#: With nulls kept, nothing moves: this divergence is gone.
ONLY_WHERE_NULLS_ARE_DROPPED: Final = {"datas_null_then_extra"}

#: What the independent reader takes: it knows no limit of depth.
TOO_DEEP: Final = ("lists_65_deep_around_a_scalar", "lists_65_deep_around_nothing")

with_every_case = pytest.mark.parametrize("case", every_case(), ids=str)


@pytest.mark.parametrize(("setting", "pairs"), SETTINGS.items())
def test_the_corpus_is_all_there(setting: str, pairs: int) -> None:
    folder = FIXTURES / "corpus" / setting
    names = set(outcomes(setting))

    assert len(names) == pairs
    for format_ in ("json", "xml"):
        assert {path.stem for path in folder.glob(f"*.{format_}")} - {"outcomes"} == names


def test_every_case_of_our_own_has_a_line_and_every_line_its_body() -> None:
    bodies = {case.path.name for case in every_case() if case.name.startswith(OWN)}

    assert {path.name for path in (FIXTURES / OWN).iterdir()} == {*bodies, "outcomes.json"}


def test_a_case_of_our_own_says_why_where_the_formats_differ() -> None:
    for name, pair in outcomes(OWN).items():
        assert "because" in pair or not {"json", "xml"} <= set(pair), name


@pytest.mark.parametrize("setting", SETTINGS)
def test_formats_differ_only_where_it_is_named(setting: str) -> None:
    gone = ONLY_WHERE_NULLS_ARE_DROPPED if setting == "nulls-kept" else set()
    named = {name: why for name, why in NAMED_DIVERGENCES.items() if name not in gone}

    differing = {name: pair for name, pair in outcomes(setting).items() if "both" not in pair}

    assert {name: pair["because"] for name, pair in differing.items()} == named


@with_every_case
def test_each_case_gives_its_outcome_by_feed_decode_and_iter_decode(case: Case) -> None:
    body = case.body
    uncounted = {"declared": None} if case.is_success else {}
    for format_ in (case.format, None):
        for chunking, cuts in CHUNKINGS.items():
            for chunks in cuts(body):
                assert outcome_of(read_fed, chunks, format_) == case.expected, chunking
        chunks = cut_at_random(body, seed=len(body))
        assert outcome_of(read_whole, chunks, format_) == case.expected
        assert outcome_of(read_iterated, chunks, format_) == case.expected | uncounted


@pytest.mark.parametrize(
    "windows",
    [TINY_WINDOWS[1::2], pytest.param(TINY_WINDOWS[::2], marks=pytest.mark.slow)],
    ids=str,
)
@with_every_case
def test_each_case_gives_its_outcome_in_slices_of_any_size(
    case: Case, windows: tuple[int, ...], set_window: SetWindow
) -> None:
    got: dict[str, Outcome] = {}
    body = case.body
    for window in windows:
        set_window(window)
        for name, cuts in CHUNKINGS.items():
            for number, chunks in enumerate(cuts(body)[:3]):
                got[f"window {window}, {name} {number}"] = outcome_of(read_fed, chunks)

    assert got == dict.fromkeys(got, case.expected)


@pytest.mark.parametrize("case", [case for case in every_case() if case.format == "xml"], ids=str)
def test_xml_says_the_same_to_an_independent_reader(case: Case) -> None:
    assert case.name.endswith(TOO_DEEP) or by_second_engine(case.body) == (
        case.expected if case.is_success else None
    )


@pytest.mark.slow
@pytest.mark.parametrize("case", corpus(), ids=str)
def test_the_renderer_of_these_tests_writes_what_the_serializer_wrote(case: Case) -> None:
    answer = json.loads(case.path.with_suffix(".json").read_bytes())
    kept = case.name.startswith("nulls-kept")
    styles = (Style(kept, pretty=True), Style(kept, pretty=False))

    assert case.body in [render(answer, case.format, style) for style in styles]


DOCUMENTED: Final = sorted(path.name for path in (FIXTURES / "documented").iterdir())
INVALID: Final[dict[str, str]] = json.loads((FIXTURES / "invalid" / "expected.json").read_text())


def test_the_documented_samples_are_all_there() -> None:
    errors = [f"error-{code}{form}" for code in (1, 10, 31, 32) for form in (".json", ".xml")]
    errors += [f"error-{code}-cdata.xml" for code in (1, 10, 31, 32)]
    framework = ["error-framework.json", "error-framework.xml"]
    numbers = ["numbers.json", "numbers.xml", "numbers-with-white-space.xml"]

    assert sorted([*errors, *framework, *numbers, "status.json"]) == DOCUMENTED


@pytest.mark.parametrize("name", ["numbers.xml", "numbers-with-white-space.xml"])
@pytest.mark.parametrize("window", [*TINY_WINDOWS, 65536])
def test_the_documented_numbers_are_the_same_in_both_formats(
    name: str, window: int, set_window: SetWindow
) -> None:
    set_window(window)
    folder = FIXTURES / "documented"
    json_body, xml_body = (folder / "numbers.json").read_bytes(), (folder / name).read_bytes()
    expected = decode(json_body)

    assert expected.declared == len(expected) == 10
    assert expected.numbers[0].id == 4314
    assert [number.stop_sms for number in expected].count(True) == 2
    for size in (1, 7, 100, len(xml_body)):
        assert read_fed(in_pieces(xml_body, size)) == expected
    assert by_second_engine(xml_body) == outcome_of(read_whole, [json_body])


@pytest.mark.parametrize("name", [name for name in DOCUMENTED if name.startswith("error")])
def test_the_documented_errors_are_the_same_in_both_formats(name: str) -> None:
    path = FIXTURES / "documented" / name
    twin = path.with_name("-".join(path.stem.split("-")[:2]) + ".json")
    said = json.loads(twin.read_bytes())
    expected = {"error": "api", "code": said["code"], "message": said["message"]}

    for size in (1, 5, 1000):
        assert outcome_of(read_fed, in_pieces(path.read_bytes(), size)) == expected


def test_a_status_is_not_taken_for_an_empty_rental() -> None:
    body = (FIXTURES / "documented" / "status.json").read_bytes()

    assert outcome_of(read_whole, [body]) == {"error": "decode"}


def test_the_invalid_bodies_are_all_there() -> None:
    assert len(INVALID) >= 130
    names = {path.name for path in (FIXTURES / "invalid").iterdir()}
    assert names == {*INVALID, "expected.json"}


@pytest.mark.parametrize(("name", "kind"), INVALID.items(), ids=str)
def test_each_invalid_body_is_refused_as_what_it_is(
    name: str, kind: str, set_window: SetWindow
) -> None:
    body = (FIXTURES / "invalid" / name).read_bytes()

    for window in (100, 333, 65536):
        set_window(window)
        for size in (1, 64, max(1, len(body))) if len(body) < 3000 else (1000, len(body)):
            assert refusal(in_pieces(body, size)) == kind, (window, size)


@pytest.mark.parametrize("name", [name for name in INVALID if name.endswith(".xml")])
def test_no_invalid_xml_is_read_by_the_independent_reader_either(name: str) -> None:
    # What only a limit, a policy or libxml2 forbids is well-formed to a parser.
    allowed = INVALID[name] in {"LimitError", "UnsafeXMLError"} or name == "xml-id.xml"
    body = (FIXTURES / "invalid" / name).read_bytes()

    assert allowed or by_second_engine(body) is None


def refusal(chunks: list[bytes]) -> str:
    """Return the name of the exception that reading raises."""
    with pytest.raises(SMSPartnerError) as caught:
        read_fed(chunks)
    assert str(caught.value)
    return caught.type.__name__


def by_second_engine(body: bytes) -> dict[str, Any] | None:
    """Return a success as the independent reader sees it, None where it refuses."""
    try:
        return oracle_xml.read(body)
    except oracle_xml.RefusedError:
        return None
