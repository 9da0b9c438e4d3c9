"""Sending spans to a collector, by OTLP over HTTP: from a thread of its own, out of a queue with a bound.

An event loop only ever appends to that queue. Where the collector does not answer, the oldest spans are dropped, and
counted. What OpenTelemetry's own variables say (OTEL_TRACES_SAMPLER, OTEL_BSP_*, OTEL_EXPORTER_OTLP_HEADERS, …) holds.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import version

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.environment_variables import (
    OTEL_BSP_MAX_QUEUE_SIZE,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
    OTEL_SPAN_LINK_COUNT_LIMIT,
)
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from shared.runtime.process import process_name
from shared.runtime.tracing import spans
from shared.runtime.tracing.metrics import SPANS
from shared.runtime.tracing.recorder import Recorder

_LAST_SPANS_S = 3.0
"""How long a process that ends waits for a collector to take what is left."""
_QUEUE_SPANS = 2048
_BATCH_LINKS = 10_000
"""As many as an indexer may append at once; the SDK's own limit is 128."""


def exporting(endpoint: str, *, service: str) -> AbstractContextManager[None]:
    """Trace within the context. Raises ValueError where one of OpenTelemetry's variables cannot be used.

    endpoint: of the collector, such as http://localhost:4318. service: who this is.
    """
    provider = TracerProvider(resource=_resource(service), span_limits=_limits(), shutdown_on_exit=False)
    target = os.environ.get(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) or f"{endpoint.rstrip('/')}/v1/traces"
    waiting = Waiting(capacity=int(os.environ.get(OTEL_BSP_MAX_QUEUE_SIZE) or _QUEUE_SPANS))
    provider.add_span_processor(CountedProcessor(CountedExporter(OTLPSpanExporter(target), waiting), waiting))
    return _recording(provider)


@contextmanager
def _recording(provider: TracerProvider) -> Iterator[None]:
    spans.begin(Recorder(provider))
    try:
        yield
    finally:
        spans.end()
        # In a thread that may be left behind: the SDK waits half a minute for a collector that is gone.
        last = threading.Thread(target=provider.shutdown, name="last-spans", daemon=True)
        last.start()
        last.join(_LAST_SPANS_S)


class Waiting:
    """How many spans wait to be exported; safe for threads. The SDK drops the oldest without saying how many."""

    def __init__(self, *, capacity: int) -> None:
        self.capacity = capacity
        self._spans = 0
        self._lock = threading.Lock()

    def add(self) -> None:
        with self._lock:
            if self._spans < self.capacity:
                self._spans += 1
                return
        SPANS.labels("dropped").inc()

    def take(self, count: int) -> None:
        with self._lock:
            self._spans = max(0, self._spans - count)


class CountedProcessor(BatchSpanProcessor):
    """Counts what is dropped because too much waits."""

    def __init__(self, exporter: SpanExporter, waiting: Waiting) -> None:
        super().__init__(exporter, max_queue_size=waiting.capacity)
        self._waiting = waiting

    def on_end(self, span: ReadableSpan) -> None:
        if span.context is not None and span.context.trace_flags.sampled:
            self._waiting.add()
        super().on_end(span)


class CountedExporter(SpanExporter):
    """Counts what is exported, and what is not."""

    def __init__(self, exporter: SpanExporter, waiting: Waiting) -> None:
        self._exporter = exporter
        self._waiting = waiting

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self._waiting.take(len(spans))
        result = SpanExportResult.FAILURE
        try:
            result = self._exporter.export(spans)
        finally:
            outcome = "exported" if result is SpanExportResult.SUCCESS else "failed"
            SPANS.labels(outcome).inc(len(spans))
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def _resource(service: str) -> Resource:
    ours = {"service.name": service, "service.version": version("afterimage"), "service.instance.id": process_name()}
    return Resource.create(ours).merge(OTELResourceDetector().detect())  # what OTEL_SERVICE_NAME and its like say wins


def _limits() -> SpanLimits:
    return SpanLimits() if os.environ.get(OTEL_SPAN_LINK_COUNT_LIMIT) else SpanLimits(max_links=_BATCH_LINKS)
