"""The GAN family: the shapes of the game, and its two embeddings."""

from pathlib import Path

import pytest
import torch

from shared.encoders.backends.openvino_encoder import OpenVinoEncoder
from shared.encoders.gan.adversarial import DiscriminatorFeatures
from shared.encoders.gan.networks import (
    AdversarialArchitecture,
    CodeEncoder,
    Discriminator,
    Generator,
    JointDiscriminator,
)
from shared.encoders.registry import load_encoder
from tests.unit.encoders.heads import random_file

SMALL = AdversarialArchitecture(channels=4, latent=8)


def test_gradients_flow_through_both_games() -> None:
    torch.manual_seed(1)
    generator, discriminator = Generator(SMALL), Discriminator(SMALL)
    encoder, joint = CodeEncoder(SMALL), JointDiscriminator(SMALL)
    latent = torch.randn(3, SMALL.latent)
    pictures = generator(latent)
    assert pictures.shape == (3, 3, 64, 64)
    assert pictures.abs().max() <= 1
    codes = encoder(torch.rand(3, 3, 64, 64))
    assert codes.shape == (3, SMALL.latent)
    verdicts = discriminator(pictures).sum() + joint(pictures, latent).sum() + joint(pictures.detach(), codes).sum()
    verdicts.backward()
    for network in (generator, discriminator, encoder, joint):
        reached = [parameter.grad is not None and bool(parameter.grad.any()) for parameter in network.parameters()]
        # A bias before batch normalisation changes nothing, so its gradient is rounding, or none.
        assert sum(reached) >= len(reached) - 3


def test_the_features_of_all_layers_weigh_the_same() -> None:
    torch.manual_seed(1)
    features = DiscriminatorFeatures(SMALL)
    vector = features(torch.rand(2, 3, 64, 64))
    assert vector.shape == (2, DiscriminatorFeatures.dim_of(SMALL)) == (2, 4 * (4 + 8 + 16 + 32))
    layers = torch.split(vector, [4 * width for width in SMALL.widths], dim=1)
    assert torch.allclose(torch.stack([layer.norm(dim=1) for layer in layers]), torch.ones(4, 2), atol=1e-5)


@pytest.mark.parametrize("family", ["gan", "bigan"])
def test_openvino_gives_the_vectors_that_torch_gives(family: str, tmp_path: Path) -> None:
    weights = random_file(tmp_path / "encoder.safetensors", family, SMALL)
    reference = load_encoder(family, weights, "cpu", backend="torch")
    converted = load_encoder(family, weights, "cpu", backend="openvino")
    assert isinstance(converted, OpenVinoEncoder)
    images = torch.randint(0, 256, (3, 3, 64, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(2))
    found = converted.encode(images)
    assert found.shape == (3, reference.dim)
    assert torch.allclose(found, reference.encode(images), atol=1e-4)
