"""Records of `images.features`: the truth that every index is folded from.

Key: the image's id. Value: msgpack of `FeatureRecord`, or null for a delete, whose headers then carry the position of
the event that asked for it. The offset of the record is the sequence number of the shard that its partition is.
"""

import msgspec

from shared.events import headers as hdr
from shared.events.decoding import decode
from shared.events.images import VERSION, Attributes, SourcePosition, source_from_headers
from shared.events.operations import Delete, Operation, Upsert


class UnreadableFeature(Exception):
    """The record is no feature record of a version known here. It holds its offset and says nothing."""


class FeatureRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An image that was encoded.

    code: the feature vector as bytes, in the layout of `scheme`. source: where its upload event stands.
    Times are Unix milliseconds: `uploaded_at` by the broker's or producer's clock on `images.uploaded`.
    """

    v: int
    id: str
    code: bytes
    scheme: str
    source: SourcePosition
    uploaded_at: int
    occurred_at: int | None = None
    uri: str | None = None
    attributes: Attributes = {}


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(FeatureRecord)


def encode_feature(record: FeatureRecord) -> bytes:
    return _encoder.encode(record)


def feature_of(operation: Upsert) -> FeatureRecord:
    """The record that says the same again, for writing a winner anew."""
    return FeatureRecord(
        v=VERSION,
        id=operation.id,
        code=operation.code,
        scheme=operation.scheme,
        source=operation.source,
        uploaded_at=operation.uploaded_at,
        occurred_at=operation.occurred_at,
        uri=operation.uri,
        attributes=operation.attributes,
    )


def read_operation(
    *, offset: int, timestamp: int, key: bytes | None, value: bytes | None, headers: hdr.Headers
) -> Operation:
    """What a record of `images.features` does to its shard. Raises UnreadableFeature."""
    try:
        if value is None:
            source = source_from_headers(headers)
            if not key or source is None:
                raise UnreadableFeature(f"the delete at offset {offset} lacks its key or its source headers")
            return Delete(offset=offset, id=key.decode(), source=source, uploaded_at=timestamp)
        record = decode(_decoder, value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableFeature(f"the record at offset {offset} cannot be read: {error}") from None
    if record.v != VERSION:
        raise UnreadableFeature(f"the record at offset {offset} has version {record.v}; this release knows {VERSION}")
    if key != record.id.encode():
        raise UnreadableFeature(f"the record at offset {offset} has the key {key!r} and the id {record.id!r}")
    return Upsert(
        offset=offset,
        id=record.id,
        source=record.source,
        uploaded_at=record.uploaded_at,
        code=record.code,
        scheme=record.scheme,
        occurred_at=record.occurred_at,
        uri=record.uri,
        attributes=record.attributes,
    )
