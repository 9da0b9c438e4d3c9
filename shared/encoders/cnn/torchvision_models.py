"""Any classifier that torchvision knows, with weights from a local file."""

from pathlib import Path
from typing import cast

import torchvision
from torch import nn
from torchvision.models import WeightsEnum

from shared.encoders.cnn.encoder import Backbone
from shared.encoders.pixels.preprocessing import Interpolation, Preprocessing

RGB = tuple[float, float, float]

_INPUT_TRANSFORMED = {"googlenet", "inception_v3"}  # their weights expect a further transform inside of the model


def torchvision_backbone(model: str, weights_file: Path | None) -> Backbone:
    """Return the model without its last linear layer, and the preprocessing of its published weights.

    Where several were published for one model, the file's name decides, and else torchvision's
    default. Raises ValueError for an unknown name, or a model that has no such layer.
    """
    if model in _INPUT_TRANSFORMED or model not in torchvision.models.list_models(module=torchvision.models):
        raise ValueError(f"torchvision has no classifier {model!r} that can be used here")
    presets = _published(model, weights_file).transforms()
    size = {"image_size": presets.crop_size[0]} if model.startswith("vit_") else {}
    module = torchvision.models.get_model(model, weights=None, **size)
    linear = [name for name, layer in module.named_modules() if isinstance(layer, nn.Linear)]
    if not linear:
        raise ValueError(f"torchvision:{model} does not end in a linear layer, so it has no feature vector")
    classifier = cast("nn.Linear", module.get_submodule(linear[-1]))
    module.set_submodule(linear[-1], nn.Identity())
    return Backbone(
        module=module,
        dim=classifier.in_features,
        preprocessing=Preprocessing(
            crop=presets.crop_size[0],
            resize=presets.resize_size[0],
            interpolation=cast("Interpolation", presets.interpolation.value),
            mean=cast("RGB", tuple(255 * value for value in presets.mean)),
            std=cast("RGB", tuple(255 * value for value in presets.std)),
        ),
        classifier=(linear[-1],),
    )


def _published(model: str, weights_file: Path | None) -> WeightsEnum:
    known = torchvision.models.get_model_weights(model)
    by_file = {Path(weights.url).stem: weights for weights in known}
    return by_file.get(weights_file.stem if weights_file else "", known.DEFAULT)
