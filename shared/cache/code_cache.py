"""The role of a cache of codes. `redis_cache.py` is the real one."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedCode:
    """The code of an image, and the seconds of the device that it took to make it."""

    code: bytes
    device_s: float


class CacheUnavailable(Exception):
    """The cache cannot say in time what it holds: extract the image, as if it held nothing."""


class CodeCache(Protocol):
    """Keeps codes under 32-byte keys, as `ImageKeys` makes them. It may forget any of them at any time."""

    async def get(self, key: bytes) -> CachedCode | None:
        """What is kept under a key. Raises CacheUnavailable soon where that cannot be told."""

    def put(self, key: bytes, cached: CachedCode) -> None:
        """Keep a code for whoever asks next, if that is possible. Nobody waits for it, and nothing is raised."""
