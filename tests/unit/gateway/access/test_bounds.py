import asyncio
from collections.abc import AsyncIterator

import httpx

from services.gateway.api.bodies import MAX_BODY_BYTES
from tests.unit.gateway.fakes import FakeIndex, gateway, open_to_all, until


async def test_a_body_without_end_is_read_no_further_than_the_limit(http: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 65_536
            yield b"x" * 65_536

    for content_type in ("application/json", "multipart/form-data; boundary=b"):
        sent = 0
        answer = await http.post("/images", content=endless(), headers={"content-type": content_type})
        assert answer.status_code in {400, 413}
        assert sent <= MAX_BODY_BYTES + 2 * 65_536


async def test_a_body_announced_as_too_large_is_not_read_at_all(http: httpx.AsyncClient) -> None:
    async def unread() -> AsyncIterator[bytes]:
        raise AssertionError("the body was read")
        yield b""

    headers = {"content-type": "application/json", "content-length": str(MAX_BODY_BYTES + 1)}
    answer = await http.post("/images", content=unread(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


async def test_beyond_its_bound_the_gateway_answers_overloaded_at_once(index: FakeIndex) -> None:
    async with gateway(index, access=open_to_all(max_in_flight=2)) as http:
        index.open.clear()
        under_way = [asyncio.create_task(http.get("/search?id=a")) for _ in range(2)]
        await until(lambda: len(index.searches) == 2)
        refused = await http.get("/search?id=a")
        assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
        assert refused.headers["retry-after"] == "1"
        assert (await http.get("/")).status_code == 200
        index.open.set()
        assert [answer.status_code for answer in await asyncio.gather(*under_way)] == [200, 200]
        assert (await http.get("/search?id=a")).status_code == 200


async def test_a_request_that_fails_gives_its_place_back(index: FakeIndex) -> None:
    async with gateway(index, access=open_to_all(max_in_flight=1)) as http:
        for _ in range(3):
            assert (await http.post("/images", json=[])).status_code == 400
            assert (await http.get("/search")).status_code == 400
        assert "afterimage_gateway_in_flight 0.0" in (await http.get("/metrics")).text
