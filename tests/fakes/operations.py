"""Operations by the few things that matter to a test."""

import numpy as np

from shared.events.images import Attributes, SourcePosition
from shared.events.operations import Delete, Operation, OperationBatch, Upsert, make_batch

SCHEME = "scheme-a"
INCARNATION = "cluster/features"


def code(*numbers: int) -> bytes:
    """A code of signed bytes."""
    return np.array(numbers, np.int8).tobytes()


def upsert(
    offset: int,
    image_id: str = "cat",
    *,
    source: int | None = None,
    of: bytes | None = None,
    scheme: str = SCHEME,
    attributes: Attributes | None = None,
    uploaded_at: int | None = None,
    occurred_at: int | None = None,
) -> Upsert:
    """source: the offset of the upload event; that of the operation, where nothing is said."""
    return Upsert(
        offset=offset,
        id=image_id,
        source=SourcePosition(offset=offset if source is None else source, partition=0),
        uploaded_at=1_000 + offset if uploaded_at is None else uploaded_at,
        occurred_at=occurred_at,
        code=of or code(1, 2, 3, 4),
        scheme=scheme,
        attributes=attributes or {},
    )


def delete(offset: int, image_id: str = "cat", *, source: int | None = None, at: int = 1_000) -> Delete:
    return Delete(
        offset=offset,
        id=image_id,
        source=SourcePosition(offset=offset if source is None else source, partition=0),
        uploaded_at=at,
    )


def batch(previous: int, position: int, *operations: Operation, incarnation: str = INCARNATION) -> OperationBatch:
    """The batch that brings a shard from `previous` to `position`."""
    return make_batch(incarnation=incarnation, previous=previous, position=position, operations=list(operations))
