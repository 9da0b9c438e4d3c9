"""What the benchmark's rows hold beside their codes, and the operations that put them."""

from shared.events.images import Attributes, SourcePosition
from shared.events.operations import Delete, Upsert
from shared.index.segment import Row

SCHEME = "benchmark"
BUCKETS = 10_000
_SPREAD = 2_654_435_761
"""Knuth's multiplier: neighbouring numbers land in far buckets."""


def attributes_of(number: int) -> Attributes:
    """bucket: evenly spread over 0 to 9999, so that a filter can choose any share of the rows."""
    return {"bucket": number * _SPREAD % 2**32 * BUCKETS // 2**32}


def row_of(number: int) -> Row:
    """The row of the vector of that number, which is its id and its offset."""
    return Row(
        id=str(number),
        offset=number,
        source=SourcePosition(offset=number, partition=0),
        uploaded_at=number,
        occurred_at=None,
        uri=None,
        attributes=attributes_of(number),
    )


def upsert_of(number: int, code: bytes, *, offset: int) -> Upsert:
    """The operation at `offset` that puts it."""
    return Upsert(
        offset=offset,
        id=str(number),
        source=SourcePosition(offset=offset, partition=0),
        uploaded_at=offset,
        code=code,
        scheme=SCHEME,
        attributes=attributes_of(number),
    )


def delete_of(number: int, *, offset: int) -> Delete:
    """The operation at `offset` that deletes it."""
    return Delete(offset=offset, id=str(number), source=SourcePosition(offset=offset, partition=0), uploaded_at=offset)
