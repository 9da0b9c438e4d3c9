"""What encoders are like is told without their weights, and is what they are like once they are loaded."""

from pathlib import Path

import pytest
import torch

from shared.encoders.catalogue import describe, find_encoders
from shared.encoders.encoder import Encoder
from shared.encoders.registry import build_backbone, load_encoder
from shared.encoders.weightless import Weightless


@pytest.mark.parametrize("name", ["efficientnet_lite0", "timm:test_resnet.r160_in1k", "torchvision:resnet18"])
def test_an_encoder_is_described_as_it_is(name: str) -> None:
    encoder: Encoder = load_encoder(name, device="cpu", backend="torch", random_seed=1)
    described = describe(name)
    assert described.encoder == encoder.name
    assert described.dim == encoder.dim
    assert described.input_size == encoder.input_size
    assert described.parameters == sum(tensor.numel() for tensor in encoder.network.parameters())  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "name",
    [
        "timm:mobilenetv3_small_050",  # its features pass through a further layer before the classifier
        "timm:vit_tiny_patch16_224",
        "timm:convnext_atto",
        "timm:efficientvit_b0",
        "torchvision:regnet_y_128gf",  # 637 million parameters
        "torchvision:vit_h_14",  # for images of 518 pixels, other than the architecture by itself
    ],
)
def test_the_dimension_is_that_of_the_features(name: str) -> None:
    with Weightless(), torch.inference_mode():
        backbone = build_backbone(name)
        assert all(tensor.is_meta for tensor in backbone.module.parameters())
        side = backbone.preprocessing.crop
        assert backbone.module.eval()(torch.empty(1, 3, side, side)).shape == (1, backbone.dim)


def test_the_name_of_a_torchvision_file_tells_the_size_of_its_images() -> None:
    assert describe("torchvision:vit_b_16").input_size == 224
    assert describe("torchvision:vit_b_16", Path("vit_b_16_swag-9ac1b537.pth")).input_size == 384


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("timm:gemma4_vit_167m_enc", "has no classifier, so it has no feature vector"),
        ("timm:vit_base_patch16_clip_384", "only models that take the central square can be used"),
        ("torchvision:squeezenet1_0", "does not end in a linear layer"),
        ("resnet18", "there is no encoder 'resnet18'"),
    ],
)
def test_what_cannot_be_used_is_described_by_the_reason(name: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        describe(name)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("resnetblur18", ["timm:resnetblur18"]),
        ("resnet18*", ["timm:resnet18", "timm:resnet18d", "torchvision:resnet18"]),
        ("torchvision:resnet1?", ["torchvision:resnet18"]),
        ("test_resnet.", ["timm:test_resnet.r160_in1k"]),
        ("clip:RN50-*", ["clip:RN50-quickgelu"]),
        ("no_such_model", []),
    ],
)
def test_architectures_are_found_by_a_part_of_the_name_or_with_wildcards(pattern: str, found: list[str]) -> None:
    assert find_encoders(pattern) == found


def test_all_architectures_are_found_by_a_star() -> None:
    assert len(find_encoders("*")) > 1000
