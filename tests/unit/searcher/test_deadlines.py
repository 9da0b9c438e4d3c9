"""Who waits is answered in time, and who waits no more is dropped and counted."""

import asyncio

import pytest

from shared.events import headers as hdr
from shared.events.search_replies import ErrorCode
from shared.events.search_requests import SearchRequest
from tests.fakes.operations import code, upsert
from tests.unit.searcher.bench import BY_ID, MAX_IN_FLIGHT, Bench, made, now_ms


@pytest.mark.parametrize(
    ("sent_ago_ms", "timeout_ms", "deadline_in_ms"),
    [(11_000, None, None), (500, 400, None), (0, None, -1), (0, 60_000, -1)],
    ids=["default timeout", "own timeout", "deadline", "the deadline counts before the timeout"],
)
async def test_a_request_that_nobody_waits_for_is_dropped_and_counted(
    bench: Bench, sent_ago_ms: int, timeout_ms: int | None, deadline_in_ms: int | None
) -> None:
    headers = [] if deadline_in_ms is None else hdr.encode([(hdr.DEADLINE, now_ms() + deadline_in_ms)])
    request = SearchRequest(id="cat", timeout_ms=timeout_ms)
    await bench.handler.process(made(request, *headers, sent_ms=now_ms() - sent_ago_ms))
    assert bench.producer.sent == []
    assert bench.counted("id", "expired") == 1


async def test_a_clock_that_jumps_ahead_leaves_nobody_without_an_answer(bench: Bench) -> None:
    bench.ahead_s = 3600.0
    assert (await bench.ask(BY_ID)).hits
    assert (await bench.ask(BY_ID, *hdr.encode([(hdr.DEADLINE, now_ms() + 5_000)]))).hits


async def test_a_reader_of_its_own_write_waits_until_the_replica_has_it(bench: Bench) -> None:
    asked = asyncio.create_task(bench.ask(SearchRequest(id="cat", min_position={0: 2})))
    await asyncio.sleep(0.1)
    assert not asked.done()
    await bench.replicas.apply(0, upsert(2, "new"))
    assert "new" in [hit.id for hit in (await asked).hits]


async def test_a_position_that_is_not_reached_in_time_is_told(bench: Bench) -> None:
    request = SearchRequest(id="cat", min_position={0: 99}, timeout_ms=1000)
    reply = await bench.ask(request)
    assert reply.error is not None
    assert reply.error.code is ErrorCode.NOT_YET
    assert reply.positions == {0: 1, 1: 5}


async def test_a_deadline_in_the_far_future_does_not_hold_its_place_for_ever(bench: Bench) -> None:
    began = asyncio.get_running_loop().time()
    reply = await bench.ask(SearchRequest(id="cat", min_position={0: 99}), (hdr.DEADLINE, b"9000000000000000000"))
    assert reply.error is not None
    assert reply.error.code is ErrorCode.NOT_YET
    assert asyncio.get_running_loop().time() - began <= 600


async def test_a_searcher_that_is_stopped_answers_what_is_under_way_in_time(bench: Bench) -> None:
    began = asyncio.get_running_loop().time()
    soon, late = (SearchRequest(id="cat", min_position={0: 99}, timeout_ms=ms) for ms in (2_000, 60_000))
    first = asyncio.create_task(bench.ask(soon))
    second = asyncio.create_task(bench.ask(late))
    await asyncio.sleep(0.1)
    bench.handler.hurry(5)
    codes = [reply.error.code for reply in await asyncio.gather(first, second) if reply.error]
    assert codes == [ErrorCode.NOT_YET, ErrorCode.NOT_READY]
    assert asyncio.get_running_loop().time() - began < 6


async def test_a_query_that_would_not_be_answered_in_time_is_told_at_once(bench: Bench) -> None:
    bench.handler._admission._interval_s = 1.0
    bench.engine.gate.clear()
    waiting = asyncio.create_task(bench.handler.process(made(SearchRequest(image=code(1, 2, 3, 4)))))
    await asyncio.sleep(0.1)
    hasty, patient = (SearchRequest(id="cat", timeout_ms=ms) for ms in (1_000, 5_000))
    assert (await bench.code_of(hasty), await bench.code_of(patient)) == (ErrorCode.OVERLOADED, None)
    bench.engine.gate.set()
    await waiting
    assert bench.counted("id", "overloaded") == 1


async def test_beyond_the_most_at_once_a_query_is_told_that_there_are_too_many(bench: Bench) -> None:
    bench.engine.gate.clear()
    image = SearchRequest(image=code(1, 2, 3, 4))
    waiting = [asyncio.create_task(bench.handler.process(made(image))) for _ in range(MAX_IN_FLIGHT)]
    await asyncio.sleep(0.1)
    assert await bench.code_of(BY_ID) is ErrorCode.OVERLOADED
    bench.engine.gate.set()
    await asyncio.gather(*waiting)
    assert bench.counted("image", "ok") == MAX_IN_FLIGHT
    assert await bench.code_of(BY_ID) is None
