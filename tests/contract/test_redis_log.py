"""What only the log on Redis can show: a server that goes away, is emptied, or holds what cannot be read."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from redis.asyncio import Redis

from services.cli.stack.ports import LOOPBACK
from shared.replication.connection import connect
from shared.replication.keys import ShardKeys
from shared.replication.log import Fenced, LogUnavailable
from shared.replication.redis_log import RedisLog
from tests.fakes.operations import INCARNATION, batch, upsert
from tests.harness.proxy import FaultyProxy
from tests.harness.redis import RedisServer

FIRST, SECOND = batch(-1, 0, upsert(0)), batch(0, 1, upsert(1))


@pytest.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    async with connect(redis_server.url) as redis:
        yield redis


@pytest.fixture
async def log(redis: Redis, unique_namespace: str) -> RedisLog:
    log = RedisLog(redis, namespace=unique_namespace)
    await log.claim(0, incarnation=INCARNATION, epoch="e", head_if_new=-1)
    await log.append(0, FIRST, epoch="e", keep_after=-1)
    return log


async def _follow(log: RedisLog) -> None:
    async with log.follow([0]) as batches:
        await anext(batches)


CALLS: dict[str, Callable[[RedisLog], Awaitable[object]]] = {
    "claim": lambda log: log.claim(0, incarnation=INCARNATION, epoch="e", head_if_new=-1),
    "append": lambda log: log.append(0, FIRST, epoch="e", keep_after=-1),
    "head": lambda log: log.head(0),
    "read": lambda log: log.read(0, after=-1, count=1),
    "follow": _follow,
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_without_a_server_every_call_says_that_the_log_is_unavailable(
    call: Callable[[RedisLog], Awaitable[object]],
) -> None:
    async with connect("redis://127.0.0.1:1/0") as nobody:
        with pytest.raises(LogUnavailable):
            await call(RedisLog(nobody, namespace=""))


async def test_a_server_that_is_killed_and_comes_back_empty_is_used_again(fresh_redis: RedisServer) -> None:
    async with connect(fresh_redis.url) as redis:
        log = RedisLog(redis, namespace="")
        await log.claim(0, incarnation=INCARNATION, epoch="e", head_if_new=-1)
        await log.append(0, FIRST, epoch="e", keep_after=-1)
        follower = asyncio.create_task(_follow(log))
        await asyncio.to_thread(fresh_redis.kill)
        with pytest.raises(LogUnavailable):
            await follower
        with pytest.raises(LogUnavailable):
            await log.append(0, SECOND, epoch="e", keep_after=-1)
        await asyncio.to_thread(fresh_redis.start)
        with pytest.raises(Fenced):
            await log.append(0, SECOND, epoch="e", keep_after=-1)
        assert await log.head(0) is None
        assert await log.claim(0, incarnation=INCARNATION, epoch="f", head_if_new=0) == 0
        await log.append(0, SECOND, epoch="f", keep_after=-1)


async def test_a_subscription_that_dies_in_silence_is_noticed_within_three_seconds(
    redis_server: RedisServer, unique_namespace: str
) -> None:
    with FaultyProxy(redis_server.port) as proxy:
        async with connect(f"redis://{LOOPBACK}:{proxy.port}/0") as redis:
            log = RedisLog(redis, namespace=unique_namespace)
            following = asyncio.create_task(_follow(log))
            over, _ = await asyncio.wait([following], timeout=2.5)
            assert not over, "an idle channel is no dead one"
            proxy.stall()
            stalled_at = time.monotonic()
            with pytest.raises(LogUnavailable, match="nothing was heard"):
                await following
            assert time.monotonic() - stalled_at < 3 + 2  # that a busy machine adds
            proxy.heal()


async def test_an_entry_that_cannot_be_read_is_a_gap_and_no_fault(
    log: RedisLog, redis: Redis, unique_namespace: str
) -> None:
    keys = ShardKeys(unique_namespace, 0)
    await redis.xadd(keys.log, {"b": b"of a release to come"}, id="1-1")
    await redis.xadd(keys.log, {"other": b"field"}, id="2-1")
    await redis.hset(keys.meta, "head", "2")
    await log.append(0, batch(2, 3, upsert(3)), epoch="e", keep_after=-1)
    assert [one.position for one in await log.read(0, after=-1, count=10)] == [0, 3]


async def test_a_log_whose_stream_was_evicted_goes_on_from_its_head(
    log: RedisLog, redis: Redis, unique_namespace: str
) -> None:
    await redis.delete(ShardKeys(unique_namespace, 0).log)
    await log.append(0, SECOND, epoch="e", keep_after=-1)
    assert await log.read(0, after=-1, count=10) == [SECOND]


async def test_a_log_whose_meta_was_evicted_starts_anew_without_the_old_entries(
    log: RedisLog, redis: Redis, unique_namespace: str
) -> None:
    await redis.delete(ShardKeys(unique_namespace, 0).meta)
    with pytest.raises(Fenced):
        await log.append(0, SECOND, epoch="e", keep_after=-1)
    assert await log.claim(0, incarnation=INCARNATION, epoch="f", head_if_new=7) == 7
    assert await log.read(0, after=-1, count=10) == []


async def test_scripts_survive_a_server_that_has_forgotten_them(log: RedisLog, redis: Redis) -> None:
    await redis.script_flush()
    await log.append(0, SECOND, epoch="e", keep_after=-1)
    assert await log.read(0, after=0, count=10) == [SECOND]


async def test_namespaces_share_a_server_without_meeting(log: RedisLog, redis: Redis, unique_namespace: str) -> None:
    other = RedisLog(redis, namespace=f"{unique_namespace}-other")
    assert await other.head(0) is None


async def test_all_keys_of_a_shard_live_on_one_cluster_slot() -> None:
    keys = ShardKeys("shop", 7)
    assert {name[: name.index("}") + 1] for name in (keys.meta, keys.log, keys.ops, keys.replicas)} == {"{shop.s7}"}


async def test_a_published_message_that_cannot_be_read_is_passed_over(
    log: RedisLog, redis: Redis, unique_namespace: str
) -> None:
    channel = ShardKeys(unique_namespace, 0).ops
    async with asyncio.timeout(10), log.follow([0]) as batches:
        while not dict(await redis.pubsub_numsub(channel))[channel.encode()]:  # noqa: ASYNC110 - Redis tells nobody
            await asyncio.sleep(0.01)
        await redis.publish(channel, b"noise")
        await log.append(0, SECOND, epoch="e", keep_after=-1)
        assert await anext(batches) == (0, SECOND)
