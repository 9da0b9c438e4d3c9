"""What waits for a worker in Kafka, as gauges: the same of every worker that consumes."""

from contextlib import suppress

from prometheus_client import CollectorRegistry, Gauge


class LagGauges:
    """prefix: what their names begin with. topic: what the worker consumes, without a namespace."""

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

    def show(self, partition: int, *, records: int, seconds: float) -> None:
        self._records.labels(str(partition)).set(records)
        self._seconds.labels(str(partition)).set(seconds)

    def forget(self, partition: int) -> None:
        """Show nothing more of a partition that went to another process."""
        for gauge in (self._records, self._seconds):
            with suppress(KeyError):
                gauge.remove(str(partition))
