"""The GAN family: the shapes of the game, and its two embeddings."""

from pathlib import Path

import pytest
import torch

from shared.encoders.backends.openvino_encoder import OpenVinoEncoder
from shared.encoders.gan.networks import (
    AdversarialArchitecture,
    CodeEncoder,
    Discriminator,
    Generator,
    JointDiscriminator,
)
from shared.encoders.gan.readout import LayerReadout, lengths, statistics
from shared.encoders.registry import load_encoder
from tests.unit.encoders.heads import random_file

SMALL = AdversarialArchitecture(channels=4, latent=8, dim=16)


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


def test_what_is_read_are_the_mean_and_the_deviation_of_each_channel() -> None:
    random = torch.Generator().manual_seed(1)
    maps = [torch.randn(2, width, side, side, generator=random) for width, side in ((4, 8), (8, 4))]
    found = statistics(maps)
    expected = [
        torch.cat([values.flatten(2).mean(dim=2), values.flatten(2).std(dim=2, correction=0)], dim=1) for values in maps
    ]
    assert torch.allclose(found, torch.cat(expected, dim=1), atol=1e-5)


@pytest.mark.parametrize("inverse", [False, True])
def test_all_layers_are_read(inverse: bool) -> None:
    torch.manual_seed(1)
    network = LayerReadout(SMALL, inverse=inverse).eval()
    pictures = torch.rand(2, 3, 64, 64)
    vectors = network(pictures)
    assert vectors.shape == (2, SMALL.dim)
    maps = network.trunk(pictures)
    seen = [statistics(maps)] if network.latent is None else [statistics(maps), network.latent(maps[-1].flatten(1))]
    assert seen[0].shape == (2, 2 * (4 + 8 + 16 + 32))
    assert torch.allclose(vectors, network.readout(torch.cat(seen, dim=1)), atol=1e-6)


def test_the_code_of_an_inverse_counts_as_a_layer() -> None:
    assert lengths(SMALL, inverse=False) == [8, 16, 32, 64]
    assert lengths(SMALL, inverse=True) == [8, 16, 32, 64, 8]


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
