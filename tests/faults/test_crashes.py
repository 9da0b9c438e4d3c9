"""Workers are killed while images stream in: nothing is lost, nothing doubled, deletes hold, copies stay equal."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.client import AfterimageClient, Sent
from shared.events.receipts import Effect
from shared.events.search_replies import ErrorCode
from tests.harness.kafka import Broker
from tests.harness.observation import settled
from tests.harness.pictures import small_pictures
from tests.harness.redis import RedisServer
from tests.harness.service import Service

IMAGES = 400
EVERY_TENTH = 10
RECOVERY_S = 240.0


@pytest.fixture
def service(kafka: Broker, redis_server: RedisServer, unique_namespace: str, tmp_path: Path) -> Iterator[Service]:
    with Service(
        bootstrap_servers=kafka.bootstrap_servers,
        redis_url=redis_server.url,
        namespace=unique_namespace,
        folder=tmp_path,
        searchers=2,
    ) as running:
        yield running


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_images_survive_the_crash_of_each_worker_in_turn(service: Service) -> None:
    """Each worker is killed with -9 while images are under way, and started again."""
    async with AfterimageClient(service.bootstrap_servers, namespace=service.namespace) as client:
        crashes = asyncio.create_task(crash_each_in_turn(service))
        uploads, deletes = await stream(client)
        await crashes
        outcomes = [await client.wait_searchable(sent, timeout_s=RECOVERY_S) for sent in [*uploads, *deletes]]
        assert all(outcome.receipt.effect in (Effect.INDEXED, Effect.SUPERSEDED) for outcome in outcomes[:IMAGES])
        assert all(outcome.receipt.effect is Effect.DELETED for outcome in outcomes[IMAGES:])

        deleted = {sent.id for sent in deletes}
        expected = {sent.id for sent in uploads} - deleted
        await settled(service, images=len(expected))
        assert found_ids_match(await search_all(client, sorted(expected)), expected)
        for image_id in sorted(deleted):
            reply = await client.search(id=image_id, timeout_s=30)
            assert reply.error is not None
            assert reply.error.code is ErrorCode.UNKNOWN_ID


async def stream(client: AfterimageClient) -> tuple[list[Sent], list[Sent]]:
    """Upload the images over some tens of seconds, and delete every tenth soon after it was sent."""
    uploads, deletes = [], []
    for number, data in enumerate(small_pictures(IMAGES)):
        uploads.append(await client.upload(f"image-{number}", data=data))
        if number % EVERY_TENTH == 0:
            deletes.append(await client.delete(f"image-{number}"))
        await asyncio.sleep(0.075)
    return uploads, deletes


async def crash_each_in_turn(service: Service) -> None:
    for worker in service.workers:
        await asyncio.sleep(2)
        await asyncio.to_thread(worker.kill)
        await asyncio.sleep(1)
        await asyncio.to_thread(worker.start)


async def search_all(client: AfterimageClient, ids: list[str]) -> dict[str, list[str]]:
    """For each id, the ids that a search by it finds."""
    replies = await asyncio.gather(*(client.search(id=image_id, top_k=IMAGES, timeout_s=120) for image_id in ids[::10]))
    return {image_id: [hit.id for hit in reply.hits] for image_id, reply in zip(ids[::10], replies, strict=True)}


def found_ids_match(found: dict[str, list[str]], expected: set[str]) -> bool:
    """Whether every search found every image exactly once."""
    return all(len(hits) == len(set(hits)) and set(hits) == expected for hits in found.values())
