"""What a filter asks a segment for, and how the answers become the rows that a condition holds for."""

from collections.abc import Iterable
from functools import reduce
from typing import Protocol

import numpy as np
import numpy.typing as npt

from shared.events.images import AttributeValue
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

TIMES = ("@occurred_at", "@uploaded_at")


class Fields(Protocol):
    """The fields of all rows of a segment. What it says of dead rows does not matter to the segment."""

    def __len__(self) -> int:
        """Count the rows."""

    def column(self, name: str) -> Column | None:
        """Return an attribute; None where no row has it."""

    def times(self, name: str) -> npt.NDArray[np.float64]:
        """Return one of `TIMES` in Unix milliseconds, NaN where it is missing: (rows,)."""

    def system_values(self, name: str) -> Iterable[AttributeValue]:
        """Return one of `SYSTEM_FIELDS` for each row, None where it is missing."""

    def row_of(self, image_id: str) -> int | None:
        """Return the number of the row of that id; None where there is none."""


def mask_of(condition: Condition, fields: Fields) -> Mask:
    """Return which rows the condition holds for: bool, (rows,)."""
    match condition:
        case AllOf(conditions):
            return reduce(np.logical_and, (mask_of(inner, fields) for inner in conditions))
        case AnyOf(conditions):
            return reduce(np.logical_or, (mask_of(inner, fields) for inner in conditions))
        case Not(inner):
            return ~mask_of(inner, fields)
        case Where(field, test) if field in SYSTEM_FIELDS:
            return _system_mask(field, test, fields)
        case Where(field, test):
            column = fields.column(field)
            return np.zeros(len(fields), np.bool_) if column is None else column.mask(test, len(fields))


def _system_mask(field: str, test: Test, fields: Fields) -> Mask:
    match test:
        case OneOf(values) if field == "@id":
            mask = np.zeros(len(fields), np.bool_)
            named = [fields.row_of(value) for _, value in values if isinstance(value, str)]
            mask[[row for row in named if row is not None]] = True
            return mask
        case Compared(order, bound) | ComparedTime(order, bound) if field in TIMES:
            return COMPARE[order](fields.times(field), bound)
    met = (value is not None and meets(test, value) for value in fields.system_values(field))
    return np.fromiter(met, np.bool_, len(fields))
