"""A consumer group's hold on partitions of `images.features`, in memory."""

import asyncio
from collections.abc import Iterable, Mapping, MutableMapping

from shared.bus.consumer import Record
from shared.bus.faults import BusUnavailable
from tests.fakes.features_topic import FeaturesTopic


class NotAssignedError(Exception):
    """As aiokafka does, where a partition is used that went away."""


class FeaturesConsumer:
    """Implements the indexer's Partitions.

    committed: that of the group; consumers of one group share it. down: the broker does not answer.
    """

    def __init__(
        self, topics: Mapping[int, FeaturesTopic], *, committed: MutableMapping[int, int] | None = None
    ) -> None:
        self.topics = topics
        self.committed = {} if committed is None else committed
        self.down = False
        self._positions: dict[int, int] = {}

    def assign(self, shards: Iterable[int]) -> None:
        """A rebalance has ended: delivery goes on from what the group has committed."""
        self._positions = {shard: self.committed.get(shard, 0) for shard in shards}

    def fetch(self, shard: int, count: int = 512) -> list[Record]:
        """The next records. The position passes over the offsets behind them that hold none."""
        records = self.topics[shard].fetch(self._positions[shard], count)
        following = self.topics[shard].fetch(records[-1].offset + 1, 1) if records else []
        if records:
            self._positions[shard] = following[0].offset if following else self.topics[shard].end
        return records

    def assigned(self) -> set[int]:
        return set(self._positions)

    async def position(self, partition: int) -> int:
        await asyncio.sleep(0)
        return self._positions.get(partition, -1)

    def seek(self, partition: int, offset: int) -> None:
        if partition not in self._positions:
            raise NotAssignedError(partition)
        self._positions[partition] = offset

    async def commit(self, offsets: dict[int, int]) -> bool:
        await asyncio.sleep(0)
        if self.down or not offsets.keys() <= self._positions.keys():
            return False
        self.committed.update(offsets)
        return True

    async def end(self, partition: int) -> int:
        await asyncio.sleep(0)
        if self.down:
            raise BusUnavailable("the broker is down")
        return self.topics[partition].end
