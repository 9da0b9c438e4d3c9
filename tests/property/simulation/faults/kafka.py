"""Kafka is away, and forgets what nobody needs any more."""

import asyncio
from collections.abc import Iterable

from hypothesis.stateful import rule

from shared.events.topics import DELETE_RETENTION_MS
from tests.property.simulation.story import OUTAGES_S, Story
from tests.property.simulation.surroundings import SHARD


class KafkaFaults(Story):
    @rule(seconds=OUTAGES_S)
    def lose_kafka(self, seconds: float) -> None:
        self.do(self._lose(seconds))

    @rule()
    def compact(self) -> None:
        """Kafka compacts what is old: reported on, and behind every copy and every log that may come back.

        Deletes that are older than their retention go with it. Manifests are not asked.
        """
        positions = [each.replica.position for each in self.world.searchers if each.replica.position >= 0]
        self.do(self._compact([*positions, *self.world.remembered_heads]))

    async def _lose(self, seconds: float) -> None:
        self.world.set_kafka(down=True)
        await asyncio.sleep(seconds)
        self.world.set_kafka(down=False)

    async def _compact(self, positions: Iterable[int]) -> None:
        around = self.world.around
        reported = min(around.unanswered, default=around.topic.end)
        before = min([reported, around.committed.get(SHARD, 0), *positions])
        before = min([before, *self._lonely_foreigners(before)])
        horizon = around.now_ms() - DELETE_RETENTION_MS
        forgotten = {offset for offset, at in enumerate(around.written_at[:before]) if at < horizon}
        around.topic.compact(before=before, forgotten_deletes=forgotten)

    def _lonely_foreigners(self, before: int) -> list[int]:
        """The codes of another scheme with no other record of their id between them and an offset.

        Compaction waits for a day, in which each was overruled.
        """
        around = self.world.around
        last = {record.key: record.offset for record in around.topic.records if record.offset < before}
        return [offset for offset in last.values() if offset in around.truth.foreign]
