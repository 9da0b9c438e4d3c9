"""OpenVINO computes what torch computes: so closely that codes of both may stand in one index."""

import sys
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from shared.codes.f32 import F32
from shared.codes.i8 import I8
from shared.encoders.backends.openvino_encoder import OpenVinoEncoder
from shared.encoders.encoder import Encoder
from shared.encoders.registry import load_encoder
from tests.unit.encoders.fakes import engine_of
from tests.unit.encoders.photos import FILES, Photos, cross_recall


@pytest.fixture(scope="module")
def openvino_vectors(openvino_encoder: OpenVinoEncoder, photos: Photos) -> Tensor:
    return openvino_encoder.encode(photos.images)


def test_every_photo_has_the_vector_that_torch_gives(vectors: Tensor, openvino_vectors: Tensor) -> None:
    assert nn.functional.cosine_similarity(vectors, openvino_vectors).min() >= 0.9999
    assert torch.allclose(vectors, openvino_vectors, atol=1e-5)


def test_an_image_alone_has_the_vector_that_it_has_in_a_batch(
    openvino_encoder: OpenVinoEncoder, photos: Photos, openvino_vectors: Tensor
) -> None:
    for row in (0, 26, 52):
        alone = openvino_encoder.encode(photos.images[row : row + 1])
        assert torch.allclose(alone[0], openvino_vectors[row], atol=1e-6)


def test_a_byte_of_a_code_rarely_differs_and_then_by_one(vectors: Tensor, openvino_vectors: Tensor) -> None:
    difference = (I8().encode(vectors).int() - I8().encode(openvino_vectors).int()).abs()
    assert difference.max() <= 1
    assert difference.count_nonzero() <= difference.numel() / 1000


@pytest.mark.parametrize("code", [I8(), F32()], ids=lambda code: code.name)
def test_codes_of_one_backend_are_found_by_those_of_the_other(
    code: I8 | F32, vectors: Tensor, openvino_vectors: Tensor
) -> None:
    torch_codes, openvino_codes = code.encode(vectors), code.encode(openvino_vectors)
    for queries, index in ((torch_codes, openvino_codes), (openvino_codes, torch_codes)):
        assert cross_recall(queries, index, 1) == 1  # each photo finds itself
        assert cross_recall(queries, index, 10) >= 0.99


async def test_both_backends_have_one_scheme_and_one_engine(
    encoder: Encoder, openvino_encoder: Encoder, openvino_vectors: Tensor
) -> None:
    async with engine_of(openvino_encoder, I8()) as engine:
        await engine.warm_up()
        found = await engine.extract(FILES[3].read_bytes())
    assert found.code == I8().encode(openvino_vectors[3:4]).numpy().tobytes()
    assert engine.scheme == engine_of(encoder, I8()).scheme


def test_vectors_have_the_promised_shape_and_norm(openvino_encoder: OpenVinoEncoder, openvino_vectors: Tensor) -> None:
    assert (openvino_encoder.backend, openvino_encoder.dim) == ("openvino", 1280)
    assert (openvino_vectors.shape, openvino_vectors.dtype) == ((53, 1280), torch.float32)
    assert torch.allclose(openvino_vectors.norm(dim=1), torch.ones(53))


def test_pixels_may_lie_in_any_order_in_memory(openvino_encoder: OpenVinoEncoder, photos: Photos) -> None:
    images = photos.images[:2]
    strided = images.contiguous(memory_format=torch.channels_last)
    assert torch.equal(openvino_encoder.encode(strided), openvino_encoder.encode(images))


def test_no_images_have_no_vectors(openvino_encoder: OpenVinoEncoder, photos: Photos) -> None:
    assert openvino_encoder.encode(photos.images[:0]).shape == (0, 1280)


@pytest.mark.parametrize("graph", ["_single", "_several"])
def test_it_computes_in_float32_with_the_threads_of_torch_on_any_core(
    graph: str, openvino_encoder: OpenVinoEncoder
) -> None:
    request: Any = getattr(openvino_encoder, graph)
    compiled = (request[0] if graph == "_several" else request).get_compiled_model()
    assert compiled.get_property("INFERENCE_PRECISION_HINT").to_string() == "f32"
    assert compiled.get_property("INFERENCE_NUM_THREADS") == torch.get_num_threads()
    assert compiled.get_property("ENABLE_CPU_PINNING") is False


@pytest.mark.parametrize("model", ["timm:test_vit", "timm:test_convnext", "torchvision:mobilenet_v3_small"])
def test_other_families_of_models_are_converted_as_well(model: str) -> None:
    reference = load_encoder(model, device="cpu", backend="torch", random_seed=1)
    side = reference.input_size
    images = torch.randint(0, 256, (3, 3, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(7))
    converted = load_encoder(model, device="cpu", backend="openvino", random_seed=1)
    assert converted.weights_sha256 == reference.weights_sha256
    assert nn.functional.cosine_similarity(reference.encode(images), converted.encode(images)).min() >= 0.9999


def test_openvino_was_imported_without_its_telemetry(openvino_encoder: OpenVinoEncoder) -> None:
    assert sys.modules["openvino_telemetry"] is None
    sender = sys.modules["openvino.tools.ovc.telemetry_utils"].tm
    assert sender.__name__ == "openvino.tools.ovc.telemetry_stub"
