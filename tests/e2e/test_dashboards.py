"""Every panel of every dashboard shows data when the real workers work, as a real Prometheus sees them.

So does what the runbooks ask Prometheus.
"""

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from docs.metric_tables import OF_ALL, OWN, declared_by
from shared.bus.cluster import Cluster
from shared.client import AfterimageClient, NoAnswer, UploadRejected
from shared.events.topics import Topics
from tests.e2e.prometheus import PrometheusServer
from tests.harness.kafka import Broker
from tests.harness.pictures import small_pictures
from tests.harness.redis import RedisServer
from tests.harness.workers import QUICK_TO_START, WorkerProcess
from tests.unit.deploy.dashboards import DashboardQuery, queries
from tests.unit.deploy.files import PROMETHEUS, ROOT, WORKERS
from tests.unit.deploy.runbooks import expressions

PHOTOS = ROOT / "tests" / "data" / "photos" / "energy"
VARIABLES = {"__rate_interval": "15s", "extractor": ".+", "searcher": ".+"}
BUSY = {"INDEXER_SEAL_ROWS": "2", "SEARCHER_RECALL_PROBE": "1"}
"""What happens once an hour elsewhere happens within seconds."""
SHOWN_WITHIN_S = 30.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="needs prometheus: `make ci-tools` installs it"),
]


@pytest.fixture
async def workers(
    kafka: Broker, redis_server: RedisServer, unique_namespace: str, tmp_path: Path
) -> AsyncIterator[dict[str, WorkerProcess]]:
    async with Cluster(kafka.bootstrap_servers) as cluster:
        await cluster.create_topics(Topics(unique_namespace).specs(2), replication_factor=1)
    processes = {
        name: WorkerProcess(
            name,
            bootstrap_servers=kafka.bootstrap_servers,
            redis_url=redis_server.url,
            folder=tmp_path,
            env={
                "AFTERIMAGE_NAMESPACE": unique_namespace,
                "AFTERIMAGE_FILE_ROOTS": str(PHOTOS),
                "AFTERIMAGE_SEGMENT_STORE": str(tmp_path / "segments"),
                **QUICK_TO_START,
                **BUSY,
            },
        )
        for name in WORKERS
    }
    try:
        for process in processes.values():
            process.spawn()
        await asyncio.gather(*(asyncio.to_thread(process.wait_ready) for process in processes.values()))
        yield processes
    finally:
        await asyncio.gather(*(asyncio.to_thread(process.stop) for process in processes.values()))


@pytest.fixture
def prometheus(workers: dict[str, WorkerProcess], tmp_path: Path) -> Iterator[PrometheusServer]:
    targets = {name: [process.url.removeprefix("http://")] for name, process in workers.items()}
    with PrometheusServer(tmp_path, configuration=PROMETHEUS, targets=targets) as server:
        yield server


async def test_every_panel_shows_data_and_the_documented_metrics_are_those_that_there_are(
    kafka: Broker, workers: dict[str, WorkerProcess], prometheus: PrometheusServer, unique_namespace: str
) -> None:
    async with (
        aiohttp.ClientSession() as session,
        AfterimageClient(kafka.bootstrap_servers, namespace=unique_namespace) as client,
        asyncio.TaskGroup() as tasks,
    ):
        # A rate needs two different scrapes of a series: so the work goes on until every panel has been seen.
        work = tasks.create_task(_work(client, session, workers["gateway"].url))
        missing = queries() + [
            DashboardQuery(board="runbooks", panel="", expr=expression, legend="") for expression in expressions()
        ]
        deadline = time.monotonic() + SHOWN_WITHIN_S
        while missing and time.monotonic() < deadline:
            await asyncio.sleep(1)
            missing = await _without_data(missing, prometheus, session)
        evaluated = await prometheus.rules(session)
        exported = {name: await _exported(session, process.url) for name, process in workers.items()}
        work.cancel()
    assert set(evaluated.values()) <= {"ok", "unknown"}, evaluated
    assert exported == {
        name: {metric.name for collector in (*declared_by(declare), *OF_ALL) for metric in collector.describe()}
        for name, declare in OWN.items()
    }
    assert [f"{query}: {query.expr}" for query in missing] == []


async def _exported(session: aiohttp.ClientSession, worker: str) -> set[str]:
    """The metrics of a worker that are of Afterimage itself."""
    async with session.get(f"{worker}/metrics") as response:
        names = [family.name for family in text_string_to_metric_families(await response.text())]
    return {name for name in names if name.startswith("afterimage_") and not name.endswith("_created")}


async def _without_data(
    candidates: list[DashboardQuery], prometheus: PrometheusServer, session: aiohttp.ClientSession
) -> list[DashboardQuery]:
    return [query for query in candidates if not await prometheus.values(session, query.filled(VARIABLES))]


async def _work(client: AfterimageClient, session: aiohttp.ClientSession, gateway: str) -> None:
    """All that the dashboards tell of, over and over: uploads by reference and inline, a reject, queries.

    The photos come again and again, and are in the cache by then; a new picture in each round is encoded.
    """
    photos = sorted(PHOTOS.glob("*.webp"))
    for round_, picture in enumerate(small_pictures(10_000)):
        await client.upload("new", data=picture)
        by_reference = await client.upload(f"photo-{round_}", uri=photos[round_ % len(photos)].as_uri())
        inline = await client.upload("inline", data=photos[0].read_bytes())
        await client.wait_searchable(by_reference)
        await client.wait_searchable(inline)
        with contextlib.suppress(UploadRejected):
            await client.wait_searchable(await client.upload("broken", data=b"no image at all"))
        reply = await client.search(image=photos[0].read_bytes())
        assert reply.error is None
        assert reply.hits[0].id == "inline"
        await client.search(uri=photos[0].as_uri())
        with contextlib.suppress(NoAnswer):
            await client.search(id="inline", timeout_s=0.001)  # it comes too late, and is counted
        await client.search(image=picture)  # a searcher knows the others by then, and encodes only this one
        async with session.get(f"{gateway}/search", params={"id": "inline"}) as response:
            assert response.status == 200, await response.text()
