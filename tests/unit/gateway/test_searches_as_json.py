"""What the query string has no room for: several examples, vectors, batches."""

import base64
from typing import Any

import httpx
import jsonschema
import pytest

from services.gateway.api.bodies import MAX_SEARCH_BYTES
from shared.events.region import Region
from shared.events.search_replies import Coverage, ErrorCode, SearchFailure
from shared.events.search_requests import Example, SearchRequest
from tests.unit.gateway.fakes import FakeIndex


async def test_several_examples_reach_the_searcher_with_their_weights(
    http: httpx.AsyncClient, index: FakeIndex
) -> None:
    await http.post("/images", files={"image": b"x"}, data={"id": "a"})
    picture = base64.b64encode(b"query").decode()
    answer = await http.post(
        "/search",
        json={
            "examples": [
                {"id": "a"},
                {"image": picture, "region": [0, 0, 0.5, 1], "weight": 0.5},
                {"vector": [1, 0.5], "weight": -1},
            ],
            "top_k": 3,
            "filter": {"kind": "cat"},
            "min_position": {"1": 9},
            "timeout_ms": 2500,
        },
    )
    assert answer.status_code == 200, answer.text
    assert [hit["id"] for hit in answer.json()["hits"]] == ["a"]
    examples = [
        Example(id="a"),
        Example(image=b"query", region=Region(0.0, 0.0, 0.5, 1.0), weight=0.5),
        Example(vector=[1.0, 0.5], weight=-1.0),
    ]
    asked = SearchRequest(examples=examples, top_k=3, filter={"kind": "cat"}, min_position={1: 9}, timeout_ms=2500)
    assert index.searches == [asked]
    assert index.timeouts == [2.5]


async def test_each_request_of_a_batch_has_its_answer_or_its_problem(http: httpx.AsyncClient, index: FakeIndex) -> None:
    await http.post("/images", files={"image": b"x"}, data={"id": "a"})
    answer = await http.post("/search", json={"batch": [{"id": "a"}, {"id": "nobody"}]})
    assert answer.status_code == 200
    found, problem = answer.json()["batch"]
    assert [hit["id"] for hit in found["hits"]] == ["a"]
    assert problem == {
        "title": "Not Found",
        "status": 404,
        "code": "unknown_id",
        "detail": "nobody is not indexed",
    }
    assert len(index.searches) == 1


async def test_not_yet_says_what_the_searcher_has_reached(http: httpx.AsyncClient, index: FakeIndex) -> None:
    index.failure = SearchFailure(code=ErrorCode.NOT_YET, message="the deadline came before the answer")
    by_query = await http.get("/search?id=a&min_position=1:50&timeout=0.1")
    in_batch = await http.post("/search", json={"batch": [{"id": "a", "min_position": {"1": 50}}]})
    assert by_query.status_code == 504
    for problem in (by_query.json(), in_batch.json()["batch"][0]):
        assert (problem["status"], problem["code"], problem["positions"]) == (504, "not_yet", {"0": 3, "1": 40})


async def test_no_search_waits_longer_than_a_minute(http: httpx.AsyncClient, index: FakeIndex) -> None:
    await http.post("/search", json={"id": "a", "timeout_ms": 600_000})
    await http.post("/search", json={"id": "a"})
    assert index.timeouts == [60.0, 10.0]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "a request has one of"),
        ({"examples": [{"id": "a", "weight": -1}]}, "weight above 0"),
        ({"examples": [{"id": "a", "uri": "b"}]}, r"examples[0]"),
        ({"vector": [0, 0]}, "not zero"),
        ({"id": "a", "top_k": 1001}, "top_k"),
        ({"batch": [{"batch": [{"id": "a"}]}]}, "no batch of its own"),
        ([], "object"),
    ],
)
async def test_a_bad_search_is_refused_with_a_sentence(
    http: httpx.AsyncClient, index: FakeIndex, body: Any, said: str
) -> None:
    answer = await http.post("/search", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert said in answer.json()["detail"]
    assert index.searches == []


async def test_options_beside_a_body_that_says_everything_are_refused(
    http: httpx.AsyncClient, index: FakeIndex
) -> None:
    answer = await http.post("/search?top_k=3", json={"id": "a"})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert "top_k" in answer.json()["detail"]
    assert index.searches == []


async def test_the_body_of_a_search_is_described(http: httpx.AsyncClient) -> None:
    document = (await http.get("/openapi.json")).json()
    schemas = document["components"]["schemas"]
    described = schemas["SearchRequest"]["properties"]["examples"]["anyOf"][0]
    assert described["items"] == {"$ref": "#/components/schemas/Example"}
    assert {"weight", "image", "vector"} <= schemas["Example"]["properties"].keys()
    validator = jsonschema.Draft202012Validator({**schemas["SearchRequest"], "components": document["components"]})
    content = document["paths"]["/search"]["post"]["requestBody"]["content"]["application/json"]
    for example in content["examples"].values():
        validator.validate(example["value"])
        assert (await http.post("/search", json=example["value"])).status_code == 200
    assert not validator.is_valid({"examples": []})


async def test_a_search_that_is_too_large_is_refused(http: httpx.AsyncClient, index: FakeIndex) -> None:
    answer = await http.post("/search", json={"id": "a" * MAX_SEARCH_BYTES})
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert index.searches == []


async def test_an_answer_names_the_shards_that_it_lacks(http: httpx.AsyncClient, index: FakeIndex) -> None:
    assert (await http.get("/search?id=a")).json()["missing"] == []
    index.coverage = Coverage(shards=[0, 3], of=4)
    assert (await http.get("/search?id=a")).json()["missing"] == [1, 2]
