"""The exceptions: their tree, what they carry, and that they pickle."""

from __future__ import annotations

import copy
import pickle
import re
import traceback
from pathlib import Path
from typing import NoReturn

import msgspec
import pytest

import smspartner
from smspartner import errors
from smspartner.errors import (
    AccountError,
    APIError,
    APIKeyInvalidError,
    APIKeyMissingError,
    CountMismatchError,
    DecodeError,
    RecordError,
    RentalFailedError,
    RentalNotFoundError,
    RentalPendingError,
    RentalUsedError,
    SMSPartnerError,
    TokenMissingError,
    TransportError,
    api_error,
    boundary,
)
from smspartner.files.journal import Journal, asked, failed


def tree(kind: type[SMSPartnerError]) -> list[type[SMSPartnerError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in tree(child))]


def drawn() -> dict[str, str | None]:
    """Return the tree in the docstring of the errors: name -> its parent."""
    parents: dict[str, str | None] = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"    ([ |]*)(\+-- )?(\w+Error)\b", line)
        if found is None:
            continue
        depth = len(found[1]) + len(found[2] or "")
        above = [(place, name) for place, name in above if place < depth]
        parents[found[3]] = above[-1][1] if above else None
        above.append((depth, found[3]))
    return parents


def test_the_tree_of_exceptions_is_the_one_that_is_drawn() -> None:
    found = {
        kind.__name__: kind.__base__.__name__ for kind in tree(SMSPartnerError)[1:] if kind.__base__
    }

    assert drawn() == {"SMSPartnerError": None, **found}


def test_the_tree_of_exceptions_is_the_one_of_the_design() -> None:
    parents = drawn()

    for parent, children in {
        "SMSPartnerError": "APIError TransportError DecodeError ConfigurationError OutputError "
        "DownloadLostError",
        "APIError": "AccountError TokenMissingError RentalNotFoundError RentalUsedError "
        "RentalPendingError RentalFailedError",
        "AccountError": "APIKeyMissingError APIKeyInvalidError",
        "TransportError": "DeadlineError RedirectError",
        "DecodeError": "UnknownFormatError UnsafeXMLError TruncatedError RecordError "
        "CountMismatchError LimitError",
    }.items():
        assert {parents[child] for child in children.split()} == {parent}


def samples() -> list[SMSPartnerError]:
    """Return an instance of every exception, each with everything it can carry."""
    made: dict[str, SMSPartnerError] = {
        "RecordError": RecordError(17, "stopSms", "expected a boolean"),
        "CountMismatchError": CountMismatchError(10, 9),
    }
    found = []
    for kind in tree(SMSPartnerError):
        if issubclass(kind, APIError):
            sample: SMSPartnerError = kind(10, "Clé API incorrecte", 403)
        elif issubclass(kind, TransportError):
            sample = kind("no answer", retryable=True, http_status=503)
        else:
            sample = made.get(kind.__name__) or kind("what happened")
        found.append(sample)
    return found


@pytest.mark.parametrize("error", samples(), ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_exceptions_pickle_with_all_they_carry(error: SMSPartnerError, protocol: int) -> None:
    error.http_status = 418

    for twin in (
        pickle.loads(pickle.dumps(error, protocol)),  # noqa: S301 - our own bytes
        copy.copy(error),
        copy.deepcopy(error),
    ):
        assert type(twin) is type(error)
        assert twin.args == error.args
        assert vars(twin) == vars(error)
        assert (str(twin), twin.retryable, twin.http_status) == (str(error), error.retryable, 418)


@pytest.mark.parametrize("error", samples(), ids=lambda error: type(error).__name__)
def test_what_a_journal_tells_again_is_the_exception_that_it_was(
    tmp_path: Path, error: SMSPartnerError
) -> None:
    error.token, error.http_status = "T", 418
    with Journal(tmp_path) as journal:
        journal.add(failed(asked(token="T"), error))
    with Journal(tmp_path) as journal:
        line = journal.entries()["T"]

    for again in (line.failure(), pickle.loads(pickle.dumps(line.failure()))):  # noqa: S301 - ours
        assert type(again) is type(error)
        assert str(again) == str(error)
        assert {name: getattr(again, name) for name in vars(error)} == vars(error)
    bare = msgspec.structs.replace(line, carried={}).failure()
    assert all(hasattr(bare, name) for name in vars(error))


@pytest.mark.parametrize("error", samples(), ids=lambda error: type(error).__name__)
def test_every_exception_has_something_to_say(error: SMSPartnerError) -> None:
    assert len(str(error)) > 5


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1, APIKeyMissingError),
        (10, APIKeyInvalidError),
        (31, TokenMissingError),
        (32, RentalNotFoundError),
        (34, RentalUsedError),
        (35, RentalPendingError),
        (36, RentalFailedError),
        *((code, AccountError) for code in (11, 20, 30, 40, 96)),
        (33, APIError),
        (0, APIError),
        (200, APIError),
        (-1, APIError),
        (None, APIError),
    ],
)
def test_codes_of_the_service_have_their_classes(code: int | None, kind: type[APIError]) -> None:
    error = api_error(code, "why", 400)

    assert type(error) is kind
    assert (error.code, error.message, error.http_status) == (code, "why", 400)


