"""Many records under way, a bounded number, and only what is complete committed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from shared.bus.consumer import Record
from shared.bus.flow import Flow, LeftForLater
from tests.fakes.records import make_record

MOST = 3


class Work:
    """Processes records when it is told to, and keeps what was committed."""

    def __init__(self, *, finishes_begun: bool = False) -> None:
        self.started: list[int] = []
        self.commits: list[dict[int, int]] = []
        self.kafka_refuses = False
        self._gates: dict[int, asyncio.Event] = {}
        self.flow = Flow(self._process, max_in_flight=MOST, finishes_begun=finishes_begun, commit_every_s=0.2)

    async def _process(self, record: Record) -> None:
        self.started.append(record.offset)
        await self._gate(record.offset).wait()
        if record.value == b"defect":
            raise ZeroDivisionError
        if record.value == b"later":
            raise LeftForLater

    def _gate(self, offset: int) -> asyncio.Event:
        return self._gates.setdefault(offset, asyncio.Event())

    def finish(self, *offsets: int) -> None:
        for offset in offsets:
            self._gate(offset).set()

    async def commit(self, offsets: dict[int, int]) -> bool:
        if self.kafka_refuses:
            return False
        self.commits.append(offsets)
        return True

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Flow]:
        task = asyncio.create_task(self.flow.run(self.commit))
        await asyncio.sleep(0)
        try:
            yield self.flow
        finally:
            task.cancel()
            await asyncio.wait([task])


@pytest.fixture
async def work() -> Work:
    return Work()


def records(*offsets: int, value: bytes = b"") -> list[Record]:
    return [make_record(offset=offset, value=value) for offset in offsets]


async def test_no_more_records_are_under_way_than_there_is_room(work: Work) -> None:
    async with work.running() as flow:
        submitted = asyncio.create_task(flow.submit(records(0, 1, 2, 3, 4)))
        await asyncio.sleep(1)
        assert (work.started, flow.in_flight, submitted.done()) == ([0, 1, 2], MOST, False)
        work.finish(1)
        await asyncio.sleep(1)
        assert work.started == [0, 1, 2, 3]
        work.finish(0, 2)
        await asyncio.wait_for(submitted, 1)


async def test_only_what_is_complete_is_committed(work: Work) -> None:
    async with work.running() as flow:
        await flow.submit(records(0, 1, 2))
        work.finish(1, 2)
        await asyncio.sleep(1)
        assert work.commits == []
        work.finish(0)
        await asyncio.sleep(1)
        assert work.commits == [{0: 3}]


async def test_a_commit_that_kafka_refused_is_made_again(work: Work) -> None:
    work.kafka_refuses = True
    async with work.running() as flow:
        await flow.submit(records(0))
        work.finish(0)
        await asyncio.sleep(1)
        work.kafka_refuses = False
        await asyncio.sleep(1)
    assert work.commits == [{0: 1}]


async def test_what_is_under_way_for_a_released_partition_ends_uncommitted(work: Work) -> None:
    async with work.running() as flow:
        await flow.submit(records(0))
        await flow.release({0}, work.commit)
        work.finish(0)
        await asyncio.sleep(1)
        assert flow.in_flight == 0
    assert work.commits == []


async def test_what_is_complete_is_committed_before_its_partition_goes(work: Work) -> None:
    async with work.running() as flow:
        await flow.submit([*records(0, 1), make_record(partition=1, offset=7)])
        work.finish(0, 7)
        await asyncio.sleep(0.01)
        await flow.release({0}, work.commit)
        assert work.commits == [{0: 1}]


async def test_a_partition_can_be_released_though_kafka_does_not_answer(work: Work) -> None:
    async def hang(_offsets: dict[int, int]) -> bool:
        await asyncio.Event().wait()
        return True

    async with work.running() as flow:
        await flow.submit(records(0))
        work.finish(0)
        await asyncio.sleep(0.01)
        await asyncio.wait_for(flow.release({0}, hang), 10)


async def test_what_still_waits_when_its_partition_is_released_is_left_to_whoever_gets_it(work: Work) -> None:
    async with work.running() as flow:
        mixed = [*records(0, 1, 2, 3), make_record(partition=1, offset=7)]
        submitted = asyncio.create_task(flow.submit(mixed))
        await asyncio.sleep(1)
        await flow.release({0}, work.commit)
        work.finish(0, 1, 2, 7)
        await asyncio.wait_for(submitted, 1)
        await asyncio.sleep(1)
        assert work.started == [0, 1, 2, 7]
    assert work.commits == [{1: 8}]


async def test_answers_that_have_begun_are_finished_here_and_not_delivered_again() -> None:
    work = Work(finishes_begun=True)
    async with work.running() as flow:
        submitted = asyncio.create_task(flow.submit([*records(0, 1), make_record(partition=1, offset=7), *records(2)]))
        await asyncio.sleep(0.01)
        await flow.release({0}, work.commit)
        assert work.commits == [{0: 2}]  # not the third, which found no room, nor the other partition's
        work.finish(0, 1, 7)
        await flow.finish(within_s=5)
        await asyncio.gather(submitted)
        assert work.started == [0, 1, 7]
        await asyncio.sleep(1)
    assert work.commits == [{0: 2}, {1: 8}]


async def test_draining_waits_for_what_is_under_way_and_commits_it(work: Work) -> None:
    async with work.running() as flow:
        await flow.submit(records(0, 1))
        draining = asyncio.create_task(flow.drain(work.commit, within_s=5))
        await asyncio.sleep(0.1)
        assert not draining.done()
        work.finish(0, 1)
        await draining
    assert work.commits == [{0: 2}]


async def test_draining_gives_up_in_time_and_commits_what_is_complete(work: Work) -> None:
    async with work.running() as flow:
        await flow.submit(records(0, 1))
        work.finish(0)
        await asyncio.sleep(0.01)
        began = asyncio.get_running_loop().time()
        await flow.drain(work.commit, within_s=5)
        assert asyncio.get_running_loop().time() - began == pytest.approx(5)
    assert work.commits[-1] == {0: 1}


async def test_draining_gives_up_in_time_where_kafka_takes_no_commit(work: Work) -> None:
    async def hang(offsets: dict[int, int]) -> bool:
        await asyncio.sleep(3600)
        raise AssertionError

    async with work.running() as flow:
        await flow.submit(records(0))
        work.finish(0)
        await asyncio.sleep(0.01)
        began = asyncio.get_running_loop().time()
        await flow.drain(hang, within_s=5)
        assert asyncio.get_running_loop().time() - began < 10


async def test_after_draining_began_nothing_more_is_taken(work: Work) -> None:
    async with work.running() as flow:
        blocked = asyncio.create_task(flow.submit(records(0, 1, 2, 3, 4)))
        await asyncio.sleep(0.01)
        draining = asyncio.create_task(flow.drain(work.commit, within_s=5))
        await asyncio.sleep(0.01)
        work.finish(0, 1, 2)
        await asyncio.gather(draining, blocked)
        await flow.submit(records(5))
        assert work.started == [0, 1, 2]
    assert work.commits == [{0: 3}]


async def test_a_defect_in_processing_ends_the_run_uncommitted(work: Work) -> None:
    run = asyncio.create_task(work.flow.run(work.commit))
    await asyncio.sleep(0)
    await work.flow.submit([*records(0, value=b"defect"), *records(1)])
    work.finish(0)
    with pytest.raises(ExceptionGroup) as ended:
        await run
    assert ended.group_contains(ZeroDivisionError)
    assert work.commits == []
    assert work.flow.in_flight == 0


async def test_after_a_defect_nothing_more_is_taken(work: Work) -> None:
    run = asyncio.create_task(work.flow.run(work.commit))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(work.flow.submit([*records(0, value=b"defect"), *records(1, 2, 3, 4, 5)]))
    await asyncio.sleep(0.01)
    work.finish(0)
    await asyncio.wait([run, waiting])
    assert run.exception() is not None
    assert waiting.exception() is None
    assert work.started == [0, 1, 2]


async def test_what_is_left_for_later_is_not_committed_and_nothing_more_is_begun(work: Work) -> None:
    async with work.running() as flow:
        mixed = [*records(0), *records(1, value=b"later"), *records(2, 3, 4)]
        submitted = asyncio.create_task(flow.submit(mixed))
        await asyncio.sleep(0.01)
        work.finish(0, 1, 2)
        await asyncio.wait_for(submitted, 1)
        await flow.drain(work.commit, within_s=5)
        assert work.started == [0, 1, 2]
    assert work.commits == [{0: 1}]


async def test_the_oldest_is_what_began_first_of_what_is_under_way(work: Work) -> None:
    async with work.running() as flow:
        assert flow.oldest is None
        await flow.submit(records(0, 1))
        assert flow.oldest == (0, 0)
        work.finish(0)
        await asyncio.sleep(0.01)
        assert flow.oldest == (0, 1)
        work.finish(1)
