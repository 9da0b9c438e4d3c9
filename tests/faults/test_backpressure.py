"""What the extractor depends on stops: it holds what it has, takes no more, and goes on where it stopped."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiokafka.admin import AIOKafkaAdminClient

from shared.bus.cluster import Cluster
from shared.events.faults import RejectReason
from shared.events.upload_forms import UploadImage
from tests.harness.extraction import Extraction
from tests.harness.kafka import Broker
from tests.harness.pictures import small_pictures

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]

MIB = 1024 * 1024
MOST = 16
POLL_INTERVAL_S = 5
LONGER_THAN_THE_POLL_INTERVAL_S = POLL_INTERVAL_S + 5.0
"""Heartbeats, which would find the worker idle, come every 3 s."""
PATIENCE_S = 150.0
GROWTH_BYTES = 24 * MIB
"""What is held when work stands still: 16 uploads under way, those of one fetch, and the next fetch, 4 MiB each."""
ENV = {"EXTRACTOR_MAX_IN_FLIGHT": str(MOST), "KAFKA_MAX_POLL_INTERVAL_MS": str(1000 * POLL_INTERVAL_S)}

IMAGES = 400
BALLAST = bytes(150_000)
"""Behind the end of a JPEG, where no decoder looks: all uploads together take 80 MB on the bus."""


def heavy_uploads() -> list[UploadImage]:
    """Every hundredth is no image."""
    pictures = list(small_pictures(10))
    return [
        UploadImage(id=f"image-{number}", data=(pictures[number % 10] if number % 100 < 99 else b"no image") + BALLAST)
        for number in range(IMAGES)
    ]


async def stands_still(extraction: Extraction) -> None:
    """Assert that the worker, whose partitions are paused, keeps them and does not grow."""
    await extraction.reached("afterimage_extractor_paused", 1)
    before = extraction.worker.resident_bytes
    await asyncio.sleep(LONGER_THAN_THE_POLL_INTERVAL_S)
    growth = extraction.worker.resident_bytes - before
    assert growth < GROWTH_BYTES, f"it grew by {growth / MIB:.0f} MiB while nothing got on"
    assert await extraction.gauge("afterimage_extractor_paused") == 1
    assert await extraction.gauge("afterimage_extractor_in_flight") <= MOST


async def went_on(extraction: Extraction, count: int) -> None:
    """Assert that the worker dealt with all uploads, each once, in the one assignment that it ever had."""
    found = await extraction.all_dealt_with(count)
    assert set(found.encoded.values()) == {1}
    assert {tuple(reasons) for reasons in found.rejected.values()} == {(RejectReason.UNSUPPORTED_FORMAT,)}
    assert len(found.rejected) == count // 100
    assert not found.rejected.keys() & found.encoded.keys()
    await extraction.reached("afterimage_extractor_paused", 0)
    while await extraction.committed() < count:  # noqa: ASYNC110 - another process commits
        await asyncio.sleep(0.2)
    assert extraction.log().count("partitions_assigned") == 1


@pytest.mark.durable
async def test_without_the_features_topic_the_worker_holds_on_longer_than_the_poll_interval(
    kafka: Broker, unique_namespace: str, tmp_path: Path
) -> None:
    extraction = Extraction(
        bootstrap_servers=kafka.bootstrap_servers, namespace=unique_namespace, folder=tmp_path, env=ENV
    )
    await extraction.create_topics()
    async with asyncio.timeout(PATIENCE_S):
        with extraction.worker:
            await delete_topic(kafka, extraction.topics.features)
            await extraction.send(heavy_uploads())
            await stands_still(extraction)
            assert await extraction.committed() == 0
            await extraction.create_topics()
            await went_on(extraction, IMAGES)


async def delete_topic(kafka: Broker, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    try:
        await admin.delete_topics([name])
    finally:
        await admin.close()
    async with Cluster(kafka.bootstrap_servers) as cluster:
        while await cluster.partitions(name):  # noqa: ASYNC110 - Kafka deletes later
            await asyncio.sleep(0.1)


class Store:
    """An HTTP store that takes requests in, and answers those that come after it is opened."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.asked: list[str] = []
        self.waiting = 0
        self.most_waiting = 0
        self._picture = next(small_pictures(1))
        application = web.Application()
        application.router.add_get("/{name}", self._answer)
        self._server = TestServer(application)

    def uri(self, name: str) -> str:
        return str(self._server.make_url(f"/{name}"))

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Store"]:
        async with self._server:
            yield self

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.match_info["name"])
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)
        try:
            await self.open.wait()
        finally:
            self.waiting -= 1
        return web.Response(body=self._picture, content_type="image/jpeg")


async def test_a_store_that_hangs_costs_what_was_asked_of_it_thrice_and_nothing_else(
    kafka: Broker, unique_namespace: str, tmp_path: Path
) -> None:
    async with Store().serving() as store, asyncio.timeout(PATIENCE_S):
        extraction = Extraction(
            bootstrap_servers=kafka.bootstrap_servers,
            namespace=unique_namespace,
            folder=tmp_path,
            env={**ENV, "AFTERIMAGE_FETCH_PRIVATE": "true"},
        )
        await extraction.create_topics()
        uploads = [UploadImage(id=f"image-{number}", uri=store.uri(f"{number}")) for number in range(100)]
        with extraction.worker:
            await extraction.send(uploads)
            await stands_still(extraction)
            assert store.most_waiting <= MOST
            failed = (await extraction.all_dealt_with(MOST)).rejected  # 3 attempts of 10 s
            store.open.set()
            found = await extraction.all_dealt_with(len(uploads))
            await extraction.reached("afterimage_extractor_paused", 0)
        assert {tuple(reasons) for reasons in found.rejected.values()} == {(RejectReason.FETCH_FAILED,)}
        assert found.rejected.keys() >= failed.keys()
        assert all(store.asked.count(image_id.removeprefix("image-")) == 3 for image_id in found.rejected)
        assert found.encoded.keys() == {upload.id for upload in uploads} - found.rejected.keys()
        assert extraction.log().count("partitions_assigned") == 1
