"""A collector that does not do what it should costs spans, which are counted, and nothing else."""

import socket
import time
from collections.abc import Iterator

import pytest

from shared.runtime import tracing
from shared.runtime.settings import BadSettings, TracingSettings
from shared.runtime.tracing import exporting as module
from shared.runtime.tracing.exporting import exporting
from shared.runtime.tracing.metrics import SPANS
from shared.runtime.tracing.process import traced
from tests.harness.otlp import Collector


@pytest.fixture(autouse=True)
def _briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    monkeypatch.setattr(module, "_LAST_SPANS_S", 0.5)


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a collector that takes connections, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def record(spans: int) -> None:
    for number in range(spans):
        with tracing.operation(f"span {number}", "internal"):
            pass


def counted(outcome: str) -> float:
    return SPANS.labels(outcome)._value.get()


def test_spans_arrive_with_the_name_of_the_service_and_are_counted() -> None:
    before = counted("exported")
    with Collector() as collector:
        with exporting(collector.url, service="afterimage-test"):
            record(5)
        assert [span.name for span in collector.spans] == [f"span {number}" for number in range(5)]
        assert {span.service for span in collector.spans} == {"afterimage-test"}
    assert counted("exported") - before == 5


def test_what_opentelemetrys_variables_say_of_the_service_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "images")
    with Collector() as collector:
        with exporting(collector.url, service="afterimage-test"):
            record(1)
        assert collector.spans[0].service == "images"


def test_the_sampler_is_what_opentelemetrys_variables_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.25")
    with Collector() as collector:
        with exporting(collector.url, service="afterimage-test"):
            record(1000)
        assert 150 < len(collector.spans) < 350


def test_spans_that_a_collector_refuses_are_counted_as_failed() -> None:
    before = counted("failed")
    with Collector() as collector:
        collector.answer = 400
        with exporting(collector.url, service="afterimage-test"):
            record(5)
        assert collector.spans == []
    assert counted("failed") - before == 5


def test_a_silent_collector_holds_nobody_up_and_fills_no_memory(silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "20")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10")
    before = counted("dropped")
    began = time.monotonic()
    with exporting(silent, service="afterimage-test"):
        record(1000)
        recorded_s = time.monotonic() - began
        assert counted("dropped") - before >= 1000 - 20 - 2 * 10
    assert recorded_s < 1
    assert time.monotonic() - began < recorded_s + 1


def test_a_variable_that_cannot_be_used_stops_the_start_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "20")
    settings = TracingSettings.model_validate({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"})
    with pytest.raises(BadSettings, match=r"OTEL_.*less than or equal to max_queue_size"):
        traced(settings, service="afterimage-test")


def test_without_a_collector_nothing_is_traced() -> None:
    with traced(TracingSettings.model_validate({}), service="afterimage-test"):
        assert not tracing.active()
