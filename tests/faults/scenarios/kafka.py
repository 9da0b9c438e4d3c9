"""The broker restarts, in good order or not."""

import asyncio
import time

from tests.faults.chance import chance
from tests.faults.figures import Figures
from tests.faults.judging import judge
from tests.faults.site import Site

_PER_S = 200


async def kafka_restarts(site: Site, *, seed: int, seconds: float) -> Figures:
    rng, faults = chance(seed), 0
    ends_at = time.monotonic() + seconds
    async with site.features.flowing(rng=rng, per_s=_PER_S):
        while not faults or time.monotonic() < ends_at:
            await asyncio.sleep(rng.uniform(0.2, 2.0))
            await asyncio.to_thread(site.kafka.kill if rng.random() < 0.5 else site.kafka.stop)
            await asyncio.sleep(rng.uniform(0.0, 2.0))
            await asyncio.to_thread(site.kafka.start)
            faults += 1
        healed_at = time.monotonic()
    healing_s = await judge(site, healed_at=healed_at)
    return Figures(faults=faults, longest_healing_s=healing_s)
