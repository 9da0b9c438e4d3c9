"""An indexer on a bench: one shard, everything around it in memory."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry

from services.indexer.handler import IndexFeatures
from services.indexer.metrics import IndexerMetrics
from shared.bus.consumer import Record
from shared.events.images import SourcePosition
from shared.events.operations import Operation
from shared.events.receipts import Receipt, decode_receipt
from shared.events.topics import Topics
from shared.replication.writer import ShardWriter
from tests.fakes.features_consumer import FeaturesConsumer
from tests.fakes.features_topic import FeaturesTopic
from tests.fakes.inline_thread import InlineThread
from tests.fakes.operations import INCARNATION
from tests.fakes.producer import FakeProducer, Produced
from tests.fakes.replication_log import FakeLog

SHARD = 0
TOPICS = Topics()
MAX_BATCH = 4
NOW_MS = 5_000


class Bench:
    """One indexer process. Several on one bench share the topic, the log and the group: pass those of the first."""

    def __init__(self, other: "Bench | None" = None) -> None:
        self.topic = other.topic if other else FeaturesTopic()
        self.log = other.log if other else FakeLog()
        self.consumer = FeaturesConsumer({SHARD: self.topic}, committed=other.consumer.committed if other else None)
        self.producer = FakeProducer()
        self.thread = InlineThread()
        self.registry = CollectorRegistry()
        self.made: list[ShardWriter] = []
        self.now_s = 0.0
        self.metrics = IndexerMetrics(self.registry)
        self.handler = IndexFeatures(
            topics=TOPICS,
            partitions=self.consumer,
            make_writer=self._make_writer,
            producer=self.producer,
            metrics=self.metrics,
            max_batch=MAX_BATCH,
            code="i8",
            now_ms=lambda: NOW_MS,
            clock=lambda: self.now_s,
        )
        self.consumer.assign([SHARD])

    def _make_writer(self, shard: int) -> ShardWriter:
        writer = ShardWriter(shard, self.log, incarnation=INCARNATION, window=1000, thread=self.thread)
        self.made.append(writer)
        return writer

    @property
    def writer(self) -> ShardWriter:
        return self.handler._writers[SHARD]

    @property
    def restated(self) -> list[Produced]:
        return self.producer.to(TOPICS.features)

    @property
    def receipts(self) -> list[Receipt]:
        return [decode_receipt(record.value or b"") for record in self.producer.to(TOPICS.indexed)]

    def write(self, *operations: Operation) -> None:
        for operation in operations:
            self.topic.write(operation)

    async def deliver(self, count: int = MAX_BATCH) -> Sequence[Record]:
        """Hand over what comes next, as the consumer's loop does; returns it."""
        if SHARD not in self.consumer.assigned():
            return []
        records = self.consumer.fetch(SHARD, count)
        if records:
            await self.handler.index(SHARD, records)
        return records

    async def deliver_all(self) -> None:
        """Until nothing is left to deliver."""
        while await self.deliver():
            pass

    async def started(self, *operations: Operation) -> "Bench":
        """Claimed, with these operations indexed and nothing remembered of what was sent for them."""
        self.write(*operations)
        await self.handler.heartbeat()
        await self.deliver_all()
        self.producer.sent.clear()
        return self

    async def head(self) -> int:
        found = await self.log.head(SHARD)
        assert found is not None
        return found.head

    async def logged(self) -> list[tuple[int, str]]:
        """What the log holds: (offset, id) of each operation."""
        batches = await self.log.read(SHARD, after=-1, count=1000)
        return [(operation.offset, operation.id) for batch in batches for operation in batch.operations]

    def claims(self, cause: str) -> float:
        return self.registry.get_sample_value("afterimage_indexer_claims_total", {"cause": cause}) or 0.0


def source(offset: int) -> SourcePosition:
    return SourcePosition(offset=offset, partition=0)
