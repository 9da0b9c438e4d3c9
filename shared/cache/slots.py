"""Where a code stands in Redis: in one of a fixed number of slots, so that there can never be more of them."""

import math
import struct
import zlib
from dataclasses import dataclass

from shared.cache.code_cache import CachedCode

_HEAD = struct.Struct(">32sd")
_CHECKSUM = struct.Struct(">I")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """The names of the slots in Redis, and the bytes in them.

    An image's key names its slot; of two with the same slot, the later one stays. All schemes share the slots.
    images: how many slots there are. code_bytes: the length of a code of the scheme that is used here.
    """

    namespace: str
    images: int
    code_bytes: int

    def name(self, key: bytes) -> str:
        """The slot of a key. All have one hash tag, as the keys of a shard do."""
        prefix = f"{self.namespace}." if self.namespace else ""
        return f"{{{prefix}codes}}:{int.from_bytes(key[:8], 'big') % self.images}"

    def write(self, key: bytes, cached: CachedCode) -> bytes:
        """The content of a slot: the key, the seconds (IEEE 754 double), the code, and the CRC-32 of all that."""
        content = _HEAD.pack(key, cached.device_s) + cached.code
        return content + _CHECKSUM.pack(zlib.crc32(content))

    def read(self, key: bytes, value: bytes | None) -> CachedCode | None:
        """What a slot holds for a key: None when it holds nothing, another image, or anything else."""
        if value is None or len(value) != _HEAD.size + self.code_bytes + _CHECKSUM.size:
            return None
        content = value[: -_CHECKSUM.size]
        if _CHECKSUM.unpack(value[-_CHECKSUM.size :]) != (zlib.crc32(content),):
            return None
        found, device_s = _HEAD.unpack_from(content)
        if found != key or not 0 <= device_s < math.inf:
            return None
        return CachedCode(code=content[_HEAD.size :], device_s=device_s)
