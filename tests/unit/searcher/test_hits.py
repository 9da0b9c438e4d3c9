"""What a query finds, and how much of it is told."""

import pytest

from shared.events.search_requests import SearchRequest
from tests.fakes.engine import WORDS
from tests.fakes.operations import SCHEME, code, upsert
from tests.unit.searcher.bench import BY_ID, Bench


@pytest.mark.parametrize(
    "request_",
    [
        BY_ID,
        SearchRequest(vector=[1.0, 2.0, 3.0, 4.0]),
        SearchRequest(image=code(1, 2, 3, 4)),
        SearchRequest(uri="s3://shop/cat"),
        SearchRequest(text=WORDS),
    ],
    ids=["id", "vector", "image", "uri", "text"],
)
async def test_every_kind_of_query_is_answered_from_all_shards(bench: Bench, request_: SearchRequest) -> None:
    reply = await bench.ask(request_)
    assert reply.error is None
    assert [hit.id for hit in reply.hits] == ["cat", "dog", "eel"]
    assert reply.hits[0].score == pytest.approx(1, abs=1e-5)
    assert (reply.positions, reply.scheme, reply.searcher) == ({0: 1, 1: 5}, SCHEME, "searcher-1")
    assert reply.timings.total_ms > 0


async def test_only_as_many_hits_as_asked_for_and_good_enough(bench: Bench) -> None:
    assert [hit.id for hit in (await bench.ask(SearchRequest(id="cat", top_k=2))).hits] == ["cat", "dog"]
    assert [hit.id for hit in (await bench.ask(SearchRequest(id="cat", min_score=0.99))).hits] == ["cat"]


async def test_what_is_excluded_is_no_hit_and_its_place_is_filled(bench: Bench) -> None:
    request = SearchRequest(id="cat", top_k=2, exclude=frozenset({"cat", "nobody"}))
    assert [hit.id for hit in (await bench.ask(request)).hits] == ["dog", "eel"]


async def test_an_exact_search_finds_what_there_is(bench: Bench) -> None:
    reply = await bench.ask(SearchRequest(id="cat", exact=True))
    assert [hit.id for hit in reply.hits] == ["cat", "dog", "eel"]


async def test_the_next_page_begins_where_the_first_ends(bench: Bench) -> None:
    every = (await bench.ask(BY_ID)).hits
    pages = [(await bench.ask(SearchRequest(id="cat", top_k=1, offset=offset))).hits for offset in range(4)]
    assert pages == [[every[0]], [every[1]], [every[2]], []]


async def test_hits_bring_the_attributes_that_were_chosen(bench: Bench) -> None:
    await bench.replicas.apply(0, upsert(2, "fox", of=code(9, -9, 1, 1), attributes={"kind": "wild", "legs": 4}))
    [hit] = (await bench.ask(SearchRequest(id="fox", top_k=1, attributes=frozenset({"legs", "none"})))).hits
    assert hit.attributes == {"legs": 4}
    [hit] = (await bench.ask(SearchRequest(id="fox", top_k=1, attributes=frozenset()))).hits
    assert hit.attributes == {}


async def test_an_explanation_names_every_segment_and_what_was_compared_there(bench: Bench) -> None:
    explanation = (await bench.ask(SearchRequest(id="cat", explain=True))).explanation
    assert explanation
    searched = [(each.shard, each.segment, each.rows, each.way, each.compared) for each in explanation.segments]
    assert searched == [(0, "", 2, "scan", 2), (1, "", 1, "scan", 1)]
    assert not (await bench.ask(BY_ID)).explanation
