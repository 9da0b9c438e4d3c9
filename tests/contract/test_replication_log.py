"""What every ReplicationLog does: the one on Redis, and the one that stands in for it in the tests."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.events.operations import OperationBatch
from shared.replication.connection import connect
from shared.replication.log import Conflict, Fenced, LogHead, ReplicationLog
from shared.replication.redis_log import RedisLog
from tests.fakes.operations import batch, upsert
from tests.fakes.replication_log import FakeLog
from tests.harness.redis import RedisServer

SHARD = 3
ONE, OTHER = "cluster-1/features", "cluster-2/features"
PATIENCE_S = 10.0


@pytest.fixture(params=["fake", "redis"])
async def log(request: pytest.FixtureRequest, unique_namespace: str) -> AsyncIterator[ReplicationLog]:
    if request.param == "fake":
        yield FakeLog()
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    async with connect(server.url) as redis:
        yield RedisLog(redis, namespace=unique_namespace)


def grown(previous: int, position: int, *, incarnation: str = ONE) -> OperationBatch:
    return batch(previous, position, upsert(position), incarnation=incarnation)


async def claim(log: ReplicationLog, epoch: str = "e1", *, incarnation: str = ONE, head_if_new: int = -1) -> int:
    return await log.claim(SHARD, incarnation=incarnation, epoch=epoch, head_if_new=head_if_new)


async def append(log: ReplicationLog, one: OperationBatch, epoch: str = "e1", *, keep_after: int = -1) -> None:
    await log.append(SHARD, one, epoch=epoch, keep_after=keep_after)


async def read(log: ReplicationLog, *, after: int = -1, count: int = 100) -> list[OperationBatch]:
    return await log.read(SHARD, after=after, count=count)


async def test_where_nobody_claimed_there_is_no_log(log: ReplicationLog) -> None:
    assert await log.head(SHARD) is None
    assert await read(log) == []


@pytest.mark.parametrize("head", [-1, 0, 41])
async def test_a_new_log_starts_where_its_first_writer_stands(log: ReplicationLog, head: int) -> None:
    assert await claim(log, head_if_new=head) == head
    assert await log.head(SHARD) == LogHead(incarnation=ONE, epoch="e1", head=head)


async def test_a_second_claim_goes_on_from_the_head_and_keeps_the_batches(log: ReplicationLog) -> None:
    await claim(log)
    await append(log, grown(-1, 4))
    assert await claim(log, "e2", head_if_new=99) == 4
    assert await read(log) == [grown(-1, 4)]
    assert await log.head(SHARD) == LogHead(incarnation=ONE, epoch="e2", head=4)


async def test_a_log_of_another_incarnation_starts_anew(log: ReplicationLog) -> None:
    await claim(log)
    await append(log, grown(-1, 4))
    assert await claim(log, "e2", incarnation=OTHER, head_if_new=2) == 2
    assert await read(log) == []
    await append(log, grown(2, 3, incarnation=OTHER), "e2")
    assert await read(log) == [grown(2, 3, incarnation=OTHER)]


async def test_a_writer_whose_shard_was_claimed_by_another_is_fenced(log: ReplicationLog) -> None:
    await claim(log, "old")
    await claim(log, "new")
    with pytest.raises(Fenced):
        await append(log, grown(-1, 4), "old")
    assert await read(log) == []


async def test_a_fenced_writer_is_told_so_even_for_what_is_in_the_log_already(log: ReplicationLog) -> None:
    await claim(log, "old")
    await append(log, grown(-1, 4), "old")
    await claim(log, "new")
    with pytest.raises(Fenced):
        await append(log, grown(-1, 4), "old")


async def test_a_writer_of_another_incarnation_is_fenced(log: ReplicationLog) -> None:
    await claim(log)
    with pytest.raises(Fenced):
        await append(log, grown(-1, 4, incarnation=OTHER))


async def test_without_a_claim_nothing_is_appended(log: ReplicationLog) -> None:
    with pytest.raises(Fenced):
        await append(log, grown(-1, 4))
    assert await log.head(SHARD) is None


async def test_a_batch_that_the_head_has_reached_is_done(log: ReplicationLog) -> None:
    await claim(log)
    await append(log, grown(-1, 4))
    await append(log, grown(-1, 4))
    await append(log, grown(-1, 2))
    assert await read(log) == [grown(-1, 4)]


@pytest.mark.parametrize(("previous", "position"), [(5, 9), (2, 9), (-1, 9)])
async def test_a_batch_that_does_not_extend_the_head_is_a_conflict(
    log: ReplicationLog, previous: int, position: int
) -> None:
    await claim(log)
    await append(log, grown(-1, 4))
    with pytest.raises(Conflict) as conflict:
        await append(log, grown(previous, position))
    assert conflict.value.head == 4
    assert await read(log) == [grown(-1, 4)]


async def test_offset_zero_is_an_offset_like_any_other(log: ReplicationLog) -> None:
    await claim(log)
    await append(log, grown(-1, 0))
    await append(log, grown(0, 1))
    assert await read(log, after=-1) == [grown(-1, 0), grown(0, 1)]
    assert await read(log, after=0) == [grown(0, 1)]


@pytest.mark.parametrize(
    ("after", "first"), [(-1, 0), (3, 0), (4, 1), (8, 1), (9, 2), (13, 2), (14, None), (1000, None)]
)
async def test_reading_gives_what_ends_beyond_the_position(log: ReplicationLog, after: int, first: int | None) -> None:
    batches = [grown(-1, 4), grown(4, 9), grown(9, 14)]
    await claim(log)
    for one in batches:
        await append(log, one)
    assert await read(log, after=after) == ([] if first is None else batches[first:])


async def test_reading_gives_the_oldest_and_no_more_than_asked_for(log: ReplicationLog) -> None:
    await claim(log)
    for position in range(5):
        await append(log, grown(position - 1, position))
    assert [one.position for one in await read(log, after=0, count=2)] == [1, 2]


async def test_a_batch_may_reach_beyond_its_last_operation_or_hold_none(log: ReplicationLog) -> None:
    await claim(log)
    empty = batch(-1, 10, incarnation=ONE)
    await append(log, empty)
    assert await read(log) == [empty]
    assert (await log.head(SHARD)) == LogHead(incarnation=ONE, epoch="e1", head=10)


async def test_nothing_beyond_keep_after_is_dropped(log: ReplicationLog) -> None:
    await claim(log)
    for position in range(20):
        await append(log, grown(position - 1, position), keep_after=position - 5)
    kept = [one.position for one in await read(log)]
    assert kept[-5:] == [15, 16, 17, 18, 19]


async def test_what_ends_before_keep_after_is_dropped_in_the_long_run(log: ReplicationLog) -> None:
    await claim(log)
    for position in range(400):
        await append(log, grown(position - 1, position), keep_after=position - 10)
    kept = [one.position for one in await read(log, count=1000)]
    assert len(kept) < 300
    assert kept == list(range(kept[0], 400))


async def test_shards_know_nothing_of_each_other(log: ReplicationLog) -> None:
    await claim(log)
    await log.claim(8, incarnation=ONE, epoch="e8", head_if_new=-1)
    await append(log, grown(-1, 4))
    assert await log.read(8, after=-1, count=10) == []
    with pytest.raises(Fenced):
        await log.append(8, grown(-1, 4), epoch="e1", keep_after=-1)


async def test_followers_hear_each_batch_of_their_shards_in_order(log: ReplicationLog) -> None:
    await claim(log)
    await log.claim(8, incarnation=ONE, epoch="e8", head_if_new=-1)
    async with asyncio.timeout(PATIENCE_S), log.follow([SHARD]) as batches, asyncio.TaskGroup() as tasks:
        heard = tasks.create_task(anext(batches))
        position = -1
        while not heard.done():  # a subscription takes effect when it does
            await append(log, grown(position, position + 1))
            position += 1
            await asyncio.wait([heard], timeout=0.01)
        last = (await heard)[1].position
        await log.append(8, grown(-1, 1), epoch="e8", keep_after=-1)
        while last < position:
            last = (await anext(batches))[1].position
        await append(log, grown(position, position + 1))
        assert await anext(batches) == (SHARD, grown(position, position + 1))


async def test_a_refused_batch_is_not_published(log: ReplicationLog) -> None:
    await claim(log)
    async with asyncio.timeout(PATIENCE_S), log.follow([SHARD]) as batches:
        heard = asyncio.ensure_future(anext(batches))
        while not heard.done():
            with pytest.raises(Conflict):
                await append(log, grown(77, 78))
            with pytest.raises(Fenced):
                await append(log, grown(-1, 0), "stranger")
            head = await log.head(SHARD)
            assert head is not None
            await append(log, grown(head.head, head.head + 1))
            await asyncio.wait([heard], timeout=0.01)
        _, first = heard.result()
        assert first.position < 77
