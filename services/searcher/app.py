"""Wiring of the searcher: the replicas, the engine, the subscription to the requests."""

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack

from msgspec import UNSET
from prometheus_client import CollectorRegistry

from services.searcher.effort import SearchEffort
from services.searcher.examples import ExampleCodes
from services.searcher.handler import REPLY_WITHIN_S, AnswerPolicy, AnswerRequests
from services.searcher.metrics import SearcherMetrics
from services.searcher.probe import RecallProbe
from services.searcher.query import AnswerQuery
from services.searcher.remembered import RememberedImages
from services.searcher.settings import SearcherSettings
from services.searcher.shard_numbers import name_of
from shared.bus.broker import WorkerBroker
from shared.bus.cluster import Cluster
from shared.bus.consumer import Record, Subscription
from shared.bus.contracts import REPLIES, REQUESTS
from shared.bus.flow import Flow
from shared.bus.history import FeatureHistory
from shared.bus.producer import RecordProducer
from shared.bus.watch import ConsumerWatch
from shared.bus.worker import Application, build_application
from shared.codes.description import describe_code
from shared.encoders.engine.opening import open_engine
from shared.events.search_replies import Coverage
from shared.events.topics import Topics
from shared.imaging.fetch import Fetcher
from shared.index.shard import Shard
from shared.index.vectors import VectorFormat
from shared.index.warming import warm_up
from shared.replication.connection import connect
from shared.replication.directory import ReplicaDirectory
from shared.replication.incarnation import incarnation_of
from shared.replication.redis_log import RedisLog
from shared.replication.replica import ShardReplica
from shared.replication.replica_set import ReplicaSet
from shared.replication.store.snapshots import SegmentFollower, StoredSnapshots
from shared.runtime.background import BackgroundTasks
from shared.runtime.clock import CautiousClock
from shared.runtime.executor import SingleThread
from shared.runtime.health import Health
from shared.runtime.metrics import new_registry
from shared.runtime.server import Stop
from shared.runtime.settings import BadSettings
from shared.runtime.standstill import Standstill

_BEYOND_LIMIT = 64
"""Room in the flow for requests that are only told 'overloaded'."""
_DESCRIBE_EVERY_S = 1.0


