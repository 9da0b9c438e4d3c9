"""What the logs take in Redis, and how full it is, as gauges: of the shards that a process writes."""

import asyncio
from collections.abc import Callable, Collection
from typing import Any

from prometheus_client import CollectorRegistry, Gauge
from redis.asyncio import Redis

from shared.replication.connection import QUICKLY_S, answered
from shared.replication.keys import ShardKeys
from shared.replication.log import LogUnavailable
from shared.replication.shard_gauges import forget
from shared.runtime.logging import get_logger

log = get_logger(__name__)

_LOOK_EVERY_S = 5.0


class RedisGauges:
    """prefix: what their names begin with. Nothing is shown of what could not be asked for yet."""

    def __init__(self, prefix: str, registry: CollectorRegistry) -> None:
        self.entries = Gauge(
            f"{prefix}_log_entries", "Batches that the log of a shard holds in Redis", ["shard"], registry=registry
        )
        self.memory = Gauge(
            f"{prefix}_redis_memory_bytes",
            "Bytes of memory of the Redis that holds the logs, by what they are: used, or limit (0: none is set)",
            ["of"],
            registry=registry,
        )


class WatchRedis:
    """Asks Redis every few seconds. Both answers take it microseconds, however long the logs are."""

    def __init__(self, redis: Redis, *, namespace: str, gauges: RedisGauges) -> None:
        self._redis = redis
        self._namespace = namespace
        self._gauges = gauges
        self._shown: set[int] = set()

    async def run(self, shards: Callable[[], Collection[int]]) -> None:
        """Show the shards that there are, until cancelled."""
        while True:
            try:
                await self.look(shards())
            except LogUnavailable as error:
                log.debug("redis_not_described", error=str(error))
            await asyncio.sleep(_LOOK_EVERY_S)

    async def look(self, shards: Collection[int]) -> None:
        """Raises LogUnavailable, also where this user may not ask."""
        for shard in self._shown - {*shards}:
            forget(self._gauges.entries, shard)
        self._shown = {*shards}
        async with answered("asking for the lengths of the logs", within_s=QUICKLY_S):
            for shard in shards:
                entries = await self._redis.xlen(ShardKeys(self._namespace, shard).log)
                self._gauges.entries.labels(str(shard)).set(entries)
        async with answered("asking Redis for its memory", within_s=QUICKLY_S):
            memory: Any = await self._redis.info("memory")
        self._gauges.memory.labels("used").set(memory["used_memory"])
        self._gauges.memory.labels("limit").set(memory["maxmemory"])
