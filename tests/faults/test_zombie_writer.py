"""An indexer that was stopped so long that its shards went to another must not write when it goes on."""

import asyncio
from pathlib import Path

import pytest

from shared.client import AfterimageClient
from tests.harness.kafka import Broker
from tests.harness.observation import settled
from tests.harness.pictures import small_pictures
from tests.harness.redis import RedisServer
from tests.harness.service import Service
from tests.harness.workers import WorkerProcess

IMAGES = 60


@pytest.mark.slow
async def test_a_zombie_indexer_is_fenced_and_nothing_is_lost(
    kafka: Broker, redis_server: RedisServer, unique_namespace: str, tmp_path: Path
) -> None:
    service = Service(
        bootstrap_servers=kafka.bootstrap_servers,
        redis_url=redis_server.url,
        namespace=unique_namespace,
        folder=tmp_path,
        env={"KAFKA_SESSION_TIMEOUT_MS": "6000"},
    )
    second = WorkerProcess(
        "indexer",
        bootstrap_servers=kafka.bootstrap_servers,
        redis_url=redis_server.url,
        folder=tmp_path,
        env={
            "AFTERIMAGE_NAMESPACE": unique_namespace,
            "KAFKA_SESSION_TIMEOUT_MS": "6000",
            "INDEXER_INSTANCE_ID": "indexer-second",
        },
        name="indexer-second",
    )
    await asyncio.to_thread(service.__enter__)
    try:
        async with AfterimageClient(kafka.bootstrap_servers, namespace=unique_namespace) as client:
            pictures = list(small_pictures(IMAGES))
            await upload(client, pictures[:20], "first")

            await asyncio.to_thread(service.indexer.pause)
            await asyncio.to_thread(second.start)  # ready when it holds its shards, all of them by then
            await upload(client, pictures[20:40], "while-stopped")

            await asyncio.to_thread(service.indexer.resume)
            await upload(client, pictures[40:], "after")
            await settled(service, images=IMAGES)
    finally:
        second.stop()
        await asyncio.to_thread(service.__exit__, None, None, None)


async def upload(client: AfterimageClient, pictures: list[bytes], name: str) -> None:
    sent = [await client.upload(f"{name}-{number}", data=data) for number, data in enumerate(pictures)]
    for item in sent:
        await client.wait_searchable(item, timeout_s=90)
