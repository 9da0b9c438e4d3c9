"""What a filter says, and what it means for one row: the reference that every faster way must agree with.

A field is an attribute, or one of `SYSTEM_FIELDS`. One whose value is a list meets a test when an item of it does.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.events.images import AttributeValue, Scalar
from shared.index.segment import Row


class Order(StrEnum):
    """How a value must stand to a bound."""

    GT = "$gt"
    GTE = "$gte"
    LT = "$lt"
    LTE = "$lte"

    def holds(self, comparison: int) -> bool:
        """comparison: negative, zero or positive, as the value is below, at or above the bound."""
        match self:
            case Order.GT:
                return comparison > 0
            case Order.GTE:
                return comparison >= 0
            case Order.LT:
                return comparison < 0
        return comparison <= 0


@dataclass(frozen=True, slots=True)
class OneOf:
    """The value is one of these. 1 and 1.0 are the same, 1 and true are not, nor are 1 and "1"."""

    values: frozenset[tuple[str, Scalar]]

    def meets(self, value: Scalar) -> bool:
        return typed(value) in self.values


@dataclass(frozen=True, slots=True)
class Compared:
    """The value is a number in this order to the bound."""

    order: Order
    bound: float

    def meets(self, value: Scalar) -> bool:
        if not isinstance(value, int | float) or isinstance(value, bool):
            return False
        return self.order.holds((value > self.bound) - (value < self.bound))


@dataclass(frozen=True, slots=True)
class ComparedTime:
    """The value is a point in time in this order to the bound: text by RFC 3339, or Unix milliseconds."""

    order: Order
    bound_ms: int

    def meets(self, value: Scalar) -> bool:
        moment = time_ms(value)
        return moment is not None and self.order.holds((moment > self.bound_ms) - (moment < self.bound_ms))


@dataclass(frozen=True, slots=True)
class Prefix:
    """The value is text that begins so."""

    text: str

    def meets(self, value: Scalar) -> bool:
        return isinstance(value, str) and value.startswith(self.text)


@dataclass(frozen=True, slots=True)
class Exists:
    """There is a value, be it null."""

    def meets(self, value: Scalar) -> bool:  # noqa: ARG002 - any will do
        return True


Test = OneOf | Compared | ComparedTime | Prefix | Exists


@dataclass(frozen=True, slots=True)
class Where:
    """The field has a value that meets the test."""

    field: str
    test: Test


@dataclass(frozen=True, slots=True)
class AllOf:
    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    conditions: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    condition: "Condition"


Condition = Where | AllOf | AnyOf | Not

SYSTEM_FIELDS: dict[str, Callable[[Row], AttributeValue]] = {
    "@id": lambda row: row.id,
    "@uri": lambda row: row.uri,
    "@occurred_at": lambda row: row.occurred_at,
    "@uploaded_at": lambda row: row.uploaded_at,
}
"""What the event says itself, by names that no attribute can have in a filter. One that it does not say is missing."""


def fields_of(row: Row) -> Iterator[tuple[str, AttributeValue]]:
    """All that a filter can ask of a row."""
    yield from row.attributes.items()
    for name, read in SYSTEM_FIELDS.items():
        if (value := read(row)) is not None:
            yield name, value


def matches(condition: Condition, row: Row) -> bool:
    """Whether the condition holds for the row."""
    fields = dict(fields_of(row))

    def holds(condition: Condition) -> bool:
        match condition:
            case AllOf(conditions):
                return all(map(holds, conditions))
            case AnyOf(conditions):
                return any(map(holds, conditions))
            case Not(inner):
                return not holds(inner)
            case Where(field, test):
                return field in fields and meets(test, fields[field])

    return holds(condition)


def meets(test: Test, value: AttributeValue) -> bool:
    """Whether a value, or one item of a list, meets the test. An empty list exists, and meets nothing else."""
    if isinstance(value, list | tuple):
        return isinstance(test, Exists) or any(map(test.meets, value))
    return test.meets(value)


def typed(value: Scalar) -> tuple[str, Scalar]:
    """The value with its kind in JSON, since Python takes True for 1."""
    match value:
        case None:
            return "null", None
        case bool():
            return "boolean", value
        case int() | float():
            return "number", value
    return "text", value


def time_ms(value: Scalar) -> int | None:
    """The point in time that a value stands for, in Unix milliseconds; None where it stands for none."""
    if isinstance(value, str):
        return _parsed_ms(value)
    return round(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _parsed_ms(text: str) -> int | None:
    if len(text) < len("2026-01-01T00:00Z") or text[4] != "-":  # most text is no time, and an exception is dear
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else round(moment.timestamp() * 1000)
