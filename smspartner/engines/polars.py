"""Bodies as a Polars ``LazyFrame``: only the columns and rows that a query needs are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal

from smspartner.decoders.limits import DEFAULT_LIMITS, Limits
from smspartner.files.bodies import Bodies, open_bodies
from smspartner.files.sources import Paths
from smspartner.models.extras import load

_INSTALL: Final = "smspartner[polars]"


def scan_polars(
    paths: Paths,
    *,
    columns: Sequence[str] | None = None,
    on_error: Literal["raise", "skip"] = "raise",
    limits: Limits = DEFAULT_LIMITS,
) -> Any:
    """Return a ``polars.LazyFrame`` over many bodies; it needs the extra ``polars``.

    Arguments and errors are those of ``open_bodies``: a body that is wrong stops the query
    with the error that names it, unless it is to be skipped. They are read when the frame is
    collected.
    """
    polars = load("polars", _INSTALL)
    plugins = load("polars.io.plugins", _INSTALL)
    bodies = open_bodies(paths, columns=columns, on_error=on_error, limits=limits)
    types = {"id": polars.Int64, "stop_sms": polars.Boolean}

    def read(
        wanted: list[str] | None,
        predicate: Any | None,
        rows: int | None,
        _batch_size: int | None,
    ) -> Iterator[Any]:
        chosen = wanted or bodies.columns
        part = Bodies(bodies.files, chosen, skip=on_error == "skip", limits=limits)
        for batch in part:
            frame = polars.from_arrow(batch)
            if rows is not None:
                frame = frame.head(rows)
                rows -= frame.height
            yield frame if predicate is None else frame.filter(predicate)
            if rows == 0:
                return

    return plugins.register_io_source(
        read, schema={name: types.get(name, polars.String) for name in bodies.columns}
    )
