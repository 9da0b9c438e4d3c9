"""Hits come with links to what they look like, where the gateway may show it."""

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from PIL import Image

from services.gateway.problems import Problem
from services.gateway.thumbnails import maker
from services.gateway.thumbnails.links import Links
from services.gateway.thumbnails.maker import Thumbnails
from shared.imaging.policy import FetchPolicy
from tests.unit.gateway.fakes import FakeIndex, gateway, open_to_all, until

PHOTOS = Path("tests/data/photos").resolve()
PANDA = PHOTOS / "animal" / "panda.webp"


@pytest.fixture
def thumbnails() -> Thumbnails:
    return Thumbnails(Links(b"s" * 16), FetchPolicy(file_roots=(PHOTOS,), attempts=1))


@pytest.fixture
async def showing(index: FakeIndex, thumbnails: Thumbnails) -> AsyncIterator[httpx.AsyncClient]:
    async with gateway(index, access=replace(open_to_all(), thumbnails=thumbnails)) as client:
        yield client


async def link_of(http: httpx.AsyncClient, uri: str) -> str:
    """The link that a hit with this address comes with."""
    await http.post("/images", json={"id": "a", "uri": uri})
    link: str = (await http.get("/search?id=a")).json()["hits"][0]["thumbnail"]
    return link


async def test_a_hit_is_shown_small(showing: httpx.AsyncClient) -> None:
    answer = await showing.get(await link_of(showing, PANDA.as_uri()))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert answer.headers["cache-control"] == "private, max-age=3600"
    assert answer.headers["x-content-type-options"] == "nosniff"
    with Image.open(io.BytesIO(answer.content)) as small, Image.open(PANDA) as whole:
        assert max(small.size) == min(320, max(whole.size))
        assert small.width / small.height == pytest.approx(whole.width / whole.height, rel=0.02)
    batch = await showing.post("/search", json={"batch": [{"id": "a"}]})
    assert batch.json()["batch"][0]["hits"][0]["thumbnail"].startswith("/thumbnails/")


@pytest.mark.parametrize("uri", ["file:///etc/passwd", "http://127.0.0.1:1/a.jpg", (PHOTOS / "none.webp").as_uri()])
async def test_what_may_not_be_read_is_not_shown(showing: httpx.AsyncClient, uri: str) -> None:
    answer = await showing.get(await link_of(showing, uri))
    assert (answer.status_code, answer.json()["code"]) == (404, "no_thumbnail")
    assert uri not in answer.text


async def test_an_image_without_an_address_has_no_link(showing: httpx.AsyncClient) -> None:
    await showing.post("/images", files={"image": b"x"})
    assert (await showing.get("/search?id=a")).json()["hits"][0]["thumbnail"] is None


async def test_a_link_that_no_hit_had_shows_nothing(showing: httpx.AsyncClient) -> None:
    answer = await showing.get("/thumbnails/AAAA")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_thumbnail")


async def test_where_nothing_is_shown_hits_have_no_links(http: httpx.AsyncClient) -> None:
    await http.post("/images", json={"id": "a", "uri": PANDA.as_uri()})
    assert (await http.get("/search?id=a")).json()["hits"][0]["thumbnail"] is None
    assert (await http.get("/thumbnails/AAAA")).status_code == 404


async def test_a_thumbnail_is_made_once_and_the_last_ones_are_remembered(
    thumbnails: Thumbnails, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = [path.as_uri() for path in sorted(PHOTOS.glob("animal/*.webp"))[:3]]
    async with thumbnails:
        made = [await thumbnails.of(uri) for uri in photos]
        monkeypatch.setattr(maker, "_REMEMBERED_BYTES", len(made[0]) + len(made[2]))
        assert await thumbnails.of(photos[0]) is made[0]
        thumbnails._remember(photos[2], made[2])
        assert thumbnails._known.keys() == {photos[0], photos[2]}
        assert thumbnails._known_bytes == sum(map(len, thumbnails._known.values()))


async def test_more_than_can_be_made_are_refused_at_once(
    thumbnails: Thumbnails, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maker, "_WAITING", 2)
    hangs = asyncio.Event()

    async def fetch(_uri: str) -> bytes:
        await hangs.wait()
        return PANDA.read_bytes()

    async with thumbnails:
        monkeypatch.setattr(thumbnails, "_fetch", fetch)
        making = [asyncio.create_task(thumbnails.of(str(number))) for number in range(2)]
        await until(lambda: thumbnails._waiting == 2)
        with pytest.raises(Problem, match="too many thumbnails"):
            await thumbnails.of("another")
        hangs.set()
        assert all(await asyncio.gather(*making))
