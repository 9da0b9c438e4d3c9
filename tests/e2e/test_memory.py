"""Memory: an idle searcher needs little beside its encoder, and no worker grows while events pass through it."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import safetensors.torch
import timm
import torch

from shared.client import AfterimageClient, UploadRejected
from tests.harness.kafka import Broker
from tests.harness.pictures import small_pictures
from tests.harness.redis import RedisServer
from tests.harness.service import Service

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]

MIB = 1024 * 1024

SEARCHER_EXTRA_BYTES = 250 * MIB

BARE_ENCODER = """
import os
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
import numpy, torch
from shared.encoders.engine.opening import load_models
from shared.encoders.settings import ExtractionSettings
from shared.index.shard import Shard

encoder, code = load_models(ExtractionSettings(threads=1))
side = encoder.input_size
code.encode(encoder.encode(torch.from_numpy(numpy.zeros((1, 3, side, side), dtype=numpy.uint8))))
index = [Shard() for _ in range(2)]
status = open("/proc/self/status").read()
print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")))
"""
"""What the encoder, the code and an empty index of a searcher need, loaded and warmed up as it does it."""

TINY_MODEL = "test_vit"
EVENTS_AT_FIRST = 2_000
EVENTS_MORE = 5_000
DISTINCT_IDS = 500
UNDER_WAY = 200
PATIENCE_S = 120.0
EVERY = 50
"""Of so many events one is a delete, one is no image, and one is a search."""

GROWTH_BYTES = 10 * MIB
"""2 KiB an event: a worker that kept the picture of each, or its task, would be beyond it."""

RETURN_LARGE_BLOCKS = {"MALLOC_MMAP_THRESHOLD_": str(MIB)}
"""Has glibc map every block of 1 MiB or more on its own, and unmap it when it is freed.

Left to itself it takes the tensors of a batch (10 MB here) from the heap, where small blocks that live longer split the
space that they leave: the extractor's resident memory then rises by such steps for a while, although what is in use
stays the same. That is the allocator's memory, not the worker's; this test is about what a worker keeps.
"""


@pytest.fixture
def idle_service(kafka: Broker, redis_server: RedisServer, unique_namespace: str, tmp_path: Path) -> Iterator[Service]:
    with Service(
        bootstrap_servers=kafka.bootstrap_servers,
        redis_url=redis_server.url,
        namespace=unique_namespace,
        folder=tmp_path,
        env={"AFTERIMAGE_BACKEND": "auto"},
        warm=False,
    ) as running:
        yield running


@pytest.fixture
def fast_service(kafka: Broker, redis_server: RedisServer, unique_namespace: str, tmp_path: Path) -> Iterator[Service]:
    """With an encoder so small that thousands of events pass in a minute; its features mean nothing."""
    torch.manual_seed(0)
    weights = tmp_path / "tiny.safetensors"
    safetensors.torch.save_file(timm.create_model(TINY_MODEL).state_dict(), weights)
    with Service(
        bootstrap_servers=kafka.bootstrap_servers,
        redis_url=redis_server.url,
        namespace=unique_namespace,
        folder=tmp_path,
        env={
            **RETURN_LARGE_BLOCKS,
            "EXTRACTOR_CACHE_IMAGES": "0",  # the same few pictures are to be encoded each time
            "AFTERIMAGE_ENCODER": f"timm:{TINY_MODEL}",
            "AFTERIMAGE_ENCODER_WEIGHTS": str(weights),
        },
        warm=False,
    ) as running:
        yield running


def test_an_idle_searcher_needs_little_beside_its_encoder(idle_service: Service) -> None:
    """Kafka, Redis, FastStream, the HTTP server and the replicas together stay below 250 MiB."""
    done = subprocess.run([sys.executable, "-c", BARE_ENCODER], capture_output=True, text=True, check=True, timeout=120)
    bare = int(done.stdout) * 1024
    [searcher] = idle_service.searchers
    extra = searcher.resident_bytes - bare
    assert extra <= SEARCHER_EXTRA_BYTES, f"an idle searcher holds {extra / MIB:.0f} MiB more than its encoder"


@pytest.mark.timeout(600)
async def test_no_worker_grows_over_five_thousand_events(fast_service: Service) -> None:
    """Uploads, deletes, rejects and searches over the same few ids, so that the index stays as large as it is."""
    pictures = list(small_pictures(EVERY))
    async with AfterimageClient(fast_service.bootstrap_servers, namespace=fast_service.namespace) as client:
        await send_events(client, pictures, range(EVENTS_AT_FIRST))
        before = resident(fast_service)
        await send_events(client, pictures, range(EVENTS_AT_FIRST, EVENTS_AT_FIRST + EVENTS_MORE))
        after = resident(fast_service)
    growth = {name: (after[name] - before[name]) / MIB for name in before}
    assert max(growth.values()) * MIB <= GROWTH_BYTES, f"growth in MiB: {growth}"


def resident(service: Service) -> dict[str, int]:
    return {worker.name: worker.resident_bytes for worker in service.workers}


async def send_events(client: AfterimageClient, pictures: list[bytes], numbers: range) -> None:
    """Send events and wait for what becomes of each, so many at a time."""
    room = asyncio.Semaphore(UNDER_WAY)

    async def deal_with(number: int) -> None:
        async with room:
            await one_event(client, pictures, number)

    async with asyncio.TaskGroup() as tasks:
        for number in numbers:
            tasks.create_task(deal_with(number))


async def one_event(client: AfterimageClient, pictures: list[bytes], number: int) -> None:
    image_id, picture = f"id-{number % DISTINCT_IDS}", pictures[number % EVERY]
    match number % EVERY:
        case 0:
            await client.wait_searchable(await client.delete(image_id), timeout_s=PATIENCE_S)
        case 1:
            with pytest.raises(UploadRejected):
                await client.wait_searchable(await client.upload(image_id, data=b"no image"), timeout_s=PATIENCE_S)
        case 2:
            reply = await client.search(image=picture, timeout_s=PATIENCE_S)
            assert reply.error is None
        case _:
            await client.wait_searchable(await client.upload(image_id, data=picture), timeout_s=PATIENCE_S)
