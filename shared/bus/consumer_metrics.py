"""What a worker takes from Kafka, and what waits for it there: the same metrics for every worker that consumes."""

from contextlib import suppress

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class ConsumerMetrics:
    """Also a DeliveryObserver. prefix: what their names begin with. topic: what is consumed, without a namespace."""

    def __init__(self, prefix: str, topic: str, registry: CollectorRegistry) -> None:
        self._records = Gauge(
            f"{prefix}_lag_records",
            f"Records of {topic} that wait, by partition assigned here",
            ["partition"],
            registry=registry,
        )
        self._seconds = Gauge(
            f"{prefix}_lag_seconds",
            f"Seconds, at least, that the first record of {topic} has waited that was not taken yet, by partition "
            "assigned here",
            ["partition"],
            registry=registry,
        )
        self._batch = Histogram(
            f"{prefix}_consumed_batch_records",
            f"Records of {topic} that were taken at once",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024),
            registry=registry,
        )
        self._bytes = Counter(
            f"{prefix}_consumed_bytes", f"Bytes of the values of {topic} that were taken", registry=registry
        )

    def delivered(self, records: int, size: int) -> None:
        self._batch.observe(records)
        self._bytes.inc(size)

    def show_lag(self, partition: int, *, records: int, seconds: float) -> None:
        self._records.labels(str(partition)).set(records)
        self._seconds.labels(str(partition)).set(seconds)

    def forget(self, partition: int) -> None:
        """Show nothing more of a partition that went to another process."""
        for gauge in (self._records, self._seconds):
            with suppress(KeyError):
                gauge.remove(str(partition))
