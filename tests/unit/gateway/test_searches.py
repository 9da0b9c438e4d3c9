import httpx
import pytest

from shared.events.images import MAX_INLINE_BYTES
from shared.events.region import Region
from shared.events.search_replies import ErrorCode, SearchFailure
from shared.events.search_requests import SearchRequest
from tests.unit.gateway.fakes import FakeIndex

STATUS = {
    ErrorCode.BAD_REQUEST: 400,
    ErrorCode.UNSUPPORTED: 501,
    ErrorCode.IMAGE_REJECTED: 422,
    ErrorCode.UNKNOWN_ID: 404,
    ErrorCode.NOT_YET: 504,
    ErrorCode.NOT_READY: 503,
    ErrorCode.OVERLOADED: 503,
    ErrorCode.INTERNAL: 502,
}


async def test_searching_by_an_image_gives_ranked_hits(http: httpx.AsyncClient) -> None:
    await http.post("/images", json={"id": "a", "uri": "s3://shop/a.jpg", "attributes": {"price": 3}})
    answer = await http.post("/search?top_k=5&min_score=0.5", files={"image": b"query"})
    assert answer.status_code == 200
    assert answer.json()["hits"] == [
        {
            "id": "a",
            "score": 1.0,
            "uri": "s3://shop/a.jpg",
            "attributes": {"price": 3},
            "occurred_at": None,
            "thumbnail": None,
        }
    ]
    assert set(answer.json()["timings"]) >= {"queue_ms", "search_ms", "total_ms"}
    assert answer.json()["positions"] == {"0": 3, "1": 40}


async def test_what_is_asked_reaches_the_searcher(http: httpx.AsyncClient, index: FakeIndex) -> None:
    await http.post(
        '/search?top_k=5&min_score=0.5&filter={"kind":"cat"}&min_position=0:7&min_position=1:9&timeout=2'
        "&exclude=a&exclude=b&exact=true&offset=20&region=0,.25,0.5,1&attributes=kind&explain=true",
        files={"image": b"query"},
    )
    await http.get("/search", params={"id": "a/b c"})
    await http.get("/search", params={"uri": "https://example.org/a.jpg"})
    await http.get("/search", params={"text": "a tabby cat"})
    assert index.searches == [
        SearchRequest(
            image=b"query",
            region=Region(0.0, 0.25, 0.5, 1.0),
            top_k=5,
            offset=20,
            min_score=0.5,
            filter={"kind": "cat"},
            exclude=frozenset({"a", "b"}),
            exact=True,
            attributes=frozenset({"kind"}),
            explain=True,
            min_position={0: 7, 1: 9},
        ),
        SearchRequest(id="a/b c"),
        SearchRequest(uri="https://example.org/a.jpg"),
        SearchRequest(text="a tabby cat"),
    ]
    assert index.timeouts == [2.0, 10.0, 10.0, 10.0]


async def test_an_explanation_comes_where_it_is_asked_for(http: httpx.AsyncClient) -> None:
    walked = {"shard": 1, "segment": "s", "rows": 9, "way": "walk", "compared": 4}
    explained = (await http.get("/search?id=a&explain=true")).json()
    assert explained["explanation"] == {"expansion": 384, "segments": [walked]}
    assert (await http.get("/search?id=a")).json()["explanation"] is None


@pytest.mark.parametrize("region", ["", "0,0,1", "0,0,1,2", "0,0,1,nan", "a,0,1,1", "0,0,1,1,1", "-0.1,0,1,1"])
async def test_a_region_that_is_none_is_told(http: httpx.AsyncClient, index: FakeIndex, region: str) -> None:
    answer = await http.get("/search", params={"uri": "s3://shop/a.jpg", "region": region})
    assert answer.status_code in (400, 422)
    assert index.searches == []


@pytest.mark.parametrize("code", ErrorCode)
async def test_each_of_the_searchers_errors_has_its_status(
    http: httpx.AsyncClient, index: FakeIndex, code: ErrorCode
) -> None:
    index.failure = SearchFailure(code=code, message="the reason")
    answer = await http.get("/search?id=a")
    assert answer.status_code == STATUS[code]
    assert answer.json()["code"] == code.value
    assert answer.json()["detail"] == "the reason"
    assert ("retry-after" in answer.headers) == (answer.status_code == 503)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "id=a&uri=b",
        "id=a&text=b",
        "text=" + "x" * 501,
        "id=a&top_k=0",
        "id=a&top_k=1001",
        "id=a&top_k=many",
        "id=a&min_score=nan",
        "id=a&min_score=inf",
        "id=a&filter=kind",
        "id=a&filter=[1]",
        "id=a&min_position=1",
        "id=a&min_position=-1:4",
        "id=a&timeout=0",
        "id=a&timeout=61",
        "id=a&topk=5",
    ],
)
async def test_a_bad_query_is_refused_with_a_sentence(http: httpx.AsyncClient, index: FakeIndex, query: str) -> None:
    answer = await http.get(f"/search?{query}")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    assert index.searches == []


async def test_a_query_image_that_is_too_large_or_missing_is_refused(http: httpx.AsyncClient, index: FakeIndex) -> None:
    too_large = await http.post("/search", files={"image": b"x" * (MAX_INLINE_BYTES + 1)})
    raw = await http.post("/search", content=b"x", headers={"content-type": "image/jpeg"})
    assert (too_large.status_code, raw.status_code) == (413, 415)
    assert index.searches == []
