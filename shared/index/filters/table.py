"""The fields of all rows of a segment, in columns, so that a filter costs nanoseconds a row instead of microseconds."""

from functools import reduce

import numpy as np

from shared.index.filters.column import Column, Mask
from shared.index.filters.condition import AllOf, AnyOf, Condition, Not, Where, fields_of
from shared.index.segment import Row


class FieldTable:
    """Belongs to one segment, whose rows it takes in order; none ever changes."""

    def __init__(self) -> None:
        self._columns: dict[str, Column] = {}
        self._rows = 0

    def __len__(self) -> int:
        return self._rows

    def append(self, row: Row) -> None:
        for name, value in fields_of(row):
            column = self._columns.get(name)
            if column is None:
                column = self._columns[name] = Column()
            column.append(self._rows, value)
        self._rows += 1

    def mask(self, condition: Condition) -> Mask:
        """Return which rows the condition holds for: bool, (rows,)."""
        match condition:
            case AllOf(conditions):
                return reduce(np.logical_and, map(self.mask, conditions))
            case AnyOf(conditions):
                return reduce(np.logical_or, map(self.mask, conditions))
            case Not(inner):
                return ~self.mask(inner)
            case Where(field, test):
                column = self._columns.get(field)
                return np.zeros(self._rows, np.bool_) if column is None else column.mask(test, self._rows)
