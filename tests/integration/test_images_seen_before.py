"""The whole service with its cache: the same photo under two ids is encoded once, and found under both."""

from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from shared.client import AfterimageClient
from tests.harness.service import PHOTOS, Service
from tests.harness.workers import WorkerProcess

pytestmark = pytest.mark.slow

PANDA = PHOTOS / "animal" / "panda.webp"


async def test_the_same_photo_under_two_ids_is_encoded_once_and_found_under_both(service: Service) -> None:
    """By reference the first time and inline the second: the bytes count, not the way they came."""
    async with AfterimageClient(service.bootstrap_servers, namespace=service.namespace) as client:
        first = await client.wait_searchable(await client.upload("panda", uri=PANDA.as_uri()), timeout_s=60)
        again = await client.wait_searchable(await client.upload("again", data=PANDA.read_bytes()), timeout_s=60)
        positions = {done.receipt.shard: done.receipt.position for done in (first, again)}
        reply = await client.search(image=PANDA.read_bytes(), top_k=2, min_position=positions, timeout_s=60)
    assert {hit.id for hit in reply.hits} == {"panda", "again"}
    assert [hit.score for hit in reply.hits] == pytest.approx([1, 1], abs=0.01)
    seen = metrics(service.extractor)
    assert seen["afterimage_extractor_batch_images_sum", ""] == 1
    assert seen["afterimage_extractor_events_total", "encoded"] == 2
    assert seen["afterimage_extractor_cache_lookups_total", "miss"] == 1
    assert seen["afterimage_extractor_cache_lookups_total", "hit"] == 1
    assert seen["afterimage_extractor_cache_saved_device_seconds_total", ""] > 0


def metrics(worker: WorkerProcess) -> dict[tuple[str, str], float]:
    """Every sample of a worker, by name and outcome."""
    with urlopen(f"{worker.url}/metrics", timeout=10) as response:  # noqa: S310 - a worker of this test
        families = text_string_to_metric_families(response.read().decode())
    return {
        (found.name, found.labels.get("outcome", "")): found.value for family in families for found in family.samples
    }
