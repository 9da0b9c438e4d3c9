"""A cache on a real Redis for the tests, with more patience than images have."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.cache.code_cache import CacheUnavailable, CodeCache
from shared.cache.redis_cache import CachePolicy, RedisCodeCache
from shared.cache.slots import Slots
from shared.replication.connection import connect

PATIENT = CachePolicy(wait_s=5.0, retry_s=0.01)
CODE_BYTES = 8
_WITHIN_S = 10.0


@asynccontextmanager
async def running_cache(
    url: str, *, namespace: str, images: int = 100_000, policy: CachePolicy = PATIENT, available: bool = True
) -> AsyncIterator[RedisCodeCache]:
    """Runs inside the block, and answers when the block begins, unless that is not to be waited for."""
    slots = Slots(namespace=namespace, images=images, code_bytes=CODE_BYTES)
    async with connect(url) as redis:
        cache = RedisCodeCache(redis, slots, policy)
        running = asyncio.create_task(cache.run())
        try:
            if available:
                await until_available(cache)
            yield cache
        finally:
            running.cancel()
            await asyncio.wait([running])


async def until_available(cache: CodeCache) -> None:
    """Ask for nothing in particular, until there is an answer."""
    async with asyncio.timeout(_WITHIN_S):
        while not await is_available(cache):  # noqa: ASYNC110 - nobody is told but by asking
            await asyncio.sleep(0.005)


async def is_available(cache: CodeCache) -> bool:
    try:
        await cache.get(bytes(32))
    except CacheUnavailable:
        return False
    return True
