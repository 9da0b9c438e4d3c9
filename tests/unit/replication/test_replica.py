"""The state machine of a replica, in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from shared.events.operations import OperationBatch
from shared.index.shard import Shard
from shared.replication.replica import GapKind, ShardReplica
from shared.replication.state import ReplicaState
from shared.runtime.executor import SingleThread
from tests.fakes.features_topic import FeaturesTopic
from tests.fakes.inline_thread import InlineThread
from tests.fakes.operations import INCARNATION, batch, delete, upsert
from tests.fakes.replica_observer import RecordingObserver
from tests.fakes.replication_log import FakeLog
from tests.fakes.virtual_time import loop_time

SHARD = 0
OTHER = "another-cluster/features"


class Bench:
    """A replica, a log that this test writes to by hand, and the topic behind both."""

    def __init__(self, thread: SingleThread | None = None) -> None:
        self.log = FakeLog()
        self.topic = FeaturesTopic()
        self.observer = RecordingObserver()
        self.replica = ShardReplica(
            SHARD,
            incarnation=INCARNATION,
            make_shard=Shard,
            log_=self.log,
            history=self.topic,
            thread=thread or InlineThread(),
            observer=self.observer,
            clock=loop_time,
        )

    async def claim(self, head: int = -1, *, incarnation: str = INCARNATION) -> None:
        await self.log.claim(SHARD, incarnation=incarnation, epoch="e", head_if_new=head)

    async def append(self, *batches: OperationBatch) -> None:
        for one in batches:
            await self.log.append(SHARD, one, epoch="e", keep_after=-1)

    def write(self, *ids: str) -> None:
        for image_id in ids:
            self.topic.write(upsert(self.topic.end, image_id))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[ShardReplica]:
        task = asyncio.create_task(self.replica.run())
        await asyncio.sleep(0.5)
        try:
            yield self.replica
        finally:
            task.cancel()
            await asyncio.wait([task])


@pytest.fixture
async def bench() -> Bench:
    return Bench()


def grown(previous: int, position: int, *, incarnation: str = INCARNATION) -> OperationBatch:
    return batch(previous, position, upsert(position, f"id-{position}"), incarnation=incarnation)


async def test_before_it_runs_a_replica_is_empty(bench: Bench) -> None:
    assert (bench.replica.state, bench.replica.position) == (ReplicaState.EMPTY, -1)


async def test_a_replica_that_has_what_the_log_has_is_live(bench: Bench) -> None:
    await bench.claim()
    await bench.append(grown(-1, 0), grown(0, 1))
    async with bench.running() as replica:
        assert (replica.state, replica.position, len(replica.index)) == (ReplicaState.LIVE, 1, 2)
    assert bench.observer.gaps == []


async def test_a_replica_of_a_new_log_is_live_with_nothing(bench: Bench) -> None:
    await bench.claim()
    async with bench.running() as replica:
        assert (replica.state, replica.position) == (ReplicaState.LIVE, -1)


async def test_while_the_log_is_away_a_new_replica_is_loading(bench: Bench) -> None:
    bench.log.down = True
    async with bench.running() as replica:
        assert replica.state is ReplicaState.LOADING
        bench.log.down = False
        await bench.claim()
        await asyncio.sleep(1)
        assert replica.state is ReplicaState.LIVE


async def test_without_a_log_a_replica_is_as_current_as_kafka_and_not_live(bench: Bench) -> None:
    bench.write("a", "b")
    async with bench.running() as replica:
        assert (replica.state, replica.position) == (ReplicaState.CATCHING_UP, 1)
        bench.write("c")
        await asyncio.sleep(1)
        assert replica.position == 2
        await bench.claim(2)
        await asyncio.sleep(1)
        assert replica.state is ReplicaState.LIVE


async def test_a_batch_that_is_heard_is_applied_at_once(bench: Bench) -> None:
    await bench.claim()
    async with bench.running() as replica:
        replica.hear(grown(-1, 0))
        await asyncio.sleep(0.01)
        assert (replica.state, replica.position) == (ReplicaState.LIVE, 0)
    assert bench.observer.positions == [(0, True)]


async def test_searches_are_let_in_between_the_operations_of_a_long_batch() -> None:
    with SingleThread("index") as thread:
        bench = Bench(thread)
        await bench.claim()
        async with bench.running() as replica:
            replica.hear(batch(-1, 4_999, *(upsert(n, f"id-{n}") for n in range(5_000))))
            seen = {0}
            while replica.position < 4_999:
                seen.add(await thread.run_urgently(len, replica.index))
            assert len(seen) > 10
            assert max(seen) <= len(replica.index) == 5_000
            await replica.wait_for(4_999)


async def test_a_batch_that_nobody_heard_is_read_within_a_second(bench: Bench) -> None:
    await bench.claim()
    async with bench.running() as replica:
        await bench.append(grown(-1, 0))
        await asyncio.sleep(1.0)
        assert (replica.state, replica.position) == (ReplicaState.LIVE, 0)
    assert bench.observer.gaps == []


async def test_of_a_batch_that_overlaps_only_the_new_part_is_applied(bench: Bench) -> None:
    await bench.claim()
    await bench.append(grown(-1, 0), grown(0, 1))
    async with bench.running() as replica:
        before = replica.index.checksum
        replica.hear(batch(-1, 2, delete(0, "id-1"), upsert(2, "id-2")))
        await asyncio.sleep(0.01)
        assert replica.position == 2
        assert "id-1" in replica.index
        assert replica.index.checksum != before


async def test_a_batch_that_is_heard_again_changes_nothing(bench: Bench) -> None:
    await bench.claim()
    await bench.append(grown(-1, 0), grown(0, 1))
    async with bench.running() as replica:
        before = replica.index.checksum
        replica.hear(grown(-1, 0))
        replica.hear(grown(0, 1))
        await asyncio.sleep(0.01)
        assert (replica.position, replica.index.checksum) == (1, before)
    assert bench.observer.gaps == []


async def test_a_batch_beyond_the_position_is_a_gap_that_the_log_fills(bench: Bench) -> None:
    await bench.claim()
    async with bench.running() as replica:
        await bench.append(grown(-1, 0), grown(0, 1), grown(1, 2))
        replica.hear(grown(1, 2))
        await asyncio.sleep(0.01)
        assert (replica.state, replica.position, len(replica.index)) == (ReplicaState.LIVE, 2, 3)
    assert bench.observer.gaps == [GapKind.HEARD]


async def test_while_a_gap_cannot_be_filled_the_replica_says_gap(bench: Bench) -> None:
    await bench.claim()
    async with bench.running() as replica:
        bench.log.down = True
        replica.hear(grown(4, 5))
        await asyncio.sleep(0.01)
        assert replica.state is ReplicaState.GAP


async def test_what_was_trimmed_from_the_log_is_read_from_kafka(bench: Bench) -> None:
    await bench.claim()
    bench.write("a", "b", "c")
    await bench.append(grown(-1, 0), grown(0, 1), grown(1, 2))
    bench.log.trim(SHARD, keep_after=1)
    async with bench.running() as replica:
        assert (replica.state, replica.position, len(replica.index)) == (ReplicaState.LIVE, 2, 3)
    assert bench.observer.gaps == [GapKind.TRIMMED]


async def test_a_tail_that_the_log_has_lost_is_read_from_kafka(bench: Bench) -> None:
    bench.write("a", "b", "c")
    await bench.claim(2)
    async with bench.running() as replica:
        assert (replica.state, replica.position) == (ReplicaState.LIVE, 2)
    assert bench.observer.gaps == [GapKind.TAIL]


async def test_while_kafka_is_away_a_replica_that_needs_it_catches_up_and_tries_again(bench: Bench) -> None:
    bench.write("a")
    bench.topic.down = True
    await bench.claim(0)
    async with bench.running() as replica:
        assert replica.state is ReplicaState.CATCHING_UP
        bench.topic.down = False
        await asyncio.sleep(1)
        assert replica.state is ReplicaState.LIVE


async def test_more_than_can_wait_is_read_from_the_log(bench: Bench) -> None:
    await bench.claim()
    async with bench.running() as replica:
        flood = [grown(n - 1, n) for n in range(1500)]
        await bench.append(*flood)
        for one in flood:
            replica.hear(one)
        await asyncio.sleep(1)
        assert (replica.state, replica.position) == (ReplicaState.LIVE, 1499)
    assert GapKind.OVERRUN in bench.observer.gaps


async def test_a_head_that_was_not_confirmed_for_five_seconds_makes_a_replica_stale(bench: Bench) -> None:
    await bench.claim()
    async with bench.running() as replica:
        bench.log.down = True
        await asyncio.sleep(4)
        assert replica.state is ReplicaState.LIVE
        await asyncio.sleep(1.1)
        assert replica.state is ReplicaState.STALE
        bench.log.down = False
        await asyncio.sleep(1.1)
        assert replica.state is ReplicaState.LIVE


async def test_a_head_that_was_asked_for_long_ago_confirms_nothing(bench: Bench) -> None:
    """Reading a long history takes longer than the head stays true."""
    bench.write("a")
    await bench.claim(0)
    read = bench.topic.read

    async def slow(shard: int, *, after: int, incarnation: str) -> AsyncIterator[OperationBatch]:
        await asyncio.sleep(6)
        async for one in read(shard, after=after, incarnation=incarnation):
            yield one

    bench.topic.read = slow  # type: ignore[method-assign]
    async with bench.running() as replica:
        await asyncio.sleep(5.6)
        assert replica.position == 0
        assert replica.state is ReplicaState.STALE
        await asyncio.sleep(1.1)
        assert replica.state is ReplicaState.LIVE


async def test_a_log_that_is_emptied_leaves_a_replica_live_until_it_is_stale(bench: Bench) -> None:
    await bench.claim()
    await bench.append(grown(-1, 0))
    async with bench.running() as replica:
        bench.log.flush()
        await asyncio.sleep(2)
        assert replica.state is ReplicaState.LIVE
        await asyncio.sleep(4)
        assert replica.state is ReplicaState.STALE
        await bench.claim(0)
        await asyncio.sleep(1.1)
        assert (replica.state, replica.position) == (ReplicaState.LIVE, 0)


async def test_a_log_that_was_rolled_back_takes_nothing_from_a_replica(bench: Bench) -> None:
    await bench.claim()
    await bench.append(grown(-1, 0))
    snapshot = bench.log.snapshot()
    await bench.append(grown(0, 1))
    async with bench.running() as replica:
        bench.log.roll_back(snapshot)
        await asyncio.sleep(1.1)
        assert (replica.state, replica.position) == (ReplicaState.LIVE, 1)
        await bench.append(grown(0, 3))
        await asyncio.sleep(1.1)
        assert (replica.position, len(replica.index)) == (3, 3)


@pytest.mark.parametrize("notice", ["poll", "hear"])
async def test_another_incarnation_starts_over(bench: Bench, notice: str) -> None:
    await bench.claim()
    await bench.append(grown(-1, 0), grown(0, 1))
    async with bench.running() as replica:
        await bench.claim(incarnation=OTHER)
        new = batch(-1, 0, upsert(0, "new"), incarnation=OTHER)
        await bench.append(new)
        if notice == "hear":
            replica.hear(new)
        await asyncio.sleep(0.01 if notice == "hear" else 1.1)
        assert (replica.state, replica.position, replica.incarnation) == (ReplicaState.LIVE, 0, OTHER)
        assert [match.row.id for match in replica.index.search(upsert(0).code, 9)] == ["new"]


async def test_a_late_batch_of_the_old_incarnation_is_passed_over(bench: Bench) -> None:
    await bench.claim(incarnation=OTHER)
    await bench.append(batch(-1, 0, upsert(0, "new"), incarnation=OTHER))
    async with bench.running() as replica:
        replica.hear(grown(0, 1))
        await asyncio.sleep(0.1)
        assert (replica.state, replica.position, replica.incarnation) == (ReplicaState.LIVE, 0, OTHER)
        assert "id-1" not in replica.index


async def test_a_reader_waits_for_the_position_it_needs(bench: Bench) -> None:
    await bench.claim()
    async with bench.running() as replica:
        waiting = [asyncio.create_task(replica.wait_for(position)) for position in (0, 1)]
        await asyncio.sleep(0.01)
        replica.hear(grown(-1, 0))
        await asyncio.sleep(0.01)
        assert [task.done() for task in waiting] == [True, False]
        replica.hear(grown(0, 1))
        await asyncio.wait_for(waiting[1], 0.1)


async def test_a_position_that_was_reached_is_not_waited_for(bench: Bench) -> None:
    await bench.replica.wait_for(-1)


async def test_batches_that_are_read_to_catch_up_do_not_count_as_live(bench: Bench) -> None:
    await bench.claim()
    await bench.append(grown(-1, 0))
    async with bench.running() as replica:
        replica.hear(grown(0, 1))
        await asyncio.sleep(0.01)
    assert bench.observer.positions == [(0, False), (1, True)]


async def test_a_log_that_begins_anew_does_not_make_a_new_replica_live_with_nothing(bench: Bench) -> None:
    """After both Redis and the indexer were lost, the log grows from the first offset again."""
    bench.write("a", "b", "c")
    await bench.claim(-1)
    await bench.append(grown(-1, 0))
    async with bench.running() as replica:
        assert (replica.state, replica.position) == (ReplicaState.LIVE, 2)


async def test_a_copy_that_is_ahead_of_the_log_asks_kafka_what_the_log_has_lost(bench: Bench) -> None:
    bench.write("a", "b", "c")
    await bench.claim()
    await bench.append(grown(-1, 0), grown(0, 1))
    bench.topic.end = 2
    async with bench.running() as replica:
        assert replica.position == 1
        bench.topic.end = 3  # written and acknowledged, but not heard here when the log was lost
        bench.log.flush()
        await bench.claim()
        await asyncio.sleep(1.1)
        assert (replica.state, replica.position) == (ReplicaState.LIVE, 2)


async def test_a_copy_that_has_what_the_log_has_is_nothing_behind_it(bench: Bench) -> None:
    await bench.claim()
    await bench.append(grown(-1, 0))
    async with bench.running() as replica:
        for _ in range(20):
            await asyncio.sleep(0.3)
            assert replica.lag.offsets == 0
            assert 0 <= replica.lag.seconds <= 1.1


async def test_a_copy_tells_how_far_it_is_behind_and_for_how_long(bench: Bench) -> None:
    await bench.claim()
    await bench.append(grown(-1, 0))
    async with bench.running() as replica:
        bench.log.down = bench.topic.down = True
        await asyncio.sleep(30)
        assert replica.lag.offsets == 0  # as far as it has heard
        assert 29 <= replica.lag.seconds <= 32
        replica.hear(grown(40, 41))
        await asyncio.sleep(30)
        assert replica.lag.offsets == 41
        assert 59 <= replica.lag.seconds <= 62
        assert set(bench.observer.unavailable_sources) == {"log"}


async def test_a_copy_whose_history_cannot_be_read_says_so(bench: Bench) -> None:
    bench.write("a")
    bench.topic.down = True
    await bench.claim(0)
    async with bench.running() as replica:
        await asyncio.sleep(5)
        assert set(bench.observer.unavailable_sources) == {"history"}
        assert replica.lag.offsets == 1


async def test_batches_of_another_log_do_not_move_the_head(bench: Bench) -> None:
    await bench.claim()
    async with bench.running() as replica:
        replica.hear(grown(40, 41, incarnation=OTHER))
        assert replica.lag.offsets == 0
