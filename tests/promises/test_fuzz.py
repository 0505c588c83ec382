"""Rule R9 and rule R12 under fire: any bytes, any pieces, both formats."""

from __future__ import annotations

from typing import Final

import pytest
from bodies import people, render, rental
from cases import FORMATS, cut_at_random
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from invariants import check, said, window
from mutations import TOKENS, mutants, seeds

from smspartner import RentedNumber, ResponseReader, SMSPartnerError
from smspartner.decoders.reader import iter_batches

#: 10,000 mutations of each format, in portions that can run side by side.
PORTIONS: Final = 20
IN_A_PORTION: Final = 500


@pytest.mark.parametrize(
    "portion",
    [0, 1, *(pytest.param(each, marks=pytest.mark.slow) for each in range(2, PORTIONS))],
)
@pytest.mark.parametrize("format_", FORMATS)
def test_mutated_bodies_keep_every_promise(format_: str, portion: int) -> None:
    for number, body in enumerate(mutants(format_, portion, IN_A_PORTION)):
        check(body, format_, seed=portion * IN_A_PORTION + number)


@pytest.mark.parametrize("format_", FORMATS)
def test_the_fixtures_keep_every_promise(format_: str) -> None:
    assert len(seeds(format_)) > 120
    for number, body in enumerate(seeds(format_)):
        check(body, format_, seed=number)


@pytest.mark.parametrize(
    "portion", [0, *(pytest.param(each, marks=pytest.mark.slow) for each in range(1, 4))]
)
@pytest.mark.parametrize("format_", FORMATS)
def test_mutated_large_bodies_keep_every_promise(format_: str, portion: int) -> None:
    body = render(rental(people(1500)), format_)
    for number, mutant in enumerate(mutants(format_, portion, 10, bodies=(body,))):
        check(mutant, format_, seed=number)


def read_until_failure(
    reader: ResponseReader, chunks: list[bytes]
) -> tuple[list[RentedNumber], object]:
    """Return all records that a body gives, and the error that ended it."""
    records: list[RentedNumber] = []
    try:
        for batch in iter_batches(reader, chunks):
            records += batch
    except SMSPartnerError as error:
        return records, said(error)
    return records, None


class AnyPieces(RuleBasedStateMachine):
    """Feeds a reader piece by piece, with bodies that are nearly right."""

    format_: str
    size: int
    reader: ResponseReader
    fed: list[bytes]
    records: list[RentedNumber]
    failure: object
    closed: bool

    @initialize(format_=st.sampled_from(FORMATS), size=st.sampled_from((64, 150, 333, 65536)))
    def begin(self, format_: str, size: int) -> None:
        self.format_, self.size = format_, size
        self.fed, self.records, self.failure, self.closed = [], [], None, False
        with window(size):
            self.reader = ResponseReader(format_)

    @precondition(lambda self: not self.closed)
    @rule(
        amount=st.integers(0, 30),
        start=st.floats(0, 1),
        end=st.floats(0, 1),
        declared=st.sampled_from((None, 0, 30)),
    )
    def feed_part_of_a_body(
        self, amount: int, start: float, end: float, declared: int | None
    ) -> None:
        body = render(rental(people(amount), count=declared), self.format_)
        self.feed(body[int(start * len(body)) : int(end * len(body))])

    @precondition(lambda self: not self.closed and not self.fed)
    @rule(amount=st.integers(0, 30), end=st.floats(0.5, 1))
    def feed_the_beginning_of_a_body(self, amount: int, end: float) -> None:
        body = render(rental(people(amount)), self.format_)
        self.feed(body[: int(end * len(body))])

    @precondition(lambda self: not self.closed)
    @rule(data=st.data())
    def feed_a_token(self, data: st.DataObject) -> None:
        self.feed(data.draw(st.sampled_from(TOKENS[self.format_])))

    @precondition(lambda self: not self.closed)
    @rule(piece=st.binary(max_size=100))
    def feed_anything(self, piece: bytes) -> None:
        self.feed(piece)

    @precondition(lambda self: not self.closed)
    @rule()
    def close(self) -> None:
        self.closed = True
        try:
            self.records += self.reader.close()
        except SMSPartnerError as error:
            self.failed(error)

    @precondition(lambda self: self.closed)
    @rule(piece=st.binary(max_size=9))
    def feed_after_the_end(self, piece: bytes) -> None:
        with pytest.raises(SMSPartnerError):
            self.reader.feed(piece)

    def feed(self, piece: bytes) -> None:
        self.fed.append(piece)
        with window(self.size):
            try:
                for batch in self.reader.batches(piece):
                    self.records += batch
            except SMSPartnerError as error:
                self.failed(error)

    def failed(self, error: SMSPartnerError) -> None:
        """Take note of an error; one that came before must come again."""
        assert self.failure in {None, said(error)}
        self.failure = said(error)

    def teardown(self) -> None:
        if not getattr(self, "closed", False):
            return
        body = b"".join(self.fed)
        with window(self.size):
            for chunks in ([body], cut_at_random(body, seed=len(body))):
                got = read_until_failure(ResponseReader(self.format_), chunks)
                assert got == (self.records, self.failure)


TestAnyPieces = AnyPieces.TestCase
TestAnyPieces.settings = settings(max_examples=80, stateful_step_count=12)
