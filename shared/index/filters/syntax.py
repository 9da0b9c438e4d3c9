"""Filters as JSON, in the form that MongoDB made common among vector databases.

```json
{"kind": "animal", "weight": {"$gte": 2, "$lt": 10}, "$or": [{"tags": "zoo"}, {"@uri": {"$prefix": "s3://"}}]}
```
"""

import math
from collections.abc import Iterator

from shared.events.images import Scalar
from shared.index.filters.condition import (
    SYSTEM_FIELDS,
    AllOf,
    AnyOf,
    Compared,
    ComparedTime,
    Condition,
    Exists,
    Not,
    OneOf,
    Order,
    Prefix,
    Test,
    Where,
    time_ms,
    typed,
)

MAX_DEPTH = 16
MAX_TESTS = 256
MAX_VALUES = 1_000

_GROUPS = ("$and", "$or", "$not")
_OPERATORS = ("$eq", "$ne", "$in", "$nin", *Order, "$prefix", "$exists", "$not")


class BadFilter(ValueError):
    """The filter cannot be understood; the text says where, and what would be right."""


def parse_filter(filter_: object) -> Condition:
    """Read a filter, as it comes out of JSON or msgpack. Raises BadFilter."""
    reader = _Reader()
    return reader.condition(filter_, "filter", depth=0)


class _Reader:
    def __init__(self) -> None:
        self._tests = 0

    def condition(self, value: object, at: str, *, depth: int) -> Condition:
        """Read an object of fields and groups, all of which must hold."""
        if not isinstance(value, dict) or not value:
            raise BadFilter(f"{at} must be an object that names at least one field, such as {{'kind': 'animal'}}")
        if depth >= MAX_DEPTH:
            raise BadFilter(f"{at} is nested more than {MAX_DEPTH} deep")
        return _all(self._member(str(name), inner, f"{at}.{name}", depth=depth + 1) for name, inner in value.items())

    def _member(self, name: str, value: object, at: str, *, depth: int) -> Condition:
        if name == "$not":
            return Not(self.condition(value, at, depth=depth))
        if name in _GROUPS:
            if not isinstance(value, list) or not value:
                raise BadFilter(f"{at} must be a list of at least one condition")
            inner = (self.condition(each, f"{at}[{number}]", depth=depth) for number, each in enumerate(value))
            return _all(inner) if name == "$and" else AnyOf(tuple(inner))
        if name.startswith("$"):
            raise BadFilter(f"{at}: {name} stands where a field or one of {', '.join(_GROUPS)} is expected")
        if name.startswith("@") and name not in SYSTEM_FIELDS:
            raise BadFilter(f"{at}: there is no field {name}; those with @ are {', '.join(SYSTEM_FIELDS)}")
        return self._field(name, value, at, depth=depth)

    def _field(self, field: str, value: object, at: str, *, depth: int) -> Condition:
        """Read what a field must be: a value, or an object of operators, all of which must hold."""
        if not isinstance(value, dict):
            return self._operator(field, "$eq", value, at, depth=depth)
        if not value:
            raise BadFilter(f"{at} must be a value or name at least one of {', '.join(_OPERATORS)}")
        if depth >= MAX_DEPTH:
            raise BadFilter(f"{at} is nested more than {MAX_DEPTH} deep")
        return _all(
            self._operator(field, str(name), operand, f"{at}.{name}", depth=depth + 1)
            for name, operand in value.items()
        )

    def _operator(self, field: str, name: str, operand: object, at: str, *, depth: int) -> Condition:
        self._tests += 1
        if self._tests > MAX_TESTS:
            raise BadFilter(f"{at}: a filter has at most {MAX_TESTS} tests")
        match name:
            case "$not":
                if not isinstance(operand, dict):
                    raise BadFilter(f"{at} must be an object of operators, such as {{'$gt': 5}}; else use $ne")
                return Not(self._field(field, operand, at, depth=depth))
            case "$ne":
                return Not(Where(field, _one_of([operand], at)))
            case "$nin":
                return Not(Where(field, _one_of(operand, at)))
            case "$exists":
                if not isinstance(operand, bool):
                    raise BadFilter(f"{at} must be true or false, not {operand!r}")
                return Where(field, Exists()) if operand else Not(Where(field, Exists()))
        return Where(field, _test(name, operand, at))


def _test(name: str, operand: object, at: str) -> Test:
    match name:
        case "$eq":
            return _one_of([operand], at)
        case "$in":
            return _one_of(operand, at)
        case "$prefix":
            if not isinstance(operand, str):
                raise BadFilter(f"{at} must be text, not {operand!r}")
            return Prefix(operand)
        case "$gt" | "$gte" | "$lt" | "$lte":
            return _compared(Order(name), operand, at)
    raise BadFilter(f"{at}: there is no operator {name}; use one of {', '.join(_OPERATORS)}")


def _one_of(operands: object, at: str) -> OneOf:
    if not isinstance(operands, list) or len(operands) > MAX_VALUES:
        raise BadFilter(f"{at} must be a list of at most {MAX_VALUES} values")
    return OneOf(frozenset(typed(_scalar(operand, at)) for operand in operands))


def _scalar(operand: object, at: str) -> Scalar:
    if isinstance(operand, float) and not math.isfinite(operand):
        raise BadFilter(f"{at} compares with {operand}, which is no number that an attribute can be")
    if not isinstance(operand, str | int | float | bool | None):
        raise BadFilter(f"{at} compares with text, numbers, booleans and null, not with {operand!r}; for lists use $in")
    return operand


def _compared(order: Order, operand: object, at: str) -> Compared | ComparedTime:
    if isinstance(operand, str) and (moment := time_ms(operand)) is not None:
        return ComparedTime(order, moment)
    if isinstance(operand, bool) or not isinstance(operand, int | float) or not math.isfinite(operand):
        raise BadFilter(
            f"{at} compares numbers, or times with an offset such as '2026-01-31T12:00:00Z'; {operand!r} is neither"
        )
    return Compared(order, operand)


def _all(conditions: Iterator[Condition]) -> Condition:
    found = tuple(conditions)
    return found[0] if len(found) == 1 else AllOf(found)
