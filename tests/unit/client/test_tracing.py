"""The client's spans among an application's own."""

from opentelemetry.sdk.trace import TracerProvider

from shared.client import trace_client
from shared.runtime import tracing


def test_an_application_has_the_clients_spans_made_by_its_own_provider() -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    trace_client(provider)
    try:
        assert tracing.provider() is provider
        with tracing.operation("search", "client"):
            assert tracing.current() is not None
    finally:
        tracing.end()
