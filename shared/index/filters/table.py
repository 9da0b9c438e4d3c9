"""The fields of all rows of a segment, in columns, so that a filter costs nanoseconds a row instead of microseconds."""

from array import array
from collections.abc import Mapping, Sequence
from functools import reduce
from math import nan

import numpy as np

from shared.index.filters.column import COMPARE, Column, Mask
from shared.index.filters.condition import (
    SYSTEM_FIELDS,
    AllOf,
    AnyOf,
    Compared,
    ComparedTime,
    Condition,
    Not,
    OneOf,
    Test,
    Where,
    meets,
)
from shared.index.segment import Row


class FieldTable:
    """Belongs to one segment, and hears of its rows in order.

    rows: the segment's own, to look at. row_of: id → row, for those that are live; what is said of other rows does not
    matter to the segment.
    """

    def __init__(self, rows: Sequence[Row], row_of: Mapping[str, int]) -> None:
        self._rows = rows
        self._row_of = row_of
        self._columns: dict[str, Column] = {}
        self._times = {"@occurred_at": array("d"), "@uploaded_at": array("d")}

    def append(self, number: int, row: Row) -> None:
        """Take in the row of that number, the next one."""
        for name, value in row.attributes.items():
            column = self._columns.get(name)
            if column is None:
                column = self._columns[name] = Column()
            column.append(number, value)
        self._times["@occurred_at"].append(nan if row.occurred_at is None else row.occurred_at)
        self._times["@uploaded_at"].append(row.uploaded_at)

    def mask(self, condition: Condition) -> Mask:
        """Return which rows the condition holds for: bool, (rows,)."""
        match condition:
            case AllOf(conditions):
                return reduce(np.logical_and, map(self.mask, conditions))
            case AnyOf(conditions):
                return reduce(np.logical_or, map(self.mask, conditions))
            case Not(inner):
                return ~self.mask(inner)
            case Where(field, test) if field in SYSTEM_FIELDS:
                return self._system_mask(field, test)
            case Where(field, test):
                column = self._columns.get(field)
                return np.zeros(len(self._rows), np.bool_) if column is None else column.mask(test, len(self._rows))

    def _system_mask(self, field: str, test: Test) -> Mask:
        match test:
            case OneOf(values) if field == "@id":
                mask = np.zeros(len(self._rows), np.bool_)
                mask[[self._row_of[value] for _, value in values if value in self._row_of]] = True  # type: ignore[index]
                return mask
            case Compared(order, bound) | ComparedTime(order, bound) if field in self._times:
                return COMPARE[order](np.frombuffer(self._times[field]), bound)
        read = SYSTEM_FIELDS[field]
        values_ = ((value := read(row)) is not None and meets(test, value) for row in self._rows)
        return np.fromiter(values_, np.bool_, len(self._rows))
