"""A replica stops hearing: its connections to Redis stall, break, or die without a word, or it is too slow itself."""

import asyncio
import time

from redis.asyncio import Redis

from tests.faults.chance import chance
from tests.faults.figures import Figures, PromiseBroken
from tests.faults.judging import judge
from tests.faults.site import Site

_PER_S = 200
_SUBSCRIBED = b"SUBSCRIBE"
_NOTICED_WITHIN_S = 3.0
_BUFFER = "client-output-buffer-limit"
_BUFFER_OF_ONE_THAT_READS = "pubsub 8mb 8mb 0"
"""Enough for the largest batch of ballast, and full long before the usual 32 MiB are."""
_DROPPED_WITHIN_S = 30.0


async def subscription_dies_silently(site: Site, *, seed: int, seconds: float) -> Figures:
    """Its own connection alone, so that nothing but the missing answers tells."""
    rng, faults = chance(seed), 0
    longest_silence_s = 0.0
    ends_at = time.monotonic() + seconds
    async with site.features.flowing(rng=rng, per_s=_PER_S):
        while not faults or time.monotonic() < ends_at:
            await asyncio.sleep(rng.uniform(0.1, 1.5))
            opened, died_at = site.proxy.opened(_SUBSCRIBED), time.monotonic()
            site.proxy.silence(_SUBSCRIBED)
            faults += 1
            while site.proxy.opened(_SUBSCRIBED) == opened:
                await asyncio.sleep(0.01)
                if time.monotonic() - died_at > _NOTICED_WITHIN_S * site.patience:
                    raise PromiseBroken("nobody missed the dead subscription")
            longest_silence_s = max(longest_silence_s, time.monotonic() - died_at)
        healed_at = time.monotonic()
    healing_s = await judge(site, healed_at=healed_at)
    return Figures(
        faults=faults,
        longest_healing_s=healing_s,
        longest_silence_s=longest_silence_s,
    )


async def network_to_redis_fails(site: Site, *, seed: int, seconds: float) -> Figures:
    """One replica's: all that it sends stalls, is lost, or breaks off, and so does what it tries next."""
    rng, faults = chance(seed), 0
    ends_at = time.monotonic() + seconds
    async with site.features.flowing(rng=rng, per_s=_PER_S):
        while not faults or time.monotonic() < ends_at:
            await asyncio.sleep(rng.uniform(0.1, 1.0))
            for fault in rng.sample([site.proxy.stall, site.proxy.silence, site.proxy.reset, site.proxy.refuse], 2):
                fault()
                await asyncio.sleep(rng.uniform(0.0, seconds / 4))
            site.proxy.heal()
            faults += 1
        healed_at = time.monotonic()
    healing_s = await judge(site, healed_at=healed_at)
    return Figures(faults=faults, longest_healing_s=healing_s)


async def subscriber_is_too_slow(site: Site, *, seed: int, seconds: float) -> Figures:
    """It stands still until Redis has dropped it, for holding more than Redis holds for a subscriber."""
    rng, faults = chance(seed), 0
    ends_at = time.monotonic() + seconds
    async with Redis.from_url(site.redis.url) as redis:
        usual = str((await redis.config_get(_BUFFER))[_BUFFER])
        await redis.config_set(_BUFFER, _BUFFER_OF_ONE_THAT_READS)
        async with site.features.flowing(rng=rng, per_s=1_000, ballast=64 * 1024):
            while not faults or time.monotonic() < ends_at:
                await asyncio.sleep(rng.uniform(0.1, 1.0))
                slow = rng.choice(site.service.searchers)
                subscribed = await all_subscribed(redis, site)
                slow.pause()
                try:
                    async with asyncio.timeout(_DROPPED_WITHIN_S):
                        while subscribed <= await subscribers(redis):  # noqa: ASYNC110 - another process drops it
                            await asyncio.sleep(0.05)
                finally:
                    slow.resume()
                faults += 1
            healed_at = time.monotonic()
        healing_s = await judge(site, healed_at=healed_at)
        await redis.config_set(_BUFFER, usual)
    return Figures(faults=faults, longest_healing_s=healing_s)


async def all_subscribed(redis: Redis, site: Site) -> set[str]:
    """Wait for all searchers, of whom one may have been dropped just now."""
    while len(found := await subscribers(redis)) < len(site.service.searchers):  # noqa: ASYNC110 - another process comes
        await asyncio.sleep(0.05)
    return found


async def subscribers(redis: Redis) -> set[str]:
    """The numbers that Redis has given to the connections that subscribe."""
    return {client["id"] for client in await redis.client_list(_type="pubsub")}
