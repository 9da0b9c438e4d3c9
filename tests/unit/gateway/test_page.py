import re

import httpx
import pytest

from services.gateway.app import PAGE
from tests.unit.gateway.fakes import FakeIndex

FILES = sorted(path.relative_to(PAGE).as_posix() for path in PAGE.rglob("*") if path.is_file())


@pytest.mark.parametrize("path", ["", "docs/", *FILES])
async def test_every_file_of_the_page_is_served_under_its_policy(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(f"/{path}")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", FILES)
def test_the_page_asks_no_other_host_and_runs_nothing_inline(name: str) -> None:
    text = (PAGE / name).read_text(encoding="utf-8")
    assert not re.search(r"(src=|href=|from |import |fetch\(|url\()\W?(https?:)?//", text)
    assert not re.search(r"<script>|<style|\son\w+=|\sstyle=|innerHTML|eval\(", text)


async def test_the_api_is_described_without_a_viewer_from_elsewhere(http: httpx.AsyncClient) -> None:
    document = (await http.get("/openapi.json")).json()
    assert {(path, method) for path, methods in document["paths"].items() for method in methods} == {
        ("/images", "post"),
        ("/images/bulk", "post"),
        ("/uploads/{partition}/{offset}", "get"),
        ("/images/{id}", "delete"),
        ("/search", "get"),
        ("/search", "post"),
        ("/live", "get"),
        ("/capabilities", "get"),
        ("/thumbnails/{token}", "get"),
    }
    for methods in document["paths"].values():
        for operation in methods.values():
            assert "4XX" in operation["responses"]
            assert "422" not in operation["responses"]
    assert "http" not in (await http.get("/docs/")).text.replace("openapi", "")


async def test_unknown_paths_and_methods_are_problems_too(http: httpx.AsyncClient) -> None:
    for answer in (await http.get("/nothing"), await http.post("/nothing"), await http.get("/../settings.py")):
        assert answer.status_code in {404, 405}
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_page_of_another_site_cannot_write(http: httpx.AsyncClient, index: FakeIndex, site: str) -> None:
    answer = await http.post("/images", files={"image": b"x"}, headers={"sec-fetch-site": site})
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")
    assert index.images == {}
    assert "access-control-allow-origin" not in answer.headers


async def test_our_own_page_can_write(http: httpx.AsyncClient) -> None:
    answer = await http.post("/images", files={"image": b"x"}, headers={"sec-fetch-site": "same-origin"})
    assert answer.status_code == 202


async def test_requests_are_counted_by_route_and_outcome(http: httpx.AsyncClient) -> None:
    await http.get("/search?id=a")
    await http.get("/search")
    await http.delete("/images/a")
    await http.get("/nothing")
    metrics = (await http.get("/metrics")).text
    for route, outcome in (
        ("/search", "ok"),
        ("/search", "bad_request"),
        ("/images/{id:path}", "accepted"),
        ("page", "not_found"),
    ):
        assert f'afterimage_gateway_requests_total{{outcome="{outcome}",route="{route}"}} 1.0' in metrics
    assert 'afterimage_gateway_request_seconds_count{route="/search"} 2.0' in metrics


async def test_a_fault_of_the_gateway_is_a_problem_that_tells_nothing(
    http: httpx.AsyncClient, index: FakeIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(index, "ask", fail)
    answer = await http.get("/search?id=a")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
