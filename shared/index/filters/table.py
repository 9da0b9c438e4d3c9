"""The fields of all rows of a segment, in columns, so that a filter costs nanoseconds a row instead of microseconds."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from math import nan
from typing import Self

import numpy as np
import numpy.typing as npt

from shared.events.images import AttributeValue
from shared.index.filters.column import Column, Mask
from shared.index.filters.condition import SYSTEM_FIELDS, Condition
from shared.index.filters.fields import TIMES, mask_of
from shared.index.segment import Row


class FieldTable:
    """Implements Fields. Belongs to one segment, and hears of its rows in order.

    rows: the segment's own, to look at. row_of: id → row, for those that are live.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        row_of: Mapping[str, int],
        *,
        columns: dict[str, Column] | None = None,
        times: dict[str, "array[float]"] | None = None,
    ) -> None:
        """columns, times: of the rows that there are already."""
        self._rows = rows
        self._row_of = row_of
        self._columns = columns or {}
        self._times = times or {name: array("d") for name in TIMES}

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def columns(self) -> Mapping[str, Column]:
        return self._columns

    def append(self, number: int, row: Row) -> None:
        """Take in the row of that number, the next one."""
        for name, value in row.attributes.items():
            column = self._columns.get(name)
            if column is None:
                column = self._columns[name] = Column()
            column.append(number, value)
        self._times["@occurred_at"].append(nan if row.occurred_at is None else row.occurred_at)
        self._times["@uploaded_at"].append(row.uploaded_at)

    def kept(self, numbers: npt.NDArray[np.intp], rows: Sequence[Row], row_of: Mapping[str, int]) -> Self:
        """The table of what is left of the rows: those with these numbers, ascending. This one is of no use any more.

        rows, row_of: as they are without the others.
        """
        renumbered = np.full(len(self), -1, np.int32)
        renumbered[numbers] = np.arange(len(numbers), dtype=np.int32)
        for column in self._columns.values():
            column.keep(renumbered)
        return type(self)(
            rows,
            row_of,
            columns={name: column for name, column in self._columns.items() if len(column.rows)},
            times={name: array("d", self.times(name)[numbers].tobytes()) for name in self._times},
        )

    def mask(self, condition: Condition) -> Mask:
        """Return which rows the condition holds for: bool, (rows,)."""
        return mask_of(condition, self)

    def column(self, name: str) -> Column | None:
        return self._columns.get(name)

    def times(self, name: str) -> npt.NDArray[np.float64]:
        return np.frombuffer(self._times[name])

    def system_values(self, name: str) -> Iterator[AttributeValue]:
        return map(SYSTEM_FIELDS[name], self._rows)

    def row_of(self, image_id: str) -> int | None:
        return self._row_of.get(image_id)
