"""An additive checksum of a shard's live rows, so that two copies can be compared at equal position."""

from hashlib import blake2b

import msgspec

from shared.index.segment import Row

_MODULUS = 1 << 128
_encode = msgspec.msgpack.Encoder(order="deterministic").encode


class LiveChecksum:
    """The sum, modulo 2**128, of a 128-bit hash of every live row: independent of order, undone by subtraction.

    A plain sum of hashes is no defence against somebody who chooses rows to collide; it is one against faults.
    """

    __slots__ = ("_sum",)

    def __init__(self, value: str = "0") -> None:
        """value: to go on from, as `value` told it."""
        self._sum = int(value, 16)

    @property
    def value(self) -> str:
        return f"{self._sum:032x}"

    def add(self, row: Row, code: bytes) -> None:
        self._sum = (self._sum + _hash(row, code)) % _MODULUS

    def subtract(self, row: Row, code: bytes) -> None:
        self._sum = (self._sum - _hash(row, code)) % _MODULUS


def _hash(row: Row, code: bytes) -> int:
    content = _encode((row.id, row.source, row.uploaded_at, row.occurred_at, row.uri, row.attributes, code))
    return int.from_bytes(blake2b(content, digest_size=16).digest(), "big")
