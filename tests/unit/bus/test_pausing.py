"""While a batch is under way for long, the partitions are paused and polling goes on."""

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from shared.bus.pausing import Pausing
from tests.fakes.virtual_time import loop_time

PATIENCE_S = 2.0
FIRST, SECOND = TopicPartition("topic", 0), TopicPartition("topic", 1)


class FakeConsumer:
    """Takes the place of an AIOKafkaConsumer: what is assigned, what is paused, and when it was polled."""

    def __init__(self) -> None:
        self.assigned = {FIRST}
        self.held: set[TopicPartition] = set()
        self.polls: list[float] = []
        self.unpaused_at_a_poll: set[TopicPartition] = set()
        self.refuses = False

    def assignment(self) -> set[TopicPartition]:
        return self.assigned

    def paused(self) -> set[TopicPartition]:
        return self.held & self.assigned

    def pause(self, *partitions: TopicPartition) -> None:
        self.held |= set(partitions)

    def resume(self, *partitions: TopicPartition) -> None:
        self.held -= set(partitions)

    async def getmany(self, *partitions: TopicPartition, timeout_ms: int = 0) -> object:
        assert partitions, "a poll for all partitions would take records"
        assert not self.assigned & set(partitions)
        self.polls.append(loop_time())
        self.unpaused_at_a_poll |= self.assigned - self.held
        await asyncio.sleep(timeout_ms / 1000)
        if self.refuses:
            raise KafkaError
        return {}


class Bench:
    def __init__(self) -> None:
        self.consumer = FakeConsumer()
        self.pausing = Pausing("topic", after_s=PATIENCE_S, poll_every_s=1.0)
        self.finished = asyncio.Event()

    def begin(self) -> "asyncio.Task[None]":
        return asyncio.create_task(self.pausing.during(self.consumer, self._work()))

    async def _work(self) -> None:
        await self.finished.wait()


@pytest.fixture
async def bench() -> Bench:
    return Bench()


async def test_a_batch_that_is_soon_done_pauses_nothing(bench: Bench) -> None:
    batch = bench.begin()
    await asyncio.sleep(PATIENCE_S / 2)
    bench.finished.set()
    await batch
    assert loop_time() == PATIENCE_S / 2
    assert (bench.pausing.active, bench.consumer.held, bench.consumer.polls) == (False, set(), [])


async def test_a_long_batch_pauses_what_is_assigned_and_goes_on_polling(bench: Bench) -> None:
    batch = bench.begin()
    await asyncio.sleep(3600)
    assert (bench.pausing.active, bench.consumer.held) == (True, {FIRST})
    gaps = [later - earlier for earlier, later in zip(bench.consumer.polls, bench.consumer.polls[1:], strict=False)]
    assert max(gaps) <= 1
    assert len(gaps) > 3000
    bench.finished.set()
    await batch
    assert (bench.pausing.active, bench.consumer.held) == (False, set())


async def test_a_partition_that_is_assigned_meanwhile_is_paused_before_anything_of_it_is_taken(bench: Bench) -> None:
    batch = bench.begin()
    await asyncio.sleep(10)
    bench.consumer.assigned = {FIRST, SECOND}
    bench.pausing.assigned(bench.consumer)
    await asyncio.sleep(10)
    assert bench.consumer.held == {FIRST, SECOND}
    assert bench.consumer.unpaused_at_a_poll == set()
    bench.finished.set()
    await batch
    assert bench.consumer.held == set()


async def test_a_partition_that_is_assigned_while_work_gets_on_is_not_paused(bench: Bench) -> None:
    bench.pausing.assigned(bench.consumer)
    assert bench.consumer.held == set()


async def test_a_partition_that_went_away_is_not_resumed(bench: Bench) -> None:
    """Aiokafka refuses what is not assigned."""
    batch = bench.begin()
    await asyncio.sleep(10)
    bench.consumer.assigned = set()
    bench.finished.set()
    await batch
    assert bench.consumer.held == {FIRST}


async def test_a_poll_that_fails_is_followed_by_the_next(bench: Bench) -> None:
    bench.consumer.refuses = True
    batch = bench.begin()
    await asyncio.sleep(10)
    assert len(bench.consumer.polls) > 5
    bench.finished.set()
    await batch


async def test_a_stop_in_a_long_batch_ends_it_and_resumes(bench: Bench) -> None:
    batch = bench.begin()
    await asyncio.sleep(10)
    batch.cancel()
    await asyncio.wait([batch])
    assert batch.cancelled()
    assert (bench.pausing.active, bench.consumer.held) == (False, set())
