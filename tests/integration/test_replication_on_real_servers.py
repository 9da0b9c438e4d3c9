"""The writer, the log and the replicas on a real Redis, with the history on a real broker."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from shared.bus.history import FeatureHistory
from shared.bus.producer import RecordProducer
from shared.events.features import encode_feature, feature_of
from shared.events.operations import Upsert
from shared.index.shard import Shard
from shared.replication.connection import connect
from shared.replication.directory import ReplicaDirectory, ReplicaReport
from shared.replication.log import Fenced, LogUnavailable
from shared.replication.redis_log import RedisLog
from shared.replication.replica import ShardReplica
from shared.replication.replica_set import ReplicaSet
from shared.replication.state import ReplicaState
from shared.replication.writer import ShardWriter
from shared.runtime.executor import SingleThread
from tests.fakes.kafka_topics import create_topic
from tests.fakes.operations import INCARNATION, upsert
from tests.fakes.replica_observer import RecordingObserver
from tests.harness.kafka import Broker
from tests.harness.redis import RedisServer

PATIENCE_S = 20.0


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.02)


async def persistently(call: Callable[[], Awaitable[object]]) -> None:
    """Until the log is available: a connection to the server that was killed is only found broken when it is used."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with contextlib.suppress(LogUnavailable):
                await call()
                return
            await asyncio.sleep(0.02)


class Site:
    """One topic and one log, written to operation by operation as an indexer would."""

    def __init__(self, kafka: Broker, redis_url: str, name: str) -> None:
        self.kafka = kafka
        self.redis_url = redis_url
        self.name = name
        self._thread = SingleThread("writer")

    @asynccontextmanager
    async def log(self) -> AsyncIterator[RedisLog]:
        async with connect(self.redis_url) as redis:
            yield RedisLog(redis, namespace=self.name)

    def writer(self, log: RedisLog) -> ShardWriter:
        return ShardWriter(0, log, incarnation=INCARNATION, window=1000, thread=self._thread)

    async def record(self, producer: RecordProducer, operation: Upsert) -> None:
        await producer.send(self.name, key=operation.id.encode(), value=encode_feature(feature_of(operation)))

    @asynccontextmanager
    async def replicas(self, name: str = "searcher") -> AsyncIterator[ReplicaSet]:
        async with connect(self.redis_url) as redis:
            log = RedisLog(redis, namespace=self.name)
            with SingleThread("index") as thread:
                replica = ShardReplica(
                    0,
                    incarnation=INCARNATION,
                    make_shard=Shard,
                    log_=log,
                    history=FeatureHistory(self.kafka.bootstrap_servers, self.name),
                    thread=thread,
                    observer=RecordingObserver(),
                    clock=time.monotonic,
                )
                replicas = ReplicaSet(
                    {0: replica},
                    name=name,
                    log_=log,
                    directory=ReplicaDirectory(redis, namespace=self.name),
                    thread=thread,
                )
                task = asyncio.create_task(replicas.run())
                try:
                    yield replicas
                finally:
                    task.cancel()
                    await asyncio.wait([task])


@pytest.fixture
async def site(kafka: Broker, redis_server: RedisServer, unique_namespace: str) -> Site:
    await create_topic(kafka.bootstrap_servers, unique_namespace)
    return Site(kafka, redis_server.url, unique_namespace)


async def test_replicas_that_follow_and_replicas_that_come_late_hold_the_same(site: Site) -> None:
    async with site.log() as log, site.replicas("early") as early:
        writer = site.writer(log)
        await writer.claim()
        await asyncio.wait_for(early.live(), PATIENCE_S)
        for offset in range(50):
            await writer.append([upsert(offset, f"id-{offset % 7}")], position=offset)
        async with asyncio.timeout(PATIENCE_S):
            await early.reach({0: 49})
        async with site.replicas("late") as late:
            await asyncio.wait_for(late.live(), PATIENCE_S)
            assert late.positions == {0: 49}
            assert late.shards[0].checksum == early.shards[0].checksum == writer.fold.checksum


async def test_what_the_log_has_lost_comes_from_kafka(
    kafka: Broker, fresh_redis: RedisServer, unique_namespace: str
) -> None:
    """A Redis that is killed and comes back empty: its claim is void, and every copy is whole again."""
    await create_topic(kafka.bootstrap_servers, unique_namespace)
    site = Site(kafka, fresh_redis.url, unique_namespace)
    async with (
        RecordProducer(kafka.bootstrap_servers, client_id="test") as producer,
        site.log() as log,
        site.replicas() as replicas,
    ):
        writer = site.writer(log)
        await writer.claim()
        for offset in range(10):
            await site.record(producer, upsert(offset, f"id-{offset}"))
            await writer.append([upsert(offset, f"id-{offset}")], position=offset)
        await asyncio.to_thread(fresh_redis.kill)
        await asyncio.to_thread(fresh_redis.start)
        await site.record(producer, upsert(10, "id-10"))
        with pytest.raises(Fenced):
            await persistently(lambda: writer.append([upsert(10, "id-10")], position=10))
        writer.lose()
        await writer.claim()
        await writer.append([upsert(10, "id-10")], position=10)
        async with site.replicas("new") as new:
            await until(lambda: not new.not_live() and new.positions[0] == 10)
            await until(lambda: not replicas.not_live() and replicas.positions[0] == 10)
            assert new.shards[0].checksum == replicas.shards[0].checksum == writer.fold.checksum


async def test_every_copy_says_of_itself_what_can_be_compared(site: Site) -> None:
    async with connect(site.redis_url) as redis, site.log() as log, site.replicas("a"), site.replicas("b"):
        writer = site.writer(log)
        await writer.claim()
        await writer.append([upsert(0)], position=0)
        directory = ReplicaDirectory(redis, namespace=site.name)
        expected = [(name, ReplicaState.LIVE, 0, 1, writer.fold.checksum) for name in ("a", "b")]
        found: list[ReplicaReport] = []
        async with asyncio.timeout(PATIENCE_S):
            while [(r.replica, r.state, r.position, r.rows, r.checksum) for r in found] != expected:
                await asyncio.sleep(0.05)
                found = await directory.reports(0)
