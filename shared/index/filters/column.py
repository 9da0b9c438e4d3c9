"""One field of a segment: each distinct value once, and for each row that has the field the number of its value."""

from array import array
from collections.abc import Callable, Iterable, Sequence
from math import nan
from typing import Self

import numpy as np
import numpy.typing as npt

from shared.events.images import AttributeValue
from shared.index.filters.condition import Compared, ComparedTime, Exists, OneOf, Order, Test, meets, time_ms, typed

Mask = npt.NDArray[np.bool_]
"""bool, (rows,)"""
Numbers = npt.NDArray[np.int32]

_EXACT = 2**53
"""Whole numbers up to this are the same as float64."""
COMPARE: dict[Order, Callable[[npt.NDArray[np.float64], float], Mask]] = {
    Order.GT: np.greater,
    Order.GTE: np.greater_equal,
    Order.LT: np.less,
    Order.LTE: np.less_equal,
}


class DistinctValues:
    """Each distinct value of a field once, by its number, and as the comparisons take it."""

    def __init__(self, values: Iterable[AttributeValue] = ()) -> None:
        self.all: list[AttributeValue] = []
        self._number_of: dict[object, int] = {}
        self._floats = array("d")
        """Each value as a number, NaN where it is none."""
        self._times = array("d")
        """Each value as a point in time, in Unix milliseconds, NaN where it is none."""
        self._odd: list[int] = []
        """The values that the two arrays cannot stand for: lists, and whole numbers beyond 2**53."""
        for value in values:
            self.number(value)

    def __len__(self) -> int:
        return len(self.all)

    def number(self, value: AttributeValue) -> int:
        """Return the value's number: that of its equal, or a new one."""
        key = tuple(map(typed, value)) if isinstance(value, list) else typed(value)
        number = self._number_of.setdefault(key, len(self.all))
        if number == len(self.all):
            self.all.append(value)
            odd = isinstance(value, list) or (isinstance(value, int) and abs(value) > _EXACT)
            if odd:
                self._odd.append(number)
            plain = not odd and isinstance(value, int | float) and not isinstance(value, bool)
            self._floats.append(float(value) if plain else nan)  # type: ignore[arg-type]  # a number, by `plain`
            moment = None if odd else time_ms(value)  # type: ignore[arg-type]  # no list, by `odd`
            self._times.append(nan if moment is None else moment)
        return number

    def outcomes(self, test: Test) -> Mask:
        """Return which of the values meet the test: bool, (values,)."""
        match test:
            case Exists():
                return np.ones(len(self), np.bool_)
            case OneOf(values):
                outcomes = np.zeros(len(self), np.bool_)
                outcomes[[number for value in values if (number := self._number_of.get(value)) is not None]] = True
            case Compared(order, bound):
                outcomes = COMPARE[order](np.frombuffer(self._floats), bound)
            case ComparedTime(order, bound_ms):
                outcomes = COMPARE[order](np.frombuffer(self._times), bound_ms)
            case _:
                return np.fromiter((meets(test, value) for value in self.all), np.bool_, len(self))
        for number in self._odd:
            outcomes[number] = meets(test, self.all[number])
        return outcomes


class Column:
    """Takes rows in ascending order. A test is evaluated on the distinct values, and its outcome spread over the rows.

    Rows that lack the field take no room: names of fields are the producers' to invent.
    """

    def __init__(self) -> None:
        self._rows = array("i")
        self._numbers = array("i")
        self._values = DistinctValues()

    @classmethod
    def of(cls, rows: Numbers, numbers: Numbers, values: Iterable[AttributeValue]) -> Self:
        """The column that has these `rows`, `numbers` and `values`, as another one told them."""
        column = cls()
        column._values = DistinctValues(values)
        column._rows.frombytes(rows.tobytes())
        column._numbers.frombytes(numbers.tobytes())
        return column

    @property
    def rows(self) -> Numbers:
        """The rows that have the field, ascending."""
        return np.frombuffer(self._rows, np.int32)

    @property
    def numbers(self) -> Numbers:
        """For each of them, the number of its value."""
        return np.frombuffer(self._numbers, np.int32)

    @property
    def values(self) -> Sequence[AttributeValue]:
        """The distinct values."""
        return self._values.all

    def append(self, row: int, value: AttributeValue) -> None:
        self._rows.append(row)
        self._numbers.append(self._values.number(value))

    def keep(self, numbers: Numbers) -> None:
        """Let go of rows, and give the others new numbers.

        numbers: the new one of each row of the segment, ascending; -1 for those that go. Values that no row has any
        more stay until they are most of all: to take the others in anew takes longer than all else here.
        """
        rows = numbers[self.rows]
        kept = rows >= 0
        values = self.numbers[kept]
        used = np.flatnonzero(np.bincount(values, minlength=len(self._values)))
        if 2 * len(used) < len(self._values):
            renumbered = np.empty(len(self._values), np.int32)
            renumbered[used] = np.arange(len(used), dtype=np.int32)
            values = renumbered[values]
            self._values = DistinctValues([self._values.all[number] for number in used.tolist()])
        self._rows = array("i", rows[kept].tobytes())
        self._numbers = array("i", values.tobytes())

    def mask(self, test: Test, rows: int) -> Mask:
        """Return which of the segment's `rows` rows meet the test."""
        mask = np.zeros(rows, np.bool_)
        mask[self.rows] = self._values.outcomes(test)[self.numbers]
        return mask
