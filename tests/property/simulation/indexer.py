"""An indexer process: it takes what is delivered, looks after its claim every second, and seals."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry

from services.indexer.handler import IndexFeatures
from services.indexer.metrics import IndexerMetrics
from services.indexer.sealing.policy import SealPolicy
from services.indexer.sealing.sealer import SealSegments
from shared.events.images import source_from_headers
from shared.events.receipts import decode_receipt
from shared.events.topics import Topics
from shared.index.contents import ShardContents
from shared.index.sealed.building import BuildFailed, BuildJob
from shared.index.sealed.description import SegmentDescription
from shared.index.shard import Shard
from shared.index.vectors import VectorFormat
from shared.replication.store.segment_store import SegmentStore
from shared.replication.writer import ShardWriter
from tests.fakes.features_consumer import FeaturesConsumer
from tests.fakes.inline_thread import InlineThread
from tests.fakes.operations import INCARNATION
from tests.fakes.producer import FakeProducer
from tests.fakes.sealing import build_here
from tests.fakes.virtual_time import loop_time
from tests.property.simulation.clocks import WallClock
from tests.property.simulation.process import Process
from tests.property.simulation.surroundings import SHARD, Surroundings

_TOPICS = Topics()
_MAX_BATCH = 8
_WINDOW = 25
_POLICY = SealPolicy(rows=5, offsets=15, age_ms=8_000)


class Indexer:
    """disk: its folder for segments, with what was left there by a process before it."""

    def __init__(self, around: Surroundings, disk: Path) -> None:
        self.disk = disk
        self.clock = WallClock(around.now_ms)
        self.consumer = _GroupConsumer(around)
        self._around = around
        metrics = IndexerMetrics(CollectorRegistry())
        sealer = SealSegments(
            SegmentStore(around.store, disk, VectorFormat()),
            incarnation=INCARNATION,
            policy=_POLICY,
            thread=InlineThread(),
            metrics=metrics,
            now_ms=self.clock,
            clock=loop_time,
            build=self._build,
        )
        self._handler = IndexFeatures(
            topics=_TOPICS,
            partitions=self.consumer,
            make_writer=self._make_writer,
            producer=_Producer(around),
            metrics=metrics,
            max_batch=_MAX_BATCH,
            code="i8",
            now_ms=self.clock,
            restore=sealer.restore,
        )
        self.process = Process(self._deliver(), self._beat(), sealer.run(lambda: self._handler.writers))

    @property
    def fold(self) -> Shard | None:
        """What it has folded, where it holds the shard."""
        return next((writer.fold for writer in self._handler.writers if writer.claimed), None)

    def rebalance(self, *, owner: bool) -> None:
        self.consumer.member = owner
        self._handler.revoked({SHARD})
        self.consumer.assign([SHARD] if owner else [])

    def _make_writer(self, shard: int) -> ShardWriter:
        return ShardWriter(shard, self._around.log, incarnation=INCARNATION, window=_WINDOW, thread=InlineThread())

    async def _build(self, job: BuildJob, contents: ShardContents) -> SegmentDescription:
        await asyncio.sleep(self._around.rng.uniform(0, 1))
        if self._around.disk_full:
            raise BuildFailed("no space left on device")
        return await build_here(job, contents)

    async def _deliver(self) -> None:
        while True:
            if SHARD in self.consumer.assigned() and (records := self.consumer.fetch(SHARD, _MAX_BATCH)):
                await self._handler.index(SHARD, records)
            await asyncio.sleep(self._around.rng.uniform(0.01, 0.1))

    async def _beat(self) -> None:
        while True:
            await self._handler.heartbeat()
            await asyncio.sleep(1)


class _GroupConsumer(FeaturesConsumer):
    """A member of the group, or one that was thrown out of it and has not noticed: its commits are refused."""

    def __init__(self, around: Surroundings) -> None:
        super().__init__({SHARD: around.topic}, committed=around.committed)
        self.member = False

    async def commit(self, offsets: dict[int, int]) -> bool:
        await asyncio.sleep(0)
        return self.member and await super().commit(offsets)


class _Producer(FakeProducer):
    """Writes feature records back to the topic, and tells of receipts and rejects; each send takes its time."""

    def __init__(self, around: Surroundings) -> None:
        super().__init__()
        self._around = around

    async def send_until_acknowledged(
        self, topic: str, *, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()
    ) -> None:
        await self._around.work()
        if topic == _TOPICS.features:
            self._around.write_record(key=key or b"", value=value, headers=headers)
        elif topic == _TOPICS.indexed:
            self._around.acknowledged(decode_receipt(value or b"").position)
        elif topic == _TOPICS.rejected and (source := source_from_headers(headers)):
            self._around.rejected.add(source)
        await self._around.work()
