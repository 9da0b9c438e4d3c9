"""A request that gets no hits gets an error with a code, never silence."""

import asyncio

import pytest

from shared.events.search_replies import ErrorCode
from shared.events.search_requests import SearchRequest
from tests.fakes.engine import BOMB, POISON
from tests.fakes.operations import code, upsert
from tests.unit.searcher.bench import BY_ID, Bench, raw, read


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (SearchRequest(id="nobody"), ErrorCode.UNKNOWN_ID),
        (SearchRequest(image=POISON), ErrorCode.IMAGE_REJECTED),
        (SearchRequest(uri="s3://shop/nothing"), ErrorCode.IMAGE_REJECTED),
        (SearchRequest(vector=[1.0, 2.0]), ErrorCode.BAD_REQUEST),
        (SearchRequest(text="no such word"), ErrorCode.UNSUPPORTED),
        (SearchRequest(id="cat", min_position={9: 1}), ErrorCode.BAD_REQUEST),
        (SearchRequest(id="cat", filter={"price": {"$about": 3}}), ErrorCode.BAD_REQUEST),
    ],
    ids=["unknown id", "poison", "nothing there", "length", "no text side", "unknown shard", "filter"],
)
async def test_a_request_that_cannot_be_answered_gets_an_error_with_a_code(
    bench: Bench, request_: SearchRequest, expected: ErrorCode
) -> None:
    assert await bench.code_of(request_) is expected


@pytest.mark.parametrize("value", [b"", None, b"noise", b'{"top_k": 3}', b'{"id": "cat", "top_k": 0}'])
async def test_a_request_that_breaks_the_contract_is_told_so(bench: Bench, value: bytes | None) -> None:
    await bench.handler.process(raw(value))
    error = read(bench.producer.sent[0]).error
    assert error is not None
    assert error.code is ErrorCode.BAD_REQUEST
    assert bench.counted("unknown", "bad_request") == 1


async def test_a_searcher_whose_replicas_are_behind_says_that_it_is_not_ready(bench: Bench) -> None:
    bench.replicas.problem = "replicas are not live: {1: 'gap'}"
    reply = await bench.ask(BY_ID)
    assert reply.error is not None
    assert (reply.error.code, reply.error.message) == (ErrorCode.NOT_READY, bench.replicas.problem)


async def test_a_query_waits_for_replicas_that_are_about_to_be_live(bench: Bench) -> None:
    bench.replicas.problem = "replicas are not live: {1: 'gap'}"
    asked = asyncio.create_task(bench.ask(BY_ID))
    await asyncio.sleep(0.9)
    assert not asked.done()
    bench.replicas.problem = None
    assert (await asked).hits


async def test_vectors_of_different_schemes_are_never_compared(bench: Bench) -> None:
    bench.replicas.shards[1].scheme = "another"
    reply = await bench.ask(BY_ID)
    assert reply.error is not None
    assert reply.error.code is ErrorCode.NOT_READY
    assert "another" in reply.error.message


async def test_not_even_with_the_first_that_come_while_the_query_is_encoded() -> None:
    bench = Bench()
    bench.engine.gate.clear()
    asked = asyncio.create_task(bench.ask(SearchRequest(image=code(1, 2, 3, 4))))
    async with asyncio.timeout(5):
        while not bench.engine.begun:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0)
    await bench.replicas.apply(0, upsert(0, "cat", of=code(1, 2, 3, 4), scheme="another"))
    bench.engine.gate.set()
    reply = await asked
    assert reply.error is not None
    assert reply.error.code is ErrorCode.NOT_READY
    assert "another" in reply.error.message


async def test_a_query_that_breaks_the_device_is_answered_and_ends_nothing(bench: Bench) -> None:
    assert await bench.code_of(SearchRequest(image=BOMB)) is ErrorCode.INTERNAL
    assert await bench.code_of(BY_ID) is None


async def test_a_reply_that_fits_no_record_becomes_an_error_that_says_what_helps(bench: Bench) -> None:
    rows = [upsert(10 + n, f"id-{n}", attributes={"text": "x" * 16_000}) for n in range(100)]
    await bench.replicas.apply(0, *rows)
    reply = await bench.ask(SearchRequest(id="cat", top_k=100))
    assert reply.error is not None
    assert reply.error.code is ErrorCode.BAD_REQUEST
    assert "top_k" in reply.error.message
