"""The Helm chart's containers as processes: what starts, asks, scrapes and stops them is what the chart says."""

import os
import re
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from services.cli.__main__ import app
from services.cli.stack.probes import Probe, http_probe
from tests.harness.daemon import Daemon
from tests.harness.kafka import Broker
from tests.harness.ports import LOOPBACK, free_port
from tests.harness.redis import RedisServer
from tests.harness.service import PHOTOS
from tests.harness.workers import QUICK_TO_START
from tests.unit.deploy.chart.pod import as_in_a_pod
from tests.unit.deploy.chart.rendering import Container, Rendered, render

pytestmark = pytest.mark.slow

NAMESPACE = "chart"
DAMS = {name: PHOTOS / "energy" / f"{name}.webp" for name in ("dam2", "dam3")}


class PodProcess(Daemon):
    """The container of a pod, without the pod: its command, its variables, its volumes as folders, its own port."""

    start_timeout_s = 120.0

    def __init__(self, container: Container, folder: Path) -> None:
        """folder: for its volumes, and for those that pods share: the store and the keys."""
        name = container.owner["metadata"]["name"]
        root = folder / name
        root.mkdir()
        for shared in ("store", "etc"):
            (folder / shared).mkdir(exist_ok=True)
            (root / shared).symlink_to(folder / shared)
        env = as_in_a_pod(container, root)
        if container.worker != "topics":
            self.port = free_port()
            env[f"{container.worker.upper()}_HTTP_PORT"] = str(self.port)
        super().__init__(name, log=folder / f"{name}.log", env=env)
        self.container = container

    def command(self) -> Sequence[str]:
        program, *rest = self.container.spec["command"]
        return [str(Path(sys.executable).with_name(program)), *rest]

    def probe(self) -> Probe:
        return http_probe(self.port, self.container.spec["readinessProbe"]["httpGet"]["path"])

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(f"http://{LOOPBACK}:{self.port}{path}", headers=headers, timeout=60)

    def terminate(self) -> tuple[int, float]:
        """As a node stops a pod; returns its status, and for how many seconds of its grace it took."""
        os.kill(self.pid, signal.SIGTERM)
        began = time.monotonic()
        status = self.wait_ended(self.container.pod["spec"]["terminationGracePeriodSeconds"])
        return status, time.monotonic() - began


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("chart")


@pytest.fixture(scope="module")
def key(folder: Path) -> str:
    """A key of the scope admin, in the file that the Secret would hold."""
    file = folder / "etc" / "afterimage" / "keys" / "keys.json"
    file.parent.mkdir(parents=True)
    made = CliRunner().invoke(app, ["keys", "add", "ops", "--scope", "admin", "--file", str(file)])
    return made.stdout.strip()


@pytest.fixture(scope="module")
def made(kafka: Broker, redis_server: RedisServer) -> Rendered:
    """Two groups of searchers with a shard each, whose segments lie on a volume; scraped by Prometheus."""
    groups: list[dict[str, Any]] = [{"name": "low", "shards": "0"}, {"name": "high", "shards": "1"}]
    return render(
        kafka={"bootstrapServers": kafka.bootstrap_servers},
        redis={"url": redis_server.url},
        topics={"partitions": 2, "replication": 1},
        settings={"AFTERIMAGE_NAMESPACE": NAMESPACE, **QUICK_TO_START},
        segmentStore={"claim": "segments"},
        searcher={"groups": groups},
        monitoring={"podMonitors": {"enabled": True, "gatewayKey": {"secret": "afterimage-metrics-key"}}},
    )


@pytest.fixture(scope="module")
def pods(made: Rendered, folder: Path, key: str) -> Iterator[list[PodProcess]]:
    assert key
    topics = PodProcess(made.container("topics"), folder)
    topics.spawn()
    assert topics.wait_ended(60) == 0, topics.tail()
    pods = [PodProcess(each, folder) for each in made.containers() if each.worker != "topics"]
    with ExitStack() as running:
        for pod in pods:
            running.callback(pod.stop)
            pod.spawn()
        for pod in pods:
            pod.wait_ready()
        yield pods


def worker(pods: list[PodProcess], name: str) -> PodProcess:
    (found,) = (pod for pod in pods if pod.container.worker == name)
    return found


def test_what_is_uploaded_is_found_in_the_shards_of_both_groups(pods: list[PodProcess], key: str) -> None:
    gateway = worker(pods, "gateway")
    base = f"http://{LOOPBACK}:{gateway.port}"
    with httpx.Client(base_url=base, headers={"authorization": f"Bearer {key}"}, timeout=60) as client:
        shards = set()
        positions = []
        for number in range(8):
            files = {"image": DAMS["dam2" if number % 2 else "dam3"].read_bytes()}
            answer = client.post("/images?wait=30", files=files, data={"id": f"dam-{number}"})
            assert answer.status_code == 200, answer.text
            shards.add(answer.json()["shard"])
            positions.append(f"{answer.json()['shard']}:{answer.json()['position']}")
        asked = {"files": {"image": DAMS["dam2"].read_bytes()}, "params": {"min_position": positions}}
        found = client.post("/search", **asked)  # type: ignore[arg-type]  # httpx's own
    assert found.status_code == 200, found.text
    assert shards == {0, 1}
    assert {hit["id"] for hit in found.json()["hits"]} == {f"dam-{number}" for number in range(8)}
    assert httpx.post(f"{base}/search", params={"id": "dam-1"}).status_code == 401


def test_each_answers_the_probes(pods: list[PodProcess]) -> None:
    for pod in pods:
        for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert pod.get(pod.container.spec[kind]["httpGet"]["path"]).status_code == 200


def test_each_is_scraped_and_the_gateway_with_its_key_alone(made: Rendered, pods: list[PodProcess], key: str) -> None:
    (path,) = {
        endpoint["path"] for each in made.of_kind("PodMonitor") for endpoint in each["spec"]["podMetricsEndpoints"]
    }
    for pod in pods:
        assert re.search("^afterimage_", pod.get(path, authorization=f"Bearer {key}").text, re.MULTILINE)
        assert pod.get(path).status_code == (401 if pod.container.worker == "gateway" else 200)


def test_indexers_and_searchers_have_a_disk_for_segments(pods: list[PodProcess]) -> None:
    for pod in pods:
        if pod.container.worker in {"indexer", "searcher"}:
            gauge = rf"^afterimage_{pod.container.worker}_disk_bytes (\S+)$"
            (size,) = re.findall(gauge, pod.get("/metrics").text, re.MULTILINE)
            assert float(size) > 0, pod.name


def test_each_stops_in_good_order_within_its_time(pods: list[PodProcess]) -> None:
    for pod in pods:
        status, took_s = pod.terminate()
        assert status == 0, pod.tail()
        print(f"\n{pod.name}: {took_s:.1f} s")  # noqa: T201
