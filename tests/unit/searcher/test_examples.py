"""What hits should look like: several examples, parts of pictures, pictures that were asked for before."""

import pytest

from shared.events.region import Region
from shared.events.search_replies import ErrorCode
from shared.events.search_requests import Example, SearchRequest
from tests.fakes.operations import code
from tests.unit.searcher.bench import Bench


async def test_several_examples_are_near_and_far_by_their_weights(bench: Bench) -> None:
    near_dog = await bench.ask(SearchRequest(examples=[Example(id="dog"), Example(id="eel", weight=-0.5)]))
    assert [hit.id for hit in near_dog.hits] == ["dog", "cat", "eel"]
    between = await bench.ask(SearchRequest(examples=[Example(id="cat"), Example(image=code(4, 3, 2, 1))]))
    assert between.hits[0].score == pytest.approx(between.hits[1].score, abs=0.01)


async def test_examples_that_cancel_out_or_are_unknown_are_told(bench: Bench) -> None:
    cancelled = SearchRequest(examples=[Example(id="cat"), Example(id="cat", weight=-1)])
    assert await bench.code_of(cancelled) is ErrorCode.BAD_REQUEST
    unknown = SearchRequest(examples=[Example(id="cat"), Example(id="nobody")])
    assert await bench.code_of(unknown) is ErrorCode.UNKNOWN_ID


async def test_of_a_region_only_that_part_is_looked_at(bench: Bench) -> None:
    whole = SearchRequest(image=code(1, 2, 3, 4))
    part = SearchRequest(image=code(1, 2, 3, 4), region=Region(0, 0, 0.5, 1))
    assert (await bench.ask(part)).hits[0].score != (await bench.ask(whole)).hits[0].score


async def test_an_image_that_is_asked_for_again_is_not_encoded_again(bench: Bench) -> None:
    image = code(1, 2, 3, 4)
    for request in (
        SearchRequest(image=image),
        SearchRequest(image=image, top_k=1),
        SearchRequest(uri="s3://shop/cat"),
    ):
        assert (await bench.ask(request)).hits[0].id == "cat"
    assert bench.engine.begun == [image]
    await bench.ask(SearchRequest(image=image, region=Region(0, 0, 0.5, 0.5)))
    assert len(bench.engine.begun) == 2
    await bench.ask(SearchRequest(image=b"third"))  # two are remembered, and the whole was asked for longest ago
    await bench.ask(SearchRequest(image=image))
    assert len(bench.engine.begun) == 4
    looked_up = bench.registry.get_sample_value("afterimage_searcher_remembered_images_total", {"outcome": "hit"})
    assert looked_up == 2
