"""A worker whose collector does not answer works as well, counts what it lost, and ends in time."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.harness.workers import WorkerProcess

REQUESTS = 100


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a collector that takes connections, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def test_requests_are_answered_and_spans_are_lost(silent: str, tmp_path: Path) -> None:
    gateway = WorkerProcess(
        "gateway",
        bootstrap_servers="127.0.0.1:1",  # it answers, if only that Kafka is not there
        redis_url="redis://127.0.0.1:1",
        folder=tmp_path,
        env={
            "OTEL_EXPORTER_OTLP_ENDPOINT": silent,
            "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
            "OTEL_BSP_SCHEDULE_DELAY": "50",
            "OTEL_BSP_MAX_QUEUE_SIZE": "20",
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "10",
        },
    )
    gateway.spawn()
    try:
        with httpx.Client(base_url=gateway.url, timeout=10) as http:
            wait_for(http)
            answers = [http.get("/search", params={"id": "cat"}) for _ in range(REQUESTS)]
            assert {answer.status_code for answer in answers} == {503}
            assert all(int(answer.headers["traceparent"][-2:], 16) & 1 for answer in answers)  # they are sampled
            lost = outcomes(http)
            while lost["failed"] == 0:
                time.sleep(0.1)
                lost = outcomes(http)
        assert lost["exported"] == 0
        assert lost["dropped"] >= REQUESTS - 20 - 2 * 10
        os.kill(gateway.pid, signal.SIGTERM)
        assert gateway.wait_ended(10) == 0
    finally:
        gateway.stop()


def wait_for(http: httpx.Client) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if http.get("/livez").status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.1)


def outcomes(http: httpx.Client) -> dict[str, float]:
    families = text_string_to_metric_families(http.get("/metrics").text)
    return {
        sample.labels["outcome"]: sample.value
        for family in families
        for sample in family.samples
        if sample.name == "afterimage_tracing_spans_total"
    }
