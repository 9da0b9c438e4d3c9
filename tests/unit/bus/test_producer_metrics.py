"""What is counted of records that are sent, and under which names."""

from prometheus_client import CollectorRegistry

from shared.bus.producer_metrics import ProducerMetrics
from shared.events.topics import Topics


def counted(registry: CollectorRegistry, name: str) -> dict[str, float]:
    return {
        sample.labels["topic"]: sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == f"worker_{name}"
    }


def test_a_topic_is_counted_without_its_namespace() -> None:
    registry = CollectorRegistry()
    metrics = ProducerMetrics("worker", registry)
    metrics.acknowledged(Topics().features, 10, 0.01)
    metrics.acknowledged(Topics("v2").features, 20, 0.01)
    assert counted(registry, "produce_seconds_count") == {"images.features": 2}
    assert counted(registry, "produced_bytes_total") == {"images.features": 30}
    assert counted(registry, "produce_failures_total") == {"images.features": 0}


def test_however_many_topics_callers_name_they_are_one() -> None:
    registry = CollectorRegistry()
    metrics = ProducerMetrics("worker", registry)
    for caller in range(1000):
        metrics.acknowledged(f"replies-of-{caller}", 1, 0.01)
        metrics.failed(f"replies-of-{caller}")
    assert counted(registry, "produce_seconds_count") == {"other": 1000}
    assert counted(registry, "produce_failures_total") == {"other": 1000}
