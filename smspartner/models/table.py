"""Numbers as a table, for whatever takes Arrow: pandas, Polars, DuckDB, pyarrow."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

    def _rows(self) -> Iterable[Sequence[RentedNumber]]:
        """Return what becomes a table."""
        return self.batches()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return the numbers as an Arrow stream, for consumers of the PyCapsule interface.

        Raises:
            ConfigurationError: pyarrow is not installed.
        """
        from smspartner.models.arrow import arrow_c_stream  # noqa: PLC0415 - an extra

        return arrow_c_stream(self._rows(), requested_schema)

    def to_arrow(self) -> Any:
        """Return a ``pyarrow.Table``.

        Raises:
            ConfigurationError: pyarrow is not installed.
        """
        from smspartner.models.arrow import to_arrow  # noqa: PLC0415 - an extra

        return to_arrow(self._rows())

    def to_pandas(self) -> Any:
        """Return a ``pandas.DataFrame``, phones as text.

        Raises:
            ConfigurationError: pandas or pyarrow is not installed.
        """
        from smspartner.models.arrow import to_pandas  # noqa: PLC0415 - an extra

        return to_pandas(self._rows())

    def to_polars(self) -> Any:
        """Return a ``polars.DataFrame``.

        Raises:
            ConfigurationError: Polars or pyarrow is not installed.
        """
        from smspartner.models.arrow import to_polars  # noqa: PLC0415 - an extra

        return to_polars(self._rows())
