"""The encoders `gan` and `bigan`: what the layers of a discriminator see, and those of a generator's inverse."""

from pathlib import Path

from shared.encoders.cnn.encoder import Backbone
from shared.encoders.gan.networks import SIDE, AdversarialArchitecture
from shared.encoders.gan.readout import LayerReadout
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
