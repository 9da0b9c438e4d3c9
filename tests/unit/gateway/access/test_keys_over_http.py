"""With keys, each caller may do what its key is good for, and nothing without one."""

import httpx
import pytest

from services.gateway.live.arrivals import KEPT, Arrival
from services.gateway.live.stream import Audience
from shared.access.keys import Scope
from shared.access.tenancy import Tenant
from tests.unit.gateway.access.keys import bearing
from tests.unit.gateway.fakes import FakeIndex, quiet

NEEDED = {
    ("GET", "/search?id=a"): Scope.READ,
    ("POST", "/search"): Scope.READ,
    ("GET", "/live"): Scope.READ,
    ("POST", "/images"): Scope.WRITE,
    ("DELETE", "/images/a"): Scope.WRITE,
    ("POST", "/images/bulk"): Scope.WRITE,
    ("GET", "/uploads/0/0"): Scope.WRITE,
    ("GET", "/metrics"): Scope.ADMIN,
}
OPEN = ["/", "/docs/", "/openapi.json", "/capabilities", "/livez", "/readyz"]


@pytest.mark.parametrize(("method", "path"), NEEDED)
@pytest.mark.parametrize("headers", [{}, bearing("guess"), bearing(""), {"authorization": "Basic cmVhZA=="}])
async def test_without_a_good_key_nothing_is_done(
    guarded: httpx.AsyncClient, index: FakeIndex, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = await guarded.request(method, path, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"
    assert index.searches == []


@pytest.mark.parametrize(("method", "path"), [each for each in NEEDED if each != ("GET", "/live")])
@pytest.mark.parametrize("scope", Scope)
async def test_a_key_is_good_for_its_scopes(guarded: httpx.AsyncClient, method: str, path: str, scope: Scope) -> None:
    body = {"json": {"id": "a", "uri": "https://example.org"}} if path == "/images" else {}
    if (method, path) == ("POST", "/search"):
        body = {"json": {"id": "a"}}
    answer = await guarded.request(method, path, headers=bearing(scope.value), **body)  # type: ignore[arg-type]
    if scope.covers(NEEDED[method, path]):
        assert answer.status_code in {200, 202} or answer.json()["code"] in {"unknown_upload", "unsupported_media_type"}
    else:
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert f"'{NEEDED[method, path]}'" in answer.json()["detail"]


@pytest.mark.parametrize("path", OPEN)
async def test_the_page_and_the_probes_take_no_key(guarded: httpx.AsyncClient, path: str) -> None:
    assert (await guarded.get(path)).status_code == 200


async def test_a_client_learns_what_its_key_is_good_for(guarded: httpx.AsyncClient) -> None:
    async def access(headers: dict[str, str]) -> object:
        return (await guarded.get("/capabilities", headers=headers)).json()["access"]

    assert await access({}) == {"keys": True, "scopes": [], "tenant": None}
    assert await access(bearing("guess")) == {"keys": True, "scopes": [], "tenant": None}
    assert await access(bearing("admin")) == {"keys": True, "scopes": ["admin"], "tenant": None}
    assert await access(bearing("shop")) == {"keys": True, "scopes": ["read", "write"], "tenant": "shop"}


async def test_two_tenants_have_each_an_image_of_the_same_id(guarded: httpx.AsyncClient, index: FakeIndex) -> None:
    for tenant in ("shop", "bank"):
        form = {"id": "a", "attributes": '{"kind": "x"}'}
        sent = await guarded.post("/images?wait=5", files={"image": b"x"}, data=form, headers=bearing(tenant))
        assert (sent.status_code, sent.json()["id"]) == (200, "a")
    assert {name: image.attributes for name, image in index.images.items()} == {
        "shop/a": {"kind": "x", "tenant": "shop"},
        "bank/a": {"kind": "x", "tenant": "bank"},
    }
    gone = await guarded.delete("/images/a?wait=5", headers=bearing("shop"))
    assert gone.json()["id"] == "a"
    assert index.images.keys() == {"bank/a"}
    await guarded.delete("/images/bank%2Fa", headers=bearing("shop"))
    assert index.images.keys() == {"bank/a"}


async def test_a_tenant_searches_their_own_images(guarded: httpx.AsyncClient, index: FakeIndex) -> None:
    await guarded.get('/search?id=bank/a&filter={"tenant":"bank"}', headers=bearing("shop"))
    await guarded.post("/search", json={"batch": [{"vector": [1]}]}, headers=bearing("shop"))
    asked, batch = index.searches
    assert (asked.id, asked.filter) == ("shop/bank/a", {"$and": [{"tenant": "shop"}, {"tenant": "bank"}]})
    assert batch.batch is not None
    assert batch.batch[0].filter == {"tenant": "shop"}


async def test_what_a_tenant_must_not_do_is_told(guarded: httpx.AsyncClient, index: FakeIndex) -> None:
    answers = [
        await guarded.get("/search?id=a&explain=true", headers=bearing("shop")),
        await guarded.get("/search?uri=s3://bucket/a", headers=bearing("shop")),
        await guarded.post("/images", json={"id": "a", "uri": "file:///a"}, headers=bearing("shop")),
        await guarded.post(
            "/images",
            json={"id": "a", "uri": "https://a.org", "attributes": {"tenant": "bank"}},
            headers=bearing("shop"),
        ),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(403, "forbidden")] * 4
    assert (index.images, index.searches) == ({}, [])


async def test_a_tenant_hears_of_their_own_images_alone() -> None:
    live = quiet()
    for image_id in ("shop/a", "bank/b", "c"):
        live.arrivals.add(Arrival(id=image_id, kind="indexed", after_s=0.1, shard=0, position=1))
    stream = Audience(live, stopping=lambda: False).events(None, Tenant("shop"))
    heard = (await anext(stream)).data
    assert [arrival.id for arrival in heard.arrivals] == ["a"]
    vitals = (await anext(stream)).data
    assert (vitals.searches, vitals.progress) == (None, None)
    await stream.aclose()


async def test_what_a_tenant_has_missed_is_of_their_own_images() -> None:
    live = quiet()
    first = Audience(live, stopping=lambda: False).events(None, Tenant("shop"))
    bookmark = (await anext(first)).id
    await first.aclose()
    for number in range(2 * KEPT):
        live.arrivals.add(Arrival(id=f"bank/{number}", kind="indexed", after_s=0.1, shard=0, position=1))
        if number % 4 == 0:
            live.arrivals.add(Arrival(id=f"shop/{number}", kind="indexed", after_s=0.1, shard=0, position=1))
    stream = Audience(live, stopping=lambda: False).events(bookmark, Tenant("shop"))
    batch = (await anext(stream)).data
    assert batch.missed + len(batch.arrivals) == KEPT / 2
    assert 0 < batch.missed < KEPT / 2
    await stream.aclose()


async def test_a_tenant_learns_what_became_of_their_own_uploads_alone(guarded: httpx.AsyncClient) -> None:
    sent = await guarded.post("/images", files={"image": b"x"}, data={"id": "a"}, headers=bearing("shop"))
    place = sent.headers["location"]
    assert (await guarded.get(place, headers=bearing("shop"))).json()["id"] == "a"
    assert (await guarded.get(place, headers=bearing("admin"))).status_code == 200
    for name in ("bank", "write"):
        other = await guarded.get(place, headers=bearing(name))
        assert (other.status_code, name) == (404 if name == "bank" else 200, name)


async def test_a_bulk_upload_is_of_the_tenant(guarded: httpx.AsyncClient, index: FakeIndex) -> None:
    lines = b'{"id": "a", "uri": "https://a.org"}\n{"id": "b", "uri": "s3://bucket/b"}\n'
    headers = bearing("shop") | {"content-type": "application/x-ndjson"}
    answer = await guarded.post("/images/bulk", content=lines, headers=headers)
    assert index.images.keys() == {"shop/a"}
    assert index.images["shop/a"].attributes == {"tenant": "shop"}
    assert '"id":"a","state":"indexed"' in answer.text
    assert '"id":"b","state":"refused"' in answer.text


async def test_the_description_says_which_requests_take_a_key(guarded: httpx.AsyncClient) -> None:
    document = (await guarded.get("/openapi.json")).json()
    [(name, scheme)] = document["components"]["securitySchemes"].items()
    assert (name, scheme["type"], scheme["scheme"]) == ("key", "http", "bearer")
    without = {
        path for path, methods in document["paths"].items() for each in methods.values() if "security" not in each
    }
    assert without == {"/capabilities", "/thumbnails/{token}"}
