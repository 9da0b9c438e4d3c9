"""What a searcher says of itself before it has done anything."""

import math

from prometheus_client import CollectorRegistry

from services.searcher.metrics import SearcherMetrics


def test_a_recall_that_was_not_measured_is_not_a_bad_one() -> None:
    registry = CollectorRegistry()
    SearcherMetrics(registry)
    assert math.isnan(registry.get_sample_value("afterimage_searcher_recall_at_k") or 0.0)
