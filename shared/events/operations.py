"""Operations on a shard, and the batches in which they travel to the replicas through Redis.

An operation is resolved: it says what to do (this id, this code), never something that must be evaluated again.
"""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from shared.events.decoding import decode
from shared.events.images import VERSION, Attributes, SourcePosition


class Upsert(msgspec.Struct, frozen=True, gc=False, kw_only=True, array_like=True, tag="u"):
    """The image `id` now has this code. Fields as in `FeatureRecord`; `offset` is the record's own."""

    offset: int
    id: str
    source: SourcePosition
    uploaded_at: int
    code: bytes
    scheme: str
    occurred_at: int | None = None
    uri: str | None = None
    attributes: Attributes = {}


class Delete(msgspec.Struct, frozen=True, gc=False, kw_only=True, array_like=True, tag="d"):
    """The image `id` is gone. uploaded_at: Unix milliseconds of the delete record."""

    offset: int
    id: str
    source: SourcePosition
    uploaded_at: int


Operation = Upsert | Delete


class OperationBatch(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What brings a shard from one position to another.

    previous: the position that this batch extends, -1 for an empty shard. position: the one that it reaches; it may be
    beyond the last operation's offset, since not every offset holds an operation. incarnation: names the log that the
    positions count in; positions of different incarnations do not compare. traces: offset → of what led to the
    operation, the 16 bytes of the trace and the 8 of the span; where there are none, nothing stands for them.
    """

    v: int
    incarnation: str
    previous: int
    position: int
    operations: list[Operation]
    traces: dict[int, bytes] = {}


_UNTRACED: Mapping[int, bytes] = MappingProxyType({})

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(OperationBatch)


def make_batch(
    *,
    incarnation: str,
    previous: int,
    position: int,
    operations: list[Operation],
    traces: Mapping[int, bytes] = _UNTRACED,
) -> OperationBatch:
    return OperationBatch(
        v=VERSION,
        incarnation=incarnation,
        previous=previous,
        position=position,
        operations=operations,
        traces={each.offset: traces[each.offset] for each in operations if each.offset in traces} if traces else {},
    )


def encode_batch(batch: OperationBatch) -> bytes:
    fields = (batch.v, batch.incarnation, batch.previous, batch.position, batch.operations)
    return _encoder.encode((*fields, batch.traces) if batch.traces else fields)


def decode_batch(data: bytes) -> OperationBatch:
    """Raises msgspec.DecodeError where the bytes are no batch of a version known here."""
    batch = decode(_decoder, data)
    if batch.v != VERSION:
        raise msgspec.DecodeError(f"operation batch of version {batch.v}; this release knows {VERSION}")
    return batch
