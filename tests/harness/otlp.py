"""A collector that keeps what it is sent: OTLP over HTTP, by OpenTelemetry's own messages."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from services.cli.stack.ports import LOOPBACK

SpanKey = tuple[str, str]
"""Trace and span, in hexadecimal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedSpan:
    """parent: None for the first of a trace. Times are Unix nanoseconds."""

    service: str
    name: str
    kind: str
    trace: str
    id: str
    parent: str | None
    begins_ns: int
    ends_ns: int
    links: Sequence[SpanKey]
    attributes: Mapping[str, object]
    failed: bool

    @property
    def key(self) -> SpanKey:
        return self.trace, self.id


class Collector:
    """Use as a context manager. `answer`: the status that senders get; what is sent is kept where that is 200."""

    def __init__(self) -> None:
        self.answer = 200
        self._spans: list[ReceivedSpan] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                assert self.path == "/v1/traces"
                assert self.headers["content-type"] == "application/x-protobuf"
                if collector.answer == 200:
                    collector._keep(ExportTraceServiceRequest.FromString(body))
                self.send_response(collector.answer)
                self.send_header("content-type", "application/x-protobuf")
                self.end_headers()
                self.wfile.write(ExportTraceServiceResponse().SerializeToString())

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """It is heard by its spans."""

        self._server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="collector", daemon=True)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self._server.server_port}"

    @property
    def spans(self) -> Sequence[ReceivedSpan]:
        return list(self._spans)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _keep(self, request: ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            service = str(_values(resource.resource.attributes)["service.name"])
            self._spans += [_received(span, service) for scope in resource.scope_spans for span in scope.spans]


def _received(span: Span, service: str) -> ReceivedSpan:
    return ReceivedSpan(
        service=service,
        name=span.name,
        kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex() or None,
        begins_ns=span.start_time_unix_nano,
        ends_ns=span.end_time_unix_nano,
        links=[(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
        attributes=_values(span.attributes),
        failed=span.status.code == 2,
    )


def _values(pairs: Sequence[KeyValue]) -> dict[str, object]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value") or "string_value") for pair in pairs}
