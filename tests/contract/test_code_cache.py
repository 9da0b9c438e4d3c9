"""What every CodeCache does: the one on Redis, and the one that stands in for it in the tests."""

from collections.abc import AsyncIterator

import pytest

from shared.cache.code_cache import CachedCode, CodeCache
from tests.contract.redis_cache import running_cache
from tests.fakes.code_cache import FakeCodeCache
from tests.harness.redis import RedisServer

KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))
CODE, OTHER_CODE = CachedCode(code=b"8 bytes.", device_s=0.5), CachedCode(code=b"another.", device_s=0.0)


@pytest.fixture(params=["fake", "redis"])
async def cache(request: pytest.FixtureRequest, unique_namespace: str) -> AsyncIterator[CodeCache]:
    if request.param == "fake":
        yield FakeCodeCache()
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    async with running_cache(server.url, namespace=unique_namespace) as cache:
        yield cache


async def test_what_was_never_put_is_not_found(cache: CodeCache) -> None:
    assert await cache.get(KEY) is None


async def test_what_was_put_is_found_at_once_and_later(cache: CodeCache) -> None:
    cache.put(KEY, CODE)
    assert await cache.get(KEY) == CODE
    assert await cache.get(OTHER_KEY) is None
    assert await cache.get(KEY) == CODE


async def test_what_was_put_last_counts(cache: CodeCache) -> None:
    cache.put(KEY, CODE)
    assert await cache.get(OTHER_KEY) is None
    cache.put(KEY, OTHER_CODE)
    assert await cache.get(OTHER_KEY) is None
    assert await cache.get(KEY) == OTHER_CODE
