"""A consumer that silently stopped is noticed."""

import asyncio
from collections.abc import AsyncIterator, Collection

import pytest
from prometheus_client import CollectorRegistry

from shared.bus.consumer_metrics import ConsumerMetrics
from shared.bus.faults import BusUnavailable
from shared.bus.watch import STALLED_AFTER_S, ConsumerWatch
from tests.fakes.virtual_time import loop_time


class FakeSubscription:
    """Takes the place of a Subscription."""

    topic = "uploads"
    running = True
    paused = False

    def __init__(self) -> None:
        self.positions = {0: 10}
        self.known_ends = {0: 10}
        self.taken: dict[int, int] = {}
        self.broker_is_away = False

    def assigned(self) -> set[int]:
        return set(self.positions)

    async def position(self, partition: int) -> int:
        await asyncio.sleep(0)
        return self.positions.get(partition, -1)

    async def ends(self, partitions: Collection[int]) -> dict[int, int]:
        await asyncio.sleep(0)
        if self.broker_is_away:
            raise BusUnavailable("nobody answers")
        return {partition: self.known_ends[partition] for partition in partitions}

    def taken_ms(self, partition: int) -> int | None:
        return self.taken.get(partition)


class Bench:
    def __init__(self) -> None:
        self.subscription = FakeSubscription()
        self.registry = CollectorRegistry()
        self.watch = ConsumerWatch(
            self.subscription,  # type: ignore[arg-type]
            clock=loop_time,
            metrics=ConsumerMetrics("worker", "uploads", self.registry),
            now_ms=lambda: 1000 * loop_time(),
        )

    def lag(self, partition: int) -> float | None:
        return self.registry.get_sample_value("worker_lag_records", {"partition": str(partition)})

    def waits_s(self, partition: int) -> float | None:
        return self.registry.get_sample_value("worker_lag_seconds", {"partition": str(partition)})


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    task = asyncio.create_task(bench.watch.run())
    yield bench
    assert not task.done()
    task.cancel()
    await asyncio.wait([task])


async def test_a_consumer_with_nothing_to_read_is_alive_for_ever(bench: Bench) -> None:
    await asyncio.sleep(10 * STALLED_AFTER_S)
    assert bench.watch() is None


async def test_a_consumer_that_takes_nothing_while_records_wait_is_not_alive(bench: Bench) -> None:
    bench.subscription.known_ends[0] = 13
    await asyncio.sleep(STALLED_AFTER_S - 10)
    assert bench.watch() is None
    await asyncio.sleep(30)
    problem = bench.watch()
    assert problem is not None
    assert "3 records wait on uploads" in problem


async def test_a_consumer_that_moves_on_is_alive_however_much_waits(bench: Bench) -> None:
    bench.subscription.known_ends[0] = 1_000_000
    for _ in range(50):
        await asyncio.sleep(10)
        bench.subscription.positions[0] += 1
        assert bench.watch() is None


async def test_a_consumer_that_is_paused_is_alive_however_long(bench: Bench) -> None:
    bench.subscription.known_ends[0] = 13
    bench.subscription.paused = True
    await asyncio.sleep(10 * STALLED_AFTER_S)
    assert bench.watch() is None
    bench.subscription.paused = False
    await asyncio.sleep(STALLED_AFTER_S + 10)
    assert bench.watch() is not None


async def test_the_lag_is_kept_for_the_partitions_that_are_assigned(bench: Bench) -> None:
    bench.subscription.positions = {0: 10, 1: 5}
    bench.subscription.known_ends = {0: 14, 1: 5}
    await asyncio.sleep(6)
    assert (bench.lag(0), bench.lag(1)) == (4, 0)
    bench.subscription.positions = {1: 5}
    await asyncio.sleep(6)
    assert (bench.lag(0), bench.lag(1)) == (None, 0)


async def test_a_partition_that_goes_away_while_it_is_asked_for_is_passed_over(bench: Bench) -> None:
    class Leaving(FakeSubscription):
        async def position(self, partition: int) -> int:
            self.positions.pop(1, None)
            return await super().position(partition)

    leaving = Leaving()
    leaving.positions = {0: 10, 1: 5}
    leaving.known_ends = {0: 10, 1: 5}
    bench.watch._subscription = leaving  # type: ignore[assignment]
    await asyncio.sleep(STALLED_AFTER_S * 2)
    assert bench.watch() is None


async def test_what_comes_while_nothing_is_fetched_is_seen_and_timed(bench: Bench) -> None:
    bench.subscription.paused = True
    await asyncio.sleep(6)
    assert (bench.lag(0), bench.waits_s(0)) == (0, 0)
    bench.subscription.known_ends[0] = 500
    await asyncio.sleep(60)
    assert bench.lag(0) == 490
    assert 50 <= (bench.waits_s(0) or 0) <= 60
    bench.subscription.positions[0] = 500
    await asyncio.sleep(6)
    assert (bench.lag(0), bench.waits_s(0)) == (0, 0)


async def test_a_backlog_from_before_the_start_is_as_old_as_what_is_taken_of_it(bench: Bench) -> None:
    await asyncio.sleep(7200)
    bench.subscription.known_ends[1] = 1000
    bench.subscription.positions[1] = 10
    bench.subscription.taken[1] = int(1000 * (loop_time() - 3600))
    await asyncio.sleep(6)
    assert 3600 <= (bench.waits_s(1) or 0) <= 3610


async def test_while_the_broker_is_away_the_lag_is_what_it_was_and_time_goes_on(bench: Bench) -> None:
    bench.subscription.known_ends[0] = 20
    await asyncio.sleep(6)
    bench.subscription.broker_is_away = True
    await asyncio.sleep(60)
    assert bench.lag(0) == 10
    assert (bench.waits_s(0) or 0) >= 50


async def test_a_broker_that_is_away_for_long_is_no_reason_to_restart_and_its_return_gives_time(bench: Bench) -> None:
    bench.subscription.known_ends[0] = 13
    await asyncio.sleep(10)
    bench.subscription.broker_is_away = True
    await asyncio.sleep(10 * STALLED_AFTER_S)
    assert bench.watch() is None
    bench.subscription.broker_is_away = False
    await asyncio.sleep(STALLED_AFTER_S - 20)
    assert bench.watch() is None
    await asyncio.sleep(40)
    assert bench.watch() is not None


async def test_a_consumer_that_does_not_come_to_know_its_position_is_not_alive_and_holds_up_nothing(
    bench: Bench,
) -> None:
    class Lost(FakeSubscription):
        async def position(self, partition: int) -> int:
            if partition == 1:
                await asyncio.Event().wait()
            return await super().position(partition)

    lost = Lost()
    lost.positions, lost.known_ends = {0: 10, 1: 5}, {0: 10, 1: 5}
    bench.watch._subscription = lost  # type: ignore[assignment]
    await asyncio.sleep(STALLED_AFTER_S - 20)
    assert (bench.watch(), bench.lag(0)) == (None, 0)
    await asyncio.sleep(60)
    assert "no position" in (bench.watch() or "")
    lost.positions = {0: 10}
    await asyncio.sleep(20)
    assert bench.watch() is None
