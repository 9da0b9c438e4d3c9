"""The head of the RNN family: recurrent sweeps over the map of a CNN, joined with what the CNN pools."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from shared.encoders.cnn.feature_map import MappedCnn
from shared.encoders.rnn.sweeps import Cell, Sweeps


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurrentArchitecture:
    """What must be known to build the network; it stands in the metadata of its weights."""

    cnn: str = "efficientnet_lite0"
    cell: Cell = "gru"
    hidden: int = 64
    """Of each direction of each sweep."""
    dim: int = 384
    """The length of the embedding."""


class RecurrentHead(nn.Module):
    """Joins what the sweeps see with what the CNN pools: W normalize(pooled) + V [mean, max](sweeps(map)).

    The first term is a linear projection of the plain CNN's vector. V begins at zero, so training begins at that
    projection, and the sweeps are used for what they add to it.
    """

    def __init__(self, architecture: RecurrentArchitecture) -> None:
        super().__init__()
        self.scale = nn.BatchNorm2d(MappedCnn.map_channels, affine=False)
        self.sweeps = Sweeps(MappedCnn.map_channels, architecture.hidden, architecture.cell)
        self.pooled = nn.Linear(MappedCnn.pooled_dim, architecture.dim)
        self.context = nn.Linear(4 * architecture.hidden, architecture.dim, bias=False)
        nn.init.zeros_(self.context.weight)

    def forward(self, feature_map: Tensor, pooled: Tensor) -> Tensor:
        """Map (batch, map_channels, height, width) and (batch, pooled_dim) to (batch, dim), not of unit length."""
        context = self.sweeps(self.scale(feature_map)).flatten(2)
        both = torch.cat([context.mean(dim=2), context.amax(dim=2)], dim=1)
        embedding: Tensor = self.pooled(nn.functional.normalize(pooled)) + self.context(both)
        return embedding
