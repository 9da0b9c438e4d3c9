"""Redis forgets, goes back in time, or is gone: the service loses nothing, and heals by itself."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from pathlib import Path

import pytest
from redis import Redis

from shared.client import AfterimageClient
from shared.replication.keys import ShardKeys
from tests.harness.kafka import Broker
from tests.harness.observation import settled
from tests.harness.pictures import small_pictures
from tests.harness.redis import RedisServer
from tests.harness.service import Service

pytestmark = pytest.mark.slow

BATCH = 30


@pytest.fixture
def service(kafka: Broker, fresh_redis: RedisServer, unique_namespace: str, tmp_path: Path) -> Iterator[Service]:
    with Service(
        bootstrap_servers=kafka.bootstrap_servers,
        redis_url=fresh_redis.url,
        namespace=unique_namespace,
        folder=tmp_path,
    ) as running:
        yield running


@pytest.fixture
async def client(service: Service) -> AsyncIterator[AfterimageClient]:
    async with AfterimageClient(service.bootstrap_servers, namespace=service.namespace) as connected:
        yield connected


async def test_the_service_survives_all_that_can_happen_to_redis(
    service: Service, client: AfterimageClient, fresh_redis: RedisServer
) -> None:
    """One service for the four faults, one after another, since starting it takes longest."""
    await upload(client, "before")

    with Redis.from_url(fresh_redis.url) as redis:
        redis.flushall()
    await upload(client, "after-flush")
    await settled(service, images=2 * BATCH)

    with Redis.from_url(fresh_redis.url) as redis:
        earlier = remember(redis, service)
        await upload(client, "rolled-back")
        bring_back(redis, earlier)
    await upload(client, "after-rollback")
    await settled(service, images=4 * BATCH)

    await asyncio.to_thread(fresh_redis.kill)
    meanwhile = asyncio.create_task(upload(client, "while-gone"))
    await asyncio.sleep(3)
    assert not meanwhile.done()
    await asyncio.to_thread(fresh_redis.start)
    await meanwhile
    await settled(service, images=5 * BATCH)

    with Redis.from_url(fresh_redis.url) as redis:
        redis.flushall()
    await asyncio.to_thread(service.searchers[0].restart)  # it has nothing but Kafka to come back from
    await settled(service, images=5 * BATCH)
    reply = await client.search(id="before-0", timeout_s=30)
    assert reply.hits[0].id == "before-0"


async def upload(client: AfterimageClient, name: str) -> None:
    """Some images, all of which are searchable when this returns."""
    pictures = islice(small_pictures(BATCH, seed=len(name)), BATCH)
    sent = [await client.upload(f"{name}-{number}", data=data) for number, data in enumerate(pictures)]
    for item in sent:
        await client.wait_searchable(item, timeout_s=60)


def remember(redis: Redis, service: Service) -> dict[bytes, bytes]:
    """What the logs are now, as a failover to a lagging copy would bring back."""
    keys = [ShardKeys(service.namespace, shard) for shard in range(service.partitions)]
    return {key.encode(): dumped for shard in keys for key in (shard.meta, shard.log) if (dumped := redis.dump(key))}


def bring_back(redis: Redis, earlier: dict[bytes, bytes]) -> None:
    for key, dumped in earlier.items():
        redis.restore(key, 0, dumped, replace=True)
