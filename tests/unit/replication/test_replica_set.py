"""All replicas of one process, over a directory that only keeps the last report."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from shared.index.shard import Shard
from shared.replication.directory import ReplicaReport
from shared.replication.log import LogUnavailable
from shared.replication.replica import ShardReplica
from shared.replication.replica_set import ReplicaSet
from shared.replication.state import ReplicaState
from tests.fakes.features_topic import FeaturesTopic
from tests.fakes.inline_thread import InlineThread
from tests.fakes.operations import INCARNATION, batch, upsert
from tests.fakes.replica_observer import RecordingObserver
from tests.fakes.replication_log import FakeLog
from tests.fakes.virtual_time import loop_time

SHARDS = (0, 1)


class FakeDirectory:
    """Takes the place of a ReplicaDirectory."""

    def __init__(self) -> None:
        self.reports: dict[int, ReplicaReport] = {}
        self.down = False

    async def report(self, shard: int, report: ReplicaReport) -> None:
        if self.down:
            raise LogUnavailable("Redis is down")
        self.reports[shard] = report


class Bench:
    def __init__(self) -> None:
        self.log = FakeLog()
        self.directory = FakeDirectory()
        thread = InlineThread()
        self.replicas = ReplicaSet(
            {
                shard: ShardReplica(
                    shard,
                    incarnation=INCARNATION,
                    make_shard=Shard,
                    log_=self.log,
                    history=FeaturesTopic(),
                    thread=thread,
                    observer=RecordingObserver(),
                    clock=loop_time,
                )
                for shard in SHARDS
            },
            name="searcher-1",
            log_=self.log,
            directory=self.directory,  # type: ignore[arg-type]
            thread=thread,
        )

    async def claim(self, *shards: int) -> None:
        for shard in shards:
            await self.log.claim(shard, incarnation=INCARNATION, epoch="e", head_if_new=-1)

    async def append(self, shard: int, previous: int, position: int) -> None:
        one = batch(previous, position, upsert(position, f"{shard}-{position}"))
        await self.log.append(shard, one, epoch="e", keep_after=-1)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[ReplicaSet]:
        task = asyncio.create_task(self.replicas.run())
        await asyncio.sleep(0.1)
        try:
            yield self.replicas
        finally:
            task.cancel()
            await asyncio.wait([task])


@pytest.fixture
async def bench() -> Bench:
    return Bench()


async def test_the_set_is_ready_when_every_replica_is_live(bench: Bench) -> None:
    await bench.claim(0)
    async with bench.running() as replicas:
        problem = replicas.not_live()
        assert problem is not None
        assert "{1: 'catching_up'}" in problem
        await bench.claim(1)
        await asyncio.wait_for(replicas.live(), 2)
        assert replicas.not_live() is None


async def test_what_is_published_reaches_its_own_replica_at_once(bench: Bench) -> None:
    await bench.claim(*SHARDS)
    async with bench.running() as replicas:
        await bench.append(1, -1, 5)
        await asyncio.sleep(0.01)
        assert replicas.positions == {0: -1, 1: 5}


async def test_a_subscription_that_breaks_is_taken_up_again(bench: Bench) -> None:
    await bench.claim(*SHARDS)
    async with bench.running() as replicas:
        bench.log.cut()
        await asyncio.sleep(0.6)
        await bench.append(0, -1, 0)
        await asyncio.sleep(0.01)
        assert replicas.positions[0] == 0


async def test_positions_are_waited_for_in_all_shards_that_are_named(bench: Bench) -> None:
    await bench.claim(*SHARDS)
    async with bench.running() as replicas:
        reached = asyncio.create_task(replicas.reach({0: 0, 1: 1}))
        await bench.append(0, -1, 0)
        await asyncio.sleep(0.01)
        assert not reached.done()
        await bench.append(1, -1, 1)
        await asyncio.wait_for(reached, 0.1)


async def test_a_shard_that_is_not_here_cannot_be_waited_for(bench: Bench) -> None:
    with pytest.raises(KeyError):
        await bench.replicas.reach({9: 0})


async def test_each_second_every_copy_says_where_it_stands(bench: Bench) -> None:
    await bench.claim(*SHARDS)
    async with bench.running() as replicas:
        await bench.append(0, -1, 3)
        await asyncio.sleep(1.1)
        assert bench.directory.reports[0] == ReplicaReport(
            replica="searcher-1",
            state=ReplicaState.LIVE,
            position=3,
            checksum=replicas.shards[0].checksum,
            rows=1,
            memory_bytes=replicas.shards[0].statistics.memory_bytes,
        )
        assert bench.directory.reports[0].memory_bytes > 0
        assert bench.directory.reports[1].position == -1


async def test_a_directory_that_is_away_is_no_reason_to_stop(bench: Bench) -> None:
    await bench.claim(*SHARDS)
    bench.directory.down = True
    async with bench.running() as replicas:
        await asyncio.sleep(3)
        bench.directory.down = False
        await asyncio.sleep(1.1)
        assert replicas.not_live() is None
        assert set(bench.directory.reports) == set(SHARDS)


async def test_reading_gives_the_function_all_shards_and_its_arguments(bench: Bench) -> None:
    await bench.claim(*SHARDS)
    async with bench.running() as replicas:
        await bench.append(0, -1, 0)
        await asyncio.sleep(0.01)
        rows = await replicas.read(lambda shards, more: sum(len(shard) for shard in shards.values()) + more, more=10)
        assert rows == 11
