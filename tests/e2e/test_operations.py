"""What an operator does by hand, and what happens by itself: retention, compaction, snapshots and restores."""

import asyncio
import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import numpy as np
import pytest
from redis import Redis

from shared.bus.partitions import partition_of
from shared.bus.producer import RecordProducer
from shared.events.features import FeatureRecord, encode_feature
from shared.events.images import SourcePosition
from shared.events.topics import Topics
from tests.harness.command_line import afterimage
from tests.harness.kafka import Broker
from tests.harness.observation import caught_up
from tests.harness.redis import RedisServer
from tests.harness.service import Indexing
from tests.harness.workers import WorkerProcess

pytestmark = [pytest.mark.slow, pytest.mark.durable]

PATIENCE_S = 90.0
HOUR_MS = 3_600_000
DIMENSIONS = 64
OVER = 40
KEPT = 100


class Site(Indexing):
    """Indexer and searcher with a store, and a retention of an hour. The features are written by the test."""

    written = 0

    def run(self, *arguments: str, status: int = 0) -> str:
        """What `afterimage` prints when it ends with that status; on both outputs, but for JSON."""
        done = afterimage(arguments, {**self.environment, **self._env})
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout if "--json" in arguments else done.stdout + done.stderr

    async def write(self, *ids: str, occurred_ms_ago: int = 0) -> None:
        """Upload images, in order."""
        now_ms = time.time_ns() // 1_000_000
        async with RecordProducer(self.bootstrap_servers, client_id="test") as producer:
            for image_id in ids:
                self.written += 1
                rng = np.random.default_rng(self.written)
                record = FeatureRecord(
                    v=1,
                    id=image_id,
                    code=rng.integers(-127, 128, DIMENSIONS, dtype=np.int8).tobytes(),
                    scheme="scheme",
                    source=SourcePosition(offset=self.written, partition=partition_of(image_id, self.partitions)),
                    uploaded_at=now_ms,
                    occurred_at=now_ms - occurred_ms_ago,
                )
                topic = Topics(self.namespace).features
                await producer.send_until_acknowledged(topic, key=image_id.encode(), value=encode_feature(record))

    async def reach(self, *, images: int) -> None:
        """Return when every copy is at the end of what Kafka has, and holds so many."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                shards = await caught_up(self)
                if sum(copy.rows for shard in shards for copy in shard.replicas) == images:
                    return
                await asyncio.sleep(0.2)

    def verified(self) -> set[str]:
        """What Kafka alone says of the copies."""
        return {each["verdict"] for each in json.loads(self.run("verify", "--json"))}


@pytest.fixture
def site(kafka: Broker, fresh_redis: RedisServer, unique_namespace: str, tmp_path: Path) -> Iterator[Site]:
    with Site(
        bootstrap_servers=kafka.bootstrap_servers,
        redis_url=fresh_redis.url,
        namespace=unique_namespace,
        folder=tmp_path,
        env={
            "AFTERIMAGE_SEGMENT_STORE": str(tmp_path / "store"),
            "INDEXER_SEAL_ROWS": "30",
            "INDEXER_RETENTION": "1h",
        },
    ) as running:
        yield running


async def test_a_life_of_a_site(site: Site, fresh_redis: RedisServer, tmp_path: Path) -> None:
    await images_expire_and_newer_uploads_of_them_do_not(site)
    await shards_are_compacted_on_request(site)
    await a_lost_store_is_restored(site, fresh_redis, tmp_path)


async def images_expire_and_newer_uploads_of_them_do_not(site: Site) -> None:
    await site.write(*(f"kept-{n}" for n in range(KEPT)))
    await site.write(*(f"over-{n}" for n in range(OVER)), occurred_ms_ago=2 * HOUR_MS)
    await site.reach(images=KEPT)
    assert await metric(site.indexer, "afterimage_indexer_expired_total") == OVER
    await site.write("over-0", "over-1")
    await site.reach(images=KEPT + 2)
    assert await metric(site.indexer, "afterimage_indexer_expired_total") == OVER


async def shards_are_compacted_on_request(site: Site) -> None:
    compacted = json.loads(await asyncio.to_thread(site.run, "compact", "--json"))
    assert [each["shard"] for each in compacted] == [0, 1]
    for each in compacted:
        assert (each["after"]["segments"], each["after"]["dead_rows"]) == (1, 0)
    assert sum(each["after"]["rows"] for each in compacted) == KEPT + 2


async def a_lost_store_is_restored(site: Site, redis_server: RedisServer, folder: Path) -> None:
    snapshot, store = folder / "snapshot", folder / "store"
    taken = json.loads(await asyncio.to_thread(site.run, "snapshot", str(snapshot), "--json"))
    assert sum(each["images"] for each in taken) == KEPT + 2
    await site.write("since")
    await site.reach(images=KEPT + 3)

    said = await asyncio.to_thread(site.run, "restore", str(snapshot), status=1)
    assert "the indexer indexer is running and holds shard 0" in said
    await asyncio.to_thread(site.indexer.stop)
    [shard_0] = store.glob("*/*/0")
    shutil.rmtree(shard_0)
    restored = json.loads(await asyncio.to_thread(site.run, "restore", str(snapshot), "--json", status=3))
    assert [each["images"] for each in restored] == [taken[0]["images"], 0]
    assert restored[0]["refused"] is None
    assert "there is nothing to restore" in restored[1]["refused"]
    with Redis.from_url(redis_server.url) as redis:
        redis.flushall()
    await asyncio.to_thread(site.indexer.start)
    await site.reach(images=KEPT + 3)
    assert site.indexer.tail(10_000).count("shard_restored") == 2
    assert await asyncio.to_thread(site.verified) == {"same"}


async def metric(worker: WorkerProcess, name: str) -> float:
    async with aiohttp.ClientSession() as session, session.get(f"{worker.url}/metrics") as response:
        lines = (await response.text()).splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))