def test_refusals_and_bad_bodies_are_not_worth_a_second_try() -> None:
    refused = [kind for kind in tree(SMSPartnerError) if issubclass(kind, APIError | DecodeError)]

    assert [kind for kind in refused if kind.retryable] == [RentalPendingError]


def test_an_error_names_its_rental() -> None:
    error = api_error(32, "Location introuvable", 404)
    assert str(error) == "Location introuvable (code 32, HTTP 404)"

    error.token = "TOKEN"  # noqa: S105 - a rental's, not a secret

    assert str(error) == "rental TOKEN: Location introuvable (code 32, HTTP 404)"


def test_an_error_names_the_file_that_was_read() -> None:
    error = CountMismatchError(10, 9)
    error.file = "archive/\x1b[31m.xml"

    assert str(error).startswith("'archive/\\x1b[31m.xml': the service declared 10 numbers")


def test_complaints_are_the_message_where_the_service_sent_none() -> None:
    details = (("phoneNumbers", "not valid"), ("op", "missing"))

    assert str(api_error(9, None, None, details)) == (
        "phoneNumbers: not valid; op: missing (code 9)"
    )
    assert api_error(9, "Erreur", None, details).message == "Erreur"
    assert api_error(9, None, None, details).details == details


def test_a_record_error_gives_the_path_and_never_the_value() -> None:
    with pytest.raises(RecordError) as caught:
        smspartner.decode(
            b'{"success":true,"datas":[{"id":1,"phone":"+33639980042","stopSms":"+33639980042"}]}'
        )

    assert str(caught.value).startswith("datas[0].stopSms: ")
    assert "39980042" not in str(caught.value) + repr(caught.value)


def test_all_errors_are_public() -> None:
    found = {kind.__name__ for kind in tree(SMSPartnerError)}

    assert found <= set(smspartner.__all__)


def test_no_error_class_is_reachable_from_outside_the_tree() -> None:
    assert issubclass(SMSPartnerError, Exception)
    assert not issubclass(SMSPartnerError, ValueError | OSError)
    assert {kind.__module__ for kind in tree(SMSPartnerError)} == {"smspartner.errors"}


@boundary
def _fails(error: BaseException, cause: BaseException | None = None) -> NoReturn:
    try:
        next(iter(()))
    except StopIteration:
        raise error from cause
    raise AssertionError


@pytest.mark.parametrize("error", [SMSPartnerError("no"), KeyboardInterrupt()])
def test_an_error_leaves_a_boundary_without_what_lies_below(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught:
        _fails(error, LookupError("of a library"))

    assert caught.value is error
    assert (error.__context__, error.__cause__) == (None, None)
    frames = [frame.f_code.co_name for frame, _ in traceback.walk_tb(error.__traceback__)]
    assert frames[-1] == "call"


@pytest.mark.parametrize("kind", ["Client", "AsyncClient"])
def test_a_call_that_does_not_fit_leaves_without_its_arguments(kind: str) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'proxy'") as caught:
        getattr(smspartner, kind)(api_key="a-secret-key", proxy="x")

    below = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)][1:]
    assert below
    assert not any("a-secret-key" in repr(frame.f_locals) for frame in below)


def test_the_words_of_the_system_stay_the_cause_of_an_error_that_leaves() -> None:
    with pytest.raises(SMSPartnerError) as caught:
        _fails(SMSPartnerError("no"), BrokenPipeError())

    assert isinstance(caught.value.__cause__, BrokenPipeError)


def test_what_a_caller_was_handling_stays_the_context_of_an_error_that_leaves() -> None:
    def handling() -> None:
        try:
            next(iter(()))
        except StopIteration:
            _fails(SMSPartnerError("no"))

    with pytest.raises(SMSPartnerError) as caught:
        handling()

    assert isinstance(caught.value.__context__, StopIteration)


def test_an_exception_that_is_not_of_the_library_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        _fails(ZeroDivisionError("a bug"))

    assert caught.traceback[-1].name == "_fails"
