"""The encoder `cnn_head`: the default CNN, frozen, and a projection of its vector that was trained on one's pictures.

It is the plainest thing that can be learned on top of a CNN, and what a recurrent head has to beat.
"""

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor, nn

from shared.encoders.cnn.encoder import Backbone
from shared.encoders.cnn.feature_map import MappedCnn
from shared.encoders.cnn.headed import headed_backbone

NAME = "cnn_head"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectionArchitecture:
    """What must be known to build the network; it stands in the metadata of its weights."""

    cnn: str = "efficientnet_lite0"
    dim: int = 384
    """The length of the embedding."""


class ProjectionHead(nn.Module):
    """W normalize(pooled) + b. It takes the map too, as every head does, and does not look at it."""

    def __init__(self, architecture: ProjectionArchitecture) -> None:
        super().__init__()
        self.pooled = nn.Linear(MappedCnn.pooled_dim, architecture.dim)

    def forward(self, _feature_map: Tensor, pooled: Tensor) -> Tensor:
        """Map (batch, pooled_dim) to (batch, dim), not of unit length."""
        embedding: Tensor = self.pooled(nn.functional.normalize(pooled))
        return embedding


def projection_backbone(weights: Path | None) -> Backbone:
    """Return the network for that file, untrained. Raises ValueError when the file is none of this encoder."""
    return headed_backbone(NAME, ProjectionArchitecture(), ProjectionHead, weights)
