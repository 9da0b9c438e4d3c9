"""Encoders by every option of their names, through the one way to load them."""

from pathlib import Path

import pytest
import timm
import torch
from torch.nn.functional import normalize

from shared.encoders.cnn.pooling import generalized_mean
from shared.encoders.encoder import Encoder
from shared.encoders.registry import load_encoder


def loaded(name: str, backend: str = "torch") -> Encoder:
    return load_encoder(name, device="cpu", backend=backend, random_seed=1)  # type: ignore[arg-type]


def noise(encoder: Encoder, seed: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (2, 3, encoder.input_size, encoder.input_size), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize(
    ("name", "dim"),
    [
        ("timm:test_resnet?pool=avg", 96),
        ("timm:test_resnet?pool=max", 96),
        ("timm:test_resnet?p=2&pool=gem", 96),
        ("timm:test_resnet?pool=rmac", 96),
        ("timm:test_resnet?layer=layer2&pool=avg", 48),
        ("timm:test_resnet?pool=gem&scales=1,0.7", 96),
        ("timm:test_vit", 64),
        ("timm:test_vit?pool=avg", 64),
        ("timm:test_vit?layer=blocks.2&pool=max", 64),
        ("torchvision:mobilenet_v3_small?pool=max", 576),
        ("efficientnet_lite0?layer=blocks.4&pool=rmac", 112),
    ],
)
def test_it_gives_unit_vectors_that_differ_from_image_to_image(name: str, dim: int) -> None:
    encoder = loaded(name)
    vectors = encoder.encode(noise(encoder))
    assert encoder.name == name
    assert encoder.dim == dim
    assert torch.allclose(vectors.norm(dim=1), torch.ones(2), atol=1e-5)
    assert not torch.allclose(vectors[0], vectors[1], atol=1e-4)


def test_the_average_of_the_last_map_is_what_the_network_itself_gives() -> None:
    plain, pooled = loaded("timm:test_resnet"), loaded("timm:test_resnet?pool=avg")
    images = noise(plain)
    assert torch.allclose(plain.encode(images), pooled.encode(images), atol=1e-5)


def test_it_pools_the_map_that_timm_calls_its_features() -> None:
    encoder = loaded("timm:test_resnet?pool=gem")
    torch.manual_seed(1)
    model = timm.create_model("test_resnet", num_classes=0).eval()
    mean, std = (torch.tensor(model.pretrained_cfg[name]).view(3, 1, 1) for name in ("mean", "std"))
    with torch.inference_mode():
        expected = normalize(generalized_mean(model.forward_features((noise(encoder) / 255 - mean) / std), 3))
    assert torch.allclose(encoder.encode(noise(encoder)), expected, atol=1e-5)


def test_openvino_pools_as_torch_does() -> None:
    name = "timm:test_resnet?pool=rmac&scales=1,0.7"
    reference, converted = loaded(name), loaded(name, "openvino")
    assert converted.backend == "openvino"
    assert torch.allclose(reference.encode(noise(reference)), converted.encode(noise(reference)), atol=1e-4)


def test_a_layer_that_there_is_not_is_answered_with_those_called_alike() -> None:
    with pytest.raises(ValueError, match=r"the network has no layer 'layer9'; there are .*layer"):
        loaded("timm:test_resnet?layer=layer9")


@pytest.mark.parametrize(("name", "shares"), [("A+B", (0.5, 0.5)), ("3*A+1*B", (0.75, 0.25))])
def test_the_cosine_of_a_fusion_is_the_weighted_mean_of_its_members(name: str, shares: tuple[float, float]) -> None:
    names = ("timm:test_resnet", "timm:test_vit?pool=max")
    fused = loaded(name.replace("A", names[0]).replace("B", names[1]))
    images = noise(fused)
    cosines = []
    for member in map(loaded, names):
        a, b = member.encode(images)
        cosines.append(float(a @ b))
    a, b = fused.encode(images)
    assert fused.dim == 96 + 64
    assert float(a @ b) == pytest.approx(sum(w * c for w, c in zip(shares, cosines, strict=True)), abs=1e-4)


def test_a_member_that_sees_less_gets_the_image_scaled_to_its_size() -> None:
    fused = loaded("efficientnet_lite0+timm:test_resnet")
    flat = torch.full((1, 3, fused.input_size, fused.input_size), 77, dtype=torch.uint8)
    small = loaded("timm:test_resnet")
    alone = small.encode(torch.full((1, 3, small.input_size, small.input_size), 77, dtype=torch.uint8))
    assert (fused.input_size, small.input_size) == (224, 160)
    assert torch.allclose(fused.encode(flat)[0, 1280:] * 2**0.5, alone[0], atol=1e-4)


def test_one_file_is_not_for_several_members(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has several members: give a file to one of them"):
        load_encoder("efficientnet_lite0+timm:test_resnet", tmp_path / "weights.pth", "cpu")
