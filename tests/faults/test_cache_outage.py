"""The Redis of the cache hangs, breaks off or is gone while images come: none of them waits for it, all get their code.

The device is none, so that the time of an image is what the cache adds to it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count

import pytest
from structlog.testing import capture_logs

from shared.cache.code_cache import CachedCode, CacheUnavailable
from shared.cache.extraction import CachedExtraction
from shared.cache.observer import Lookup
from shared.cache.redis_cache import CachePolicy, RedisCodeCache
from shared.encoders.engine.engine import Extracted
from tests.contract.redis_cache import CODE_BYTES, is_available, running_cache, until_available
from tests.fakes.cache_observer import RecordingCacheObserver
from tests.fakes.operations import SCHEME
from tests.harness.proxy import FaultyProxy
from tests.harness.redis import RedisServer

POLICY = CachePolicy(wait_s=0.25, retry_s=0.3)
LONGEST_S = 2 * POLICY.wait_s + 2.0
"""The exchange under way and the next, and what a busy machine adds."""
AT_ONCE = 8


@pytest.fixture
def proxy(redis_server: RedisServer) -> Iterator[FaultyProxy]:
    with FaultyProxy(redis_server.port) as proxy:
        yield proxy


@pytest.fixture
async def cache(proxy: FaultyProxy, unique_namespace: str) -> AsyncIterator[RedisCodeCache]:
    url = f"redis://127.0.0.1:{proxy.port}/0"
    async with running_cache(url, namespace=unique_namespace, policy=POLICY) as cache:
        yield cache


class Uploads:
    """Images that come without an end, some of them again and again, a few at a time."""

    def __init__(self, cache: RedisCodeCache) -> None:
        self.observer = RecordingCacheObserver()
        self.longest_s = 0.0
        self.done = 0
        self._numbers = count()
        self._extraction = CachedExtraction(self._extract, scheme=SCHEME, cache=cache, observer=self.observer)

    @asynccontextmanager
    async def under_way(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            streams = [tasks.create_task(self._one_after_another()) for _ in range(AT_ONCE)]
            yield
            for stream in streams:
                stream.cancel()

    async def more(self, images: int) -> None:
        """Return when so many more are done."""
        goal = self.done + images
        async with asyncio.timeout(30):
            while self.done < goal:  # noqa: ASYNC110 - what is waited for is that time passes
                await asyncio.sleep(0.01)

    async def until_found(self) -> None:
        """Return when one was found in the cache, from now on. How soon depends on when what was put in is there."""
        self.observer.outcomes.clear()
        async with asyncio.timeout(30):
            while Lookup.HIT not in self.observer.outcomes:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)

    async def _one_after_another(self) -> None:
        for number in self._numbers:
            image = f"{number % 50 if number % 2 else number:08}".encode()
            started = time.perf_counter()
            assert (await self._extraction.extract(image)).code == image
            self.longest_s = max(self.longest_s, time.perf_counter() - started)
            self.done += 1
            await asyncio.sleep(0.001)

    async def _extract(self, data: bytes) -> Extracted:
        assert len(data) == CODE_BYTES
        return Extracted(code=data, decode_s=0.0, encode_s=0.0, device_s=0.001)


FAULTS: dict[str, Callable[[FaultyProxy], None]] = {
    "hangs": lambda proxy: proxy.stall(),
    "is gone": lambda proxy: proxy.refuse(),
    "is too slow": lambda proxy: proxy.delay(POLICY.wait_s),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_no_image_waits_for_a_redis_in_trouble_and_the_cache_comes_back(
    cache: RedisCodeCache, proxy: FaultyProxy, fault: Callable[[FaultyProxy], None]
) -> None:
    uploads = Uploads(cache)
    with capture_logs() as logs:
        async with uploads.under_way():
            await uploads.until_found()

            fault(proxy)
            await until_unavailable(cache)
            uploads.observer.outcomes.clear()
            await uploads.more(500)
            assert set(uploads.observer.outcomes) == {Lookup.UNAVAILABLE}

            proxy.heal()
            await until_available(cache)
            await uploads.until_found()
    assert uploads.longest_s < LONGEST_S
    assert [entry["event"] for entry in logs] == ["cache_unavailable", "cache_available"]


async def test_a_connection_that_breaks_off_is_made_again_without_a_wrong_answer(
    cache: RedisCodeCache, proxy: FaultyProxy
) -> None:
    """`Uploads` checks each code."""
    uploads = Uploads(cache)
    async with uploads.under_way():
        for _ in range(5):
            await uploads.more(50)
            proxy.reset()
            await until_available(cache)
    assert uploads.longest_s < LONGEST_S


async def test_what_was_asked_before_a_hang_is_never_taken_for_the_answer_to_what_was_asked_after(
    cache: RedisCodeCache, proxy: FaultyProxy
) -> None:
    """A stall keeps the answers back, and gives them out when it ends."""
    codes = {bytes([number]) * 32: CachedCode(code=bytes([number]) * CODE_BYTES, device_s=0.0) for number in range(50)}
    for key, code in codes.items():
        cache.put(key, code)
        assert await cache.get(bytes(31) + b"\1") is None
    proxy.stall()
    with pytest.raises(CacheUnavailable):
        await cache.get(bytes([7]) * 32)
    proxy.heal()
    await until_available(cache)
    for key, code in codes.items():
        assert await cache.get(key) == code


async def until_unavailable(cache: RedisCodeCache) -> None:
    async with asyncio.timeout(10):
        while await is_available(cache):  # noqa: ASYNC110 - nobody is told but by asking
            await asyncio.sleep(0.005)
