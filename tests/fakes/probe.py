"""What a searcher has to measure its recall with, where a test asks for none."""

from typing import TypedDict

from services.searcher.effort import EffortPolicy, SearchEffort
from services.searcher.metrics import SearcherMetrics
from services.searcher.probe import RecallProbe
from tests.fakes.replicas import FakeReplicas


class Probing(TypedDict):
    effort: SearchEffort
    probe: RecallProbe


def no_probe(replicas: FakeReplicas, metrics: SearcherMetrics) -> Probing:
    effort = SearchEffort(EffortPolicy(least=384, most=384, target=0.5))
    probe = RecallProbe(replicas, effort, metrics, share=0, chance=lambda: 0.5)  # type: ignore[arg-type]
    return {"effort": effort, "probe": probe}
