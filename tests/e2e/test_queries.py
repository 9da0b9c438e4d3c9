"""What a search can ask for, on the real service: several examples, parts of pictures, pages, batches, explanations."""

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image

from shared.client import AfterimageClient
from shared.events.region import Region
from shared.events.search_requests import Example, SearchRequest
from tests.harness.service import Service

PHOTOS = sorted(Path("tests/data/photos").glob("*/*.webp"))[::4]


def jpeg(path: Path, beside: Path | None = None) -> bytes:
    """A photo of 300 pixels, and right of it another one as large."""
    paths = [path] if beside is None else [path, beside]
    picture = Image.new("RGB", (300 * len(paths), 300))
    for number, each in enumerate(paths):
        picture.paste(Image.open(each).convert("RGB").resize((300, 300)), (300 * number, 0))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90)
    return file.getvalue()


@pytest.fixture
async def client(service: Service) -> AsyncIterator[AfterimageClient]:
    async with AfterimageClient(service.bootstrap_servers, namespace=service.namespace) as connected:
        sent = [
            await connected.upload(path.stem, data=jpeg(path), attributes={"kind": path.parent.name, "n": 1})
            for path in PHOTOS
        ]
        for each in sent:
            await connected.wait_searchable(each, timeout_s=60)
        yield connected


async def test_whoever_searches_finds_what_was_asked_for(client: AfterimageClient) -> None:
    """One test, because starting the service takes longest."""
    one, other = PHOTOS[0], PHOTOS[-1]
    both = jpeg(one, beside=other)
    for region, photo in ((Region(0, 0, 0.5, 1), one), (Region(0.5, 0, 1, 1), other)):
        reply = await client.search(image=both, region=region, top_k=1, timeout_s=30)
        assert [hit.id for hit in reply.hits] == [photo.stem]
        assert reply.hits[0].score > 0.95

    examples = [Example(id=one.stem), Example(image=jpeg(other))]
    near_both = await client.search(examples=examples, top_k=2, attributes=["kind"], timeout_s=30)
    assert {hit.id for hit in near_both.hits} == {one.stem, other.stem}
    assert all(hit.attributes.keys() == {"kind"} for hit in near_both.hits)
    away = [Example(id=one.stem), Example(id=other.stem, weight=-1)]
    far = await client.search(examples=away, top_k=len(PHOTOS), timeout_s=30)
    assert (far.hits[0].id, far.hits[-1].id) == (one.stem, other.stem)

    every = [hit.id for hit in far.hits]
    pages = [
        await client.search(examples=away, top_k=5, offset=first, timeout_s=30) for first in range(0, len(PHOTOS), 5)
    ]
    assert [hit.id for page in pages for hit in page.hits] == every

    batch = SearchRequest(batch=[SearchRequest(id=one.stem, top_k=1), SearchRequest(id="nobody")])
    replies = (await client.ask(batch, timeout_s=30)).batch
    assert replies
    assert [hit.id for hit in replies[0].hits] == [one.stem]
    assert replies[1].error is not None

    never = await client.search(id=one.stem, min_position={0: 10**9}, timeout_s=2)
    assert never.error is not None
    assert (never.error.code, never.positions.keys()) == ("not_yet", {0, 1})

    explained = await client.search(id=one.stem, explain=True, timeout_s=30)
    assert explained.explanation
    assert sum(segment.rows for segment in explained.explanation.segments) == len(PHOTOS)
    assert {segment.way for segment in explained.explanation.segments} == {"scan"}