class SearcherWorker:
    """Implements Worker."""

    def __init__(self, settings: SearcherSettings, broker: WorkerBroker, registry: CollectorRegistry) -> None:
        self._settings = settings
        self._topics = Topics(settings.namespace)
        self._metrics = SearcherMetrics(registry)
        self._flow = Flow(self._process, max_in_flight=settings.max_in_flight + _BEYOND_LIMIT, finishes_begun=True)
        self._metrics.in_flight.set_function(lambda: self._flow.in_flight)
        self._requests = Subscription(
            broker,
            self._topics.requests,
            group=self._topics.group(settings.group),
            title="Search requests",
            handle=self._flow.submit,
            contract=REQUESTS,
            settings=settings,
            observer=self._metrics.consumer,
            revoked=self._revoked,
        )
        broker.declare_output(self._topics.replies, REPLIES)
        self.watch = ConsumerWatch(self._requests, clock=time.monotonic, metrics=self._metrics.consumer)
        self.hung = Standstill(lambda: self._flow.oldest, what="the query that began first", clock=time.monotonic)
        self._following: list[Standstill] = []
        self._replicas: ReplicaSet | None = None
        self._coverage: Coverage | None = None
        self._handler: AnswerRequests

    async def prepare(self, resources: AsyncExitStack, tasks: BackgroundTasks) -> None:
        settings = self._settings
        engine = await open_engine(settings, self._metrics, resources, for_queries=True)
        self._metrics.device.describe(engine)
        vector_format = VectorFormat.of(describe_code(settings.code))
        await asyncio.to_thread(warm_up, vector_format)
        self._replicas = await self._open_replicas(resources, tasks, vector_format)
        tasks.spawn(self._replicas.run(), name="replicas")
        tasks.spawn(self._describe(self._replicas), name="describe")
        fetcher = await resources.enter_async_context(Fetcher(settings.fetch_policy()))
        producer = await resources.enter_async_context(
            RecordProducer(settings.kafka, client_id="afterimage-searcher", observer=self._metrics.producer)
        )
        effort = SearchEffort(settings.effort_policy())
        probe = RecallProbe(self._replicas, effort, self._metrics, share=settings.recall_probe, chance=random.random)
        tasks.spawn(probe.run(), name="recall probe")
        self._handler = AnswerRequests(
            topics=self._topics,
            group=self._topics.group(settings.group),
            query=AnswerQuery(
                replicas=self._replicas,
                examples=ExampleCodes(
                    replicas=self._replicas,
                    engine=engine,
                    fetch=fetcher.fetch,
                    remembered=RememberedImages(settings.remembered_images, self._metrics.remembered),
                    vector_format=vector_format,
                ),
                effort=effort,
                probe=probe,
                scheme=engine.scheme.fingerprint,
                searcher=settings.name,
                coverage=self._coverage,
            ),
            producer=producer,
            metrics=self._metrics,
            policy=AnswerPolicy(max_in_flight=settings.max_in_flight, timeout_ms=settings.timeout_ms),
            searcher=settings.name,
            clock=CautiousClock(now_s=time.time, monotonic=time.monotonic),
            coverage=self._coverage or UNSET,
        )
        tasks.spawn(self._flow.run(self._requests.commit), name="flow")
        tasks.spawn(self.watch.run(), name="watch")
        await self._replicas.live()  # only then does this searcher get requests: till then the others answer

    async def drain(self) -> None:
        """Leave the requests to the others first: none of them waits for the slowest that is under way here."""
        self._flow.close()
        await self._flow.release(self._requests.assigned(), self._requests.commit)
        await self._requests.leave()
        self._handler.hurry(self._settings.drain_s)
        await self._flow.finish(within_s=self._settings.drain_s + REPLY_WITHIN_S)

    def not_live(self) -> str | None:
        return self._replicas.not_live() if self._replicas else "the replicas are not loaded"

    def not_following(self) -> str | None:
        """A liveness check: each replica compares itself with its log, or fails at that, again and again."""
        problems = [problem for check in self._following if (problem := check())]
        return "; ".join(problems) or None

    async def _open_replicas(
        self, resources: AsyncExitStack, tasks: BackgroundTasks, vector_format: VectorFormat
    ) -> ReplicaSet:
        settings = self._settings
        async with Cluster(settings.kafka) as cluster:
            await cluster.wait_for_topic(self._topics.requests)
            numbers = await cluster.wait_for_topic(self._topics.features)
            mine = self._mine(numbers)
            incarnation = incarnation_of(await cluster.id(), self._topics.features)
        redis = await resources.enter_async_context(connect(settings.redis))
        thread = resources.enter_context(SingleThread("index"))
        log_ = RedisLog(redis, namespace=settings.namespace)
        history = FeatureHistory(settings.kafka, self._topics.features)
        segments = resources.enter_context(settings.open_segments(vector_format))
        if segments:
            self._metrics.disk.watch(segments.folder)
        replicas = {
            number: ShardReplica(
                number,
                incarnation=incarnation,
                make_shard=lambda: Shard(vector_format),
                log_=log_,
                history=history,
                thread=thread,
                observer=self._metrics,
                clock=time.monotonic,
                snapshots=StoredSnapshots(segments, now_ms=_now_ms) if segments else None,
            )
            for number in mine
        }
        self._following = [
            Standstill(replica.progress, what=f"following the log of shard {number}", clock=time.monotonic)
            for number, replica in replicas.items()
        ]
        if segments:
            follower = SegmentFollower(segments, thread=thread, now_ms=_now_ms)
            tasks.spawn(follower.run(replicas.values()), name="segments")
        return ReplicaSet(
            replicas,
            name=settings.name,
            log_=log_,
            directory=ReplicaDirectory(redis, namespace=settings.namespace),
            thread=thread,
        )

    def _mine(self, numbers: Sequence[int]) -> Sequence[int]:
        """Those of the shards that this searcher holds. Raises BadSettings."""
        wanted = self._settings.shards
        if wanted is None:
            return numbers
        if unknown := wanted - set(numbers):
            raise BadSettings(
                f"SEARCHER_SHARDS={name_of(wanted)!r} cannot be used: {self._topics.features} has no partitions "
                f"{sorted(unknown)}; it has {len(numbers)}, numbered from 0"
            )
        if len(wanted) < len(numbers):
            self._coverage = Coverage(shards=sorted(wanted), of=len(numbers))
        return sorted(wanted)

    async def _describe(self, replicas: ReplicaSet) -> None:
        """Keep the gauges of the replicas current."""
        while True:
            states, lags = replicas.states, replicas.lags
            for number, shard in replicas.shards.items():
                self._metrics.describe(number, shard.statistics, state=states[number], lag=lags[number])
            await asyncio.sleep(_DESCRIBE_EVERY_S)

    async def _revoked(self, partitions: set[int]) -> None:
        await self._flow.release(partitions, self._requests.commit)

    async def _process(self, record: Record) -> None:
        await self._handler.process(record)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def build(settings: SearcherSettings, stop: Stop) -> Application:
    """The searcher as an ASGI application."""
    registry = new_registry()
    broker = WorkerBroker(settings.kafka, name="searcher", stop=stop, registry=registry)
    worker = SearcherWorker(settings, broker, registry)
    return build_application(
        broker,
        worker,
        title="Afterimage searcher",
        description="Answers search requests from its replica of every shard.",
        health=Health(
            alive={"requests": worker.watch, "queries": worker.hung, "replicas": worker.not_following},
            ready={"live": worker.not_live},
        ),
        registry=registry,
        stop=stop,
    )
