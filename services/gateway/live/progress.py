"""How far the workers are: what waits for them in Kafka, and what every copy of every shard says of itself in Redis."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from pydantic import Field

from services.gateway.api.documents import Document
from shared.bus.cluster import Cluster, ClusterError
from shared.bus.faults import BusUnavailable
from shared.events.topics import Topics
from shared.replication.connection import connect
from shared.replication.directory import ReplicaDirectory
from shared.replication.log import LogUnavailable
from shared.replication.state import ReplicaState
from shared.runtime.settings import ServiceSettings

_EVERY_S = 2.0
_LOOKED_AT_S = 10.0


class ReplicaProgress(Document):
    """One searcher's copy of a shard."""

    replica: str
    state: ReplicaState
    position: int


class ShardProgress(Document):
    """end: the offset of the shard's last record, -1 for none: whoever is there has all."""

    shard: int
    end: int
    images: int | None = Field(description="in the writer's copy; null where no indexer told within a minute")
    position: int | None = Field(description="of the writer's copy")
    replicas: list[ReplicaProgress]


class Progress(Document):
    """Upload events that wait for an extractor, feature records that wait for an indexer, and the shards."""

    to_extract: int
    to_index: int
    shards: list[ShardProgress]


Ask: TypeAlias = Callable[[], Awaitable[Progress]]
"""Raises BusUnavailable, ClusterError, LogUnavailable."""


def asking(settings: ServiceSettings) -> Ask:
    topics = Topics(settings.namespace)

    async def ask() -> Progress:
        async with Cluster(settings.kafka, within_s=0) as cluster:
            uploaded = await cluster.end_offsets(topics.uploaded)
            extracted = await cluster.committed(topics.group("extractor"), topics.uploaded)
            ends = await cluster.end_offsets(topics.features)
            indexed = await cluster.committed(topics.group("indexer"), topics.features)
        async with connect(settings.redis) as redis:
            directory = ReplicaDirectory(redis, namespace=settings.namespace)
            shards = [await _shard(directory, shard, end - 1) for shard, end in sorted(ends.items())]
        return Progress(to_extract=_lag(uploaded, extracted), to_index=_lag(ends, indexed), shards=shards)

    return ask


async def _shard(directory: ReplicaDirectory, shard: int, end: int) -> ShardProgress:
    writer = await directory.writer(shard)
    return ShardProgress(
        shard=shard,
        end=end,
        images=writer.rows if writer else None,
        position=writer.position if writer else None,
        replicas=[ReplicaProgress.model_validate(report) for report in await directory.reports(shard)],
    )


def _lag(ends: Mapping[int, int], committed: Mapping[int, int]) -> int:
    return sum(max(0, end - committed.get(partition, 0)) for partition, end in ends.items())


class ProgressWatch:
    """Asks every other second while somebody looks, once for all who do, and not at all while nobody does.

    clock: seconds, which never jump.
    """

    def __init__(self, ask: Ask, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._looked_at = -_LOOKED_AT_S
        self._wanted = asyncio.Event()
        self._latest: Progress | None = None
        self._problem: str | None = "asking"

    def look(self) -> tuple[Progress | None, str | None]:
        """What is known, or else why nothing is."""
        self._looked_at = self._clock()
        self._wanted.set()
        return self._latest, self._problem

    async def run(self) -> None:
        """Ask, until cancelled."""
        while True:
            await self._wanted.wait()
            try:
                self._latest, self._problem = await self._ask(), None
            except (BusUnavailable, ClusterError, LogUnavailable) as error:
                self._latest, self._problem = None, str(error)
            await asyncio.sleep(_EVERY_S)
            if self._clock() - self._looked_at >= _LOOKED_AT_S:
                self._wanted.clear()
                self._latest, self._problem = None, "asking"
