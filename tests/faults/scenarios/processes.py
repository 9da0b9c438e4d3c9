"""Workers die, or stand still for so long that others take over from them."""

import asyncio
import time

from shared.events.operations import make_batch
from shared.replication.connection import connect
from shared.replication.log import Conflict, Fenced, LogHead
from shared.replication.redis_log import RedisLog
from tests.faults.chance import chance
from tests.faults.figures import Figures, PromiseBroken
from tests.faults.judging import judge
from tests.faults.site import Site

_PER_S = 200
_TAKEN_OVER_WITHIN_S = 60.0


async def workers_die(site: Site, *, seed: int, seconds: float) -> Figures:
    """kill -9 of any of them, at any moment."""
    rng, faults = chance(seed), 0
    ends_at = time.monotonic() + seconds
    async with site.features.flowing(rng=rng, per_s=_PER_S):
        while not faults or time.monotonic() < ends_at:
            await asyncio.sleep(rng.uniform(0.1, 2.0))
            victim = rng.choice(site.service.workers)
            await asyncio.to_thread(victim.kill)
            faults += 1
            await asyncio.sleep(rng.uniform(0.0, 1.0))
            await asyncio.to_thread(victim.start)
        healed_at = time.monotonic()
    return Figures(faults=faults, longest_healing_s=await judge(site, healed_at=healed_at))


async def indexer_is_a_zombie(site: Site, *, seed: int, seconds: float) -> Figures:
    """It stands still until its shards are another's, and goes on; later the other one dies, and it has them again.

    What it would append meanwhile is tried here too, in its name.
    """
    rng, faults, refused = chance(seed), 0, 0
    ends_at = time.monotonic() + seconds
    async with connect(site.redis.url) as redis, site.features.flowing(rng=rng, per_s=_PER_S):
        log = RedisLog(redis, namespace=site.service.namespace)
        while not faults or time.monotonic() < ends_at:
            await asyncio.sleep(rng.uniform(0.1, 2.0))
            heads = await heads_of(log, site)
            site.service.indexer.pause()
            try:
                await asyncio.to_thread(site.spare.start)
                await claimed_anew(log, site, heads)
            finally:
                site.service.indexer.resume()
            faults += 1
            for _ in range(20):
                for shard, head in heads.items():
                    await append_as(head, log, shard)
                    refused += 1
                await asyncio.sleep(rng.uniform(0.0, 0.2))
            heads = await heads_of(log, site)
            await asyncio.to_thread(site.spare.kill)
            await claimed_anew(log, site, heads)
        healed_at = time.monotonic()
    healing_s = await judge(site, healed_at=healed_at)
    return Figures(faults=faults, stale_appends=refused, longest_healing_s=healing_s)


async def heads_of(log: RedisLog, site: Site) -> dict[int, LogHead]:
    return {shard: head for shard in range(site.service.partitions) if (head := await log.head(shard))}


async def claimed_anew(log: RedisLog, site: Site, before: dict[int, LogHead]) -> None:
    """Return when none of the shards is held under the epoch that it was held under."""
    over = {head.epoch for head in before.values()}
    async with asyncio.timeout(_TAKEN_OVER_WITHIN_S):
        while over & {head.epoch for head in (await heads_of(log, site)).values()}:  # noqa: ASYNC110 - others claim
            await asyncio.sleep(0.1)


async def append_as(stale: LogHead, log: RedisLog, shard: int) -> None:
    """Try to append what would extend the log, under an epoch that is over."""
    now = await log.head(shard)
    assert now is not None
    batch = make_batch(incarnation=now.incarnation, previous=now.head, position=now.head + 1, operations=[])
    try:
        await log.append(shard, batch, epoch=stale.epoch, keep_after=-1)
    except Fenced:
        return
    except Conflict:
        pass  # the other one was faster: but for that, this would be in the log
    raise PromiseBroken(f"an epoch that is over could append to shard {shard}", Figures(stale_appends_accepted=1))
