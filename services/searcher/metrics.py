"""The searcher's own metrics; those of the bus are FastStream's."""

import math
import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from shared.bus.consumer_metrics import ConsumerMetrics
from shared.bus.producer_metrics import ProducerMetrics
from shared.encoders.engine.device_info import DeviceInfo
from shared.events.operations import OperationBatch, Upsert
from shared.index.statistics import ShardStatistics
from shared.replication.replica import GapKind
from shared.replication.shard_gauges import ShardGauges
from shared.replication.state import ReplicaLag, ReplicaState
from shared.replication.store.disk_gauges import DiskGauges

STAGES = ("queue", "fetch", "decode", "encode", "search", "reply")
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)


class SearcherMetrics:
    """Also an ExtractionObserver and a ReplicaObserver: the engine and the replicas report here."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.queries = Counter(
            "afterimage_searcher_queries",
            "Queries by kind (image, uri, id, vector, text, examples, batch) and outcome (ok, expired, reply_failed, "
            "or an error code)",
            ["kind", "outcome"],
            registry=registry,
        )
        self.batched = Counter(
            "afterimage_searcher_batched_queries",
            "Queries that came in a batch, by kind and outcome; in afterimage_searcher_queries the batch counts as one",
            ["kind", "outcome"],
            registry=registry,
        )
        self.query_seconds = Histogram(
            "afterimage_searcher_query_seconds",
            "Seconds from a request's timestamp to its reply being acknowledged",
            buckets=(*_SECONDS, 5, 10),
            registry=registry,
        )
        stage_seconds = Histogram(
            "afterimage_searcher_stage_seconds",
            f"Seconds that a stage of a query took: {', '.join(STAGES)}",
            ["stage"],
            buckets=_SECONDS,
            registry=registry,
        )
        self._stages = {stage: stage_seconds.labels(stage) for stage in STAGES}
        self.in_flight = Gauge("afterimage_searcher_in_flight", "Queries under way", registry=registry)
        self.batch_images = Histogram(
            "afterimage_searcher_batch_images",
            "Query images in one run of the encoder",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128),
            registry=registry,
        )
        self.device = DeviceInfo("afterimage_searcher", registry)
        self.device_seconds = Counter(
            "afterimage_searcher_device_seconds", "Seconds that the device worked on query images", registry=registry
        )
        self.remembered = Counter(
            "afterimage_searcher_remembered_images",
            "Query images whose code was known from an earlier query (hit), or not (miss)",
            ["outcome"],
            registry=registry,
        )
        self.recall = Gauge(
            "afterimage_searcher_recall_at_k",
            "Of the best hits that there are, the share that searches found: the mean of the last queries that were "
            "repeated exactly; not a number before the first",
            registry=registry,
        )
        self.probes = Counter(
            "afterimage_searcher_recall_probes",
            "Queries that were repeated exactly (measured), or for which there was no time (skipped)",
            ["outcome"],
            registry=registry,
        )
        self.effort = Gauge(
            "afterimage_searcher_effort", "Candidates that a search in a graph keeps in view", registry=registry
        )
        self.searchable_seconds = Histogram(
            "afterimage_time_to_searchable_seconds",
            "Seconds from an upload event's timestamp to its image being searchable here",
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300),
            registry=registry,
        )
        self.position = Gauge(
            "afterimage_replica_position", "Offset that the copy of a shard has reached", ["shard"], registry=registry
        )
        self.sizes = ShardGauges("afterimage_replica", registry)
        self.disk = DiskGauges("afterimage_searcher", registry)
        self.state = Gauge(
            "afterimage_replica_state",
            "1 for the state that the copy of a shard is in, 0 for the others",
            ["shard", "state"],
            registry=registry,
        )
        self.lag_offsets = Gauge(
            "afterimage_replica_lag_offsets",
            "Offsets that the copy of a shard is behind the log, as far as it has heard",
            ["shard"],
            registry=registry,
        )
        self.lag_seconds = Gauge(
            "afterimage_replica_lag_seconds",
            "Seconds since the copy of a shard was last seen to have all of the log, which is looked for every second",
            ["shard"],
            registry=registry,
        )
        self.unavailable_sources = Counter(
            "afterimage_replica_unavailable",
            "Times that a copy could not go on, by what could not be read: log (Redis) or history (Kafka)",
            ["source"],
            registry=registry,
        )
        self.gaps = Counter(
            "afterimage_replica_gaps",
            "Gaps found between a copy and its log, by kind: heard, overrun, trimmed or tail",
            ["kind"],
            registry=registry,
        )
        self.consumer = ConsumerMetrics("afterimage_searcher", "search.requests", registry)
        self.producer = ProducerMetrics("afterimage_searcher", registry)
        self.recall.set(math.nan)  # and not 0, which would be the worst, before anything was measured
        for kind in GapKind:
            self.gaps.labels(kind.value)
        for source in ("log", "history"):
            self.unavailable_sources.labels(source)
        for outcome in ("measured", "skipped"):
            self.probes.labels(outcome)

    def stage(self, name: str, seconds: float) -> None:
        """name: one of STAGES."""
        self._stages[name].observe(seconds)

    def decoded(self, seconds: float) -> None:
        """The query itself tells, with the wait for a decoder."""

    def encoded(self, images: int, seconds: float) -> None:
        self.batch_images.observe(images)
        self.device_seconds.inc(seconds)

    def gap(self, shard: int, kind: GapKind) -> None:  # noqa: ARG002 - a label per shard would say little more
        self.gaps.labels(kind.value).inc()

    def unavailable(self, shard: int, source: str) -> None:  # noqa: ARG002 - all shards of a searcher have one log
        self.unavailable_sources.labels(source).inc()

    def applied(self, shard: int, batch: OperationBatch, *, live: bool) -> None:
        self.position.labels(str(shard)).set(batch.position)
        if not live:  # what is read again after a restart was searchable long ago
            return
        now_ms = time.time() * 1000
        for operation in batch.operations:
            if isinstance(operation, Upsert):
                self.searchable_seconds.observe(max(0.0, now_ms - operation.uploaded_at) / 1000)

    def describe(self, shard: int, statistics: ShardStatistics, *, state: ReplicaState, lag: ReplicaLag) -> None:
        self.sizes.describe(shard, statistics)
        self.lag_offsets.labels(str(shard)).set(lag.offsets)
        self.lag_seconds.labels(str(shard)).set(lag.seconds)
        for known in ReplicaState:
            self.state.labels(str(shard), known.value).set(known is state)
