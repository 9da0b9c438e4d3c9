"""Retention: an image whose time is over is deleted in Kafka, by a tombstone that names its upload."""

import asyncio
from collections.abc import Callable, Sequence

from services.indexer.metrics import IndexerMetrics
from services.indexer.upload_clock import UploadClock
from shared.bus.producer import RecordProducer
from shared.events.topics import Topics
from shared.index.segment import Row
from shared.replication.writer import ShardWriter
from shared.runtime.executor import SingleThread
from shared.runtime.logging import get_logger

log = get_logger(__name__)

MOST_AT_ONCE = 500
"""Images of one shard that are deleted before the shard is seen to have lost them."""
_LOOK_EVERY_S = 1.0


class ExpireImages:
    """Deletes images that occurred longer than `retention_ms` ago.

    Nothing is deleted here: the tombstone comes back from Kafka like every other, and all copies apply it. It carries
    the position of the very upload whose time is over, so it overrules that one and none that came later, whoever
    writes it, and when.
    """

    def __init__(
        self,
        retention_ms: int,
        *,
        topics: Topics,
        producer: RecordProducer,
        clock: UploadClock,
        thread: SingleThread,
        metrics: IndexerMetrics,
    ) -> None:
        """thread: the one that changes the shards."""
        self._retention_ms = retention_ms
        self._topics = topics
        self._producer = producer
        self._clock = clock
        self._thread = thread
        self._metrics = metrics
        self._written: dict[int, int] = {}
        """Shard → the offset of the last tombstone that was written for it."""

    async def run(self, writers: Callable[[], Sequence[ShardWriter]]) -> None:
        """Look after the shards that are held here, until cancelled."""
        while True:
            held = [writer for writer in writers() if writer.claimed]
            for writer in held:
                self._clock.hear(writer.fold.newest_upload_at)
            for writer in held:
                await self.expire(writer)
            await asyncio.sleep(_LOOK_EVERY_S)

    async def expire(self, writer: ShardWriter) -> int:
        """Delete some of the images whose time is over, once those before are gone; returns how many."""
        if writer.fold.position < self._written.get(writer.shard, -1):
            return 0
        now_ms = self._clock.now_ms()
        rows = await self._thread.run(writer.fold.older_than, now_ms - self._retention_ms, MOST_AT_ONCE)
        if rows:
            async with asyncio.TaskGroup() as sends:
                written = [sends.create_task(self._delete(writer.shard, row, now_ms)) for row in rows]
            self._written[writer.shard] = max(each.result() for each in written)
            self._metrics.expired.inc(len(rows))
            log.info("images_expired", shard=writer.shard, images=len(rows))
        return len(rows)

    async def _delete(self, shard: int, row: Row, now_ms: int) -> int:
        """Returns the offset of the tombstone."""
        sent = await self._producer.send_until_acknowledged(
            self._topics.features,
            key=row.id.encode(),
            value=None,
            headers=row.source.headers(),
            partition=shard,
            timestamp_ms=now_ms,
        )
        return int(sent.offset)
