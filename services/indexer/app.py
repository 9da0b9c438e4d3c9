"""Wiring of the indexer: the subscription to the features, the log in Redis, the heartbeat."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack

from prometheus_client import CollectorRegistry

from services.indexer.handler import IndexFeatures
from services.indexer.metrics import IndexerMetrics
from services.indexer.overview import ShardOverview
from services.indexer.retention import ExpireImages
from services.indexer.sealing.policy import SealPolicy
from services.indexer.sealing.sealer import SealSegments
from services.indexer.settings import IndexerSettings
from services.indexer.upload_clock import UploadClock
from shared.bus.broker import WorkerBroker
from shared.bus.cluster import Cluster
from shared.bus.consumer import Record, Subscription
from shared.bus.contracts import FEATURES, RECEIPTS
from shared.bus.producer import RecordProducer
from shared.bus.watch import ConsumerWatch
from shared.bus.worker import Application, build_application
from shared.codes.description import CodeDescription, describe_code
from shared.events.topics import Topics
from shared.index.vectors import VectorFormat
from shared.replication.compaction_requests import CompactionRequests
from shared.replication.connection import connect
from shared.replication.directory import ReplicaDirectory
from shared.replication.incarnation import incarnation_of
from shared.replication.redis_gauges import WatchRedis
from shared.replication.redis_log import RedisLog
from shared.replication.writer import ShardWriter
from shared.runtime.background import BackgroundTasks
from shared.runtime.executor import SingleThread
from shared.runtime.health import Health
from shared.runtime.metrics import new_registry
from shared.runtime.process import process_name
from shared.runtime.server import Stop
from shared.runtime.settings import BadSettings
from shared.runtime.standstill import Standstill

_HEARTBEAT_S = 1.0


class IndexerWorker:
    """Implements Worker."""

    def __init__(self, settings: IndexerSettings, broker: WorkerBroker, registry: CollectorRegistry) -> None:
        self._settings = settings
        self._code = _described(settings.code)
        self._topics = Topics(settings.namespace)
        self._metrics = IndexerMetrics(registry)
        self._features = Subscription(
            broker,
            self._topics.features,
            group=self._topics.group("indexer"),
            title="Features",
            handle=self._index,
            contract=FEATURES,
            max_records=settings.max_batch,
            settings=settings,
            observer=self._metrics.consumer,
            revoked=self._revoked,
        )
        broker.declare_output(self._topics.indexed, RECEIPTS)
        self.watch = ConsumerWatch(self._features, clock=time.monotonic, metrics=self._metrics.consumer)
        self.hung = Standstill(self._progress, what="looking after the shards", clock=time.monotonic)
        self._handler: IndexFeatures

    async def prepare(self, resources: AsyncExitStack, tasks: BackgroundTasks) -> None:
        settings = self._settings
        async with Cluster(settings.kafka) as cluster:
            await cluster.wait_for_topic(self._topics.features)
            await cluster.wait_for_topic(self._topics.indexed)
            incarnation = incarnation_of(await cluster.id(), self._topics.features)
        redis = await resources.enter_async_context(connect(settings.redis))
        log_ = RedisLog(redis, namespace=settings.namespace)
        thread = resources.enter_context(SingleThread("index"))
        producer = await resources.enter_async_context(
            RecordProducer(settings.kafka, client_id="afterimage-indexer", observer=self._metrics.producer)
        )
        sealer = self._open_sealer(
            resources, incarnation, thread, CompactionRequests(redis, namespace=settings.namespace)
        )
        self._handler = IndexFeatures(
            topics=self._topics,
            partitions=self._features,
            make_writer=lambda shard: ShardWriter(
                shard, log_, incarnation=incarnation, window=settings.log_window, thread=thread
            ),
            producer=producer,
            metrics=self._metrics,
            max_batch=settings.max_batch,
            code=self._code.name,
            now_ms=_now_ms,
            restore=sealer.restore if sealer else None,
        )
        tasks.spawn(self._beat(), name="heartbeat")
        watch_redis = WatchRedis(redis, namespace=settings.namespace, gauges=self._metrics.redis)
        tasks.spawn(watch_redis.run(self._features.assigned), name="redis")
        if sealer:
            tasks.spawn(sealer.run(lambda: self._handler.writers), name="sealing")
        overview = ShardOverview(
            ReplicaDirectory(redis, namespace=settings.namespace),
            name=settings.instance_id or process_name(),
            stored=sealer.stored if sealer else lambda _shard: None,
            thread=thread,
            metrics=self._metrics,
            now_ms=_now_ms,
        )
        tasks.spawn(overview.run(lambda: self._handler.writers), name="overview")
        if settings.retention is not None:
            expiry = ExpireImages(
                settings.retention,
                topics=self._topics,
                producer=producer,
                clock=UploadClock(now_ms=_now_ms, monotonic=time.monotonic),
                thread=thread,
                metrics=self._metrics,
            )
            tasks.spawn(expiry.run(lambda: self._handler.writers), name="retention")
        tasks.spawn(self.watch.run(), name="watch")

    def _open_sealer(
        self, resources: AsyncExitStack, incarnation: str, thread: SingleThread, requests: CompactionRequests
    ) -> SealSegments | None:
        settings = self._settings
        store = resources.enter_context(settings.open_segments(VectorFormat.of(self._code)))
        if store is None:
            return None
        self._metrics.disk.watch(store.folder)
        return SealSegments(
            store,
            incarnation=incarnation,
            policy=SealPolicy(rows=settings.seal_rows, offsets=settings.log_window),
            thread=thread,
            metrics=self._metrics,
            now_ms=_now_ms,
            clock=time.monotonic,
            requests=requests,
        )

    async def drain(self) -> None:
        """Nothing is under way between two batches, and a batch that is cut short comes again."""

    def claims(self) -> str | None:
        """Readiness: every assigned shard is held, and its head was confirmed a moment ago.

        One that has none, since the group has more members than there are partitions, stands by, and is ready.
        """
        if not self._features.joined:
            return "no partitions are assigned: the group shares them out"
        why = f" ({trouble})" if (trouble := self._handler.trouble) else ""
        if waiting := self._handler.unclaimed:
            return f"shards {waiting} are not claimed yet{why}"
        late = {shard: f"{age:.0f} s ago" for shard, age in self._handler.unconfirmed.items()}
        return f"the heads of these shards were last confirmed {late}{why}" if late else None

    def _progress(self) -> int | None:
        return self._handler.progress() if self._features.running else None

    async def _beat(self) -> None:
        while True:
            if self._features.running:
                await self._handler.heartbeat()
            await asyncio.sleep(_HEARTBEAT_S)

    async def _index(self, records: Sequence[Record]) -> None:
        by_shard: dict[int, list[Record]] = defaultdict(list)
        for record in records:
            by_shard[record.partition].append(record)
        async with asyncio.TaskGroup() as shards:
            for shard, batch in by_shard.items():
                shards.create_task(self._handler.index(shard, batch))

    async def _revoked(self, shards: set[int]) -> None:
        self._handler.revoked(shards)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def build(settings: IndexerSettings, stop: Stop) -> Application:
    """The indexer as an ASGI application."""
    registry = new_registry()
    broker = WorkerBroker(settings.kafka, name="indexer", stop=stop, registry=registry)
    worker = IndexerWorker(settings, broker, registry)
    return build_application(
        broker,
        worker,
        title="Afterimage indexer",
        description="Writes each shard's operations to its replication log, and says what became of every upload.",
        health=Health(alive={"features": worker.watch, "shards": worker.hung}, ready={"claims": worker.claims}),
        registry=registry,
        stop=stop,
    )


def _described(code: str) -> CodeDescription:
    try:
        return describe_code(code)
    except ValueError as error:
        raise BadSettings(f"AFTERIMAGE_CODE={code!r} cannot be used: {error}") from error
