"""What a worker writes to Kafka: the same metrics for every worker that produces."""

from functools import lru_cache

from prometheus_client import CollectorRegistry, Counter, Histogram

from shared.events.topics import Topics

OTHER = "other"
"""Stands for the topics that callers have named for their replies: a label that strangers choose has no bound."""
_KNOWN = tuple(sorted({*Topics().pipeline(), Topics().replies}))


class ProducerMetrics:
    """A ProducerObserver. prefix: what their names begin with. The label `topic` has no namespace."""

    def __init__(self, prefix: str, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            f"{prefix}_produce_seconds",
            "Seconds until Kafka had acknowledged a record, by topic (other: one that a caller named for its replies)",
            ["topic"],
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
            registry=registry,
        )
        self._bytes = Counter(
            f"{prefix}_produced_bytes", "Bytes of the values that Kafka has acknowledged", ["topic"], registry=registry
        )
        self._failures = Counter(
            f"{prefix}_produce_failures",
            "Records that Kafka did not acknowledge, each time that they were sent",
            ["topic"],
            registry=registry,
        )

    def acknowledged(self, topic: str, size: int, seconds: float) -> None:
        label = _label(topic)
        self._seconds.labels(label).observe(seconds)
        self._bytes.labels(label).inc(size)
        self._failures.labels(label)  # from 0 on: a series that begins at 1 hides its first event from `increase()`

    def failed(self, topic: str) -> None:
        self._failures.labels(_label(topic)).inc()


@lru_cache(maxsize=128)
def _label(topic: str) -> str:
    return next((known for known in _KNOWN if topic == known or topic.endswith(f".{known}")), OTHER)
