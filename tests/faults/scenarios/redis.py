"""Redis forgets everything, goes back to what it was a moment ago, or is gone."""

import asyncio
import time

from redis.asyncio import Redis

from shared.replication.keys import ShardKeys
from tests.faults.chance import chance
from tests.faults.figures import Figures
from tests.faults.judging import judge
from tests.faults.site import Site

_PER_S = 200


async def redis_is_flushed(site: Site, *, seed: int, seconds: float) -> Figures:
    rng, faults = chance(seed), 0
    ends_at = time.monotonic() + seconds
    async with Redis.from_url(site.redis.url) as redis, site.features.flowing(rng=rng, per_s=_PER_S):
        while time.monotonic() < ends_at:
            await asyncio.sleep(rng.uniform(0.1, 1.5))
            await redis.flushall()
            faults += 1
        healed_at = time.monotonic()
    healing_s = await judge(site, healed_at=healed_at)
    return Figures(faults=faults, longest_healing_s=healing_s)


async def redis_is_rolled_back(site: Site, *, seed: int, seconds: float) -> Figures:
    """As by a failover to a copy that lags: some logs are what they were, with the epoch and the head of then."""
    rng, faults = chance(seed), 0
    ends_at = time.monotonic() + seconds
    async with Redis.from_url(site.redis.url) as redis, site.features.flowing(rng=rng, per_s=_PER_S):
        while time.monotonic() < ends_at:
            shards = [shard for shard in range(site.service.partitions) if rng.random() < 0.7]
            earlier = await remember(redis, site, shards)
            await asyncio.sleep(rng.uniform(0.05, 1.5))
            await bring_back(redis, earlier)
            faults += 1
            await asyncio.sleep(rng.uniform(0.0, 1.0))
        healed_at = time.monotonic()
    healing_s = await judge(site, healed_at=healed_at)
    return Figures(faults=faults, longest_healing_s=healing_s)


async def redis_is_gone(site: Site, *, seed: int, seconds: float) -> Figures:
    """Killed, and back, with nothing in it, after all of the seconds."""
    rng = chance(seed)
    async with site.features.flowing(rng=rng, per_s=_PER_S):
        await asyncio.sleep(rng.uniform(0.2, 1.0))
        await asyncio.to_thread(site.redis.kill)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(site.redis.start)
        healed_at = time.monotonic()
    healing_s = await judge(site, healed_at=healed_at)
    return Figures(faults=1, longest_healing_s=healing_s)


async def remember(redis: Redis, site: Site, shards: list[int]) -> dict[str, bytes | None]:
    keys = [ShardKeys(site.service.namespace, shard) for shard in shards]
    return {key: await redis.dump(key) for shard in keys for key in (shard.meta, shard.log)}


async def bring_back(redis: Redis, earlier: dict[str, bytes | None]) -> None:
    async with redis.pipeline(transaction=True) as all_at_once:
        for key, dumped in earlier.items():
            if dumped is None:
                all_at_once.delete(key)
            else:
                all_at_once.restore(key, 0, dumped, replace=True)
        await all_at_once.execute()
