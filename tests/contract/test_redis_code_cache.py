"""What only the cache on Redis can show: what stands in Redis, and a Redis that refuses or is not there."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from shared.cache.code_cache import CachedCode, CacheUnavailable
from shared.cache.redis_cache import CachePolicy, RedisCodeCache
from shared.cache.slots import Slots
from shared.replication.connection import connect
from tests.contract.redis_cache import CODE_BYTES, PATIENT, is_available, running_cache, until_available
from tests.harness.redis import RedisServer

CODE = CachedCode(code=b"8 bytes.", device_s=0.5)
KEYS = [hashlib.sha256(bytes([number])).digest() for number in range(200)]
KEY = KEYS[0]
PATIENCE_S = 10.0


@pytest.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    async with connect(redis_server.url) as redis:
        yield redis


@pytest.fixture
async def cache(redis_server: RedisServer, unique_namespace: str) -> AsyncIterator[RedisCodeCache]:
    async with running_cache(redis_server.url, namespace=unique_namespace) as cache:
        yield cache


def slot(namespace: str, key: bytes = KEY) -> str:
    return Slots(namespace=namespace, images=100_000, code_bytes=CODE_BYTES).name(key)


async def stored(redis: Redis, name: str) -> bytes:
    """The content of a slot, once there is some."""
    async with asyncio.timeout(PATIENCE_S):
        while (value := await redis.get(name)) is None:  # noqa: ASYNC110 - Redis tells nobody
            await asyncio.sleep(0.01)
    assert isinstance(value, bytes)
    return value


async def calls(redis: Redis, command: str) -> int:
    statistics = await redis.info("commandstats")
    return int(statistics.get(f"cmdstat_{command}", {"calls": 0})["calls"])


async def test_what_one_worker_stored_another_finds_though_nobody_asks_the_first(
    cache: RedisCodeCache, redis: Redis, redis_server: RedisServer, unique_namespace: str
) -> None:
    cache.put(KEY, CODE)
    await stored(redis, slot(unique_namespace))
    async with running_cache(redis_server.url, namespace=unique_namespace) as other:
        assert await other.get(KEY) == CODE


async def test_namespaces_share_a_server_without_meeting(
    cache: RedisCodeCache, redis: Redis, redis_server: RedisServer, unique_namespace: str
) -> None:
    cache.put(KEY, CODE)
    await stored(redis, slot(unique_namespace))
    async with running_cache(redis_server.url, namespace=f"{unique_namespace}-other") as other:
        assert await other.get(KEY) is None


async def test_it_never_holds_more_images_than_it_was_given_room_for(
    redis: Redis, redis_server: RedisServer, unique_namespace: str
) -> None:
    async with running_cache(redis_server.url, namespace=unique_namespace, images=16) as cache:
        for key in KEYS:
            cache.put(key, CODE)
            await cache.get(bytes(32))
        kept = [key for key in KEYS if await cache.get(key) == CODE]
    assert len([name async for name in redis.scan_iter(f"{{{unique_namespace}.codes}}:*")]) == len(kept) == 16
    assert KEYS[-1] in kept


async def test_lookups_that_wait_at_the_same_moment_travel_together(cache: RedisCodeCache, redis: Redis) -> None:
    before = await calls(redis, "mget")
    assert await asyncio.gather(*(cache.get(key) for key in KEYS[:100])) == [None] * 100
    assert await calls(redis, "mget") - before == 1


async def test_more_lookups_and_stores_than_one_exchange_takes_are_all_dealt_with(cache: RedisCodeCache) -> None:
    for key in KEYS:
        cache.put(key, CODE)
    await asyncio.gather(*(cache.get(bytes([number]) * 32) for number in range(200)))
    await until_available(cache)
    assert await asyncio.gather(*(cache.get(key) for key in KEYS)) == [CODE] * len(KEYS)


async def test_a_slot_that_nobody_writes_again_vanishes(
    cache: RedisCodeCache, redis: Redis, unique_namespace: str
) -> None:
    cache.put(KEY, CODE)
    await stored(redis, slot(unique_namespace))
    assert 0 < await redis.ttl(slot(unique_namespace)) <= PATIENT.keep_s


SPOILED: dict[str, Callable[[Redis, str, bytes], Awaitable[object]]] = {
    "empty": lambda redis, name, _: redis.set(name, b""),
    "cut": lambda redis, name, value: redis.set(name, value[:-1]),
    "longer": lambda redis, name, value: redis.set(name, value + b"\0"),
    "another image": lambda redis, name, value: redis.set(name, KEYS[1] + value[32:]),
    "a flipped bit": lambda redis, name, value: redis.setbit(name, 8 * 45, 1 - (value[45] >> 7)),
    "gone": lambda redis, name, _: redis.delete(name),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
async def test_a_slot_that_is_not_as_it_was_written_is_a_miss(
    cache: RedisCodeCache,
    redis: Redis,
    unique_namespace: str,
    spoil: Callable[[Redis, str, bytes], Awaitable[object]],
) -> None:
    name = slot(unique_namespace)
    cache.put(KEY, CODE)
    value = await stored(redis, name)
    await spoil(redis, name, value)
    assert await cache.get(KEY) is None


async def test_a_slot_of_another_type_is_a_miss(cache: RedisCodeCache, redis: Redis, unique_namespace: str) -> None:
    await redis.lpush(slot(unique_namespace), "not a string")
    assert await cache.get(KEY) is None


async def test_an_emptied_server_is_a_miss_and_is_filled_again(fresh_redis: RedisServer) -> None:
    async with running_cache(fresh_redis.url, namespace="") as cache, connect(fresh_redis.url) as redis:
        cache.put(KEY, CODE)
        await stored(redis, slot(""))
        await redis.flushall()
        assert await cache.get(KEY) is None
        cache.put(KEY, CODE)
        await stored(redis, slot(""))
        assert await cache.get(KEY) == CODE


async def test_without_a_server_nobody_waits_and_one_line_is_logged() -> None:
    quick = CachePolicy(wait_s=5.0, retry_s=0.001)
    with capture_logs() as logs:
        async with running_cache("redis://127.0.0.1:1/0", namespace="", policy=quick, available=False) as cache:
            async with asyncio.timeout(PATIENCE_S):
                while not logs:  # noqa: ASYNC110 - a log tells nobody
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)  # some more trials
            cache.put(KEY, CODE)
            with pytest.raises(CacheUnavailable):
                await cache.get(KEY)
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("cache_unavailable", "warning")]


async def test_who_waits_when_the_cache_ends_is_told(redis_server: RedisServer, unique_namespace: str) -> None:
    async with running_cache(redis_server.url, namespace=unique_namespace) as cache:
        waiting = asyncio.create_task(cache.get(KEY))
        await asyncio.sleep(0)
    with pytest.raises(CacheUnavailable):
        await waiting
    with pytest.raises(CacheUnavailable):
        await cache.get(KEY)


async def test_it_ends_when_it_is_cancelled_whatever_it_does(redis_server: RedisServer, unique_namespace: str) -> None:
    async def ask(cache: RedisCodeCache) -> None:
        while await is_available(cache):
            pass

    async with asyncio.timeout(PATIENCE_S):
        for steps in range(100):
            async with running_cache(redis_server.url, namespace=unique_namespace) as cache:
                asking = asyncio.create_task(ask(cache))
                for _ in range(steps):
                    await asyncio.sleep(0)
            await asking


async def test_a_full_redis_refuses_what_is_new_and_still_gives_what_it_has(fresh_redis: RedisServer) -> None:
    async with running_cache(fresh_redis.url, namespace="") as cache, connect(fresh_redis.url) as redis:
        cache.put(KEY, CODE)
        await stored(redis, slot(""))
        await redis.config_set("maxmemory", "1")
        with capture_logs() as logs:
            for key in KEYS[1:4]:
                cache.put(key, CODE)
                assert await cache.get(KEY) == CODE
            assert await cache.get(KEYS[1]) is None
        assert [entry["event"] for entry in logs] == ["cache_store_refused"]


async def test_it_works_as_a_user_who_may_use_its_own_keys_alone(fresh_redis: RedisServer) -> None:
    address = fresh_redis.url.removeprefix("redis://")
    async with connect(fresh_redis.url) as redis:
        await redis.acl_setuser("cache", enabled=True, passwords="+secret", keys=["{codes}:*"], commands=["+@all"])
        async with running_cache(f"redis://cache:secret@{address}", namespace="") as cache:
            cache.put(KEY, CODE)
            await stored(redis, slot(""))
            assert await cache.get(KEY) == CODE


async def test_a_user_who_may_not_read_finds_nothing(fresh_redis: RedisServer) -> None:
    address = fresh_redis.url.removeprefix("redis://")
    async with connect(fresh_redis.url) as redis:
        await redis.acl_setuser("guest", enabled=True, passwords="+secret", keys=["other:*"], commands=["+@all"])
    with capture_logs() as logs:
        async with (
            running_cache(f"redis://guest:secret@{address}", namespace="", available=False) as cache,
            asyncio.timeout(PATIENCE_S),
        ):
            while not logs:  # noqa: ASYNC110 - a log tells nobody
                await asyncio.sleep(0.01)
            assert not await is_available(cache)
    assert [entry["event"] for entry in logs] == ["cache_unavailable"]
