"""A cache of codes in memory."""

from shared.cache.code_cache import CachedCode, CacheUnavailable


class FakeCodeCache:
    """Implements CodeCache. It forgets nothing, and can be made unavailable."""

    def __init__(self) -> None:
        self.kept: dict[bytes, CachedCode] = {}
        self.available = True

    async def get(self, key: bytes) -> CachedCode | None:
        if not self.available:
            raise CacheUnavailable("the test wants it so")
        return self.kept.get(key)

    def put(self, key: bytes, cached: CachedCode) -> None:
        if self.available:
            self.kept[key] = cached
