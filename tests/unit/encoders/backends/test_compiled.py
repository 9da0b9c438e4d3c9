"""Compiled by torch, an encoder gives the same vectors, and all that has to be compiled is so before it is ready."""

import asyncio
from collections.abc import Iterator

import pytest
import torch
from structlog.testing import capture_logs
from torch import Tensor, nn
from torch._dynamo.utils import counters

from shared.codes.f32 import F32
from shared.encoders.backends.compiled import CompilationUnavailable, InTwoSizes, compiled
from shared.encoders.backends.probes import noise
from shared.encoders.cnn.encoder import CnnEncoder
from shared.encoders.engine.engine import ExtractionPolicy
from shared.encoders.engine.opening import load_models
from shared.encoders.precision import MIN_COSINE, NumberFormat
from shared.encoders.settings import ExtractionSettings
from shared.runtime.settings import BadSettings, load
from tests.unit.encoders.backends.networks import convolutional
from tests.unit.encoders.backends.test_backend import encoder_of, mean_colour
from tests.unit.encoders.fakes import MeanColour, engine_of

MAX_BATCH = 4


@pytest.fixture(autouse=True)
def nothing_compiled() -> Iterator[None]:
    torch.compiler.reset()
    counters.clear()
    yield
    torch.compiler.reset()


@pytest.mark.slow
@pytest.mark.parametrize("number_format", ["f32", "bf16"])
async def test_after_the_warm_up_nothing_is_compiled_for_any_size_of_batch_and_vectors_agree(
    number_format: NumberFormat,
) -> None:
    reference = convolutional()
    with capture_logs() as logs:
        encoder = compiled(reference.computing_in(number_format), MAX_BATCH)
    [line] = logs
    assert (line["event"], line["number_format"], line["max_batch"]) == ("encoder_compiled", number_format, MAX_BATCH)
    assert line["seconds"] > 0
    images = noise(reference, MAX_BATCH)
    vectors = reference.encode(images)
    async with engine_of(encoder, F32(), ExtractionPolicy(max_batch=MAX_BATCH)) as engine:
        await engine.warm_up()
        assert counters["stats"]["unique_graphs"] == len({1, MAX_BATCH})
        for count in range(1, MAX_BATCH + 1):
            batch = list(images[:count].numpy())
            codes = await asyncio.get_running_loop().run_in_executor(engine._device, engine._codes, batch)
            found = torch.stack([torch.frombuffer(bytearray(code or b""), dtype=torch.float32) for code in codes])
            assert nn.functional.cosine_similarity(found, vectors[:count]).min() >= MIN_COSINE[number_format]
        assert counters["stats"]["unique_graphs"] == len({1, MAX_BATCH})


def test_more_images_than_were_compiled_for_are_split() -> None:
    """As those are by which a rate is measured."""
    seen: list[int] = []

    class Noting(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            seen.append(len(images))
            return mean_colour(images.float())

    with torch.compiler.set_stance("force_eager"), torch.inference_mode():
        images = torch.arange(7 * 3, dtype=torch.uint8).view(7, 3, 1, 1)
        assert InTwoSizes(Noting(), 3)(images).tolist() == images.flatten(1).tolist()
    assert seen == [3, 3, 1]


async def test_the_warm_up_runs_one_image_and_a_full_batch() -> None:
    encoder = MeanColour()
    async with engine_of(encoder, F32(), ExtractionPolicy(max_batch=5)) as engine:
        await engine.warm_up()
    assert encoder.batches == [1, 5]


def test_vectors_that_compiling_changes_stop_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    reference = encoder_of(mean_colour)
    monkeypatch.setattr(InTwoSizes, "forward", lambda _, images: torch.ones(len(images), 3))
    with pytest.raises(
        CompilationUnavailable, match=r"torch\.compile cannot be used for mean_colour: .* their cosine is"
    ):
        compiled(reference, MAX_BATCH)


def test_who_has_no_compiler_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERIMAGE_COMPILE", "true")
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(BadSettings, match=r"AFTERIMAGE_COMPILE=True cannot be used: .* no 'g\+\+' here; install g\+\+"):
        load_models(load(ExtractionSettings))


def test_openvino_is_not_compiled_by_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERIMAGE_COMPILE", "true")
    monkeypatch.setenv("AFTERIMAGE_BACKEND", "openvino")
    with pytest.raises(BadSettings, match=r"AFTERIMAGE_COMPILE='true' cannot be used: .*use torch or auto"):
        load(ExtractionSettings)


def test_auto_is_torch_where_the_network_is_to_be_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AFTERIMAGE_COMPILE", "true")
    with torch.compiler.set_stance("force_eager"):
        encoder, _ = load_models(load(ExtractionSettings))
    assert isinstance(encoder, CnnEncoder)
    assert encoder.backend == "torch"
