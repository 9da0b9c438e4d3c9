"""Wiring of the extractor: topics, commits, resources, probes."""

import time
from contextlib import AsyncExitStack

from prometheus_client import CollectorRegistry

from services.extractor.handler import ExtractUploads
from services.extractor.metrics import ExtractorMetrics
from services.extractor.reject_limit import RejectLimit
from services.extractor.settings import ExtractorSettings
from shared.bus.broker import WorkerBroker
from shared.bus.cluster import Cluster
from shared.bus.consumer import Record, Subscription
from shared.bus.contracts import FEATURES, REJECTS, UPLOADS
from shared.bus.flow import Flow
from shared.bus.producer import RecordProducer
from shared.bus.watch import ConsumerWatch
from shared.bus.worker import Application, build_application
from shared.cache.extraction import CachedExtraction
from shared.cache.redis_cache import CachePolicy, RedisCodeCache
from shared.cache.slots import Slots
from shared.encoders.engine.engine import Extract, ExtractionEngine
from shared.encoders.engine.opening import open_engine
from shared.events.topics import Topics
from shared.imaging.budget import ByteBudget
from shared.imaging.fetch import Fetcher
from shared.replication.connection import connect
from shared.runtime.background import BackgroundTasks
from shared.runtime.health import Health
from shared.runtime.metrics import new_registry
from shared.runtime.server import Stop
from shared.runtime.standstill import Standstill

_MAX_RECORDS = 128


class ExtractorWorker:
    """Implements Worker."""

    def __init__(
        self, settings: ExtractorSettings, broker: WorkerBroker, registry: CollectorRegistry, stop: Stop
    ) -> None:
        self._settings = settings
        self._stop = stop
        self._topics = Topics(settings.namespace)
        self._metrics = ExtractorMetrics(registry)
        self._flow = Flow(self._process, max_in_flight=settings.max_in_flight)
        self._metrics.in_flight.set_function(lambda: self._flow.in_flight)
        self._uploads = Subscription(
            broker,
            self._topics.uploaded,
            group=self._topics.group("extractor"),
            title="Upload events",
            handle=self._flow.submit,
            contract=UPLOADS,
            max_records=_MAX_RECORDS,
            settings=settings,
            observer=self._metrics.consumer,
            revoked=self._revoked,
        )
        self._metrics.paused.set_function(lambda: self._uploads.paused)
        broker.declare_output(self._topics.features, FEATURES)
        broker.declare_output(self._topics.rejected, REJECTS)
        self.watch = ConsumerWatch(self._uploads, clock=time.monotonic, metrics=self._metrics.consumer)
        self.hung = Standstill(self._oldest, what="the upload that began first", clock=time.monotonic)
        self._producer: RecordProducer
        self._handler: ExtractUploads

    async def prepare(self, resources: AsyncExitStack, tasks: BackgroundTasks) -> None:
        settings = self._settings
        engine = await open_engine(settings, self._metrics, resources)
        self._metrics.watch(engine, decoders=settings.threads, max_in_flight=settings.max_in_flight)
        async with Cluster(settings.kafka) as cluster:
            partitions = await cluster.wait_for_topic(self._topics.uploaded)
            await cluster.wait_for_topic(self._topics.features)
        fetcher = await resources.enter_async_context(Fetcher(settings.fetch_policy()))
        self._producer = producer = await resources.enter_async_context(
            RecordProducer(settings.kafka, client_id="afterimage-extractor", observer=self._metrics.producer)
        )
        budget = ByteBudget(settings.max_fetched_mb * 1024 * 1024)
        self._metrics.held.set_function(lambda: budget.held)
        self._handler = ExtractUploads(
            topics=self._topics,
            partitions=len(partitions),
            fetch=fetcher.fetch,
            budget=budget,
            extract=await self._extraction(engine, resources, tasks),
            scheme=engine.scheme.fingerprint,
            producer=producer,
            metrics=self._metrics,
            reject_limit=RejectLimit(
                max_consecutive=settings.max_consecutive_rejects, max_ratio=settings.max_reject_ratio, stop=self._stop
            ),
        )
        tasks.spawn(self._flow.run(self._uploads.commit), name="flow")
        tasks.spawn(self.watch.run(), name="watch")

    async def drain(self) -> None:
        await self._flow.drain(self._uploads.commit, within_s=self._settings.drain_s)

    async def _extraction(self, engine: ExtractionEngine, resources: AsyncExitStack, tasks: BackgroundTasks) -> Extract:
        """The engine, behind a cache where the settings give it room."""
        settings = self._settings
        if settings.cache_images == 0:
            return engine.extract
        redis = await resources.enter_async_context(connect(settings.redis))
        slots = Slots(
            namespace=settings.namespace,
            images=settings.cache_images,
            code_bytes=engine.code.bytes_per_vector(engine.scheme.dim),
        )
        cache = RedisCodeCache(redis, slots, CachePolicy())
        tasks.spawn(cache.run(), name="cache")
        extraction = CachedExtraction(
            engine.extract, scheme=engine.scheme.fingerprint, cache=cache, observer=self._metrics
        )
        self._metrics.watch_cache(extraction, max_in_flight=settings.max_in_flight)
        return extraction.extract

    def _oldest(self) -> object | None:
        oldest = self._flow.oldest
        return oldest and (*oldest, self._producer.failures)

    async def _revoked(self, partitions: set[int]) -> None:
        await self._flow.release(partitions, self._uploads.commit)

    async def _process(self, record: Record) -> None:
        await self._handler.process(record)


def build(settings: ExtractorSettings, stop: Stop) -> Application:
    """The extractor as an ASGI application."""
    registry = new_registry()
    broker = WorkerBroker(settings.kafka, name="extractor", stop=stop, registry=registry)
    worker = ExtractorWorker(settings, broker, registry, stop)
    return build_application(
        broker,
        worker,
        title="Afterimage extractor",
        description="Turns image-upload events into feature records.",
        health=Health(alive={"uploads": worker.watch, "extraction": worker.hung}),
        registry=registry,
        stop=stop,
    )
