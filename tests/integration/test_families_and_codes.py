"""Every family by every code: an image that was indexed, growing or sealed, is found first by itself."""

import asyncio
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import cycle, product
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import timm
import torch

from shared.client import AfterimageClient, UploadRejected
from shared.codes.description import describe_code
from shared.codes.fitted_file import pack
from shared.codes.fitting.fit import fit
from shared.codes.recipe import Recipe
from shared.codes.registry import load_code
from shared.encoders.encoder import Encoder
from shared.encoders.registry import load_encoder
from shared.encoders.scheme import identity_of
from shared.events.search_replies import ErrorCode, SearchReply
from shared.imaging.decode import decode_rgb
from shared.imaging.guard import ImageLimits
from shared.index.growing import GrowingSegment
from shared.index.segment import Segment
from shared.index.vectors import VectorFormat
from tests.fakes.segments import found, row, sealed
from tests.harness.kafka import Broker
from tests.harness.observation import settled
from tests.harness.pictures import small_pictures
from tests.harness.redis import RedisServer
from tests.harness.service import Service
from tests.harness.workers import WorkerProcess

FAMILIES = [
    "timm:test_resnet?pool=gem",
    "timm:test_vit",
    "rnn",
    "gan",
    "bigan",
    "timm:test_resnet?pool=rmac+timm:test_vit?pool=max",
]
CODES = [
    "f32",
    "f16",
    "i8",
    "pca16,i8",
    "whiten16,f16",
    "b1",
    "pca64,itq",
    "pca64,pq16",
    "pca64,opq16",
    "pca64,opq16+f16",
    "pca64,vq2",
    "pca64,vq2+f16",
]
"""With a projection before what learns a rotation or codewords, which takes longer the longer the vectors are."""
IMAGES = 80
COPIES = 4
"""Learned from for each image: a place of a code has 256 codewords, and to encode as many images takes far longer."""


@cache
def encoded(family: str) -> tuple[Encoder, torch.Tensor]:
    """Untrained, which is enough to tell pictures apart: the families have tests of their own for what they know."""
    torch.set_num_threads(1)
    encoder = load_encoder(family, device="cpu", backend="torch", random_seed=1)
    to_pixels, size = encoder.preprocessing.to_pixels, encoder.preprocessing.decode_size
    pixels = [to_pixels(decode_rgb(data, ImageLimits(), size)) for data in small_pictures(IMAGES)]
    batches = torch.from_numpy(np.stack(pixels)).split(32)
    return encoder, torch.cat([encoder.encode(batch) for batch in batches])


def fitted(encoder: Encoder, vectors: torch.Tensor, recipe: str) -> bytes:
    """The file of a code that was fitted to the images, and to what is next to them."""
    noise = torch.randn(COPIES, *vectors.shape, generator=torch.Generator().manual_seed(1))
    copies = torch.nn.functional.normalize((vectors + 0.01 * noise / vectors.shape[1] ** 0.5).flatten(0, 1))
    return pack(fit(copies, Recipe.parse(recipe), encoder=identity_of(encoder)))


@pytest.mark.parametrize("recipe", CODES)
@pytest.mark.parametrize("family", FAMILIES)
def test_an_image_is_found_first_by_itself_growing_and_sealed(family: str, recipe: str, tmp_path: Path) -> None:
    encoder, vectors = encoded(family)
    file = tmp_path / "code.safetensors"
    file.write_bytes(fitted(encoder, vectors, recipe))
    code, vector_format = load_code(str(file), identity_of(encoder)), VectorFormat.of(describe_code(str(file)))
    codes = np.ascontiguousarray(code.encode(vectors).numpy()).view(np.uint8)
    queries = np.ascontiguousarray(code.encode_queries(vectors).numpy()).view(np.uint8)
    growing = GrowingSegment(vector_format)
    for number, stored in enumerate(codes):
        growing.put(row(number), stored.tobytes())
    segment = sealed(tmp_path, [row(number) for number in range(IMAGES)], codes, vector_format)
    least = 0.8 if vector_format.quantizes else 0.99  # codewords stand for what lies near to a picture, too
    assert first_by_itself(growing, queries) >= least
    assert first_by_itself(segment, queries) >= least
    assert found(segment, queries[0], 5, exact=True) == found(growing, queries[0], 5)


def first_by_itself(segment: Segment, queries: np.ndarray) -> float:
    """The share of queries that nothing is nearer to than their own image."""
    right = 0
    for number, query in enumerate(queries):
        [best] = segment.nearest(query[np.newaxis], 1)  # and all that score like it
        right += number in best.rows.tolist()
    return right / len(queries)


PICTURES = list(small_pictures(IMAGES))
UPLOADED = 24
NETWORK = "timm:test_resnet?pool=max"

EVERY_PAIR = list(product(FAMILIES, CODES))
THROUGH_KAFKA = EVERY_PAIR if os.environ.get("EVERY_PAIR") else list(zip(cycle(FAMILIES), CODES))
"""Each family and each code. All pairs take some minutes more: `make test-families`."""


@dataclass(frozen=True)
class Encoding:
    """A service with one of the pairs, and the vectors of the pictures."""

    service: Service
    vectors: torch.Tensor
    store: Path


@pytest.fixture(params=THROUGH_KAFKA, ids=" by ".join)
def encoding(
    request: pytest.FixtureRequest, kafka: Broker, redis_server: RedisServer, unique_namespace: str, tmp_path: Path
) -> Iterator[Encoding]:
    family, recipe = request.param
    file, store = tmp_path / "code.safetensors", tmp_path / "store"
    family = with_weights(family, tmp_path)
    encoder = load_encoder(family, device="cpu", backend="torch")
    vectors = torch.cat([encoder.encode(pixels_of(encoder, data)) for data in PICTURES])
    file.write_bytes(fitted(encoder, vectors, recipe))
    with Service(
        bootstrap_servers=kafka.bootstrap_servers,
        redis_url=redis_server.url,
        namespace=unique_namespace,
        folder=tmp_path,
        env={
            "AFTERIMAGE_ENCODER": family,
            "AFTERIMAGE_CODE": str(file),
            "AFTERIMAGE_SEGMENT_STORE": str(store),
            "INDEXER_SEAL_ROWS": "8",
        },
    ) as service:
        yield Encoding(service, vectors, store)


