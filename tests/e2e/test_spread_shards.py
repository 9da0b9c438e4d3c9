"""Two groups of searchers hold half of the shards each: an answer is complete, or says what it lacks."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from services.cli.commands.status import read_status
from services.cli.settings import CliSettings
from shared.client import AfterimageClient
from shared.events.search_requests import Example, SearchRequest
from shared.events.topics import Topics
from tests.harness.kafka import Broker
from tests.harness.redis import RedisServer
from tests.harness.service import PHOTOS, Service
from tests.harness.workers import WorkerProcess

pytestmark = pytest.mark.slow

IMAGES = sorted(PHOTOS.glob("*/*.webp"))[:24]
NAMESPACE = "spread"
SHARDS = 4
GROUPS = {"searcher-0": "0-1", "searcher-1": "2-3"}


@pytest.fixture(scope="module")
def service(kafka: Broker, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(
        bootstrap_servers=kafka.bootstrap_servers,
        redis_url=redis_server.url,
        namespace=NAMESPACE,
        folder=tmp_path_factory.mktemp("spread"),
        partitions=SHARDS,
        searchers=len(GROUPS),
        env_of={name: {"SEARCHER_SHARDS": shards} for name, shards in GROUPS.items()},
    ) as running:
        yield running


def found_over_http(gateway: WorkerProcess, image_id: str) -> list[str]:
    with urlopen(f"{gateway.url}/search?id={quote(image_id)}&top_k={len(IMAGES)}", timeout=60) as response:  # noqa: S310
        return [hit["id"] for hit in json.load(response)["hits"]]


async def lag(service: Service) -> int:
    """How many requests wait for the slowest group, as `afterimage status` has it."""
    environment = {**service.environment, "AFTERIMAGE_PARTITIONS": str(SHARDS)}
    status = await read_status(CliSettings.model_validate(environment))
    [found] = [topic.lag for topic in status.topics if topic.topic == Topics(NAMESPACE).requests]
    assert found is not None
    return found


async def test_an_answer_is_complete_while_both_groups_are_there_and_says_what_it_lacks_while_one_is_not(
    service: Service, kafka: Broker, redis_server: RedisServer, tmp_path: Path
) -> None:
    """One test, because starting the service takes longest."""
    every = {path.stem for path in IMAGES}
    async with AfterimageClient(service.bootstrap_servers, namespace=NAMESPACE) as client:
        sent = [await client.upload(path.stem, data=path.read_bytes()) for path in IMAGES]
        receipts = [(await client.wait_searchable(each, timeout_s=60)).receipt for each in sent]
        shard_of = {path.stem: receipt.shard for path, receipt in zip(IMAGES, receipts, strict=True)}
        positions: dict[int, int] = {}
        for receipt in receipts:
            positions[receipt.shard] = max(receipt.position, positions.get(receipt.shard, -1))
        assert {shard_of[image_id] // 2 for image_id in every} == {0, 1}, "all images are in one group's shards"

        # By image, and by ids of which each group knows one: all shards answer, and pages are cut from the whole.
        asked = {"min_position": positions, "timeout_s": 30.0}
        by_image = await client.search(image=IMAGES[0].read_bytes(), top_k=len(IMAGES), **asked)
        assert ({hit.id for hit in by_image.hits}, by_image.missing) == (every, [])
        assert by_image.hits[0].id == IMAGES[0].stem
        assert set(by_image.positions) == set(range(SHARDS))
        low = next(image_id for image_id in sorted(every) if shard_of[image_id] < 2)
        high = next(image_id for image_id in sorted(every) if shard_of[image_id] >= 2)
        for image_id in (low, high):
            by_id = await client.search(id=image_id, top_k=len(IMAGES), **asked)
            assert (by_id.hits[0].id, {hit.id for hit in by_id.hits}, by_id.missing) == (image_id, every, [])
        both = [Example(id=low), Example(id=high)]
        of_both = await client.search(examples=both, top_k=len(IMAGES), **asked)
        assert {hit.id for hit in of_both.hits[:2]} == {low, high}
        pages = [
            await client.search(examples=both, top_k=5, offset=first, **asked) for first in range(0, len(IMAGES), 5)
        ]
        assert [hit.id for page in pages for hit in page.hits] == [hit.id for hit in of_both.hits]
        batch = await client.ask(SearchRequest(batch=[SearchRequest(id=low), SearchRequest(id="nobody")]))
        assert batch.batch
        assert (batch.batch[0].hits[0].id, batch.batch[0].missing) == (low, [])
        assert batch.batch[1].error
        assert batch.batch[1].error.code == "unknown_id"

        servers = {"bootstrap_servers": kafka.bootstrap_servers, "redis_url": redis_server.url}
        with WorkerProcess("gateway", **servers, folder=tmp_path, env=service.environment) as gateway:
            assert set(found_over_http(gateway, high)) == every

        async with asyncio.timeout(30):
            while await lag(service) > 0:  # noqa: ASYNC110 - it tells only who asks
                await asyncio.sleep(0.2)

        service.searchers[1].stop()
        half = await client.search(image=IMAGES[0].read_bytes(), top_k=len(IMAGES), timeout_s=5)
        assert {hit.id for hit in half.hits} == {image_id for image_id in every if shard_of[image_id] < 2}
        assert (half.error, half.missing) == (None, [2, 3])
        service.searchers[1].start()
        whole = await client.search(image=IMAGES[0].read_bytes(), top_k=len(IMAGES), timeout_s=30)
        assert ({hit.id for hit in whole.hits}, whole.missing) == (every, [])
