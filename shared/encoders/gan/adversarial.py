"""The encoders `gan` and `bigan`: what the layers of a discriminator see, and those of a generator's inverse."""

from pathlib import Path

from shared.encoders.cnn.encoder import Backbone
from shared.encoders.gan.networks import SIDE, AdversarialArchitecture
from shared.encoders.gan.readout import LayerReadout
from shared.encoders.pixels.preprocessing import Preprocessing
from shared.encoders.trained import trained_architecture

GAN = "gan"
BIGAN = "bigan"

GAN_SHA256 = "bfe1d53e050d7fca4884af90eba065cc22f7f0566390e6d8fcbded46473efaa4"
BIGAN_SHA256 = "8f8786e17f74c8f72a3e397ea4150cece199ad8b24bf9d436d8c3c366596eb0f"
"""Of the weights that come with Afterimage; `make train-weights` makes them, and MODEL_CARD.md describes them."""

PREPROCESSING = Preprocessing(
    crop=SIDE, resize=SIDE, interpolation="bilinear", mean=(127.5, 127.5, 127.5), std=(127.5, 127.5, 127.5)
)
"""The whole central square, between -1 and 1 as a generator's tanh gives it."""


def packaged_weights(family: str) -> Path:
    """Return the file that comes with Afterimage: networks that were trained on drawings in the public domain."""
    return Path(__file__).with_name("weights") / f"{family}.safetensors"


def gan_backbone(weights: Path | None) -> Backbone:
    """Return the network for that file, untrained. Raises ValueError when the file is none of this encoder."""
    return _backbone(weights, GAN)


def bigan_backbone(weights: Path | None) -> Backbone:
    """Return the network for that file, untrained. Raises ValueError when the file is none of this encoder."""
    return _backbone(weights, BIGAN)


def _backbone(weights: Path | None, family: str) -> Backbone:
    architecture = _architecture(weights, family)
    module = LayerReadout(architecture, inverse=family == BIGAN)
    return Backbone(module=module, dim=architecture.dim, preprocessing=PREPROCESSING, classifier=())


def _architecture(weights: Path | None, family: str) -> AdversarialArchitecture:
    if weights is None:
        return AdversarialArchitecture()
    try:
        return AdversarialArchitecture(**trained_architecture(weights, family))
    except TypeError as error:
        raise ValueError(f"the file {weights} names an architecture that there is not: {error}") from error
