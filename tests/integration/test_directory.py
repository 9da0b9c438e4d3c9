"""What copies and writers say of themselves, and what operators ask of them, on a real Redis."""

from collections.abc import AsyncIterator

import msgspec
import pytest
from redis.asyncio import Redis

from shared.replication.compaction_requests import CompactionRequests
from shared.replication.connection import connect
from shared.replication.directory import FORGOTTEN_AFTER_MS, ReplicaDirectory, ReplicaReport, Stored, WriterReport
from shared.replication.keys import ShardKeys
from shared.replication.state import ReplicaState
from tests.harness.redis import RedisServer

COPY = ReplicaReport(replica="here", state=ReplicaState.LIVE, position=3, rows=2, checksum="c")


@pytest.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    async with connect(redis_server.url) as redis:
        yield redis


@pytest.fixture
def directory(redis: Redis, unique_namespace: str) -> ReplicaDirectory:
    return ReplicaDirectory(redis, namespace=unique_namespace)


@pytest.mark.parametrize("at", [0, 9_000_000_000_000])
async def test_a_copy_is_found_whatever_the_clock_of_its_machine_shows(
    directory: ReplicaDirectory, redis: Redis, at: int
) -> None:
    await directory.report(0, msgspec.structs.replace(COPY, at=at))
    [found] = await directory.reports(0)
    assert msgspec.structs.replace(found, at=0) == COPY
    assert abs(found.at / 1000 - (await redis.time())[0]) < FORGOTTEN_AFTER_MS / 1000


async def test_a_copy_that_was_not_heard_of_for_a_minute_is_forgotten(
    directory: ReplicaDirectory, redis: Redis, unique_namespace: str
) -> None:
    await directory.report(0, COPY)
    [here] = await directory.reports(0)
    gone = msgspec.structs.replace(here, replica="gone", at=here.at - FORGOTTEN_AFTER_MS - 1)
    key = ShardKeys(unique_namespace, 0).replicas
    await redis.hset(key, gone.replica, msgspec.json.encode(gone))
    assert await directory.reports(0) == [here]
    assert await redis.hkeys(key) == [b"here"]


async def test_what_a_writer_says_of_itself_is_found_until_it_is_a_minute_old(
    directory: ReplicaDirectory, redis: Redis, unique_namespace: str
) -> None:
    assert await directory.writer(0) is None
    report = WriterReport(writer="indexer", position=5, scheme=None, at=7, rows=3, stored=Stored(bytes=9))
    await directory.report_writer(0, report)
    assert await directory.writer(0) == report
    assert 0 < await redis.pttl(ShardKeys(unique_namespace, 0).writer) <= FORGOTTEN_AFTER_MS


async def test_a_request_to_compact_stands_until_it_is_settled_and_the_first_one_counts(
    redis: Redis, unique_namespace: str
) -> None:
    requests = CompactionRequests(redis, namespace=unique_namespace)
    assert await requests.pending(0) is None
    assert [await requests.ask(0, name) for name in ("first", "second", "first")] == ["first"] * 3
    assert (await requests.pending(0), await requests.pending(1)) == ("first", None)
    await requests.settle(0)
    assert await requests.pending(0) is None
    assert await requests.ask(0, "second") == "second"
