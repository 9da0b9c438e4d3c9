"""A searcher that holds some of the shards alone says so, and what the others need to know."""

import pytest

from shared.events.search_replies import Coverage, ErrorCode
from shared.events.search_requests import Example, SearchRequest
from tests.fakes.operations import code, upsert
from tests.unit.searcher.bench import BY_ID, Bench

SOME = Coverage(shards=[0, 1], of=4)


@pytest.fixture
async def partial() -> Bench:
    """Of four shards, this searcher holds the first two."""
    bench = Bench(SOME)
    await bench.replicas.apply(0, upsert(0, "cat", of=code(1, 2, 3, 4)), upsert(1, "dog", of=code(4, 3, 2, 1)))
    return bench


async def test_a_searcher_of_some_shards_names_them_and_gives_the_hits_of_all_pages_up_to_this(partial: Bench) -> None:
    reply = await partial.ask(SearchRequest(vector=[1.0, 2.0, 3.0, 4.0], offset=1, top_k=1))
    assert ([hit.id for hit in reply.hits], reply.coverage, reply.missing) == (["cat", "dog"], SOME, [2, 3])


async def test_a_searcher_of_some_shards_gives_the_codes_by_which_the_others_can_be_asked(partial: Bench) -> None:
    reply = await partial.ask(BY_ID)
    assert reply.codes == {"cat": code(1, 2, 3, 4)}
    unknown = await partial.ask(SearchRequest(examples=[Example(id="cat"), Example(id="eel")]))
    assert unknown.error
    assert (unknown.error.code, unknown.codes) == (ErrorCode.UNKNOWN_ID, reply.codes)
    assert unknown.coverage == SOME
    by_code = await partial.ask(SearchRequest(code=reply.codes["cat"]))
    assert by_code.hits == reply.hits
    assert await partial.code_of(SearchRequest(code=b"123")) is ErrorCode.BAD_REQUEST


async def test_a_searcher_of_some_shards_waits_for_their_positions_alone(partial: Bench) -> None:
    assert await partial.code_of(SearchRequest(id="cat", min_position={0: 1, 3: 1_000})) is None
    assert await partial.code_of(SearchRequest(id="cat", min_position={4: 0})) is ErrorCode.BAD_REQUEST


async def test_a_searcher_of_all_shards_says_nothing_of_them(bench: Bench) -> None:
    reply = await bench.ask(BY_ID)
    assert not reply.coverage
    assert not reply.codes
