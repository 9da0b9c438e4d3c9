"""What the encoders read off their networks: the statistics of every layer, and a linear map of them all.

A game teaches its networks to tell pictures apart, and not which of what they see matters for likeness. A readout
weighs that: each statistic by how much it differs between pictures, each principal axis by the root of its deviation
(half of the whitening of Jégou and Chum, "Negative evidences and co-occurences in image retrieval: the benefit of PCA
and whitening", 2012).
"""

import torch
from torch import Tensor, nn

from shared.encoders.gan.networks import AdversarialArchitecture, Trunk, code_layer


def statistics(maps: list[Tensor], code: Tensor | None = None) -> Tensor:
    """Return the mean and the standard deviation of each channel of each layer, and the code where there is one.

    maps: float32, each (batch, channels, height, width). code: (batch, latent). returns: (batch, sum of `lengths`).
    """
    found = []
    for values in maps:
        mean = values.mean(dim=(2, 3), keepdim=True)
        deviation = (values - mean).square().mean(dim=(2, 3)).sqrt()
        found += [mean.flatten(1), deviation]
    return torch.cat(found if code is None else [*found, code], dim=1)


def lengths(architecture: AdversarialArchitecture, *, inverse: bool) -> list[int]:
    """Return how many statistics there are of each layer; the code counts as one."""
    return [2 * width for width in architecture.widths] + ([architecture.latent] if inverse else [])


class LayerReadout(nn.Module):
    """W s + b, of the statistics s of all layers of a discriminator, or of a generator's inverse and of its code."""

    def __init__(self, architecture: AdversarialArchitecture, *, inverse: bool = False) -> None:
        super().__init__()
        self.trunk = Trunk(architecture.widths, normalised=inverse)
        self.latent = code_layer(architecture) if inverse else None
        self.readout = nn.Linear(sum(lengths(architecture, inverse=inverse)), architecture.dim)

    def forward(self, pictures: Tensor) -> Tensor:
        """Map float32 (batch, 3, 64, 64) to (batch, dim), not of unit length."""
        maps = self.trunk(pictures)
        code = None if self.latent is None else self.latent(maps[-1].flatten(1))
        embedding: Tensor = self.readout(statistics(maps, code))
        return embedding
