"""Numbers as a table, for whatever takes Arrow: pandas, Polars, DuckDB, pyarrow."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from smspartner.models.extras import load

if TYPE_CHECKING:
    from smspartner.models.columns import Values
    from smspartner.models.number import RentedNumber


class Tabular:
    """Gives numbers the Arrow PyCapsule interface, and thin helpers over it.

    All of it needs the extra ``arrow``. The columns are id (int64), phone (utf8) and stop_sms
    (bool), none of them null. pyarrow is loaded when one of these methods is called.
    """

    __slots__ = ()

    @abstractmethod
    def batches(self) -> Iterable[Sequence[RentedNumber]]:
        """Return the numbers in lists."""

    def all_batches(self) -> Iterable[Sequence[RentedNumber]]:
        """Return all numbers in lists; an error if some of them have been taken elsewhere."""
        return self.batches()

    def _table(self) -> tuple[Sequence[str], Iterable[Values]]:
        """Return the names of the columns, and their values, some rows after the others."""
        from smspartner.models.columns import COLUMNS, columns_of  # noqa: PLC0415 - tables only

        return COLUMNS, columns_of(self.all_batches())

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the numbers as an Arrow stream, for consumers of the PyCapsule interface.

        Raises:
            ConfigurationError: pyarrow is not installed.
        """
        from smspartner.models.arrow import arrow_c_stream  # noqa: PLC0415 - an extra

        columns, values = self._table()
        return arrow_c_stream(values, columns, requested_schema)

    def to_arrow(self) -> Any:
        """Return a ``pyarrow.Table``; in memory it takes 24 bytes for each number.

        Raises:
            ConfigurationError: pyarrow is not installed.
        """
        from smspartner.models.arrow import to_arrow  # noqa: PLC0415 - an extra

        columns, values = self._table()
        return to_arrow(values, columns)

    def to_pandas(self) -> Any:
        """Return a ``pandas.DataFrame``, phones as text.

        Raises:
            ConfigurationError: pandas or pyarrow is not installed.
        """
        load("pandas", "smspartner[arrow] pandas")
        return self.to_arrow().to_pandas()

    def to_polars(self) -> Any:
        """Return a ``polars.DataFrame``.

        Raises:
            ConfigurationError: Polars or pyarrow is not installed.
        """
        return load("polars", "smspartner[arrow] polars").from_arrow(self.to_arrow())
