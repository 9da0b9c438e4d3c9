"""A text finds images through the searcher, by the vectors of a real CLIP model, though an untrained one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import torch
from prometheus_client import CollectorRegistry

from services.searcher.examples import ExampleCodes
from services.searcher.metrics import SearcherMetrics
from services.searcher.query import AnswerQuery
from services.searcher.remembered import RememberedImages
from services.searcher.stopwatch import Stopwatch
from services.searcher.unanswerable import Unanswerable
from shared.codes.description import describe_code
from shared.codes.registry import load_code
from shared.encoders.encoder import Encoder, texts_of
from shared.encoders.engine.engine import ExtractionEngine
from shared.encoders.registry import load_encoder
from shared.encoders.scheme import identity_of
from shared.events.search_replies import ErrorCode
from shared.events.search_requests import SearchRequest
from shared.index.shard import Shard
from shared.index.vectors import VectorFormat
from tests.fakes.operations import upsert
from tests.fakes.probe import no_probe
from tests.fakes.replicas import FakeReplicas
from tests.unit.encoders.clip.tiny import NAME, tiny_clip
from tests.unit.encoders.fakes import engine_of
from tests.unit.encoders.photos import FILES

PHOTOS = [file.read_bytes() for file in FILES[:6]]


@asynccontextmanager
async def searching(encoder: Encoder) -> AsyncIterator[tuple[AnswerQuery, FakeReplicas, ExtractionEngine]]:
    """A searcher without a bus."""

    async def nothing(uri: str) -> bytes:
        raise AssertionError(uri)

    async with engine_of(encoder, load_code("f32", identity_of(encoder))) as engine:
        replicas = FakeReplicas(1)
        replicas.shards = {0: Shard(VectorFormat.of(describe_code("f32")))}
        examples = ExampleCodes(
            replicas=replicas,  # type: ignore[arg-type]
            engine=engine,
            fetch=nothing,
            remembered=RememberedImages(0, SearcherMetrics(CollectorRegistry()).remembered),
            vector_format=VectorFormat.of(describe_code("f32")),
        )
        query = AnswerQuery(
            replicas=replicas,  # type: ignore[arg-type]
            examples=examples,
            **no_probe(replicas, SearcherMetrics(CollectorRegistry())),
            scheme=engine.scheme.fingerprint,
            searcher="searcher-1",
        )
        yield query, replicas, engine


async def test_a_text_finds_the_images_whose_vectors_are_nearest_to_its_own(tmp_path: Path) -> None:
    encoder = load_encoder(NAME, tiny_clip(tmp_path), "cpu", backend="torch")
    async with searching(encoder) as (query, replicas, engine):
        codes = [(await engine.extract(photo)).code for photo in PHOTOS]
        for offset, code in enumerate(codes):
            await replicas.apply(0, upsert(offset, f"photo-{offset}", of=code, scheme=engine.scheme.fingerprint))
        reply = await query.answer(SearchRequest(text="a photo of a cat", top_k=6), Stopwatch())
    vectors = torch.frombuffer(bytearray(b"".join(codes)), dtype=torch.float32).view(6, 16)
    texts = texts_of(encoder)
    assert texts is not None
    cosines = vectors @ texts.encode_text(["a photo of a cat"])[0]
    ranked = cosines.argsort(descending=True).tolist()
    assert [hit.id for hit in reply.hits] == [f"photo-{row}" for row in ranked]
    assert [hit.score for hit in reply.hits] == pytest.approx(cosines[ranked].tolist(), abs=1e-5)


async def test_an_encoder_without_a_text_side_says_which_has_one() -> None:
    encoder = load_encoder("timm:test_resnet", device="cpu", backend="torch", random_seed=1)
    async with searching(encoder) as (query, _, _):
        with pytest.raises(Unanswerable) as refused:
            await query.answer(SearchRequest(text="a cat"), Stopwatch())
    assert refused.value.code is ErrorCode.UNSUPPORTED
    assert "timm:test_resnet has no text side" in refused.value.message
    assert "AFTERIMAGE_ENCODER=clip:ViT-B-32" in refused.value.message
