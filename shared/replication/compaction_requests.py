"""An operator's wish that a shard be compacted, for its writer to find. What Redis loses of them is asked again."""

from redis.asyncio import Redis

from shared.replication.connection import answered
from shared.replication.keys import ShardKeys

_FORGOTTEN_AFTER_MS = 24 * 60 * 60 * 1000


class CompactionRequests:
    """Raises LogUnavailable where Redis cannot be reached."""

    def __init__(self, redis: Redis, *, namespace: str) -> None:
        self._redis = redis
        self._namespace = namespace

    async def ask(self, shard: int, request: str) -> str:
        """Ask, under a name of one's own. Returns the request that stands: an earlier one, where there is one.

        It may be asked again and again until the writer reports that it was fulfilled.
        """
        async with answered(f"asking for the compaction of shard {shard}"):
            earlier = await self._redis.set(self._key(shard), request, nx=True, get=True, px=_FORGOTTEN_AFTER_MS)
        return earlier.decode() if isinstance(earlier, bytes) else request

    async def pending(self, shard: int) -> str | None:
        """The request that stands; None where none does."""
        async with answered(f"looking for requests to compact shard {shard}"):
            found = await self._redis.get(self._key(shard))
        return found.decode() if isinstance(found, bytes) else None

    async def settle(self, shard: int) -> None:
        """Take the request away: it was fulfilled."""
        async with answered(f"settling the request to compact shard {shard}"):
            await self._redis.delete(self._key(shard))

    def _key(self, shard: int) -> str:
        return ShardKeys(self._namespace, shard).compaction
