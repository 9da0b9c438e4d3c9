"""Making spans with OpenTelemetry's API. Nothing but `exporting.py`, and who traces by itself, imports this."""

import time
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import version

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, TraceFlags, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.runtime.tracing.spans import NOTHING, PACKED_BYTES, Attributes, Headers, Kind

_CAUSE = context.create_key("afterimage-cause")
_BATCH_COUNT = "messaging.batch.message_count"
_KINDS: dict[Kind, SpanKind] = {
    "internal": SpanKind.INTERNAL,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}
_w3c = TraceContextTextMapPropagator()
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class Recorder:
    """Makes the spans that `spans.py` tells of. provider: decides what is sampled, and gets what is ended."""

    def __init__(self, provider: TracerProvider) -> None:
        self.provider = provider
        self._tracer = provider.get_tracer("afterimage", version("afterimage"))

    def operation(
        self, name: str, kind: Kind, attributes: Attributes | None, received: Headers | None
    ) -> AbstractContextManager[object]:
        links = None
        if received is None and not (around := trace.get_current_span()).is_recording():
            if around.get_span_context().is_valid:  # not sampled, which its headers carry on
                return NOTHING
            cause = context.get_value(_CAUSE)
            links = [Link(cause)] if isinstance(cause, SpanContext) else None
        return self._tracer.start_as_current_span(
            name,
            context=None if received is None else _parent(received),
            kind=_KINDS[kind],
            attributes=attributes,
            links=links,
            record_exception=False,
        )

    @contextmanager
    def apart(self) -> Iterator[None]:
        cause = trace.get_current_span().get_span_context()
        token = context.attach(context.set_value(_CAUSE, cause if cause.is_valid else None, Context()))
        try:
            yield
        finally:
            context.detach(token)

    def stage(self, name: str, attributes: Attributes | None) -> AbstractContextManager[object]:
        if self.current() is None:
            return NOTHING
        return self._tracer.start_as_current_span(name, attributes=attributes, record_exception=False)

    @contextmanager
    def batch(
        self, name: str, spans: Collection[Span | None], attributes: Attributes | None, kind: Kind
    ) -> Iterator[None]:
        traced = [span for span in spans if span is not None]
        if not traced:
            yield
            return
        with self._tracer.start_as_current_span(
            name,
            context=trace.set_span_in_context(traced[0], Context()),
            kind=_KINDS[kind],
            links=[Link(span.get_span_context()) for span in traced],
            attributes={**(attributes or {}), _BATCH_COUNT: len(spans)},
            record_exception=False,
        ) as together:
            for span in traced:
                span.add_link(together.get_span_context())
            yield

    def started(self, name: str, kind: Kind, received: Headers, attributes: Attributes) -> Span | None:
        parent = _parent(received)
        if not trace.get_current_span(parent).get_span_context().trace_flags.sampled:
            return None
        span = self._tracer.start_span(name, context=parent, kind=_KINDS[kind], attributes=attributes)
        return span if span.is_recording() else None

    def elapsed(self, name: str, received: Headers, began_ns: int) -> None:
        parent = _parent(received)
        if trace.get_current_span(parent).get_span_context().is_valid:
            self._tracer.start_span(name, context=parent, start_time=began_ns).end()

    @contextmanager
    def completing(self, name: str, packed_spans: Collection[bytes], attributes: Attributes | None) -> Iterator[None]:
        began_ns = time.time_ns()
        yield
        ended_ns = time.time_ns()
        for packed in packed_spans:
            if (parent := _unpacked(packed)) is not None:
                self._tracer.start_span(
                    name, context=parent, kind=SpanKind.CONSUMER, attributes=attributes, start_time=began_ns
                ).end(ended_ns)

    def current(self) -> Span | None:
        span = trace.get_current_span()
        return span if span.is_recording() else None

    def headers(self) -> list[tuple[str, bytes]]:
        carrier: dict[str, str] = {}
        _w3c.inject(carrier)
        return [(name, value.encode()) for name, value in carrier.items()]

    def ids(self) -> tuple[str, str] | None:
        context = trace.get_current_span().get_span_context()
        return (f"{context.trace_id:032x}", f"{context.span_id:016x}") if context.is_valid else None


def _parent(received: Headers) -> Context:
    """What the headers name, of which the last of a name counts; where they name nothing, a context without a span."""
    carrier = {name: value.decode("latin-1") for name, value in received if name in _w3c.fields and value}
    return _w3c.extract(carrier, context=Context())


def _unpacked(packed: bytes) -> Context | None:
    """None where it is of another length, as of a release to come."""
    if len(packed) != PACKED_BYTES:
        return None
    context = SpanContext(
        trace_id=int.from_bytes(packed[:16], "big"),
        span_id=int.from_bytes(packed[16:], "big"),
        is_remote=True,
        trace_flags=_SAMPLED,
    )
    return trace.set_span_in_context(NonRecordingSpan(context), Context())
