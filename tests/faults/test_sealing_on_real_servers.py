"""The indexer is killed while it seals, Redis forgets all, the store has damaged files: the copies stay right."""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from redis import Redis

from shared.bus.producer import RecordProducer
from shared.events.features import FeatureRecord, encode_feature
from shared.events.images import SourcePosition
from shared.events.topics import Topics
from shared.replication.verification import Verdict
from tests.faults.judging import verdicts
from tests.harness.kafka import Broker
from tests.harness.observation import settled
from tests.harness.redis import RedisServer
from tests.harness.service import Indexing

RECORDS = 2_500
IDS = 1_500
CRASHES = 3
DIMENSIONS = 64
SHARDS = 2
PUBLISHED_WITHIN_S = 60.0


@pytest.fixture
def service(kafka: Broker, fresh_redis: RedisServer, unique_namespace: str, tmp_path: Path) -> Iterator[Indexing]:
    with Indexing(
        bootstrap_servers=kafka.bootstrap_servers,
        redis_url=fresh_redis.url,
        namespace=unique_namespace,
        folder=tmp_path,
        env={
            "AFTERIMAGE_SEGMENT_STORE": str(tmp_path / "store"),
            "INDEXER_SEAL_ROWS": "150",
            "INDEXER_LOG_WINDOW": "1000",
        },
    ) as running:
        yield running


@pytest.mark.slow
@pytest.mark.durable
async def test_nothing_is_lost_when_the_indexer_dies_while_it_seals(
    service: Indexing, fresh_redis: RedisServer, tmp_path: Path
) -> None:
    writing = asyncio.create_task(write_features(service))
    rng = random.Random(5)  # noqa: S311 - no secret
    for _ in range(CRASHES):
        await asyncio.sleep(rng.uniform(0.5, 4.0))
        await asyncio.to_thread(service.indexer.kill)
        await asyncio.to_thread(service.indexer.start)
    live = await writing
    shards = await settled(service, images=len(live))
    checksums = [[replica.checksum for replica in shard.replicas] for shard in shards]
    await published(tmp_path / "store")

    with Redis.from_url(fresh_redis.url) as redis:
        redis.flushall()
    for worker in service.workers:
        await asyncio.to_thread(worker.kill)
    damaged = newest_graphs(tmp_path / "store")[0]  # of one shard: that may be the only manifest that it has
    data = bytearray(damaged.read_bytes())
    data[rng.randrange(len(data))] ^= 1
    damaged.write_bytes(data)
    for worker in service.workers:
        await asyncio.to_thread(worker.start)
    shards = await settled(service, images=len(live))
    assert [[replica.checksum for replica in shard.replicas] for shard in shards] == checksums
    assert "shard_restored" in service.indexer.tail(10_000)

    assert await verdicts(service) == {Verdict.SAME}


async def published(store: Path) -> None:
    """Return when each shard has a manifest: the last crash may have come in the midst of building the first one."""
    async with asyncio.timeout(PUBLISHED_WITHIN_S):
        while len(shards_with_manifests(store)) < SHARDS:  # noqa: ASYNC110 - another process writes them
            await asyncio.sleep(0.2)


def shards_with_manifests(store: Path) -> set[Path]:
    return {manifest.parent for manifest in store.glob("**/manifests/*.json")}


async def write_features(service: Indexing) -> set[str]:
    """Upserts and deletes over some ten seconds; returns the ids that are there in the end."""
    rng = np.random.default_rng(5)
    topic = Topics(service.namespace).features
    live = set()
    async with RecordProducer(service.bootstrap_servers, client_id="test") as producer:
        for number in range(RECORDS):
            image_id = str(rng.integers(IDS))
            source = SourcePosition(offset=number, partition=0)
            if rng.random() < 0.2:
                live.discard(image_id)
                await producer.send_until_acknowledged(
                    topic, key=image_id.encode(), value=None, headers=source.headers()
                )
                continue
            live.add(image_id)
            record = FeatureRecord(
                v=1,
                id=image_id,
                code=rng.integers(-127, 128, DIMENSIONS, dtype=np.int8).tobytes(),
                scheme="scheme",
                source=source,
                uploaded_at=1_000,
                attributes={"number": number},
            )
            await producer.send_until_acknowledged(topic, key=image_id.encode(), value=encode_feature(record))
    return live


def newest_graphs(store: Path) -> list[Path]:
    """The graph that was written last in each shard."""
    shards = {path.parents[2] for path in store.glob("**/segments/*/links.npy")}
    return [max(shard.glob("segments/*/links.npy"), key=lambda path: path.stat().st_mtime_ns) for shard in shards]
