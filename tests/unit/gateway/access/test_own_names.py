"""A page whose name is made to mean this host (DNS rebinding) is no page of ours."""

from dataclasses import replace

import httpx
import pytest

from tests.unit.gateway.fakes import FakeIndex, gateway, open_to_all

OURS = [
    "localhost",
    "LOCALHOST:8084",
    "localhost.",
    "gateway.localhost:8084",
    "127.0.0.1",
    "127.0.0.1:8084",
    "[::1]:8084",
    "[::1]",
    "192.168.1.5:8084",
]
NOT_OURS = [
    "evil.example",
    "evil.example:8084",
    "localhost.evil.example",
    "evillocalhost",
    "127.0.0.1.evil.example",
    "[x]",
]


@pytest.mark.parametrize("host", OURS)
async def test_addresses_and_localhost_are_answered(http: httpx.AsyncClient, host: str) -> None:
    assert (await http.get("/search?id=a", headers={"host": host})).status_code == 200


@pytest.mark.parametrize("host", NOT_OURS)
async def test_other_names_reach_neither_the_index_nor_the_page(
    http: httpx.AsyncClient, index: FakeIndex, host: str
) -> None:
    # To the browser it is the page's own site.
    headers = {"host": host, "sec-fetch-site": "same-origin", "origin": f"http://{host}"}
    for answer in (
        await http.post("/images", files={"image": b"x"}, headers=headers),
        await http.get("/search?id=a", headers=headers),
        await http.get("/live", headers=headers),
        await http.get("/", headers=headers),
    ):
        assert (answer.status_code, answer.json()["code"]) == (421, "unknown_name")
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert (index.images, index.searches) == ({}, [])


async def test_a_name_that_was_given_to_the_gateway_is_answered(index: FakeIndex) -> None:
    async with gateway(index, access=replace(open_to_all(), hostnames=("Images.Example.org",))) as http:
        for host in ("images.example.org", "images.example.org:8084", "IMAGES.example.org."):
            assert (await http.get("/search?id=a", headers={"host": host})).status_code == 200
        assert (await http.get("/search?id=a", headers={"host": "example.org"})).status_code == 421


async def test_probes_are_answered_by_any_name(http: httpx.AsyncClient) -> None:
    for path in ("/livez", "/readyz"):
        assert (await http.get(path, headers={"host": "gateway:8084"})).status_code == 200
