"""What became of the spans."""

from prometheus_client import Counter

SPANS = Counter(
    "afterimage_tracing_spans",
    "Spans that were recorded, by what became of them: exported, failed (the collector did not take them) or dropped "
    "(too many waited for it)",
    ["outcome"],
    registry=None,
)
"""Of this process; the registry of every worker has it."""

for outcome in ("exported", "failed", "dropped"):
    SPANS.labels(outcome)
