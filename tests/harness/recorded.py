"""Spans as they end, in memory, for tests of what is recorded."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, Sampler

from shared.runtime import tracing
from shared.runtime.tracing.recorder import Recorder


class Recorded:
    """What has ended so far, the earliest first."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()

    @property
    def names(self) -> list[str]:
        return [span.name for span in self.exporter.get_finished_spans()]

    def one(self, name: str) -> ReadableSpan:
        [span] = [span for span in self.exporter.get_finished_spans() if span.name == name]
        return span


@contextmanager
def recording(sampler: Sampler = ParentBased(ALWAYS_ON)) -> Iterator[Recorded]:  # noqa: B008 - it has no state
    """Trace within the context."""
    recorded = Recorded()
    provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(recorded.exporter))
    tracing.begin(Recorder(provider))
    try:
        yield recorded
    finally:
        tracing.end()
