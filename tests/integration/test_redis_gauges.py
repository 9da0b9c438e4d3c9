"""What is told of a real Redis."""

from collections.abc import AsyncIterator

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from shared.replication.connection import connect
from shared.replication.keys import ShardKeys
from shared.replication.log import LogUnavailable
from shared.replication.redis_gauges import RedisGauges, WatchRedis
from tests.harness.redis import RedisServer


@pytest.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    async with connect(redis_server.url) as redis:
        yield redis


async def test_the_lengths_of_the_logs_and_the_memory_are_told_of_the_shards_that_are_held(
    redis: Redis, unique_namespace: str
) -> None:
    registry = CollectorRegistry()
    watch = WatchRedis(redis, namespace=unique_namespace, gauges=RedisGauges("x", registry))
    for _ in range(3):
        await redis.xadd(ShardKeys(unique_namespace, 1).log, {"b": b"batch"})
    await watch.look({0, 1})
    assert [registry.get_sample_value("x_log_entries", {"shard": shard}) for shard in ("0", "1")] == [0, 3]
    assert (registry.get_sample_value("x_redis_memory_bytes", {"of": "used"}) or 0) > 100_000
    assert registry.get_sample_value("x_redis_memory_bytes", {"of": "limit"}) is not None
    await watch.look({0})
    assert registry.get_sample_value("x_log_entries", {"shard": "1"}) is None


async def test_whoever_may_not_ask_for_the_memory_is_told_of_the_logs_all_the_same(
    redis: Redis, redis_server: RedisServer, unique_namespace: str
) -> None:
    await redis.acl_setuser(
        unique_namespace, enabled=True, passwords=["+secret"], keys=["*"], commands=["+xlen", "+ping"]
    )
    registry = CollectorRegistry()
    async with connect(redis_server.url.replace("://", f"://{unique_namespace}:secret@")) as limited:
        watch = WatchRedis(limited, namespace=unique_namespace, gauges=RedisGauges("x", registry))
        with pytest.raises(LogUnavailable, match="asking Redis for its memory"):
            await watch.look({0})
    await redis.acl_deluser(unique_namespace)
    assert registry.get_sample_value("x_log_entries", {"shard": "0"}) == 0
