"""Traces, by OpenTelemetry: what happened to one image or one query, on its way through all processes.

Whoever works on an image or a query calls what stands here. Without OTEL_EXPORTER_OTLP_ENDPOINT every call returns at
once, and nothing is loaded that would record. `exporting.py` turns tracing on; what Kafka adds stands in
`shared/bus/tracing.py`.
"""

from shared.runtime.tracing.spans import (
    NOTHING,
    active,
    apart,
    batch,
    begin,
    completing,
    current,
    elapsed,
    end,
    headers,
    ids,
    note,
    operation,
    packed,
    provider,
    stage,
    started,
)

__all__ = [
    "NOTHING",
    "active",
    "apart",
    "batch",
    "begin",
    "completing",
    "current",
    "elapsed",
    "end",
    "headers",
    "ids",
    "note",
    "operation",
    "packed",
    "provider",
    "stage",
    "started",
]
