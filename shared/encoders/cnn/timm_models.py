"""Any model that timm knows, with weights from a local file."""

from math import floor
from typing import cast

import timm
from timm.data.config import resolve_model_data_config

from shared.encoders.cnn.encoder import Backbone
from shared.encoders.pixels.preprocessing import Interpolation, Preprocessing

RGB = tuple[float, float, float]


def timm_backbone(model: str) -> Backbone:
    """Return the model without its classifier, and the preprocessing that timm's own configuration names.

    model: with or without the tag of its weights, such as `resnet50` or `resnet50.a1_in1k`.
    Raises ValueError for an unknown name, a model without a classifier, since that gives a map of features and no
    vector, or a preprocessing that is not offered here.
    """
    if not timm.is_model(model):  # create_model would take hf-hub: names too, and fetch them
        raise ValueError(f"timm has no model {model!r}; `timm.list_models()` names them all")
    try:
        module = timm.create_model(model, num_classes=0)
    except RuntimeError as error:
        raise ValueError(f"timm cannot build {model!r}: {error}") from error
    if not hasattr(module, "get_classifier"):
        raise ValueError(f"timm:{model} has no classifier, so it has no feature vector")
    config = resolve_model_data_config(module)  # type: ignore[no-untyped-call]  # timm types only its surface
    _, height, width = config["input_size"]
    if height != width or config["crop_mode"] != "center":
        raise ValueError(
            f"timm:{model} wants images of {height} x {width} pixels cut in the mode {config['crop_mode']!r}; "
            "only models that take the central square can be used"
        )
    classifier = timm.get_pretrained_cfg_value(model, "classifier")
    return Backbone(
        module=module,
        dim=cast("int", module.head_hidden_size),
        preprocessing=Preprocessing(
            crop=height,
            resize=floor(height / config["crop_pct"]),
            interpolation=cast("Interpolation", config["interpolation"]),
            mean=cast("RGB", tuple(255 * value for value in config["mean"])),
            std=cast("RGB", tuple(255 * value for value in config["std"])),
        ),
        classifier=(classifier,) if isinstance(classifier, str) else tuple(classifier or ()),
    )
