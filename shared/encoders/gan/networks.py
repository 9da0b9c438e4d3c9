"""The networks of the game, at 64 x 64 pixels.

Radford, Metz and Chintala, "Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
Networks" (2015): strided convolutions throughout, and a generator with batch normalisation. The discriminators have
none: their layers are held by spectral normalisation while they learn (Miyato et al. 2018), which suits few pictures.
The joint discriminator and the encoder are those of Donahue, Krähenbühl and Darrell, "Adversarial Feature Learning"
(2016), which Dumoulin et al. call adversarially learned inference.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

SIDE = 64
"""The height and the width of a picture, in pixels."""
_SLOPE = 0.2
_WIDTHS = (1, 2, 4, 8)
"""Of the layers, from the pixels on, in multiples of the architecture's channels. Each halves the sides."""
_LAST = SIDE >> len(_WIDTHS)
"""The height and the width of the last map."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdversarialArchitecture:
    """What must be known to build the networks; it stands in the metadata of their weights."""

    channels: int = 48
    """Of the first layer; the last one has eight times as many."""
    latent: int = 128
    """The length of what the generator makes a picture of."""
    dim: int = 384
    """The length of the embedding."""

    @property
    def widths(self) -> tuple[int, ...]:
        return tuple(width * self.channels for width in _WIDTHS)


class Generator(nn.Module):
    """From float32 (batch, latent), normally distributed, to pictures (batch, 3, 64, 64) between -1 and 1."""

    def __init__(self, architecture: AdversarialArchitecture) -> None:
        super().__init__()
        *others, deepest = architecture.widths
        self.stem = nn.Sequential(
            nn.ConvTranspose2d(architecture.latent, deepest, _LAST, bias=False), nn.BatchNorm2d(deepest), nn.ReLU()
        )
        layers: list[nn.Module] = []
        channels = deepest
        for width in reversed(others):
            layers += [_doubling(channels, width), nn.BatchNorm2d(width), nn.ReLU()]
            channels = width
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(channels, 3, 4, stride=2, padding=1), nn.Tanh())

    def forward(self, latent: Tensor) -> Tensor:
        pictures: Tensor = self.layers(self.stem(latent[:, :, None, None]))
        return pictures


class Trunk(nn.Module):
    """Strided convolutions over pictures (batch, 3, 64, 64); each layer's map is half as high and wide as the last."""

    def __init__(self, widths: tuple[int, ...], *, normalised: bool = False) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        channels = 3
        for number, width in enumerate(widths):
            layer = nn.Sequential(nn.Conv2d(channels, width, 4, stride=2, padding=1))
            if normalised and number > 0:
                layer.append(nn.BatchNorm2d(width))
            self.layers.append(layer.append(nn.LeakyReLU(_SLOPE)))
            channels = width

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """Return the map of each layer."""
        maps, values = [], pictures
        for layer in self.layers:
            values = layer(values)
            maps.append(values)
        return maps


class Discriminator(nn.Module):
    """Tells pictures from what the generator makes."""

    def __init__(self, architecture: AdversarialArchitecture) -> None:
        super().__init__()
        self.trunk = Trunk(architecture.widths)
        self.verdict = nn.Linear(architecture.widths[-1] * _LAST**2, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return (batch, 1): the larger, the likelier is the picture a real one."""
        verdict: Tensor = self.verdict(self.trunk(pictures)[-1].flatten(1))
        return verdict


class CodeEncoder(nn.Module):
    """The inverse of a generator: from pictures (batch, 3, 64, 64) to (batch, latent)."""

    def __init__(self, architecture: AdversarialArchitecture) -> None:
        super().__init__()
        self.trunk = Trunk(architecture.widths, normalised=True)
        self.latent = code_layer(architecture)

    def forward(self, pictures: Tensor) -> Tensor:
        code: Tensor = self.latent(self.trunk(pictures)[-1].flatten(1))
        return code


class JointDiscriminator(nn.Module):
    """Tells pairs (picture, its code) from pairs (generated picture, what it was made of)."""

    def __init__(self, architecture: AdversarialArchitecture) -> None:
        super().__init__()
        width = architecture.widths[-1]
        self.trunk = Trunk(architecture.widths)
        self.of_picture = nn.Linear(width * _LAST**2, width)
        self.of_code = nn.Sequential(
            nn.Linear(architecture.latent, width), nn.LeakyReLU(_SLOPE), nn.Linear(width, width)
        )
        self.verdict = nn.Sequential(
            nn.LeakyReLU(_SLOPE), nn.Linear(2 * width, width), nn.LeakyReLU(_SLOPE), nn.Linear(width, 1)
        )

    def forward(self, pictures: Tensor, codes: Tensor) -> Tensor:
        """Return (batch, 1): the larger, the likelier is the pair one of a real picture."""
        seen = self.of_picture(self.trunk(pictures)[-1].flatten(1))
        verdict: Tensor = self.verdict(torch.cat([seen, self.of_code(codes)], dim=1))
        return verdict


def code_layer(architecture: AdversarialArchitecture) -> nn.Linear:
    """Return the last layer of the inverse, from the last map (batch, channels * 4 * 4) to the code."""
    return nn.Linear(architecture.widths[-1] * _LAST**2, architecture.latent)


def _doubling(channels: int, width: int) -> nn.Module:
    return nn.ConvTranspose2d(channels, width, 4, stride=2, padding=1, bias=False)
