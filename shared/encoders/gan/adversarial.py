"""The encoders `gan` and `bigan`: the features of a discriminator, and the code of a generator's inverse."""

from pathlib import Path

import torch
from torch import Tensor, nn

from shared.encoders.cnn.encoder import Backbone
from shared.encoders.gan.networks import SIDE, AdversarialArchitecture, CodeEncoder, Trunk
from shared.encoders.pixels.preprocessing import Preprocessing
from shared.encoders.trained import trained_architecture

GAN = "gan"
BIGAN = "bigan"

GAN_SHA256 = "02833f72e25771ceffc3579880fadbff8ca7daf10a549d5854626a5060ba6095"
BIGAN_SHA256 = "624ce66d7c23467452579ddc70238c4a40a9d335428dc4c5af7edd5d1c5b1459"
"""Of the weights that come with Afterimage; `make train-weights` makes them, and MODEL_CARD.md describes them."""

PREPROCESSING = Preprocessing(
    crop=SIDE, resize=SIDE, interpolation="bilinear", mean=(127.5, 127.5, 127.5), std=(127.5, 127.5, 127.5)
)
"""The whole central square, between -1 and 1 as a generator's tanh gives it."""

_GRID = 2
"""The maps of all layers are pooled to this many rows and columns: 4 in the paper, for four times the length."""


class DiscriminatorFeatures(nn.Module):
    """The maps of all layers of a discriminator, each pooled by its maxima and scaled to unit length, in one vector.

    As in section 5.1 of Radford et al. (2015), with a coarser grid.
    """

    def __init__(self, architecture: AdversarialArchitecture) -> None:
        super().__init__()
        self.trunk = Trunk(architecture.widths)

    def forward(self, pictures: Tensor) -> Tensor:
        """Map float32 (batch, 3, 64, 64) to (batch, dim)."""
        return layer_features(self.trunk(pictures))

    @staticmethod
    def dim_of(architecture: AdversarialArchitecture) -> int:
        return _GRID**2 * sum(architecture.widths)


def layer_features(maps: list[Tensor]) -> Tensor:
    """Return the vector of the maps of all layers, each (batch, channels, height, width)."""
    pooled = [nn.functional.adaptive_max_pool2d(values, _GRID).flatten(1) for values in maps]
    return torch.cat([nn.functional.normalize(values) for values in pooled], dim=1)


def packaged_weights(family: str) -> Path:
    """Return the file that comes with Afterimage: networks that were trained on drawings in the public domain."""
    return Path(__file__).with_name("weights") / f"{family}.safetensors"


def gan_backbone(weights: Path | None) -> Backbone:
    """Return the network for that file, untrained. Raises ValueError when the file is none of this encoder."""
    architecture = _architecture(weights, GAN)
    return Backbone(
        module=DiscriminatorFeatures(architecture),
        dim=DiscriminatorFeatures.dim_of(architecture),
        preprocessing=PREPROCESSING,
        classifier=(),
    )


def bigan_backbone(weights: Path | None) -> Backbone:
    """Return the network for that file, untrained. Raises ValueError when the file is none of this encoder."""
    architecture = _architecture(weights, BIGAN)
    return Backbone(
        module=CodeEncoder(architecture), dim=architecture.latent, preprocessing=PREPROCESSING, classifier=()
    )


def _architecture(weights: Path | None, family: str) -> AdversarialArchitecture:
    if weights is None:
        return AdversarialArchitecture()
    try:
        return AdversarialArchitecture(**trained_architecture(weights, family))
    except TypeError as error:
        raise ValueError(f"the file {weights} names an architecture that there is not: {error}") from error
