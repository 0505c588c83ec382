"""People who have opted out are left out whichever of their records says so.

A phone can come twice, opted out in one record only, and that record may be the last of all. So
the records wait until all of them are read: some in memory, the others in a file without a name.
"""

from __future__ import annotations

import pickle
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import repeat
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Final

from smspartner.files.targets import output_errors
from smspartner.models.columns import Batches, pieces
from smspartner.models.number import RentedNumber
from smspartner.models.phones import all_metropolitan

if TYPE_CHECKING:
    from smspartner.files.rows import Origin

#: Records that wait in memory, about 40 MiB; of a million more, the file has 20 MB.
HELD: Final = 1 << 18
#: Where a batch waits: itself, or the file.
Place = Sequence[RentedNumber] | None
_PLACE: Final = "a temporary file"


class WithoutStopped:
    """Rentals without the people who have opted out in any of them; gone through once.

    A person is a phone, as opt-out lists compare it, and an id within its rental.

    Args:
        rentals: all are read before the first number is given out.

    Attributes:
        left_out: records left out so far.
    """

    def __init__(self, rentals: Iterable[tuple[Origin, Batches]]) -> None:
        self.left_out: int = 0
        self._rentals = rentals
        self._phones: set[str] = set()

    def __iter__(self) -> Iterator[tuple[Origin, Batches]]:
        with _Waiting() as waiting:
            read = [(origin, *self._read(batches, waiting)) for origin, batches in self._rentals]
            waiting.rewind()
            for origin, ids, places in read:
                yield origin, self._kept(map(waiting.batch, places), ids)

    def _read(self, batches: Batches, waiting: _Waiting) -> tuple[set[int], list[Place]]:
        """Let a rental's records wait; return the ids that have opted out, and where it waits."""
        ids: set[int] = set()
        places: list[Place] = []
        for batch in pieces(batches):
            kept = [number for number in batch if not number.stop_sms]
            if len(kept) < len(batch):
                stops = [number for number in batch if number.stop_sms]
                ids.update([number.id for number in stops])
                phones = [number.phone for number in stops]
                self._phones.update(*([phones] if all_metropolitan(phones) else _keys(phones)))
                self.left_out += len(stops)
            places.append(waiting.add(kept))
        return ids, places

    def _kept(self, batches: Batches, ids: set[int]) -> Batches:
        if not self._phones:
            yield from batches
            return
        for batch in batches:
            kept = batch
            if not ids.isdisjoint([number.id for number in kept]):
                kept = [number for number in kept if number.id not in ids]
            phones = [number.phone for number in kept]
            if not all_metropolitan(phones):
                keys = zip(kept, _keys(phones), strict=True)
                kept = [number for number, key in keys if self._phones.isdisjoint(key)]
            elif not self._phones.isdisjoint(phones):
                kept = [number for number in kept if number.phone not in self._phones]
            self.left_out += len(batch) - len(kept)
            yield kept


def _keys(phones: Sequence[str]) -> list[Collection[str]]:
    """Return what opt-out lists know phones by; one in the usual spelling is its own key."""
    from smspartner.files.opt_outs.keys import keys_of  # noqa: PLC0415 - 15 ms

    return [[f"+33{key}" for key in keys_of(phone)] or (phone,) for phone in phones]


class _Waiting(ExitStack):
    """Batches that wait; each place is asked for once, in the order in which they came."""

    def __init__(self) -> None:
        super().__init__()
        self._free = HELD
        self._file: IO[bytes] | None = None

    def add(self, batch: Sequence[RentedNumber]) -> Place:
        """Let a batch of people who have not opted out wait, and return where."""
        self._free -= len(batch)
        if self._free >= 0:
            return batch
        with output_errors(_PLACE):
            if self._file is None:
                self._file = self.enter_context(TemporaryFile())  # noqa: SIM115 - left with it
            # Not msgpack: half a character, or an id of more than 64 bits, is the sink's to refuse.
            pickler = pickle.Pickler(self._file)
            pickler.fast = True  # nothing comes twice
            pickler.dump(([number.id for number in batch], [number.phone for number in batch]))
        return None

    def rewind(self) -> None:
        """Go back to the first batch."""
        if self._file is not None:
            with output_errors(_PLACE):
                self._file.seek(0)

    def batch(self, place: Place) -> Sequence[RentedNumber]:
        """Return the batch that waits at a place."""
        if place is not None or self._file is None:
            return place or ()
        with output_errors(_PLACE):
            columns = pickle.load(self._file)  # noqa: S301 - written above
        return list(map(RentedNumber, *columns, repeat(False)))
