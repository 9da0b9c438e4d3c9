"""Receipts on `images.indexed`: an upload event has taken effect, and where. JSON, keyed by the image's id."""

from enum import StrEnum

import msgspec

from shared.events.decoding import decode
from shared.events.images import VERSION, SourcePosition


class Effect(StrEnum):
    INDEXED = "indexed"
    DELETED = "deleted"
    SUPERSEDED = "superseded"
    """A later event for the same image had taken effect before: this one changed nothing."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """(shard, position) is what a search names in `min_position` to be sure that it sees this.

    Times are Unix milliseconds. Receipts come at least once.
    """

    v: int = VERSION
    id: str
    effect: Effect
    shard: int
    position: int
    source_partition: int
    source_offset: int
    uploaded_at: int
    indexed_at: int

    @property
    def source(self) -> SourcePosition:
        return SourcePosition(offset=self.source_offset, partition=self.source_partition)


_decoder = msgspec.json.Decoder(Receipt)


def encode_receipt(receipt: Receipt) -> bytes:
    return msgspec.json.encode(msgspec.to_builtins(receipt) | {"v": receipt.v})


def decode_receipt(data: bytes) -> Receipt:
    """Raises msgspec.DecodeError where the bytes are no receipt of a version known here."""
    receipt = decode(_decoder, data)
    if receipt.v != VERSION:
        raise msgspec.DecodeError(f"receipt of version {receipt.v}; this release knows {VERSION}")
    return receipt