def with_weights(family: str, folder: Path) -> str:
    """The family with files of weights that nobody trained, where it does not come with trained ones."""

    def member(found: re.Match[str]) -> str:
        file = folder / f"{found['model']}.safetensors"
        torch.manual_seed(1)
        safetensors.torch.save_file(timm.create_model(found["model"]).state_dict(), file)
        options = f"{found['options']}&" if found["options"] else "?"
        return f"timm:{found['model']}{options}weights={file}"

    return re.sub(r"timm:(?P<model>test_\w+)(?P<options>\?[^+]*)?", member, family)


@pytest.mark.slow
async def test_a_family_and_a_code_go_all_the_way_through_kafka(encoding: Encoding) -> None:
    """Uploaded, sealed, and found by image, by id and by vector."""
    service = encoding.service
    async with AfterimageClient(service.bootstrap_servers, namespace=service.namespace) as client:
        sent = [await client.upload(f"image-{number}", data=data) for number, data in enumerate(PICTURES[:UPLOADED])]
        for each in sent:
            await client.wait_searchable(each, timeout_s=60)
        await asyncio.to_thread(wait_for_a_manifest, encoding.store)
        await settled(service, images=UPLOADED)
        for number in (0, 7, 23):
            by_image = await client.search(image=PICTURES[number], timeout_s=30)
            by_id = await client.search(id=f"image-{number}", timeout_s=30)
            by_vector = await client.search(vector=encoding.vectors[number].tolist(), timeout_s=30)
            assert [best(by_image), best(by_id), best(by_vector)] == [f"image-{number}"] * 3


@dataclass(frozen=True)
class Mixed:
    """A service whose first searcher, and an extractor that is not started yet, have a code file of their own."""

    service: Service
    others: WorkerProcess


@pytest.fixture
def mixed(kafka: Broker, redis_server: RedisServer, unique_namespace: str, tmp_path: Path) -> Iterator[Mixed]:
    """The other file is of the same recipe, so that nothing but the scheme tells its codes apart: fitted to others."""
    family = with_weights(NETWORK, tmp_path)
    encoder = load_encoder(family, device="cpu", backend="torch")
    vectors = torch.cat([encoder.encode(pixels_of(encoder, data)) for data in PICTURES[:40]])
    file, other = tmp_path / "code.safetensors", tmp_path / "other.safetensors"
    for path, some in ((file, vectors[:20]), (other, vectors[20:])):
        path.write_bytes(pack(fit(some, Recipe.parse("pca16,i8"), encoder=identity_of(encoder))))
    changed = {"AFTERIMAGE_CODE": str(other)}
    with Service(
        bootstrap_servers=kafka.bootstrap_servers,
        redis_url=redis_server.url,
        namespace=unique_namespace,
        folder=tmp_path,
        partitions=1,
        env={
            "AFTERIMAGE_ENCODER": family,
            "AFTERIMAGE_CODE": str(file),
        },
        env_of={"searcher-0": changed, "extractor-other": changed},
    ) as service:
        # As the same member of the group: else the first's partitions wait for it for as long as its session lasts.
        others = service.worker("extractor", "extractor-other", env={"EXTRACTOR_INSTANCE_ID": "extractor"})
        yield Mixed(service, others)
        others.stop()


@pytest.mark.slow
async def test_codes_of_two_files_never_meet(mixed: Mixed) -> None:
    """A searcher with another file says which schemes differ; what an extractor makes with it is rejected."""
    service = mixed.service
    async with AfterimageClient(service.bootstrap_servers, namespace=service.namespace) as client:
        await client.wait_searchable(await client.upload("image-0", data=PICTURES[0]), timeout_s=60)
        reply = await client.search(image=PICTURES[0], timeout_s=30)
        assert reply.error is not None
        assert (reply.error.code, reply.hits) == (ErrorCode.NOT_READY, [])
        sentence = (
            r"the index was made with scheme pca16,i8@(\w{16}:\w{16}), this searcher encodes with "
            r"pca16,i8@(?!\1)\w{16}:\w{16}: set AFTERIMAGE_ENCODER and AFTERIMAGE_CODE alike for all workers"
        )
        assert re.match(sentence, reply.error.message)
        await asyncio.to_thread(service.extractor.stop)
        await asyncio.to_thread(mixed.others.spawn)
        await asyncio.to_thread(mixed.others.wait_ready)
        with pytest.raises(UploadRejected, match=r"scheme_mismatch \(.*the index holds codes of scheme"):
            await client.wait_searchable(await client.upload("image-1", data=PICTURES[1]), timeout_s=60)


def pixels_of(encoder: Encoder, data: bytes) -> torch.Tensor:
    preprocessing = encoder.preprocessing
    pixels = preprocessing.to_pixels(decode_rgb(data, ImageLimits(), preprocessing.decode_size))
    return torch.from_numpy(pixels)[None]


def best(reply: SearchReply) -> str:
    assert reply.error is None, reply.error
    return reply.hits[0].id


def wait_for_a_manifest(store: Path) -> None:
    deadline = time.monotonic() + 30
    while not list(store.glob("**/manifests/*.json")):
        assert time.monotonic() < deadline, "nothing was sealed"
        time.sleep(0.2)
