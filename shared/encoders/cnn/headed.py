"""A CNN with a head that was trained on what it sees."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, TypeVar

from torch import Tensor, nn

from shared.encoders.cnn import efficientnet_lite
from shared.encoders.cnn.encoder import Backbone
from shared.encoders.cnn.feature_map import MappedCnn
from shared.encoders.trained import trained_architecture


class HeadArchitecture(Protocol):
    """What must be known to build a head; it stands in the metadata of its weights."""

    @property
    def cnn(self) -> str:
        """The encoder whose map and whose pooled features it takes."""

    @property
    def dim(self) -> int:
        """The length of the embedding."""


Architecture = TypeVar("Architecture", bound=HeadArchitecture)


class HeadedCnn(nn.Module):
    """From normalised pixels, float32 (batch, 3, side, side), to embeddings (batch, dim).

    head: maps what `MappedCnn` gives, (batch, channels, height, width) and (batch, pooled_dim), to (batch, dim).
    """

    def __init__(self, head: nn.Module) -> None:
        super().__init__()
        self.cnn = MappedCnn()
        self.head = head

    def forward(self, images: Tensor) -> Tensor:
        embedding: Tensor = self.head(*self.cnn(images))
        return embedding


def headed_backbone(
    family: str, default: Architecture, head: Callable[[Architecture], nn.Module], weights: Path | None
) -> Backbone:
    """Return the default CNN with an untrained head of the architecture that the file names, or of the default one.

    Raises ValueError when the file is for another encoder, or names an architecture that there is not.
    """
    architecture = default
    if weights is not None:
        try:
            architecture = type(default)(**trained_architecture(weights, family))
        except TypeError as error:
            raise ValueError(f"the file {weights} names an architecture that there is not: {error}") from error
    if architecture.cnn != efficientnet_lite.NAME:
        raise ValueError(f"a head is for {efficientnet_lite.NAME}, and not for {architecture.cnn!r}")
    return Backbone(
        module=HeadedCnn(head(architecture)),
        dim=architecture.dim,
        preprocessing=efficientnet_lite.PREPROCESSING,
        classifier=(),
        borrowed=packaged_cnn,
    )


def packaged_cnn() -> Mapping[str, Tensor]:
    """Return the tensors of the default CNN as `cnn.NAME`: a file of a head holds nothing else than the head."""
    return {f"cnn.{name}": tensor for name, tensor in efficientnet_lite.packaged_features().items()}
