"""The disk under the segment store is full."""

import asyncio
import time

from tests.faults.chance import chance
from tests.faults.figures import Figures
from tests.faults.judging import judge
from tests.faults.site import Site
from tests.faults.stored import stored_shards

_PER_S = 200
_PATIENCE_S = 60.0


async def store_is_full(site: Site, *, seed: int, seconds: float) -> Figures:
    """The last manifests are whole all the while, and there are new ones once there is room."""
    rng, faults = chance(seed), 0
    disk = site.disk
    ends_at = time.monotonic() + seconds
    async with site.features.flowing(rng=rng, per_s=_PER_S):
        while not faults or time.monotonic() < ends_at:
            async with asyncio.timeout(_PATIENCE_S):
                await sealed_beyond(site, {})
                await asyncio.sleep(rng.uniform(0.0, 2.0))
                disk.fill()
                faults += 1
                published, failures = restorable(site), failed_seals(site)
                while failed_seals(site) == failures:  # noqa: ASYNC110 - another process fails
                    await asyncio.sleep(0.1)
                assert restorable(site) == published
                disk.make_room()
                await sealed_beyond(site, published)
        healed_at = time.monotonic()
    healing_s = await judge(site, healed_at=healed_at)
    return Figures(faults=faults, longest_healing_s=healing_s)


async def sealed_beyond(site: Site, positions: dict[int, int]) -> None:
    """Return when every shard has a manifest at a position beyond that."""
    while not all(  # noqa: ASYNC110 - another process seals
        restorable(site).get(shard, -1) > positions.get(shard, -1) for shard in range(site.service.partitions)
    ):
        await asyncio.sleep(0.2)


def restorable(site: Site) -> dict[int, int]:
    """Shard → the position that it would be restored at now."""
    return {stored.shard: stored.position() for stored in stored_shards(site.store)}


def failed_seals(site: Site) -> int:
    return site.service.indexer.log.read_text(encoding="utf-8").count("sealing_failed")
