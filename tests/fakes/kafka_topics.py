"""Topics on the real broker, for tests that need it."""

from collections.abc import Mapping

from shared.bus.cluster import Cluster
from shared.events.topics import TopicSpec

COMPACTED_AT_ONCE = {
    "cleanup.policy": "compact",
    "min.compaction.lag.ms": "0",
    "min.cleanable.dirty.ratio": "0.001",
    "segment.bytes": str(1024 * 1024),
    "segment.ms": "100",
}
"""A closed segment is compacted within a second; a segment closes when a record comes after its 100 ms."""


async def create_topic(
    bootstrap_servers: str, name: str, *, partitions: int = 1, config: Mapping[str, str] | None = None
) -> None:
    async with Cluster(bootstrap_servers) as cluster:
        await cluster.create_topics([TopicSpec(name=name, partitions=partitions, config=config or {})])
