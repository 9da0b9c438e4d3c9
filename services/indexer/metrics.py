"""The indexer's own metrics; those of the bus are FastStream's."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from shared.bus.consumer_metrics import ConsumerMetrics
from shared.bus.producer_metrics import ProducerMetrics
from shared.index.statistics import ShardStatistics
from shared.replication.redis_gauges import RedisGauges
from shared.replication.shard_gauges import ShardGauges, forget
from shared.replication.store.disk_gauges import DiskGauges


class IndexerMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.operations = Counter(
            "afterimage_indexer_operations",
            "Operations folded into a shard, by outcome: applied, stale or foreign (of another scheme)",
            ["outcome"],
            registry=registry,
        )
        self.append_seconds = Histogram(
            "afterimage_indexer_append_seconds",
            "Seconds to append one batch to the log in Redis",
            buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
            registry=registry,
        )
        self.batch_operations = Histogram(
            "afterimage_indexer_batch_operations",
            "Operations in one batch",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024),
            registry=registry,
        )
        self.seal_seconds = Histogram(
            "afterimage_indexer_seal_seconds",
            "Seconds to build one sealed segment, in a process of its own",
            buckets=(0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600),
            registry=registry,
        )
        self.merged = Counter(
            "afterimage_indexer_merged_segments", "Sealed segments that were merged into others", registry=registry
        )
        self.seal_failures = Counter(
            "afterimage_indexer_seal_failures",
            "Times that a shard could not be sealed, or not be published: it is tried again",
            registry=registry,
        )
        self.sizes = ShardGauges("afterimage_indexer", registry)
        self.stored = Gauge(
            "afterimage_indexer_stored_bytes",
            "Bytes that the store holds for a shard, older manifests' segments included",
            ["shard"],
            registry=registry,
        )
        self.manifest_position = Gauge(
            "afterimage_indexer_manifest_position",
            "Offset that the newest manifest of a shard reaches",
            ["shard"],
            registry=registry,
        )
        self.manifest_written = Gauge(
            "afterimage_indexer_manifest_timestamp_seconds",
            "Of when the newest manifest of a shard tells, in Unix seconds; nothing before this process's first",
            ["shard"],
            registry=registry,
        )
        self.disk = DiskGauges("afterimage_indexer", registry)
        self.expired = Counter(
            "afterimage_indexer_expired", "Images that were deleted because their retention was over", registry=registry
        )
        self.redis = RedisGauges("afterimage_indexer", registry)
        self.unavailable = Counter(
            "afterimage_indexer_unavailable",
            "Times that a shard could not be claimed or written, by what did not answer: log (Redis) or bus (Kafka)",
            ["source"],
            registry=registry,
        )
        self.claims = Counter(
            "afterimage_indexer_claims",
            "Claims of a shard, by cause: assigned, fenced or lost",
            ["cause"],
            registry=registry,
        )
        self.position = Gauge(
            "afterimage_indexer_position", "Offset that the log of a shard has reached", ["shard"], registry=registry
        )
        self.consumer = ConsumerMetrics("afterimage_indexer", "images.features", registry)
        self.producer = ProducerMetrics("afterimage_indexer", registry)
        # A series that begins at 1 hides its first event from `increase()`.
        for cause in ("assigned", "fenced", "lost"):
            self.claims.labels(cause)
        for source in ("log", "bus"):
            self.unavailable.labels(source)

    def describe(self, shard: int, statistics: ShardStatistics, *, stored_bytes: int | None) -> None:
        self.sizes.describe(shard, statistics)
        if stored_bytes is not None:
            self.stored.labels(str(shard)).set(stored_bytes)

    def forget(self, shard: int) -> None:
        """Show nothing more of a shard that went to another indexer."""
        self.sizes.forget(shard)
        for gauge in (self.stored, self.manifest_position, self.manifest_written, self.position):
            forget(gauge, shard)
