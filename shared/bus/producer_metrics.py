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

        self._of: dict[str, tuple[Histogram, Counter, Counter]] = {}
        """Those of each label: to look them up takes the library longer than to count."""

    def acknowledged(self, topic: str, size: int, seconds: float) -> None:
        took, written, _ = self._children(topic)
        took.observe(seconds)
        written.inc(size)

    def failed(self, topic: str) -> None:
        _, _, failures = self._children(topic)
        failures.inc()

    def _children(self, topic: str) -> tuple[Histogram, Counter, Counter]:
        label = _label(topic)
        if (known := self._of.get(label)) is None:
            # All three: a series that begins at 1 hides its first event from `increase()`.
            known = self._of[label] = (
                self._seconds.labels(label),
                self._bytes.labels(label),
                self._failures.labels(label),
            )
        return known


@lru_cache(maxsize=128)
def _label(topic: str) -> str:
    return next((known for known in _KNOWN if topic == known or topic.endswith(f".{known}")), OTHER)
