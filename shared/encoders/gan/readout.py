"""What the encoders read off their networks: the statistics of every layer, and a linear map of them all.

A game teaches its networks to tell pictures apart, and not which of what they see matters for likeness. A readout
weighs that: each statistic by how much it differs between pictures, each principal axis by the root of its deviation
(half of the whitening of Jégou and Chum, "Negative evidences and co-occurences in image retrieval: the benefit of PCA
and whitening", 2012).
"""

import torch
from torch import Tensor, nn

from shared.encoders.gan.networks import AdversarialArchitecture, Trunk


def layer_statistics(maps: list[Tensor]) -> Tensor:
    """Return the mean and the standard deviation of each channel of each layer.

    maps: float32, each (batch, channels, height, width). returns: (batch, 2 * all channels).
    """
    found = []
    for values in maps:
        mean = values.mean(dim=(2, 3), keepdim=True)
        deviation = (values - mean).square().mean(dim=(2, 3)).sqrt()
        found += [mean.flatten(1), deviation]
    return torch.cat(found, dim=1)


def statistics_of(architecture: AdversarialArchitecture) -> int:
    """Return how many statistics there are of each picture."""
    return 2 * sum(architecture.widths)


class LayerReadout(nn.Module):
    """W s + b, of the statistics s of all layers of a network."""

    def __init__(self, architecture: AdversarialArchitecture, *, normalised: bool = False) -> None:
        """normalised: whether the layers have batch normalisation, as those of a generator's inverse do."""
        super().__init__()
        self.trunk = Trunk(architecture.widths, normalised=normalised)
        self.readout = nn.Linear(statistics_of(architecture), architecture.dim)

    def forward(self, pictures: Tensor) -> Tensor:
        """Map float32 (batch, 3, 64, 64) to (batch, dim), not of unit length."""
        embedding: Tensor = self.readout(layer_statistics(self.trunk(pictures)))
        return embedding
